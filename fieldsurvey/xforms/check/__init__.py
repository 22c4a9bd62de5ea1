"""What can be said of a form without answering it: how each row runs here, and what its author surely did not mean.

`check_form` gives both as a Report, `refusals` only what cannot run in a terminal. Nothing is changed, no interview
is started.
"""

from __future__ import annotations

from fieldsurvey.xforms.check.coverage import Coverage, Covered, Part
from fieldsurvey.xforms.check.features import Kind
from fieldsurvey.xforms.check.findall import find_all
from fieldsurvey.xforms.check.findings import Finding, Severity
from fieldsurvey.xforms.check.report import Report, check_form, refusals, render_report

__all__ = [
    "Coverage",
    "Covered",
    "Finding",
    "Kind",
    "Part",
    "Report",
    "Severity",
    "check_form",
    "find_all",
    "refusals",
    "render_report",
]
