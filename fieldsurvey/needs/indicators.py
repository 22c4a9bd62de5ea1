"""indicators.csv: what the tables count, as declared by the people who write the forms (`forms/README.md`).

A condition is tests joined by `&`; a test is `question=code|code` or `question=*`. An answer is split at spaces, and
the test holds when one of its parts is among the codes. A question without an answer fails every test.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from fieldsurvey.needs.errors import ForbiddenTableError, IndicatorError, MixedUnitsError

Unit = Literal["person", "household", "group", "institution"]
Level = Literal["province", "canton", "parish"]
UNITS: Final = ("person", "household", "group", "institution")
LEVELS: Final[tuple[Level, ...]] = ("province", "canton", "parish")
COLUMNS: Final = frozenset(
    {"indicator", "title_es", "title_en", "form", "questions", "unit", "numerator", "denominator"}
    | {"disaggregation", "sdg", "hxl", "sector", "sensitive", "source"}
)

# How fine a place may be for answers to these questions, whatever indicators.csv says (needs.md).
FINEST: Final[dict[str, tuple[Level, str]]] = {
    "protection": ("canton", "protection is shown by canton at least"),
    "document_band": ("province", "documents people hold are shown for the province only"),
    "documents_held": ("province", "documents people hold are shown for the province only"),
    "discriminated": ("canton", "how people are treated is shown by canton at least"),
    "discrimination_grounds": ("canton", "how people are treated is shown by canton at least"),
    "diversity": ("province", "sexual and gender diversity is shown for the province only"),
    "wg_any": ("canton", "difficulties in functioning are shown by canton at least"),
}


@dataclass(frozen=True, slots=True)
class Test:
    """One question and the codes that count; `codes` empty = any answer."""

    question: str
    codes: tuple[str, ...]

    def expression(self, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        """Boolean, never null. Choices may be a list, or a text with spaces between."""
        if self.question not in schema:
            return pl.lit(value=False)
        answer = pl.col(self.question)
        answer = answer.list.join(" ") if isinstance(schema[self.question], pl.List) else answer.cast(pl.String)
        if not self.codes:
            return (answer.fill_null("") != "").alias(self.question)
        wanted = "|".join(re.escape(code) for code in self.codes)
        return answer.str.contains(rf"(?:^| )(?:{wanted})(?: |$)").fill_null(value=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """Tests that must all hold."""

    tests: tuple[Test, ...]

    def expression(self, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        """Boolean, never null; a question that is not in `schema` fails."""
        return pl.all_horizontal([test.expression(schema) for test in self.tests])

    def codes(self, question: str) -> tuple[str, ...]:
        """The codes asked of a question; empty when it is not tested."""
        return next((test.codes for test in self.tests if test.question == question), ())


@dataclass(frozen=True, slots=True)
class Indicator:
    """One row. `dimensions` are what it may be broken down by; `levels` the places, coarse to fine."""

    id: str
    titles: dict[str, str]
    form: str
    questions: tuple[str, ...]
    unit: Unit
    numerator: Condition
    denominator: Condition
    dimensions: tuple[str, ...]
    finest: Level
    sdg: tuple[str, ...]
    hxl: str
    sector: str
    sensitive: bool
    source: str

    def title(self, language: str) -> str:
        """In `language`, or in Spanish."""
        return self.titles.get(language) or self.titles["es"]


def read_indicators(data: bytes) -> tuple[Indicator, ...]:
    """All rows of indicators.csv (UTF-8). Raises IndicatorError, which names the row (the header is row 1)."""
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        missing = COLUMNS - set(rows.fieldnames or ())
        if missing:
            raise IndicatorError(row=1, reason=f"there is no column `{min(missing)}`.")
        found = [_indicator(number, row) for number, row in enumerate(rows, 2)]
    except (UnicodeError, csv.Error) as error:
        raise IndicatorError(row=1, reason=f"it is not a CSV table in UTF-8 ({error}).") from None
    seen: set[str] = set()
    for number, indicator in enumerate(found, 2):
        if indicator.id in seen:
            raise IndicatorError(row=number, reason=f"`{indicator.id}` is there twice.")
        seen.add(indicator.id)
    return tuple(found)


def one_unit(indicators: Sequence[Indicator]) -> Unit:
    """The unit of a table of `indicators`. Raises MixedUnitsError."""
    units = sorted({indicator.unit for indicator in indicators})
    if len(units) != 1:
        raise MixedUnitsError(units=", ".join(units) or "none")
    return units[0]


def check_place(indicator: Indicator, level: Level) -> None:
    """Raises ForbiddenTableError when `indicator` may not be shown by places as fine as `level`."""
    if LEVELS.index(level) > LEVELS.index(indicator.finest):
        raise ForbiddenTableError(
            indicator=indicator.id, place=level, rule="its row in indicators.csv does not list it"
        )
    for question in (*indicator.questions, *(t.question for t in indicator.numerator.tests)):
        finest, rule = FINEST.get(question, ("parish", ""))
        if LEVELS.index(level) > LEVELS.index(finest):
            raise ForbiddenTableError(indicator=indicator.id, place=level, rule=rule)


def _indicator(number: int, row: dict[str, str]) -> Indicator:
    text = {name: (value or "").strip() for name, value in row.items() if name}
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text["indicator"]):
        raise IndicatorError(row=number, reason=f"`{text['indicator']}` is not a code.")
    if text["unit"] not in UNITS:
        raise IndicatorError(row=number, reason=f"`{text['unit']}` is no unit; one of {', '.join(UNITS)}.")
    dimensions = tuple(part for part in text["disaggregation"].split("|") if part)
    finest: Level = (
        "parish"
        if any(part.endswith(">parish") or part == "parish" for part in dimensions)
        else "canton"
        if "canton" in dimensions
        else "province"
    )
    return Indicator(
        id=text["indicator"],
        titles={"es": text["title_es"], "en": text["title_en"]},
        form=text["form"],
        questions=tuple(text["questions"].split()),
        unit=text["unit"],  # type: ignore[arg-type]  # checked above
        numerator=_condition(number, text["numerator"]),
        denominator=_condition(number, text["denominator"]),
        dimensions=dimensions,
        finest=finest,
        sdg=tuple(text["sdg"].split()),
        hxl=text["hxl"],
        sector=text["sector"],
        sensitive=text["sensitive"] == "yes",
        source=text["source"],
    )


def _condition(number: int, text: str) -> Condition:
    tests = []
    for part in text.split("&"):
        question, equals, codes = part.strip().partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][\w.-]*", question) or not codes:
            raise IndicatorError(row=number, reason=f"`{part}` is not a test like question=code|code.")
        tests.append(Test(question, () if codes == "*" else tuple(codes.split("|"))))
    return Condition(tuple(tests))
