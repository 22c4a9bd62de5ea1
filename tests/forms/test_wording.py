"""Both languages are whole, and rules speak to the person who broke them."""

from __future__ import annotations

import re

import pytest

from tests.forms.reading import (
    FORMS,
    FS,
    LANGUAGES,
    NAMES,
    XF,
    binds,
    choices,
    language_gaps,
    questions,
    sheet,
    survey,
    words,
    xform,
)


@pytest.mark.parametrize("form", NAMES)
def test_every_text_is_in_both_languages(form: str) -> None:
    """Every label is there, and no hint, message or choice is in one language only."""
    assert language_gaps(form, survey(form)) == []
    assert [gap for rows in choices(form).values() for gap in language_gaps(form, rows)] == []


def test_a_blanked_text_is_found() -> None:
    """Control: a hint blanked in English and a missing Spanish label are both found."""
    rows = [dict(row) for row in survey("needs")]
    target = next(row for row in rows if row["name"] == "unit")
    target["hint::English (en)"] = ""
    other = next(row for row in rows if row["name"] == "sex")
    other["label::Español (es)"] = " "
    assert {(gap.name, gap.column) for gap in language_gaps("needs", rows)} == {("unit", "hint"), ("sex", "label")}


@pytest.mark.parametrize("form", NAMES)
def test_compiled_translations_match(form: str) -> None:
    """The XForm carries two translations with the same ids, none empty, Spanish first and default."""
    translations = list(xform(form).iter(f"{XF}translation"))
    assert [t.get("lang") for t in translations] == list(LANGUAGES)
    assert translations[0].get("default") == "true()"
    tables = [{text.get("id"): "".join(text.itertext()).strip() for text in t.iter(f"{XF}text")} for t in translations]
    assert set(tables[0]) == set(tables[1])
    assert [key for table in tables for key, value in table.items() if not value or value == "-"] == []


@pytest.mark.parametrize("form", NAMES)
def test_languages_are_not_mixed_up(form: str) -> None:
    """No long text is the same in both languages: a forgotten translation would be."""
    same = [
        row["name"]
        for row in survey(form)
        if words(row["label::Español (es)"]) > 3 and row["label::Español (es)"] == row["label::English (en)"]
    ]
    assert same == []


@pytest.mark.parametrize("form", NAMES)
def test_every_rule_has_its_message(form: str) -> None:
    """A constraint has a message, and a warning points to a text that exists; neither is silent."""
    for row in survey(form):
        assert bool(row["constraint"]) == bool(row["constraint_message::Español (es)"]), row["name"]
    ids = {text.get("id") for text in xform(form).iter(f"{XF}text")}
    warned = [bind for bind in binds(form).values() if bind.get(f"{FS}warning")]
    assert warned
    for bind in warned:
        found = re.fullmatch(r"jr:itext\('(.+)'\)", bind.get(f"{FS}warningMsg", ""))
        assert found, bind.get("nodeset")
        assert found.group(1) in ids


@pytest.mark.parametrize("form", NAMES)
def test_companions_stand_beside_their_questions(form: str) -> None:
    """fs:missing names a select of missing codes on the same page, and a filled companion lifts `required`."""
    here = binds(form)
    found = 0
    for path, bind in here.items():
        companion = bind.get(f"{FS}missing")
        if companion is None:
            continue
        found += 1
        beside = path.rpartition("/")[0] + "/" + companion
        assert beside in here
        assert re.search(rf"[/]{companion} *= ''", bind.get("required", ""))
        assert re.search(rf"[/]{path.rpartition('/')[2]} *= ''", here[beside].get("constraint", ""))
    assert found
    texts = {
        row["name"] for row in survey(form) if row["type"] in {"text", "integer", "date"} and row["bind::fs:missing"]
    }
    assert len(texts) == found


def test_people_are_addressed_as_usted() -> None:
    """No question read aloud says tú: the forms speak to adults they do not know."""
    informal = re.compile(r"\b(tú|tienes|puedes|quieres|vives|eres|tu hogar|contigo|vosotros|habéis)\b", re.IGNORECASE)
    for form in NAMES:
        for row in survey(form):
            assert not informal.search(row["label::Español (es)"]), row["name"]
    assert informal.search("¿Qué necesitas tú?")


def test_questions_read_aloud_are_short() -> None:
    """A question of `needs` has at most 30 words in Spanish, so that nobody loses the beginning."""
    assert [row["name"] for row in questions("needs") if words(row["label::Español (es)"]) > 30] == []


@pytest.mark.parametrize("form", NAMES)
def test_settings_declare_the_namespace(form: str) -> None:
    """Our columns are declared, the default language is Spanish, and form id equals folder."""
    (settings,) = sheet(FORMS / form / "settings.csv")
    assert settings["namespaces"] == 'fs="https://fieldsurvey.org/xforms"'
    assert settings["default_language"] == "Español (es)"
    assert settings["form_id"] == form


EXCEPTIONAL = ("interpreter_", "explain_", "understood", "entry_date", "crowd_offer", "thank_and_stop", "warn_")


def estimate() -> float:
    """Minutes of the longest core interview, by the rule in forms/needs/README.md."""
    seconds = 0.0
    for row in survey("needs"):
        kind, hint = row["type"].split()[0], row["hint::Español (es)"]
        if kind.startswith(("begin", "end", "calculate")) or row["name"].startswith(EXCEPTIONAL):
            continue
        if row["name"].endswith("_missing"):
            continue
        silent = hint.startswith(("No se lee", "Lo que usted ve", "Sin contar", "De ellas", "Solo las que", "El día"))
        if not silent:
            seconds += words(row["label::Español (es)"]) * 60 / 150
        if kind != "note":
            seconds += 20 if kind == "text" else 5
        if "Lea" in hint and kind.startswith("select"):
            fixed = re.fullmatch(r"(\w+) = 1", row["choice_filter"])
            options = choices("needs")[row["type"].split()[1]]
            read = [words(o["label::Español (es)"]) for o in options if not fixed or o[fixed.group(1)] == "1"]
            shown = min(len(read), 5) if row["name"].startswith("priority_") and not fixed else len(read)
            seconds += sum(read) * shown / len(read) * 60 / 150
    return seconds / 60


def test_core_fits_in_fifteen_minutes() -> None:
    """Every core question asked, none skipped, takes at most 15 minutes by the rule of the README."""
    assert 8 < estimate() <= 15
