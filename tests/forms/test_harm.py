"""What no questionnaire of ours may ask, and what each must offer."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from tests.forms.reading import NAMES, Row, choices, codes, question, survey, words

ALLOWED = {"text", "integer", "decimal", "date", "note", "acknowledge", "calculate", "select_one", "select_multiple"}
STRUCTURE = {"begin_group", "end_group", "begin_repeat", "end_repeat"}
FORBIDDEN_NAME = re.compile(
    r"(^|_)(name|nombre|surname|apellido|cedula|passport|pasaporte|identity|id_number|phone|telefono|celular|email|"
    r"street|calle|address|direccion|birth|nacimiento|photo|gps|irregular|signature)(_|$)"
)
FORBIDDEN_WORDS = re.compile(
    r"cómo se llama|su nombre y|número de (cédula|teléfono)|fecha de nacimiento|irregular|ilegal|discapacidad|"
    r"le (golpe|viol|agred|abus)|violencia|what is your name|date of birth|illegal|disability|violence",
    re.IGNORECASE,
)


def collected(rows: Iterable[Row]) -> list[str]:
    """Names of rows of a kind, or with a name or a question, that must not be in a form about people."""
    bad = []
    for row in rows:
        kind = row["type"].split()[0]
        asked = kind not in STRUCTURE | {"note", "calculate"}
        texts = [text for column, text in row.items() if column.startswith("label::")] if asked else []
        if (
            kind not in ALLOWED | STRUCTURE
            or FORBIDDEN_NAME.search(row["name"])
            or any(map(FORBIDDEN_WORDS.search, texts))
        ):
            bad.append(row["name"])
    return bad


@pytest.mark.parametrize("form", NAMES)
def test_nothing_that_identifies_is_collected(form: str) -> None:
    """No photo, place fix or metadata; no name, number, street or birth date; no status or violence asked."""
    assert collected(survey(form)) == []


@pytest.mark.parametrize(
    "row",
    [
        {"type": "image", "name": "x", "label::Español (es)": "x"},
        {"type": "geopoint", "name": "x", "label::Español (es)": "x"},
        {"type": "deviceid", "name": "x", "label::Español (es)": ""},
        {"type": "text", "name": "respondent_name", "label::Español (es)": "x"},
        {"type": "text", "name": "x", "label::Español (es)": "¿Cómo se llama usted?"},
        {"type": "select_one yes_no", "name": "x", "label::Español (es)": "¿Ha sufrido violencia?"},
    ],
)
def test_the_search_finds_what_is_planted(row: Row) -> None:
    """Control: a planted question of each forbidden kind is found."""
    assert collected([*survey("needs"), row]) == [row["name"]]


@pytest.mark.parametrize("form", NAMES)
def test_nobody_is_coded_irregular(form: str) -> None:
    """No code or label of any choice speaks of irregular or illegal people."""
    for rows in choices(form).values():
        for row in rows:
            assert not re.search(r"irregular|ilegal|illegal|undocumented", " ".join(row.values()), re.IGNORECASE)


SENSITIVE = [
    "sex",
    "age_band",
    "mobility",
    "origin",
    "protection",
    "priority_groups",
    "discriminated",
    "discrimination_grounds",
    "barriers",
    "access_why_not",
    "access_needed",
    "access_tried",
    "access_obtained",
    "household_size_missing",
    "household_children_missing",
    "household_older_missing",
    "priority_words_missing",
    "wg_see",
    "wg_hear",
    "wg_walk",
    "wg_remember",
    "wg_wash",
    "wg_communicate",
]


def test_prefers_not_is_always_an_answer() -> None:
    """Every sensitive item of `needs`, and each of the 19 problems, offers "prefers not to say"."""
    problems = [row["name"] for row in survey("needs") if row["name"].startswith("p_")]
    assert len(problems) == 19
    assert [name for name in SENSITIVE + problems if "prefers_not" not in codes("needs", name)] == []


def test_personal_questions_wait_for_privacy() -> None:
    """Protection and discrimination sit in the block that opens only when nobody else can hear."""
    names = [row["name"] for row in survey("needs")]
    start = names.index("treatment_block")
    end = next(i for i in range(start + 1, len(names)) if survey("needs")[i]["type"] == "end_group")
    assert {"protection", "discriminated", "discrimination_grounds"} <= set(names[start:end])
    assert survey("needs")[start]["relevant"] == "${privacy} = 'private'"


DUTIES = ("controller", "purpose", "voluntary", "retention", "rights", "duty")


def test_consent_is_whole_and_short() -> None:
    """Six duties, none blank, together at most 225 words in Spanish: 90 seconds at 150 words a minute."""
    texts = [question("needs", f"consent_{duty}")["label::Español (es)"] for duty in DUTIES]
    assert all(texts)
    assert sum(map(words, texts)) <= 225


def test_three_purposes_are_asked_apart() -> None:
    """Survey, sharing and referral are three questions; only the first ends the interview."""
    for name in ("consent_survey", "consent_share", "consent_referral"):
        assert {"yes", "no"} <= codes("needs", name)
    (stop,) = [row for row in survey("needs") if row["name"] == "record_open"]
    assert "${consent_survey} = 'no'" in stop["calculation"]
    assert "consent_share" not in stop["calculation"]
    assert "consent_referral" not in stop["calculation"]


def test_a_child_never_interprets() -> None:
    """The answer "a child interprets" is a violation, not a choice among others."""
    assert question("needs", "interpreter_relation")["constraint"] == ". != 'child'"


def test_questions_of_protection_never_wait_for_the_evening_review() -> None:
    """The group that asks for protection and discrimination says `fs:seal`; the profile, for one, does not."""
    inside: list[str] = []
    sealed: set[str] = set()
    for row in survey("needs"):
        if row["type"] == "begin_group":
            inside.append(row["name"] if row["bind::fs:seal"] else "")
        elif row["type"] == "end_group":
            inside.pop()
        elif any(inside) or row["bind::fs:seal"]:
            sealed.add(row["name"])
    assert {"protection", "discriminated"} <= sealed
    assert "mobility" not in sealed
