"""What Home says of today's round."""

from __future__ import annotations

import io
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
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.plain.console import Console
from fieldsurvey.tui.plain.start import run
from fieldsurvey.tui.plan import bar, round_lines
from fieldsurvey.tui.symbols import symbols
from tests.fieldwork.test_quotas import xform
from tests.tui.laptops import WORDS, joined
from tests.tui.memory import NOON
from tests.tui.screens import press, text

ROUND = Round(
    id="r1", title="Sintética", start="2026-03-02", end="2026-03-20", parishes=("100151", "999999"),
    quotas=(Quota(parish="100151", mobility="host", count=20), Quota(parish="100151", count=40), Quota(count=100)),
)  # fmt: skip


def test_parishes_by_name_with_what_is_wanted_there() -> None:
    """Names come from the questionnaires' list; a code that is not there stays a code; many are cut short."""
    assert round_lines(ROUND) == [
        "Round Sintética, until 20/03/2026",
        "  Ambuquí: host 20 interviews · 40 interviews",
        "  999999",
        "  In all parishes: 100 interviews",
    ]
    many = ROUND.model_copy(update={"parishes": tuple(f"10015{n}" for n in range(7)), "quotas": ()})
    assert round_lines(many)[-1] == "  and 3 parishes more"
    assert round_lines(None) == []
    assert round_lines(many.model_copy(update={"title": "Round 3"}))[0] == "Round 3, until 20/03/2026"


def test_how_far_each_quota_is_on_this_laptop() -> None:
    """Words and a bar of signs; what is reached stands last, what is not whole is said; --plain shows every parish."""
    cells = [Cell.of(quota) for quota in ROUND.quotas]
    found = Counted(dict(zip(cells, (20, 1, 99), strict=True)))
    assert round_lines(ROUND, found)[1:] == [
        "  Ambuquí: host [━━━━━] 20 of 20 · [━────] 1 of 40",
        "  999999",
        "  In all parishes: [━━━━─] 99 of 100",
        "  Counted: what was sealed on this laptop. Other laptops count their own.",
    ]
    assert round_lines(ROUND, replace(found, whole=False))[-1].endswith("sealed here earlier is not in the count.")
    codes = tuple(f"10015{n}" for n in range(7))
    many = ROUND.model_copy(update={"parishes": codes, "quotas": tuple(Quota(parish=code, count=1) for code in codes)})
    some = Counted({Cell(parish=code): 1 for code in codes[:3]})
    home = round_lines(many, some)
    assert [line.count("0 of 1") for line in home[1:6]] == [1, 1, 1, 1, 0]
    assert "and 3 parishes more" in home[5]
    assert sum("1 of 1" in line for line in round_lines(many, some, most=None)) == 3
    assert not any(
        " of " in line or "laptop" in line for line in round_lines(ROUND.model_copy(update={"quotas": ()}), some)
    )


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_bar_is_empty_only_at_none_and_full_only_when_reached(done: int, wanted: int) -> None:
    """Its signs differ in form, not in colour, and there are as many whatever the numbers."""
    made = bar(done, wanted)
    full, rest = made.count(symbols().bar), made.count(symbols().rest)
    assert (full + rest, made[0], made[-1]) == (5, "[", "]")
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
        assert "Ambuquí: host [─────] 0 of 20 · [─────] 0 of 40" in text(app)
        await press(pilot, "2", "f9", "f10", "y", "enter")
        shown = text(app)
        assert "Ambuquí: host [━────] 1 of 20 · [━────] 1 of 40" in shown
        assert "In all parishes: [━────] 1 of 100" in shown
        assert "Counted: what was sealed on this laptop." in shown


async def test_home_shows_the_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the screen and in `--plain`, above the forms."""
    clock = FixedClock(NOON)
    joined(tmp_path / "home", clock=clock, plan=Plan(rounds=(ROUND,))).close()
    app = FieldsurveyApp(tmp_path / "home", joined=True, clock=clock)
    async with app.run_test(size=(60, 20)) as pilot:
        await press(pilot, f"={WORDS}", "enter")
        shown = text(app)
        assert "Ambuquí: host [─────] 0 of 20" in shown
        assert "[1]" in shown
    joined(tmp_path / "other", clock=clock, plan=Plan(rounds=(ROUND,))).close()
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "other"))
    i18n.set_language("en")
    heard = io.StringIO()
    run(tmp_path / "other", Console(io.StringIO(f"{WORDS}\n/quit\n"), heard), clock)
    assert "  Ambuquí: host [─────] 0 of 20 · [─────] 0 of 40\n" in heard.getvalue()
    assert "Counted: what was sealed on this laptop." in heard.getvalue()
