"""What the HMU's room refuses, besides what `opened`, `protect` and `report` do.

InputError
├── IndicatorError      the table of indicators cannot be used; names its row
├── MixedUnitsError     a table that would mix people, households, groups or institutions
├── ForbiddenTableError a crossing that no output may have (where people without papers live is nobody's table)
└── NoNeedsFormError    the project has no form that the tables are made from
RefusedError
├── NothingToShowError  too few interviews to publish anything
├── ReissueError        a published round would change by too little
└── LeakError           the audit of a release found a cell that could be worked out
StorageError
└── LedgerError         the ledger of releases was altered or is damaged
"""

from __future__ import annotations

from fieldsurvey.base.errors import InputError, RefusedError, StorageError


class IndicatorError(InputError):
    """A row of indicators.csv that cannot be used."""

    code = "needs.indicator"
    template = "indicators.csv, row {row}: {reason}"
    hint = "Nothing was made. Mend the row; forms/README.md explains the columns."


class MixedUnitsError(InputError):
    """A table holds one unit."""

    code = "needs.units"
    template = "A table cannot mix units: {units}."
    hint = "Nothing was made. Answers for a person and answers for a household are different tables."


class ForbiddenTableError(InputError):
    """A crossing that no output may have."""

    code = "needs.forbidden"
    template = "`{indicator}` may not be shown by {place}: {rule}."
    hint = "Nothing was made. Where people without papers or under protection live is nobody's table."


class NoNeedsFormError(InputError):
    """The project has no form `needs`, or no indicators."""

    code = "needs.no_form"
    template = "The project has no form `needs` with indicators: there is nothing to tabulate."
    hint = "Nothing was made. Add it: fieldsurvey project add-form needs"


class NothingToShowError(RefusedError):
    """Too few interviews."""

    code = "needs.too_few"
    template = "Round `{round}` has {n} interviews; below {k} nothing is published."
    hint = "Nothing was made. Wait for more records, or add this fieldwork to the next round."


class ReissueError(RefusedError):
    """A published round is issued again only when each changed cell changes by at least k_base."""

    code = "needs.reissue"
    template = (
        "Round `{round}` is published already, and {cells} cells would change by fewer than {k} (the first: {first})."
    )
    hint = (
        "Nothing was written; the published tables stand. A difference that small could point to one person. "
        "Late records belong to the next round. To write the published tables again, add --published."
    )


class LeakError(RefusedError):
    """The audit of the whole release failed, collapsed as far as it goes."""

    code = "needs.leak"
    template = "The audit refused this release: {cells} cells could be worked out too closely."
    hint = "Nothing was written. This should not happen: keep the data as it is and report it."


class LedgerError(StorageError):
    """What the ledger holds is not what was written."""

    code = "needs.ledger"
    template = "The ledger of releases is damaged or was altered: {place}."
    hint = "Nothing was written. Restore it from a backup: without it no release can be held against an earlier one."
