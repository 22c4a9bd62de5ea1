"""What protection refuses.

InputError
├── TableError         a count table that cannot be read or does not add up
└── TableTooLargeError more cells than memory allows
RefusedError
├── AuditError         a suppressed cell could be narrowed too far: the release is not made
└── UnprotectableError what is published already leaves no way to protect a cell: collapse first
"""

from __future__ import annotations

from fieldsurvey.base.errors import InputError, RefusedError


class TableError(InputError):
    """A count table that cannot be used; `reason` names the row or column."""

    code = "needs.table"
    template = "This table cannot be protected: {reason}"
    hint = (
        "Nothing was written. The table needs one column for each dimension, a column `count` of whole numbers, and "
        "no totals (they are computed). See `fieldsurvey needs protect --help`."
    )


class TableTooLargeError(InputError):
    """The table with its totals would have more cells than `limit`."""

    code = "needs.table_size"
    template = "With its totals this table would have {cells} cells; the most is {limit}."
    hint = "Nothing was written. Collapse a dimension, or split the table, and try again."


class AuditError(RefusedError):
    """The audit found cells that a reader could work out; `cells` is how many."""

    code = "needs.audit"
    template = "The audit refused this release: {cells} cells could be worked out too closely (the first: {first})."
    hint = "Nothing was written. Collapse a dimension (fewer, larger groups) and try again."


class UnprotectableError(RefusedError):
    """With the cells that are published already, a cell cannot be given an interval of k."""

    code = "needs.unprotectable"
    template = "This table cannot be protected beside what is published already."
    hint = "Nothing was written. Collapse a dimension (fewer, larger groups) and try again."
