"""The shared lists: the province as it is, codes that stay, and crosswalks that hold together."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from tests.forms.reading import FORMS, NAMES, choices, codes, question, shared, sheet, survey

SHARED = sorted(path.stem for path in (FORMS / "shared").glob("*.csv"))
SEATS = {"100150", "100250", "100350", "100450", "100550", "100650"}


def test_every_parish_of_the_six_cantons() -> None:
    """42 census units in six cantons: one seat each, 36 rural parishes, and each code begins with its canton's."""
    parishes = shared("parish")
    assert [row["name"] for row in shared("canton")] == ["1001", "1002", "1003", "1004", "1005", "1006"]
    assert len(parishes) == 42
    assert {row["name"] for row in parishes if row["kind"] == "seat"} == SEATS
    assert Counter(row["canton"] for row in parishes) == {
        "1001": 8,
        "1002": 5,
        "1003": 9,
        "1004": 10,
        "1005": 4,
        "1006": 6,
    }
    assert all(row["name"].startswith(row["canton"]) and row["source"] for row in parishes)
    assert [row["name"] for row in parishes] == sorted(row["name"] for row in parishes)


def test_zones_lie_below_the_seats() -> None:
    """Each seat has zones, each zone one seat; a verified one is an urban parish of that canton by its code."""
    zones = shared("zone")
    assert {row["parish"] for row in zones} == SEATS
    for row in zones:
        assert row["name"][:4] == row["parish"][:4]
        assert row["status"] in {"verified", "ours"}
        assert row["area"] == ("rural" if row["name"].endswith("_around") else "urban")
        if row["status"] == "verified":
            assert re.fullmatch(r"\d{4}0\d", row["name"])
    assert len([row for row in zones if row["parish"] == "100150" and row["area"] == "urban"]) == 5


@pytest.mark.parametrize("name", SHARED)
def test_codes_are_unique_and_speakable(name: str) -> None:
    """In every shared list a code stands once, both labels are filled, codes are plain lower-case words."""
    rows = shared(name)
    assert [code for code, n in Counter(row["name"] for row in rows).items() if n > 1] == []
    for row in rows:
        assert re.fullmatch(r"[a-z0-9_]+", row["name"])
        assert row["label::Español (es)"].strip()
        assert row["label::English (en)"].strip()


@pytest.mark.parametrize("form", NAMES)
def test_codes_are_unique_in_each_form(form: str) -> None:
    """In every list of a form a code stands once."""
    for rows in choices(form).values():
        assert len({row["name"] for row in rows}) == len(rows)


def test_nineteen_problems_are_mapped() -> None:
    """All 19 have a sector, a topic, a competent level and its basis; each is one question, in the list's order."""
    problems = shared("problem")
    assert len(problems) == 19
    sectors = {row["name"]: row for row in shared("sector")}
    bodies = {row["name"] for row in shared("competence") if row["mapped"] == "1"}
    for row in problems:
        assert row["sector"] in sectors
        assert sectors[row["sector"]]["r4v"]
        assert row["competence"] in bodies
        assert row["topic"]
        assert row["legal_basis"]
        assert question("needs", f"p_{row['name']}")["type"] == "select_one severity"
    survey = [row["name"] for row in sheet(FORMS / "needs" / "survey.csv")]
    asked = [name for name in survey if name.startswith("p_")]
    assert asked == [f"p_{row['name']}" for row in problems]


def test_ages_nest() -> None:
    """The bands nest into 18+, youth 18–29, UNHCR's 60+ and the Constitution's 65+."""
    bands = shared("age_band")
    picked = {column: [row["name"] for row in bands if row[column] == "1"] for column in ("adult", "youth", "unhcr60")}
    assert picked["adult"] == ["18_24", "25_29", "30_49", "50_59", "60_64", "65_plus", "prefers_not"]
    assert picked["youth"] == ["18_24", "25_29"]
    assert picked["unhcr60"] == ["60_64", "65_plus"]
    assert [row["name"] for row in bands if row["art35"] == "older"] == ["65_plus"]


def test_services_and_bodies_refer_to_what_exists() -> None:
    """Every service names a sector that exists (or none), every institution a level."""
    sectors = {row["name"] for row in shared("sector")} | {""}
    assert {row["sector"] for row in shared("service")} <= sectors
    assert {row["level"] for row in shared("institution")} >= {"province", "municipality", "parish_board", "ministry"}


def test_simulated_answers_are_possible_answers() -> None:
    """The weights beside `needs` say that they are synthetic, and name only questions and codes that the form has."""
    data = json.loads((FORMS / "needs" / "simulation.json").read_text("utf-8"))
    assert "Synthetic" in data["note"]
    names = {row["name"]: row["type"] for row in survey("needs")}
    for rule in data["rules"]:
        for name, weights in rule["weights"].items():
            assert name in names
            if names[name].startswith("select"):
                assert {code for value in weights for code in value.split()} <= codes("needs", name), name
