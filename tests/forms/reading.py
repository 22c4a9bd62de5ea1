"""Reads the questionnaires for the tests, straight from the sheets and from the compiled XML."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

FORMS = Path(__file__).parents[2] / "forms"
NAMES = ("assembly", "needs")
LANGUAGES = ("Español (es)", "English (en)")
XF = "{http://www.w3.org/2002/xforms}"
FS = "{https://fieldsurvey.org/xforms}"

Row = dict[str, str]


def sheet(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def survey(form: str) -> list[Row]:
    return sheet(FORMS / form / "survey.csv")


@cache
def choices(form: str) -> dict[str, list[Row]]:
    lists: dict[str, list[Row]] = {}
    for row in sheet(FORMS / form / "choices.csv"):
        lists.setdefault(row["list_name"], []).append(row)
    return lists


@cache
def shared(name: str) -> list[Row]:
    return sheet(FORMS / "shared" / f"{name}.csv")


def question(form: str, name: str) -> Row:
    (found,) = [row for row in survey(form) if row["name"] == name and not row["type"].startswith("end")]
    return found


def codes(form: str, name: str) -> set[str]:
    """The codes a select offers before its filter."""
    return {row["name"] for row in choices(form)[question(form, name)["type"].split()[1]]}


def questions(form: str) -> Iterator[Row]:
    """Rows that a person answers."""
    skip = ("begin", "end", "calculate", "note")
    return (row for row in survey(form) if not row["type"].startswith(skip))


@dataclass(frozen=True)
class Gap:
    """A text that is there in one language and blank in another."""

    form: str
    name: str
    column: str


def language_gaps(form: str, rows: Iterable[Row]) -> list[Gap]:
    """Labels that must be there, and every other text that one language has and another lacks."""
    gaps = []
    for row in rows:
        texts = {column.split("::")[0] for column in row if "::" in column and not column.startswith("bind::")}
        asked = not row.get("type", "").startswith(("end", "calculate"))
        page = row.get("appearance") == "field-list"  # a page without a title of its own
        for text in texts:
            cells = [row[f"{text}::{language}"].strip() for language in LANGUAGES]
            needed = text == "label" and asked and not page
            if (any(cells) or needed) and not all(cells):
                gaps.append(Gap(form, row["name"], text))
    return gaps


@cache
def xform(form: str) -> ET.Element:
    return ET.fromstring((FORMS / form / "form.xml").read_bytes())  # our own file


def binds(form: str) -> dict[str, ET.Element]:
    """Binds by path."""
    return {bind.get("nodeset", ""): bind for bind in xform(form).iter(f"{XF}bind")}


def paths(form: str) -> set[str]:
    """Every path of the instance, groups and repeats included."""
    primary = next(iter(xform(form).iter(f"{XF}instance")))[0]
    found: set[str] = set()

    def walk(element: ET.Element, path: str) -> None:
        found.add(path)
        for child in element:
            walk(child, f"{path}/{child.tag.rpartition('}')[2]}")

    walk(primary, "/data")
    return found


def words(text: str) -> int:
    return len(re.findall(r"\w+", text))
