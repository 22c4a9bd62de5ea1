"""Coverage of a form: how each of its rows runs here, and what the rows that do not run in full need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.check import features
from fieldsurvey.xforms.check.features import FULL, ORDER, Kind, Way, base_type, of_appearance
from fieldsurvey.xforms.check.findings import place
from fieldsurvey.xforms.check.inspect import control_features, control_type
from fieldsurvey.xforms.check.sheets import Cell, Row, Sheets
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.definition.model import Control, NodeDef
from fieldsurvey.xforms.form import LoadedForm
from fieldsurvey.xforms.program.lists import LAST_SAVED, parse_list
from fieldsurvey.xforms.xpath.ast import Expr, FunctionCall, Literal, children
from fieldsurvey.xforms.xpath.errors import EvaluationError

FILES = re.compile(r"\.(csv|xml|geojson)$", re.IGNORECASE)
MEDIA = frozenset({"image", "big-image", "audio", "video"})


@dataclass(frozen=True, slots=True)
class Part:
    """One feature of a row that does not simply run: what it is called, and how it runs."""

    name: str
    kind: Kind
    reason: str
    remedy: str = ""
    origin: Origin | None = None

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "name": self.name,
            "kind": str(self.kind),
            "reason": self.reason,
            "remedy": self.remedy,
            **place(self.origin),
        }


@dataclass(slots=True)
class Covered:
    """A row of the form (question, group, setting, list column): how it runs, by its least feature."""

    name: str
    type: str
    origin: Origin | None
    parts: list[Part] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """The least of its parts."""
        return max((part.kind for part in self.parts), key=ORDER.__getitem__, default=Kind.FULL)

    def add(self, name: str, way: Way, origin: Origin | None) -> None:
        """Take a feature into account."""
        if way is not FULL and way.kind is not Kind.FULL:
            reason, remedy = way.words()
            self.parts.append(Part(name, way.kind, reason, remedy, origin))

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "name": self.name,
            "type": self.type,
            "kind": str(self.kind),
            "parts": [part.as_dict() for part in self.parts],
            **place(self.origin),
        }


class Coverage:
    """The coverage of one form."""

    def __init__(self, form: LoadedForm, sheets: Sheets) -> None:
        self.form = form
        self.sheets = sheets
        self.files: dict[str, bool] = {}
        self.unreadable: dict[str, str] = {}

    def rows(self) -> list[Covered]:
        """Every row, in the order of the workbook; of an XForm, every control and every hidden node."""
        found = list(self._survey()) if self.sheets.there else list(self._nodes())
        by_row = {
            row.origin.row: row for row in found if row.origin is not None and row.origin.sheet in {"survey", "XML"}
        }
        self._files(found, by_row)
        if self.sheets.there:
            found.extend(self._lists())
            found.extend(self._settings())
            found.extend(self._entities())
        return found

    # -- workbooks ---------------------------------------------------------------------------------------------------

    def _survey(self) -> Iterator[Covered]:
        for row in self.sheets.rows("survey"):
            if "type" not in row:
                continue
            kind, rest = base_type(row["type"].text)
            if kind.startswith("end_"):
                continue
            name = row["name"].text if "name" in row else ""
            covered = Covered(name, row["type"].text, Origin("survey", row["type"].row))
            covered.add(kind, features.TYPES.get(kind, FULL), row["type"].origin)
            if kind in {"csv-external", "xml-external"}:
                self._file(covered, f"{name}.{kind.partition('-')[0]}", row["type"].origin)
            elif rest and FILES.search(rest.split()[0]):
                self._file(covered, rest.split()[0], row["type"].origin)
            self._cells(covered, row)
            yield covered

    def _cells(self, covered: Covered, row: Row) -> None:
        for cell in row.values():
            column = cell.column.partition("::")[0] if not cell.column.startswith(("bind", "body")) else cell.column
            if column == "appearance":
                for word, way in of_appearance(cell.text):
                    covered.add(f"appearance {word}", way, cell.origin)
            elif column in {"parameters", "params"}:
                for pair in re.split(r"[\s;,]+", cell.text):
                    key = pair.partition("=")[0].strip().lower()
                    covered.add(f"{key}=", features.PARAMETERS.get(key, FULL), cell.origin)
            elif column in MEDIA:
                covered.add(column, features.COLUMNS[column], cell.origin)
                self._file(covered, cell.text, cell.origin)
            else:
                covered.add(cell.header, features.COLUMNS.get(cell.column.lower(), FULL), cell.origin)
            if "${last-saved#" in cell.text.replace(" ", ""):
                covered.add("last-saved", features.LAST_SAVED, cell.origin)

    def _lists(self) -> Iterator[Covered]:
        """Pictures and sounds of choices, and rows of other sheets that name files."""
        for row in self.sheets.rows("choices"):
            covered = Covered(_text(row, "name"), f"choice {_text(row, 'list_name')}", _first(row).origin)
            for cell in row.values():
                if cell.column.partition("::")[0] in MEDIA:
                    covered.add(cell.header, features.COLUMNS[cell.column.partition("::")[0]], cell.origin)
                    self._file(covered, cell.text, cell.origin)
            covered.origin = Origin("choices", _first(row).row)
            yield covered

    def _settings(self) -> Iterator[Covered]:
        for row in self.sheets.rows("settings"):
            for cell in row.values():
                covered = Covered(cell.header, "setting", cell.origin)
                covered.add(cell.header, features.SETTINGS.get(cell.column, FULL), cell.origin)
                yield covered

    def _entities(self) -> Iterator[Covered]:
        for row in self.sheets.rows("entities"):
            covered = Covered(
                _text(row, "list_name") or _text(row, "dataset"), "entity", Origin("entities", _first(row).row)
            )
            covered.add("entity", features.TYPES["entity"], covered.origin)
            yield covered

    # -- XForms ------------------------------------------------------------------------------------------------------

    def _nodes(self) -> Iterator[Covered]:
        pending: list[Control] = list(reversed(self.form.definition.controls))
        while pending:
            control = pending.pop()
            pending.extend(reversed(control.children))
            name = control.ref.name if control.ref is not None else ""
            covered = Covered(name, control_type(control), control.origin)
            for feature, way in control_features(control):
                covered.add(feature, way, control.origin)
            for feature, address in self._label_media(control):
                covered.add(feature, features.COLUMNS[feature], control.origin)
                self._file(covered, address, control.origin)
            yield covered
        for action in self.form.definition.actions:
            if action.kind == "recordaudio":
                yield self._action(action.target, "background-audio", action.origin)
            elif action.kind == "setgeopoint":
                yield self._action(action.target, "start-geopoint", action.origin)

    def _label_media(self, control: Control) -> Iterator[tuple[str, str]]:
        if control.label is None or control.label.itext is None:
            return
        for entries in self.form.definition.itext.values():
            for form, parts in entries.get(control.label.itext, {}).items():
                if form in MEDIA and parts and isinstance(parts[0], str):
                    yield form, parts[0]

    def _action(self, target: NodeDef, name: str, origin: Origin | None) -> Covered:
        covered = Covered(target.name, name, origin)
        covered.add(name, features.TYPES[name], origin)
        return covered

    # -- files -------------------------------------------------------------------------------------------------------

    def _files(self, rows: list[Covered], by_row: dict[int, Covered]) -> None:
        """Lists that expressions and selects read from files: of pulldata, search and instances with a source."""
        told = {name for row in rows for part in row.parts for name in (part.name,)}
        for expression in self.form.definition.expressions:
            if "extract-signed" in expression.source and expression.origin is not None:
                signed = by_row.get(expression.origin.row)
                if signed is not None:
                    signed.add("extract-signed()", features.SIGNED, expression.origin)
            for name in pulled(self.form.program.parsed(expression)):
                at = by_row.get(expression.origin.row) if expression.origin is not None else None
                if at is not None and f"{name}.csv" not in told:
                    self._file(at, f"{name}.csv", expression.origin)
        for node in self.form.nodes:
            control = node.control
            if control is None or not control.search:
                continue
            named = self.form.program.parsed(control.search[0])
            at = by_row.get(control.origin.row) if control.origin is not None else None
            if isinstance(named, Literal) and at is not None:
                self._file(at, f"{named.value}.csv", control.origin)
        for name, instance in self.form.definition.secondary.items():
            if instance.src == LAST_SAVED and not self.sheets.there:
                covered = Covered(name, "list", instance.origin)
                covered.add("last-saved", features.LAST_SAVED, instance.origin)
                rows.append(covered)
            if not instance.src or instance.src.startswith("jr://instance/"):
                continue
            file = instance.src.rpartition("/")[2]
            if file not in self.files:
                covered = Covered(name, "list", instance.origin)
                self._file(covered, file, instance.origin)
                rows.append(covered)

    def _file(self, covered: Covered, name: str, origin: Origin | None) -> None:
        name = name.strip().rpartition("/")[2]
        if not name or "${" in name:
            return
        there = self.files.get(name)
        if there is None:
            data = self.form.source.find_media(name)
            there = self.files[name] = data is not None
            self.unreadable[name] = why_unreadable(name, data) if data is not None else ""
        if any(part.name == name for part in covered.parts):
            return
        if self.unreadable[name]:
            said = _("The file {name} cannot be used: {reason}.").format(name=name, reason=self.unreadable[name])
            covered.parts.append(Part(name, Kind.REFUSED, said, _("Correct the file, or divide it."), origin))
            return
        reason = _("It needs the file {name}, which is there.") if there else _("It needs the file {name}.")
        remedy = "" if there else _("Put {name} beside the form, or in its folder `media`.").format(name=name)
        covered.parts.append(Part(name, Kind.ATTACHED, reason.format(name=name), remedy, origin))


def why_unreadable(name: str, data: bytes) -> str:
    """Why a list cannot be read, "" when it can, and for files that are no lists."""
    if not FILES.search(name):
        return ""
    try:
        parse_list(name, data)
    except EvaluationError as error:
        return error.reason
    return ""


def pulled(tree: Expr) -> Iterator[str]:
    """The lists that pulldata() names."""
    pending = [tree]
    while pending:
        expr = pending.pop()
        if (
            isinstance(expr, FunctionCall)
            and expr.name == "pulldata"
            and expr.args
            and isinstance(expr.args[0], Literal)
        ):
            yield expr.args[0].value
        pending.extend(children(expr))


def _text(row: Row, column: str) -> str:
    return row[column].text if column in row else ""


def _first(row: Row) -> Cell:
    return next(iter(row.values()))


def totals(rows: list[Covered]) -> dict[str, int]:
    """How many rows of each kind."""
    counts = dict.fromkeys((str(kind) for kind in Kind), 0)
    for row in rows:
        counts[str(row.kind)] += 1
    return counts
