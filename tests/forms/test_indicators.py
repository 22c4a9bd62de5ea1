"""indicators.csv says only what the form can answer, and never what must not be shown."""

from __future__ import annotations

import re

import pytest

from tests.forms.reading import FORMS, Row, choices, shared, sheet, survey

INDICATORS = sheet(FORMS / "indicators.csv")
COLUMNS = [
    "indicator",
    "title_es",
    "title_en",
    "form",
    "questions",
    "unit",
    "numerator",
    "denominator",
    "disaggregation",
    "sdg",
    "hxl",
    "sector",
    "sensitive",
    "source",
]
TEST = re.compile(r"([a-z0-9_]+)=(\*|[a-z0-9_]+(?:\|[a-z0-9_]+)*)")
CALCULATED = {
    "top_three": {row["name"] for row in shared("problem")},
    "serious_sectors": {row["sector"] for row in shared("problem")},
    "rated_sectors": {row["sector"] for row in shared("problem")},
}


def offered(name: str) -> set[str]:
    """The codes that a question of `needs` can hold."""
    if name in CALCULATED:
        return CALCULATED[name]
    (row,) = [r for r in survey("needs") if r["name"] == name]
    if row["type"] == "calculate":
        return set(re.findall(r"'([a-z_]+)'", row["calculation"]))
    return {choice["name"] for choice in choices("needs")[row["type"].split()[1]]}


def parse(condition: str) -> list[tuple[str, list[str]]]:
    """A condition taken apart; raises ValueError when it is not of the README's syntax."""
    found = []
    for part in condition.split("&"):
        match = TEST.fullmatch(part)
        if match is None:
            raise ValueError(part)
        found.append((match.group(1), match.group(2).split("|")))
    return found


def test_columns_and_codes_are_as_documented() -> None:
    """The columns are those of the README, in order, and every indicator code stands once."""
    assert list(INDICATORS[0]) == COLUMNS
    assert len({row["indicator"] for row in INDICATORS}) == len(INDICATORS)
    for row in INDICATORS:
        assert row["form"] == "needs"
        assert row["title_es"]
        assert row["title_en"]
        assert row["source"]
        assert row["unit"] in {"person", "household"}
        assert row["sector"] in {s["name"] for s in shared("sector")} | {""}


@pytest.mark.parametrize("row", INDICATORS, ids=lambda row: str(row["indicator"]))
def test_conditions_can_come_true(row: Row) -> None:
    """Every question of a condition is listed and in the form, and every code is one that it offers."""
    for condition in (row["numerator"], row["denominator"]):
        for name, codes in parse(condition):
            assert name in row["questions"].split()
            assert codes == ["*"] or set(codes) <= offered(name)


def test_a_condition_with_a_slip_is_found() -> None:
    """Control: a wrong operator is refused, and a code that no question offers is not among the offered."""
    with pytest.raises(ValueError, match="p_food>2"):
        parse("unit=person&p_food>2")
    assert "very_serious" not in offered("p_food")


def test_a_unit_never_mixes() -> None:
    """Needs, sectors, ranks and access select the declared unit, in numerator and denominator alike."""
    for row in INDICATORS:
        for condition in (row["numerator"], row["denominator"]):
            units = [codes for name, codes in parse(condition) if name == "unit"]
            if row["indicator"].startswith(("need_", "sector_", "top3_", "access_", "why_not_")):
                assert units == [[row["unit"]]]


def test_missing_answers_are_in_no_denominator() -> None:
    """Don't know, prefers not and not applicable never count as an answer."""
    for row in INDICATORS:
        for _, codes in parse(row["denominator"]):
            assert not {"dont_know", "prefers_not", "not_applicable", "unknown"} & set(codes)


def test_places_stay_coarse_where_people_could_be_found() -> None:
    """No sensitive indicator goes below the canton or is crossed by protection; orientation is the province's."""
    for row in INDICATORS:
        assert not {"protection", "document_band", "zone", "settlement", "origin"} & set(
            re.split(r"[|>]", row["disaggregation"])
        )
        if row["sensitive"]:
            assert "parish" not in row["disaggregation"]
        if "protection" in row["questions"].split():
            assert row["sensitive"] == "yes"
        for dimension in filter(None, re.split(r"[|>]", row["disaggregation"])):
            assert [r for r in survey("needs") if r["name"] == dimension]
    (orientation,) = [row for row in INDICATORS if row["indicator"] == "ground_orientation"]
    assert orientation["disaggregation"] == ""


def test_hxl_never_says_people_in_need() -> None:
    """These are people consulted: the tags for people in need, affected or population are absent."""
    assert not [row for row in INDICATORS if re.search(r"#(inneed|affected|population)", row["hxl"])]


def test_every_problem_has_its_indicators() -> None:
    """19 problems: each as a need and as one of three, for persons and for households; every sector too."""
    codes = {row["indicator"] for row in INDICATORS}
    for problem in shared("problem"):
        for suffix in ("", "_household"):
            assert {
                f"need_{problem['name']}{suffix}",
                f"top3_{problem['name']}{suffix}",
                f"sector_{problem['sector']}{suffix}",
            } <= codes


def test_hosts_are_who_the_readme_says() -> None:
    """host_mobility counts always_here as host, the four ways of moving as mobility, and leaves two apart."""
    (row,) = [r for r in survey("needs") if r["name"] == "host_mobility"]
    assert "= 'always_here', 'host'" in row["calculation"]
    assert "= 'family_abroad', 'family_abroad'" in row["calculation"]
    assert offered("mobility") == {
        "always_here",
        "family_abroad",
        "moved_within",
        "returned",
        "came_to_stay",
        "passing_through",
        "prefers_not",
    }
