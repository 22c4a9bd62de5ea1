"""What the page may say: protected values only, and the rules about shares, sides and capped traits."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from fieldsurvey.needs.report import UnprotectedError, page
from fieldsurvey.needs.report.charts import CLASSES, INK, LOOKS, PAPER, SOFT, ink_on
from fieldsurvey.needs.report.content import NEEDS
from fieldsurvey.needs.tables import needs_frame
from tests.needs.report import made
from tests.needs.report.reading import cells, section, sections, shows, text

ASKED, SAID, REST = 7919, 6133, 100
PARTS = {
    "": (ASKED + REST, SAID + 40),
    "1001": (ASKED + REST, SAID + 40),
    "100150": (ASKED, SAID),
    "100151": (REST, 40),
}


def frame(values: dict[str, tuple[int, int]], *, indicator: str = "sector_food", group: str = "") -> pl.DataFrame:
    """A needs frame of one indicator and group with these (asked, said) by place."""
    rows = []
    for place, (asked, said) in values.items():
        level = {0: "province", 4: "canton", 6: "parish"}[len(place)]
        base = {"unit": "person", "kind": "sector", "indicator": indicator, "sector": indicator.removeprefix("sector_")}
        row = base | {"place": place, "level": level, "canton": place[:4], "group": group}
        cell = made.cell(asked, said)
        rows.append(row | cell | {"rank": None if cell["pct"] is None else 1})
    return pl.DataFrame(rows, schema=made.SCHEMA).select(NEEDS)


def blank(data: pl.DataFrame, place: str, *, keep: tuple[str, ...] = ()) -> pl.DataFrame:
    """Suppress one place, keeping the numbers of `keep` (which a protected frame never does)."""
    here = pl.col("place") == place
    numbers = [
        pl.when(here).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("asked", "serious", "pct", "rank")
        if name not in keep
    ]
    marks = [
        pl.when(here).then(pl.lit("suppressed")).otherwise(pl.col(name)).alias(name)
        for name in ("asked_status", "status")
    ]
    return data.with_columns(*numbers, *marks)


def only(data: pl.DataFrame, **changes: object) -> str:
    """The page of a release that has these needs and nothing else with numbers like theirs."""
    return page(made.release(needs=(data,), priorities=(), barriers=(), comparisons=(), **changes))


def test_frame_of_the_tables_fits() -> None:
    """The columns the report takes are those that the needs tables give."""
    assert set(needs_frame([], made.LIMITS).columns) == set(NEEDS)


def test_no_suppressed_number_is_in_the_page() -> None:
    """A suppressed number, though it is a difference of two published ones, is nowhere; published, it is found."""
    shown = only(frame(PARTS))
    assert shows(shown, ASKED)
    assert shows(shown, SAID)
    hidden = only(blank(frame(PARTS), "100150"))
    assert shows(hidden, ASKED + REST)
    assert not shows(hidden, ASKED)
    assert not shows(hidden, SAID)


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (blank(frame(PARTS), "100150", keep=("serious",)), "not published"),
        (blank(frame(PARTS), "100150", keep=("asked",)), "not published"),
        (blank(frame(PARTS), "100150", keep=("pct",)), "without its count"),
        (frame(PARTS).with_columns(pl.lit(3).alias("raw")), "raw"),
        (frame(PARTS).drop("status"), "status"),
        (frame(PARTS).with_columns(pl.lit("open").alias("status")), "none of"),
        (frame(PARTS).with_columns(pl.lit(3, pl.Int64).alias("serious")), "below k_cell"),
        (frame(PARTS).with_columns(pl.lit(3, pl.Int64).alias("asked")), "below k_cell"),
        (frame(PARTS).with_columns(serious=pl.col("asked") - 2), "less serious"),
        (frame(PARTS).with_columns(serious=pl.col("asked") + 9), "more said"),
        (frame(PARTS).with_columns(asked=pl.lit(9), serious=pl.lit(9), pct=None, rank=None), "fewer than k_base"),
        (frame(PARTS).with_columns(pl.lit(None, pl.Float64).alias("pct")), "without its share"),
    ],
)
def test_what_is_not_protected_is_refused(bad: pl.DataFrame, rule: str) -> None:
    """Numbers that are not published, too small, or in columns of their own stop the report; the error shows none."""
    with pytest.raises(UnprotectedError) as caught:
        only(bad)
    assert rule in caught.value.message
    assert str(SAID) not in caught.value.message


@pytest.mark.parametrize("part", ["consulted", "outcomes", "quality", "parishes", "participation", "profile"])
def test_small_or_unpublished_figures_are_refused(part: str) -> None:
    """In every other table too a number below k_cell, or beside a status that hides it, is refused."""
    good = getattr(made.release(), part)
    for bad in (
        good.with_columns(n=pl.lit(4, pl.Int64), status=pl.lit("published")),
        good.with_columns(n=pl.lit(40, pl.Int64), status=pl.lit("suppressed")),
        good.with_columns(raw=pl.lit(1)),
    ):
        with pytest.raises(UnprotectedError):
            page(made.release(**{part: bad}))


def test_comparison_of_elsewhere_is_refused() -> None:
    """A comparison holds one canton: rows of another place stop the report."""
    good = made.comparison()
    with pytest.raises(UnprotectedError, match="another place"):
        page(made.release(comparisons=(replace(good, canton="1003"),)))


def test_sides_need_thirty_people_each() -> None:
    """Host and mobility stand side by side from 30 people each, with who they are underneath; with 29 they do not."""
    enough = page(made.release(comparisons=(made.comparison(61, 30),)))
    few = page(made.release(comparisons=(made.comparison(61, 29),)))
    assert "compare" in sections(enough)
    assert "compare" not in sections(few)
    told = text(section(enough, "compare"))
    assert all(word in told for word in ("Mujer", "De 30 a 49 años", "Recorrido por hogares"))


def test_province_has_shares_from_six_parishes() -> None:
    """With five parishes the province has counts only, and says why; with six a share beside the parishes' range."""
    places = {"": (600, 300), "1001": (600, 300)}
    five = only(frame(places | {f"10015{n}": (40, 10 + n) for n in range(5)}, group="host"))
    six = only(frame(places | {f"10015{n}": (40, 10 + n) for n in range(6)}, group="host"))
    assert "50 %" not in text(section(five, "top"))
    assert "300 de 600" in text(section(five, "top"))
    assert "50 % · 300 de 600" in text(section(six, "top"))
    assert "parroquias 25 a 38 %" in text(section(six, "top"))
    no_share = "Sin porcentaje para el total"
    assert cells(five, "tables", "Alimentación")[0][:2] == ["600", "300"]
    assert cells(five, "tables", "Alimentación")[0][2].startswith(no_share)
    assert cells(six, "tables", "Alimentación")[0] == ["600", "300", "50 %", "1"]


def test_capped_share_hides_its_count() -> None:
    """Of a sensitive trait, 90 % and more prints as more than 90 %, and the count that would tell it is left out."""
    data = frame({"1001": (7000, 6733)}, indicator="sector_safety")
    plain = only(data, sensitive=frozenset())
    capped = only(data, sensitive=frozenset({"sector_safety"}))
    assert shows(plain, 6733)
    assert not shows(capped, 6733)
    assert "96\u00a0%" in plain
    assert "96\u00a0%" not in capped
    assert cells(capped, "tables", "Seguridad y protección")[0][1:3] == ["> 90 %", "> 90 %"]


def test_suppressed_parish_shows_its_canton() -> None:
    """In the heatmap a suppressed parish carries its canton's share, labelled so; a parish not visited a cross."""
    heat = text(section(only(blank(frame(PARTS), "100150")), "heat"))
    assert "C 77" in heat
    assert "C 40" not in heat
    assert "×" in heat


def test_four_blanks_are_four_marks() -> None:
    """Zero, suppressed, not asked and not visited look different in tables."""
    data = frame({"": (500, 0), "1001": (500, 0), "100150": (0, 0), "100151": (40, 20)})
    found = page(made.release(needs=(blank(data, "100151"),), priorities=(), barriers=(), comparisons=()))
    rows = cells(found, "tables", "Alimentación")
    assert rows[0][:2] == ["500", "0"]
    told = text(section(found, "heat"))
    assert "○" in told
    assert "×" in told
    assert "C 0" in told


def test_units_stand_apart() -> None:
    """No table and no chart holds answers for persons and for households together."""
    found = page(made.release())
    for caption in section(found, "tables").iter("caption"):
        assert ("por la propia persona" in text(caption)) != ("por el hogar" in text(caption))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_can_be_read() -> None:
    """Text has at least 4.5:1 on what it stands on, bars' edges 3:1 on paper; groups differ by stripes too."""
    assert contrast("#777777", PAPER) < 4.5
    for _start, colour in CLASSES:
        assert contrast(ink_on(colour), colour) >= 4.5
    for ink in (INK, SOFT, "#1f4e79", "#7a2e00"):
        assert min(contrast(ink, PAPER), contrast(ink, "#f3f5f7")) >= 4.5
    for look in LOOKS.values():
        assert contrast(look.edge, PAPER) >= 3
    assert LOOKS["host"].striped != LOOKS["mobility"].striped


def test_answers_stand_in_the_order_of_their_list() -> None:
    """Ages run from young to old whatever order the frame has them in."""
    shuffled = made.profile({"": 302}).sort("code", descending=True)
    found = text(section(page(made.release(profile=shuffled)), "profile"))
    assert found.index("De 18 a 24 años") < found.index("De 30 a 49 años") < found.index("65 años o más")
