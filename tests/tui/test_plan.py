"""What Home says of today's round."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsurvey.base import i18n
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork.quotas import Counted
from fieldsurvey.project.policy import Plan, Quota, Round
from fieldsurvey.project.quotas import Cell
from fieldsurvey.project.signed import read_project
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.plain.console import Console
from fieldsurvey.tui.plain.start import run
from fieldsurvey.tui.plan import bar, round_lines, round_whole
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.whom import GROUPS, Whom
from tests.fieldwork.test_quotas import xform
from tests.tui.laptops import WORDS, compiled, joined, project_bytes
from tests.tui.memory import NOON
from tests.tui.screens import press, text

ROUND = Round(
    id="r1", title="Sintética", start="2026-03-02", end="2026-03-20", parishes=("100151", "999999"),
    quotas=(Quota(parish="100151", mobility="host", count=20), Quota(parish="100151", count=40), Quota(count=100)),
)  # fmt: skip
NONE = Counted({})
MANY = ROUND.model_copy(
    update={
        "parishes": ("100151", "100150"),
        "quotas": (
            *(Quota(parish=p, mobility=m, count=10) for p in ("100151", "100150") for m in ("host", "mobility")),
            *(Quota(sex=sex, count=5) for sex in ("woman", "man")),
        ),
    }
)


def named(quota: Quota) -> str:
    """Codes in capitals stand for names."""
    return " ".join(code.upper() for code in (quota.mobility, quota.sex, quota.age) if code)


def whom() -> Whom:
    """Over the built-in forms."""
    return Whom(read_project(project_bytes({name: compiled(name) for name in ("assembly", "needs")})))


def test_codes_have_the_names_of_the_forms_choices_in_the_session_language() -> None:
    """Groups that a form works out have ours; what no form knows stays a code; nobody named is nobody."""
    found = whom()
    quotas = [
        Quota(mobility="host", sex="woman", age="18_24", count=1), Quota(mobility="returned", count=1),
        Quota(sex="synthetic_code", count=1), Quota(parish="100151", count=1),
    ]  # fmt: skip
    assert found(quotas[0]) == "Host community · woman · 18_24"  # nothing was read yet
    found.learn(quotas)
    assert [found(quota) for quota in quotas] == [
        "Host community · Woman · 18 to 24 years", "I lived in another country and came back", "synthetic_code", "",
    ]  # fmt: skip
    i18n.set_language("es")
    assert found(quotas[0]).endswith(" · Mujer · De 18 a 24 años")
    i18n.set_language("en")


def test_every_group_that_the_needs_form_makes_has_a_name() -> None:
    """The form's own calculation is read: a group added there needs a word here."""
    calculation = re.search(r'nodeset="/data/[^"]*host_mobility"[^>]*calculate="([^"]*)"', compiled("needs").decode())
    assert calculation is not None
    made = set(re.findall(r"'([a-z_]+)'", calculation[1])) - {"always_here", "prefers_not"}
    assert made == set(GROUPS)


def test_home_has_a_line_for_each_of_few_quotas() -> None:
    """With the parish's name, bars under each other; those that are reached stand last; no round, no line."""
    found = Counted(dict(zip([Cell.of(quota) for quota in ROUND.quotas], (20, 1, 99), strict=True)))
    assert round_lines(ROUND, found, named) == [
        "Round Sintética, until 20/03/2026. Sealed on this laptop:",
        "  [━───────]   1 of 40  anybody, Ambuquí",
        "  [━━━━━━━─] 99 of 100  anybody, in all parishes",
        "  [━━━━━━━━]  20 of 20  HOST, Ambuquí",
    ]
    assert round_lines(ROUND, replace(found, whole=False), named)[-1].endswith("here earlier is not in the count.")
    assert round_lines(None, None, named) == []


def test_many_quotas_are_added_up_over_the_parishes_and_never_take_more_lines() -> None:
    """The same people in two parishes are one line; more in one parish makes up for nothing in another; then one."""
    found = Counted({Cell(parish="100151", mobility="host"): 14, Cell(parish="100150", mobility="host"): 3})
    assert round_lines(MANY, found, named, key="F5") == [
        "Round Sintética, until 20/03/2026. Sealed on this laptop; 1 more: [F5]",
        "  [━━━━━───] 13 of 20  HOST",
        "  [────────]  0 of 20  MOBILITY",
        "  [────────]   0 of 5  WOMAN, in all parishes",
    ]
    assert round_lines(MANY, found, named, most=0)[1:] == ["  [━━──────] 13 of 50  all quotas together"]
    assert round_lines(MANY, found, named, width=31)[3] == "  [────────]   0 of 5  WOMAN, …"
    assert [len(round_lines(MANY, found, named, most=most)) for most in range(5)] == [2, 2, 3, 4, 5]


def test_a_round_without_quotas_names_its_parishes() -> None:
    """In one line; a code that is in no list stays one; many are cut short, and the box has them all."""
    places = ("100151", "999999", *(f"10015{n}" for n in range(2, 6)))
    bare = ROUND.model_copy(update={"quotas": (), "parishes": places, "title": "Round 3"})
    first, second = round_lines(bare, NONE, named)
    assert first == "Round 3, until 20/03/2026"
    assert second.startswith("  Ambuquí; 999999; ")
    assert second.endswith(" and 2 parishes more")
    whole = round_whole(bare, NONE, named)
    assert len(whole) == 1 + len(places)
    assert not any(" of " in line or "laptop" in line for line in whole)


def test_the_whole_round_parish_by_parish() -> None:
    """For the box behind the key and for `--plain`: every quota with its own number, and what is counted."""
    found = Counted({Cell(parish="100151", mobility="host"): 14, Cell(sex="woman"): 5}, whole=False)
    lines = round_whole(MANY, found, named)
    assert lines[1:4] == ["  Ambuquí", "    [━━━━━━━━] 14 of 10  HOST", "    [────────]  0 of 10  MOBILITY"]
    assert "San Miguel de Ibarra" in lines[4]
    assert lines[7:10] == ["  In all parishes:", "    [━━━━━━━━] 5 of 5  WOMAN", "    [────────] 0 of 5  MAN"]
    assert lines[10] == "Counted: what was sealed on this laptop. Other laptops count their own."
    assert lines[11].endswith("not in the count.")


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_bar_is_empty_only_at_none_and_full_only_when_reached(done: int, wanted: int) -> None:
    """Its signs differ in form, not in colour, and there are as many whatever the numbers."""
    made = bar(done, wanted)
    full, rest = made.count(symbols().bar), made.count(symbols().rest)
    assert (full + rest, made[0], made[-1]) == (8, "[", "]")
    assert (rest == 0) == (done >= wanted)
    assert (full == 0) == (done == 0 and wanted > 0)


async def test_home_counts_what_was_sealed(tmp_path: Path) -> None:
    """An interview that is sealed is in its cells as soon as Home is shown again."""
    clock = FixedClock(NOON)
    source = xform()
    laptop = joined(tmp_path / "home", {"people": source}, clock=clock, plan=Plan(rounds=(ROUND,)))
    session = laptop.unlock(WORDS)
    work = session.start("people")
    for name, value in (("fieldwork_date", NOON.date().isoformat()), ("parish", "100151"), ("host_mobility", "host")):
        work.answer(f"/data/{name}", value)
    session.close()
    laptop.close()
    app = FieldsurveyApp(tmp_path / "home", joined=True, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        assert "[────────]  0 of 20  Host community, Ambuquí" in text(app)
        await press(pilot, "2", "f9", "f10", "y", "enter")
        shown = text(app)
        assert "[━───────]  1 of 20  Host community, Ambuquí" in shown
        assert "[━───────]  1 of 40  anybody, Ambuquí" in shown
        assert "[━───────] 1 of 100  anybody, in all parishes" in shown
        await press(pilot, "f5")
        assert "Counted: what was sealed on this laptop." in text(app)


async def test_drafts_stay_on_the_screen_under_many_quotas(tmp_path: Path) -> None:
    """80 by 24, a plan of many quotas, a warning: forms and drafts are there, groups have names, no code is seen."""
    clock = FixedClock(NOON)
    laptop = joined(tmp_path / "home", clock=clock, plan=Plan(rounds=(MANY,)))
    session = laptop.unlock(WORDS)
    for _number in range(3):
        session.start("needs").close()
    session.close()
    laptop.close()
    app = FieldsurveyApp(tmp_path / "home", joined=True, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        shown = text(app)
        assert all(f"[{number}]" in shown for number in range(1, 6))
        assert "0 of 20  People in human mobility" in shown
        assert not re.search(r"\b(host|woman|100151)\b", shown)
        assert "[F5] Quotas" in shown
        await pilot.resize_terminal(80, 20)
        await press(pilot)
        assert "all quotas together" in text(app)


async def test_home_shows_the_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the screen and in `--plain`, above the forms."""
    clock = FixedClock(NOON)
    joined(tmp_path / "home", clock=clock, plan=Plan(rounds=(ROUND,))).close()
    app = FieldsurveyApp(tmp_path / "home", joined=True, clock=clock)
    async with app.run_test(size=(60, 24)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        shown = text(app)
        assert "0 of 20  Host community, Ambuquí" in shown
        assert "[1]" in shown
    joined(tmp_path / "other", clock=clock, plan=Plan(rounds=(ROUND,))).close()
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "other"))
    i18n.set_language("en")
    heard = io.StringIO()
    run(tmp_path / "other", Console(io.StringIO(f"{WORDS}\n/quit\n"), heard), clock)
    assert "  Ambuquí\n    [────────] 0 of 20  Host community\n" in heard.getvalue()
    assert "Counted: what was sealed on this laptop." in heard.getvalue()
