"""The steps files walked through the engine: what the questionnaires do, not only what their sheets say."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fieldsurvey.xforms import LoadedForm, load_form
from fieldsurvey.xforms.steps import StepRun, run_steps
from forms import catalogue
from tests.forms.reading import FORMS, NAMES

FILES = [path for name in NAMES for path in sorted((FORMS / name / "tests").glob("*.json"))]


def now() -> datetime:
    return datetime(2026, 3, 20, 15, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def loaded() -> dict[str, LoadedForm]:
    return {name: load_form(catalogue.compiled(name)) for name in NAMES}


def walk(form: LoadedForm, path: Path) -> StepRun:
    return run_steps(form.start(now=now, timezone="America/Guayaquil", seed=1), json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_interviews_go_as_written(loaded: dict[str, LoadedForm], path: Path) -> None:
    """Every expectation of the file holds, and the interview can be finalised."""
    run = walk(loaded[path.parent.parent.name], path)
    assert run.failures == []
    assert run.instance is not None


def test_a_wrong_expectation_is_seen(loaded: dict[str, LoadedForm]) -> None:
    """Control: the walk of a refusal that expects the place to stay fails there."""
    steps = json.loads((FORMS / "needs" / "tests" / "synthetic_refusal.json").read_text("utf-8"))
    steps.insert(-1, {"expect": {"/data/place": {"relevant": True}}})
    run = run_steps(loaded["needs"].start(now=now, timezone="America/Guayaquil", seed=1), steps)
    assert [failure.ref for failure in run.failures] == ["/data/place"]


def kept(form: LoadedForm, path: Path) -> set[str]:
    """Names of everything that the finalised record holds."""
    instance = walk(form, path).instance
    assert instance is not None
    return {leaf.tag.rpartition("}")[2] for leaf in ET.fromstring(instance.xml).iter() if len(leaf) == 0 and leaf.text}


ONE_COUNT = {
    "recruited_by", "approached", "not_eligible", "declined", "fieldwork_date", "mode", "adult", "listen",
    "consent_survey", "break_off", "record_open", "outcome", "instanceID", "instanceName",
}  # fmt: skip


@pytest.mark.parametrize("name", ["refusal", "not_eligible", "not_understood", "break_off_discard"])
def test_a_refusal_leaves_one_count_and_nothing_else(loaded: dict[str, LoadedForm], name: str) -> None:
    """No answer about person, place or conversation stays in a record that ended in a no."""
    left = kept(loaded["needs"], FORMS / "needs" / "tests" / f"synthetic_{name}.json")
    assert "outcome" in left
    assert left <= ONE_COUNT


def test_a_complete_interview_keeps_its_answers(loaded: dict[str, LoadedForm]) -> None:
    """Control: the same look at a complete interview finds place, profile, problems and priorities."""
    left = kept(loaded["needs"], FORMS / "needs" / "tests" / "synthetic_mobility_complete.json")
    assert {"parish", "mobility", "host_mobility", "p_food", "priority_1", "barriers", "discriminated"} <= left
    assert not {name for name in left if name.startswith("warn_")}


def test_warnings_speak_both_languages(loaded: dict[str, LoadedForm]) -> None:
    """A date far ahead draws the form's own warning, in Spanish and in English."""
    interview = loaded["needs"].start(now=now, timezone="America/Guayaquil", seed=1)
    ref = "/data/opening/fieldwork_date"
    assert interview.question(ref).value == "2026-03-20"
    assert interview.question(ref).violation is None
    interview.answer(ref, "2030-01-01")
    said = []
    for language in loaded["needs"].languages:
        interview.set_language(language)
        violation = interview.question(ref).violation
        assert violation is not None
        assert not violation.blocks
        said.append(violation.message or "")
    assert re.search("futuro", said[0])
    assert re.search("future", said[1])


def test_every_parish_can_be_chosen_in_its_canton_only(loaded: dict[str, LoadedForm]) -> None:
    """The cascade offers 42 parishes over six cantons, each once, and zones for the six seats alone."""
    interview = loaded["needs"].start(now=now, timezone="America/Guayaquil", seed=1)
    seen: list[str] = []
    zoned: list[str] = []
    for canton in interview.question("/data/place/canton").choices:
        interview.answer("/data/place/canton", canton.value)
        parishes = [choice.value for choice in interview.question("/data/place/parish").choices]
        seen += parishes
        for parish in parishes:
            interview.answer("/data/place/parish", parish)
            zone = interview.question("/data/place/zone")
            if zone.relevant:
                zoned.append(parish)
                assert len(zone.choices) >= 2
    assert len(seen) == len(set(seen)) == 42
    assert zoned == ["100150", "100250", "100350", "100450", "100550", "100650"]
