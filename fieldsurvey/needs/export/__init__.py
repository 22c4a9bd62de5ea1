"""What leaves the house as files: CSV (one for each table), HXL, and the workbook. Protected values only.

Input is `report.content.ReportContent`, the same as the report's: what is suppressed there is suppressed here, because
nothing here counts. Codes and labels stand side by side. A suppressed cell is empty, and its status says why.
"""

from fieldsurvey.needs.export.files import Exported, export_release

__all__ = ["Exported", "export_release"]
