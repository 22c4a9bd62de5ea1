"""Which sheet and row each node comes from: our own map, since the converter does not keep one for every fault."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fieldsurvey.xforms.contract import Origin

_BEGIN = re.compile(r"begin[ _]+(group|repeat|loop)\b", re.IGNORECASE)
_END = re.compile(r"end[ _]+(group|repeat|loop)\b", re.IGNORECASE)
_ROW = re.compile(r"\[row\s*:\s*(\d+)\]|\brow\s*:?\s+'?(\d+)'?", re.IGNORECASE)
_SHEET = re.compile(r"'?(survey|choices|settings|entities|external_choices|osm)'? sheet", re.IGNORECASE)
_QUOTED = re.compile(r"\$\{([^}]+)\}|'([^']+)'|`([^`]+)`|\"([^\"]+)\"")
_COLUMN = re.compile(r"column:? '?(\w[\w:.]*)'?", re.IGNORECASE)

Rows = Sequence[Mapping[str, object]]


class RowMap:
    """Rows of a workbook as a spreadsheet counts them: the header is row 1."""

    def __init__(self, sheets: Mapping[str, Rows]) -> None:
        self.sheets = sheets
        self.rows: dict[str, int] = {}
        self.loops: set[str] = set()
        self._walk(sheets.get("survey", ()))

    def _walk(self, survey: Rows) -> None:
        stack: list[str] = []
        for number, row in enumerate(survey, start=2):
            kind = cell(row, "type")
            name = cell(row, "name")
            if _END.match(kind):
                if stack:
                    stack.pop()
                continue
            path = "/".join([*stack, name])
            if name:
                self.rows.setdefault(path, number)
            begin = _BEGIN.match(kind)
            if begin:
                stack.append(name)
                if begin[1].lower() == "loop":
                    self.loops.add(path)

    def origin(self, path: str, column: str, _line: int) -> Origin | None:
        """The origin of the node at an absolute path, or of the nearest row above it."""
        steps = self._unlooped(path.split("/")[2:])
        if steps[:1] == ["meta"] and "meta" not in self.rows:
            return self._of_meta(steps, column)
        while steps:
            number = self.rows.get("/".join(steps))
            if number is not None:
                return Origin("survey", number, column)
            generated = self._generated(steps, column)
            if generated is not None:
                return generated
            steps.pop()
        return None

    def _generated(self, steps: list[str], column: str) -> Origin | None:
        """Nodes that the converter adds: `x_count` of a repeat, `x_other` of or_other, `generated_note_name`."""
        for suffix, own in (("_count", "repeat_count"), ("_other", column)):
            if steps[-1].endswith(suffix):
                found = self.rows.get("/".join([*steps[:-1], steps[-1].removesuffix(suffix)]))
                if found is not None:
                    return Origin("survey", found, own if column else "")
        return None

    def _unlooped(self, steps: list[str]) -> list[str]:
        """The steps without the choices that the converter puts below each loop."""
        if not self.loops:
            return steps
        found: list[str] = []
        skipped = False
        for step in steps:
            skipped = not skipped and "/".join(found) in self.loops
            if not skipped:
                found.append(step)
        return found

    def _of_meta(self, steps: list[str], column: str) -> Origin | None:
        """What the converter writes into the meta block comes from other sheets, or from rows of metadata."""
        name = steps[1] if len(steps) > 1 else ""
        if name == "instanceName" and self.sheets.get("settings"):
            return Origin("settings", 2, "instance_name")
        if name == "entity" and self.sheets.get("entities"):
            return Origin("entities", 2, "")
        number = self.rows.get(name)
        return Origin("survey", number, column) if number is not None else None

    def from_message(self, message: str) -> Origin | None:
        """The origin that a converter's message names, by row or by a name it quotes."""
        sheet_match = _SHEET.search(message)
        sheet = sheet_match[1].lower() if sheet_match else ""
        column_match = _COLUMN.search(message)
        column = column_match[1] if column_match else ""
        row_match = _ROW.search(message)
        if row_match:
            return Origin(sheet or "survey", int(row_match[1] or row_match[2]), column)
        for groups in _QUOTED.findall(message):
            quoted = next(group for group in groups if group)
            found = self._search(quoted, sheet)
            if found is not None:
                return Origin(found[0], found[1], column or found[2])
        return Origin(sheet, 1, column) if sheet else None

    def _search(self, text: str, sheet: str) -> tuple[str, int, str] | None:
        """The first cell that holds `text`: as a whole, else as a reference."""
        sheets = [sheet] if sheet in self.sheets else list(self.sheets)
        for wanted in (lambda value: value == text, lambda value: f"${{{text}}}" in value):
            for name in sheets:
                for number, row in enumerate(self.sheets[name], start=2):
                    for column, value in row.items():
                        if wanted(str(value)):
                            return name, number, str(column)
        return None


def too_deep(survey: Rows, most: int) -> int:
    """The row that opens the group beyond `most` levels, 0 when there is none."""
    depth = 0
    for number, row in enumerate(survey, start=2):
        kind = cell(row, "type")
        if _END.match(kind):
            depth = max(depth - 1, 0)
        elif _BEGIN.match(kind):
            depth += 1
            if depth > most:
                return number
    return 0


def cell(row: Mapping[str, object], column: str) -> str:
    """The text of a cell, "" when it is empty; the header's case does not matter."""
    value = row.get(column)
    if value is None:
        for key, other in row.items():
            if str(key).lower() == column:
                value = other
                break
    return "" if value is None else str(value).strip()
