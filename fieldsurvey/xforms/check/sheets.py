"""The sheets of a workbook by column, whatever way their headers are written; none for an XForm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.form import LoadedForm

ALIASES = {
    "list name": "list_name",
    "relevance": "relevant",
    "readonly": "read_only",
    "calculate": "calculation",
    "count": "repeat_count",
    "jr:count": "repeat_count",
    "caption": "label",
    "constraining_message": "constraint_message",
    "requiredmsg": "required_message",
    "jr:constraintmsg": "constraint_message",
    "jr:requiredmsg": "required_message",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell that is filled in. `column` is the header's plain name, `header` the header as written."""

    sheet: str
    row: int
    column: str
    header: str
    text: str

    @property
    def origin(self) -> Origin:
        """Where it is."""
        return Origin(self.sheet, self.row, self.header)


Row = Mapping[str, Cell]
"""A row's filled cells by plain column name; a translated column is `label::English (en)`."""


def plain_header(header: str) -> str:
    """`List Name` -> `list_name`, `bind:relevant` -> `relevant`, `Label :: English` -> `label::English`."""
    name, mark, language = header.partition("::")
    if not mark and header.count(":") == 1 and not header.lower().startswith(("jr:", "bind:", "body:")):
        name, _colon, language = header.partition(":")
    name = name.strip().lower()
    name = ALIASES.get(name, name)
    if name in {"bind", "body", "control", "instance", "media", "attribute"} and language:
        inner = language.strip()
        if name == "bind":
            local = inner.lower().removeprefix("jr:")
            return ALIASES.get(local, local) if ":" not in local and local in BIND else f"bind::{inner}"
        if name == "media":
            return inner if "::" not in inner else inner.replace(" ", "")
        return f"{name}::{inner}"
    return f"{name}::{language.strip()}" if language.strip() else name


BIND = frozenset(
    {"relevant", "required", "readonly", "constraint", "calculate", "constraintmsg", "requiredmsg", "type"}
    | {"read_only", "calculation", "constraint_message", "required_message"}
)


class Sheets:
    """The workbook that a form was made from."""

    def __init__(self, form: LoadedForm) -> None:
        rows = form.source.rows
        self.sheets: dict[str, list[dict[str, Cell]]] = {}
        for sheet, lines in rows.sheets.items() if rows is not None else ():
            self.sheets[sheet] = [
                {
                    plain_header(str(header)): Cell(
                        sheet, number, plain_header(str(header)), str(header), str(value).strip()
                    )
                    for header, value in line.items()
                    if value is not None and str(value).strip()
                }
                for number, line in enumerate(lines, start=2)
            ]

    @property
    def there(self) -> bool:
        """Whether there is a workbook at all."""
        return "survey" in self.sheets

    def rows(self, sheet: str) -> Iterator[Row]:
        """The filled rows of a sheet, in order."""
        return (row for row in self.sheets.get(sheet, ()) if row)

    def list_rows(self, name: str) -> list[Row]:
        """The choices of a list, in order."""
        return [row for row in self.rows("choices") if "list_name" in row and row["list_name"].text == name]

    def row_of(self, sheet: str, number: int) -> Row:
        """One row; empty when there is none."""
        rows = self.sheets.get(sheet, [])
        return rows[number - 2] if 0 <= number - 2 < len(rows) else {}
