"""Joins the shared lists into each form's `choices` sheet and compiles the form: `python -m forms.build`.

A form's folder holds what people write: `survey.csv`, `settings.csv`, and `lists.csv` with the lists of this form
alone. This step writes what programs read: `choices.csv` (the form's lists and the shared ones it uses, so that the
folder is a complete XLSForm) and `form.xml` (the XForm that pyxform makes of it). Both are committed;
`--check` says whether they are current and changes nothing. It does not judge the questionnaire: tests do.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from forms.catalogue import BUILT_IN

HERE = Path(__file__).parent
SHARED = HERE / "shared"
DOCUMENTATION = frozenset({"also_called", "legal_basis", "note", "r4v", "source", "status", "topic"})
"""Columns of the shared lists that explain a row to people; no form needs them, so none carries them."""

_SELECT = re.compile(r"^(?:select_one|select_multiple|rank)\s+(\S+)")

Row = dict[str, str]


class StaleListError(Exception):
    """A form and its lists do not fit together; the message says which and what to change."""


def read_sheet(path: Path) -> list[Row]:
    """The rows of a CSV sheet by column name."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lists_used(survey: Iterable[Row]) -> list[str]:
    """Names of the choice lists that a survey sheet asks for, in the order of first use."""
    found = (_SELECT.match(row["type"]) for row in survey)
    return list(dict.fromkeys(match.group(1) for match in found if match))


def join_choices(folder: Path) -> list[Row]:
    """The whole `choices` sheet of a form: its own lists, then the shared ones it uses.

    Raises StaleListError for a list that is nowhere, is in both places, or is written but not used.
    """
    own: dict[str, list[Row]] = {}
    for row in read_sheet(folder / "lists.csv"):
        own.setdefault(row["list_name"], []).append(row)
    used = lists_used(read_sheet(folder / "survey.csv"))
    if unused := [name for name in own if name not in used]:
        raise StaleListError(f"{folder.name}/lists.csv: nothing asks for {', '.join(unused)}. Remove it or use it.")
    joined: list[Row] = []
    for name in used:
        shared = SHARED / f"{name}.csv"
        if name in own and shared.exists():
            raise StaleListError(f"{folder.name}/lists.csv: {name} is a shared list too. Keep one of them.")
        if name not in own and not shared.exists():
            raise StaleListError(f"{folder.name}/survey.csv asks for {name}: neither lists.csv nor shared/ has it.")
        rows = own[name] if name in own else read_sheet(shared)
        joined += [{"list_name": name} | {k: v for k, v in row.items() if k not in DOCUMENTATION} for row in rows]
    return joined


def to_csv(rows: Sequence[Row]) -> bytes:
    """Rows as CSV, with every column that some row fills, in the order of first appearance."""
    filled = {column for row in rows for column, value in row.items() if value}
    columns = [column for column in dict.fromkeys(c for row in rows for c in row) if column in filled]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def compile_form(folder: Path) -> tuple[bytes, bytes, list[str]]:
    """`choices.csv`, `form.xml` and pyxform's warnings for the form in `folder`; nothing is written."""
    from pyxform.xls2xform import convert  # the author's extra only: laptops read form.xml

    choices = to_csv(join_choices(folder))
    sheets: dict[str, Any] = {
        "survey": read_sheet(folder / "survey.csv"),
        "choices": list(csv.DictReader(io.StringIO(choices.decode()))),
        "settings": read_sheet(folder / "settings.csv"),
    }
    for name in list(sheets):
        sheets[f"{name}_header"] = [dict.fromkeys(sheets[name][0])]
        sheets[name] = [{column: value for column, value in row.items() if value} for row in sheets[name]]
    warnings: list[str] = []
    xform = convert(xlsform=sheets, warnings=warnings, pretty_print=True).xform
    return choices, xform.encode(), warnings


def build(folder: Path, *, check: bool = False) -> list[str]:
    """Write what is not current (with `check`: only name it). The names of those files, and warnings."""
    choices, xform, warnings = compile_form(folder)
    said = [f"{folder.name}: {warning}" for warning in warnings]
    for name, content in (("choices.csv", choices), ("form.xml", xform)):
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            said.append(f"{folder.name}/{name}: " + ("not current" if check else "written"))
            if not check:
                path.write_bytes(content)
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything is current (or was made so), 1 when `--check` found something stale."""
    parser = argparse.ArgumentParser(
        prog="python -m forms.build", description="Joins the lists and compiles the forms."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when something is not current")
    options = parser.parse_args(arguments)
    said = [line for form in BUILT_IN for line in build(HERE / form.folder, check=options.check)]
    sys.stdout.write("".join(f"{line}\n" for line in said) or "Everything is current.\n")
    return 1 if options.check and said else 0


if __name__ == "__main__":
    raise SystemExit(main())
