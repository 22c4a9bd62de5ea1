"""The report of a release: one self-contained page with its charts.

Entry point: ``page(release, language="es") -> str``. ``release`` is a
``ReportContent`` (``content.py``): frozen values and polars frames that are
already protected, in which a suppressed cell is empty and carries the status
that says why. Parts that a release does not have are not rendered.

What it does not do: count, suppress, read records or write files. A raw count
cannot be handed in: a frame that carries a number beside a status other than
``published`` is refused (``check.py``).
"""

from fieldsurvey.needs.report.content import Comparison, FormVersion, ReportContent
from fieldsurvey.needs.report.errors import NoWordsError, UnprotectedError
from fieldsurvey.needs.report.render import page

__all__ = ["Comparison", "FormVersion", "NoWordsError", "ReportContent", "UnprotectedError", "page"]
