"""An opened round: tables of answers, one for each form and level, and what became of every record.

It lives in the HMU's memory and, encrypted, on its disk (`store`). Nothing here prints a record: `repr` gives counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import polars as pl
from pydantic import Field

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.needs.opened.errors import NoSuchTableError
from fieldsurvey.needs.opened.layout import TOP, Column
from fieldsurvey.project.policy import Round
from fieldsurvey.records.wire import Wire

Count = Annotated[int, Field(ge=0)]


class Quality(Wire):
    """What became of the records. The round lies inside the seal: where nothing is opened, counts are the project's.

    Of the `cases` that count at central, each is exactly one of: `kept` (in the round), `outside` its dates, `undated`
    (no readable `fieldwork_date`), `practice`, `unknown_form` (no such form hash in the project), or in `not_opened`,
    by reason: lost (central has no body), altered, malformed, not_a_recipient, foreign_project, unsigned
    (no signature of its laptop covers its log entry), not_enrolled (in the signed project at hand), header (not what
    its entry says), payload, form (the engine refuses it), instance (not that form's).

    Besides: `withdrawn` cases; cases of which there are `only_proposals` (their own records have not come);
    `quarantined` log entries of devices not enrolled or revoked. Of the kept ones: `conflicts` (concurrent or contested
    revisions), `proposals` (another device proposes a change), `duplicates` (probable: the same answers as another).
    """

    what: ClassVar[str] = "quality of a round"

    cases: Count = 0
    kept: Count = 0
    outside: Count = 0
    undated: Count = 0
    practice: Count = 0
    unknown_form: Count = 0
    not_opened: dict[str, Count] = Field(default_factory=dict)
    withdrawn: Count = 0
    only_proposals: Count = 0
    quarantined: Count = 0
    conflicts: Count = 0
    proposals: Count = 0
    duplicates: Count = 0
    unknown_forms: dict[str, Count] = Field(default_factory=dict)
    """`id version` -> records, for at most 20 forms; the rest under "…"."""
    mistyped: dict[str, Count] = Field(default_factory=dict)
    """`form column` -> answers that do not read as the question's type; they are blank in the table."""

    @property
    def opened(self) -> int:
        """Records whose seal opened and whose content was read to the end."""
        return self.kept + self.outside + self.undated

    def lines(self) -> list[str]:
        """What there is to say of it, in words, a line each; nothing where a count is 0."""
        said = (
            (_("{n} are in the round."), self.kept, True),
            (_("{n} are of other dates."), self.outside, False),
            (_("{n} have no readable fieldwork date and are left out."), self.undated, False),
            (_("{n} are practice and are left out."), self.practice, False),
            (_("{n} are of a form or version that the project does not have: {names}."), self.unknown_form, False),
            (_("{n} could not be opened or read and are left out: {reasons}."), self.failed, False),
            (_("{n} cases are withdrawn and were not opened."), self.withdrawn, False),
            (_("{n} cases wait for their first record."), self.only_proposals, False),
            (_("{n} entries of devices that are not enrolled, or revoked, are kept apart."), self.quarantined, False),
            (_("{n} in the round have revisions in conflict."), self.conflicts, False),
            (_("{n} in the round have a correction proposed by another device."), self.proposals, False),
            (
                _("{n} in the round have the same answers as another: probable duplicates, flagged."),
                self.duplicates,
                False,
            ),
            (_("{n} answers do not read as their question's type and are blank."), sum(self.mistyped.values()), False),
        )
        names = ", ".join(f"{name} ({n})" for name, n in self.unknown_forms.items())
        reasons = ", ".join(f"{reason} ({n})" for reason, n in self.not_opened.items())
        return [text.format(n=n, names=names, reasons=reasons) for text, n, always in said if n or always]

    @property
    def failed(self) -> int:
        """Records that could not be opened or read, whatever the reason."""
        return sum(self.not_opened.values())


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that could not be opened or read: entry `seq` of a device's log, and the reason as in `not_opened`.

    Nothing of what is in it.
    """

    device: str
    name: str
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """A form's records, or one of its repeats. `columns` describes those that hold answers, in order."""

    form: str
    level: str
    columns: tuple[Column, ...]
    frame: pl.DataFrame = field(repr=False)


class Dataset:
    """An opened round.

    The table of a form's records has one row a record, by case, with the columns

        _record (hash, hex) _case _revision _device _person _form_version _started _finished (ISO 8601, the laptop's
        clock) _language _mode (screen, paper) _conflict _proposal _duplicate (Boolean)

    then one for each question by its name (by its path where names collide). A repeat has a table of its own, one row
    an instance, blank ones too: _record, _row ("2", in a nested repeat "2.1"), _parent (the _row of the instance
    around it, "" at the first level), _position (from 1), then its questions.

    Types: integer Int64, decimal Float64, date Date, boolean Boolean, select_multiple and rank List(String), all else
    String (dateTime and time as ISO 8601; calculations as the form's bind types them, mostly String). Null: not asked,
    or left blank. Versions of a form share a table; a column that a version lacks is null there.

    `left_out`: which records could not be opened or read; known when a round is opened, and not kept with it.
    """

    def __init__(
        self,
        *,
        project: str,
        project_version: int,
        survey_round: Round,
        quality: Quality,
        tables: tuple[Table, ...],
        left_out: tuple[LeftOut, ...] = (),
    ) -> None:
        self.project = project
        self.project_version = project_version
        self.round = survey_round
        self.quality = quality
        self.tables = tables
        self.left_out = left_out

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{table.form}{'/' * bool(table.level)}{table.level} {table.frame.height}" for table in self.tables
        )
        return f"Dataset({self.round.id}: {sizes})"

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms that have a table, with records or without."""
        return tuple(dict.fromkeys(table.form for table in self.tables))

    def levels(self, form: str) -> tuple[str, ...]:
        """The levels of a form: "" for the record, then its repeats by name (by path where names collide)."""
        return tuple(table.level for table in self.tables if table.form == form)

    def table(self, form: str, level: str = TOP) -> Table:
        """One table. Raises NoSuchTableError."""
        for table in self.tables:
            if (table.form, table.level) == (form, level):
                return table
        known = ", ".join(f"{table.form} {table.level}".strip() for table in self.tables) or "–"
        raise NoSuchTableError(form=form, level=level, known=known)

    def frame(self, form: str, level: str = TOP) -> pl.DataFrame:
        """One table's rows. Raises NoSuchTableError."""
        return self.table(form, level).frame

    def columns(self, form: str, level: str = TOP) -> Mapping[str, Column]:
        """What each column of answers is: path, kind, calculated or asked. Raises NoSuchTableError."""
        return {column.name: column for column in self.table(form, level).columns}
