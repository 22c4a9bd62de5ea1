"""indicators.csv: what it says is what is counted, and what may not be counted is refused."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from fieldsurvey.needs.errors import ForbiddenTableError, IndicatorError, MixedUnitsError
from fieldsurvey.needs.indicators import check_place, one_unit, read_indicators
from forms import catalogue

ALL = {i.id: i for i in read_indicators(catalogue.indicators())}
HEAD = catalogue.indicators().decode("utf-8-sig").splitlines()[0]


def row(**fields: str) -> bytes:
    """A file with one indicator."""
    good = {"indicator": "x", "title_es": "X", "title_en": "X", "form": "needs", "questions": "q", "unit": "person"}
    given = {**good, "numerator": "q=yes", "denominator": "q=yes|no", **fields}
    return f"{HEAD}\n{','.join(given.get(name, '') for name in HEAD.split(','))}\n".encode()


def test_the_built_in_file_is_read() -> None:
    """Every built-in row is understood, with its unit, place and conditions."""
    food = ALL["need_food"]
    assert (food.unit, food.finest, food.sector) == ("person", "parish", "food")
    assert food.denominator.codes("p_food") == ("serious", "not_serious")
    assert ALL["need_food_household"].unit == "household"


def test_conditions_count_as_written() -> None:
    """A test holds when a part of the answer is among the codes; texts and lists alike; blanks fail; `*` is any."""
    (made,) = read_indicators(row(numerator="q=a|b&r=*", denominator="q=*"))
    frame = pl.DataFrame({"q": ["a", "ab", "x b", None, "b"], "r": ["1", "1", "1", "1", ""]})
    lists = frame.with_columns(pl.col("q").str.split(" "))
    for data in (frame, lists):
        met = data.select(made.numerator.expression(data.schema).alias("met"))["met"].to_list()
        assert met == [True, False, True, False, False]
    assert frame.select(made.denominator.expression(frame.schema).alias("d"))["d"].to_list() == [True] * 3 + [
        False,
        True,
    ]


def test_codes_are_not_patterns() -> None:
    """A code with a dot matches itself only."""
    (made,) = read_indicators(row(numerator="q=a.c"))
    frame = pl.DataFrame({"q": ["abc", "a.c"]})
    assert frame.select(made.numerator.expression(frame.schema).alias("m"))["m"].to_list() == [False, True]


def test_a_question_that_was_not_asked_counts_nobody() -> None:
    """A column that is not there fails every test."""
    frame = pl.DataFrame({"other": ["x"]})
    assert frame.select(ALL["need_food"].numerator.expression(frame.schema).alias("m"))["m"].to_list() == [False]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"unit": "family"}, "family"),
        ({"numerator": "q"}, "not a test"),
        ({"denominator": "q=yes&"}, "not a test"),
        ({"indicator": "No code"}, "not a code"),
    ],
)
def test_a_bad_row_is_named(fields: dict[str, str], says: str) -> None:
    """The row and the reason."""
    with pytest.raises(IndicatorError, match=says) as caught:
        read_indicators(row(**fields))
    assert "row 2" in str(caught.value)


def test_the_same_indicator_twice_is_refused() -> None:
    """Names are unique."""
    with pytest.raises(IndicatorError, match="twice"):
        read_indicators(row() + row().splitlines(keepends=True)[1])


def test_a_table_that_mixes_units_does_not_build() -> None:
    """People and households are never in one table."""
    assert one_unit([ALL["need_food"], ALL["need_water"]]) == "person"
    with pytest.raises(MixedUnitsError, match="household, person"):
        one_unit([ALL["need_food"], ALL["need_food_household"]])


@pytest.mark.parametrize(
    ("question", "finest"),
    [("protection", "canton"), ("document_band", "province"), ("discriminated", "canton"), ("diversity", "province")],
)
def test_where_people_without_papers_live_is_nobodys_table(question: str, finest: str) -> None:
    """Whatever indicators.csv allows, protection stops at the canton and documents at the province."""
    (made,) = read_indicators(row(questions=question, disaggregation="canton>parish", numerator=f"{question}=yes"))
    assert made.finest == "parish"
    levels = ["province", "canton", "parish"]
    for level in levels:
        if levels.index(level) <= levels.index(finest):
            check_place(made, level)  # type: ignore[arg-type]
        else:
            with pytest.raises(ForbiddenTableError):
                check_place(made, level)  # type: ignore[arg-type]


def test_no_indicator_is_shown_finer_than_its_row_says() -> None:
    """The places of a row are a limit."""
    limited = replace(ALL["need_food"], finest="canton")
    with pytest.raises(ForbiddenTableError):
        check_place(limited, "parish")
