"""A release gives nobody away, says what was counted, and is held against the one before."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fieldsurvey.needs import release as releasing
from fieldsurvey.needs.errors import LedgerError, NothingToShowError, ReissueError
from fieldsurvey.needs.ledger import INDEX, Ledger, differences
from fieldsurvey.needs.publish import Rounds, fingerprint
from fieldsurvey.needs.release import build_release
from fieldsurvey.needs.release_audit import audit_release
from fieldsurvey.needs.report.check import check
from fieldsurvey.needs.report.content import ReportContent
from fieldsurvey.needs.report.render import page
from fieldsurvey.needs.tables import Interviews, Shown, Thresholds
from tests.needs.release import made

LIMITS = Thresholds()


def needs_of(content: ReportContent) -> pl.DataFrame:
    """All needs rows."""
    return pl.concat(content.needs)


def counted(frame: pl.DataFrame, unit: str, problem: str, place: str, group: str) -> tuple[int, int]:
    """Asked and serious, counted anew with plain filters."""
    mine = frame.filter(pl.col("unit") == unit)
    if place:
        mine = mine.filter(pl.col("parish").str.starts_with(place))
    if group in {"host", "mobility"}:
        mine = mine.filter(pl.col("host_mobility") == group)
    elif group == "other":
        mine = mine.filter(~pl.col("host_mobility").is_in(["host", "mobility"]))
    answers = mine[f"p_{problem}"]
    return int(answers.is_in(["serious", "not_serious"]).sum()), int((answers == "serious").sum())


def test_what_is_published_was_counted(frame: pl.DataFrame, content: ReportContent) -> None:
    """Every published number of a problem equals a plain recount of the interviews."""
    rows = needs_of(content).filter(pl.col("kind") == "problem", pl.col("level") != "joined")
    assert rows.filter(pl.col("status") == "published").height > 12
    for row in rows.iter_rows(named=True):
        problem = row["indicator"].removeprefix("need_").removesuffix("_household")
        asked, serious = counted(frame, row["unit"], problem, row["place"], row["group"])
        assert row["asked"] in {None, asked}
        assert row["serious"] in {None, serious}


def test_no_small_count_is_published_nor_left_over(content: ReportContent) -> None:
    """No 1 to 4 anywhere, not even as asked less serious; no count of fewer than ten; a share only beside its count."""
    check(content)  # the report's own check, written by nobody of this room
    for frame in (*content.needs, *content.priorities, *content.barriers):
        small = pl.col("asked").is_between(1, 4) | pl.col("serious").is_between(1, 4)
        left = (pl.col("asked") - pl.col("serious")).is_between(1, 4)
        few = (pl.col("asked") < 10) & pl.col("serious").is_not_null() & (pl.col("asked") > 0)
        assert frame.filter(small | left | few).is_empty()
        assert frame.filter(pl.col("pct").is_not_null() & pl.col("serious").is_null()).is_empty()


def test_all_marks_are_used_as_meant(content: ReportContent) -> None:
    """A number has the status published; suppressed has none; parishes that nobody visited say so."""
    rows = needs_of(content)
    assert set(rows["status"]) <= {"published", "suppressed", "not_asked"}
    assert rows.filter((pl.col("status") == "published") != pl.col("serious").is_not_null()).is_empty()
    parishes = content.parishes
    assert parishes is not None
    visited = parishes.filter(pl.col("status") != "not_visited").height
    assert visited == 7
    assert parishes.filter(pl.col("status") == "not_visited").height == len(made.GAZETTEER.parishes) - 7


def test_units_are_never_mixed(content: ReportContent) -> None:
    """Each frame holds one unit; no row counts both."""
    for frame in (*content.needs, *content.priorities):
        assert frame["unit"].n_unique() == 1


def test_the_province_has_a_share_only_with_six_parishes(content: ReportContent) -> None:
    """Where fewer than six parishes have ten people asked, the province has counts and no percentage."""
    rows = needs_of(content)
    province = rows.filter(pl.col("level") == "province")
    for row in province.iter_rows(named=True):
        here = (pl.col("indicator") == row["indicator"]) & (pl.col("group") == row["group"])
        parishes = rows.filter(here & (pl.col("level") == "parish") & (pl.col("asked") >= 10)).height
        assert (row["pct"] is None) or parishes >= 6
    assert province["pct"].null_count() > 0


class Caught:
    """Remembers what the audit was asked."""

    tables: tuple[dict[str, Interviews], dict[str, list[Shown]], dict[str, list[Shown]], list[Shown]]

    def __call__(self, *given: object) -> set[str]:
        self.tables = given[:4]  # type: ignore[assignment]
        return audit_release(*given)  # type: ignore[arg-type]


def test_the_audit_finds_a_cell_that_was_let_out(frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishing one suppressed count of a made release, any of a few, makes the audit name its table."""
    caught = Caught()
    monkeypatch.setattr(releasing, "audit_release", caught)
    made.release(frame)
    base, needs, priorities, barriers = caught.tables
    assert audit_release(base, needs, priorities, barriers, LIMITS) == set()
    found = 0
    for unit, tables in needs.items():
        for place, table in enumerate(tables):
            small = (table.said >= 1) & (table.said < 5) & ~table.said_shown & table.asked_shown & ~table.unseen
            if not small.any() or found == 3:
                continue
            leaky = table.said_shown.copy()
            leaky[tuple(np.argwhere(small)[0])] = True
            leaked = [*tables[:place], replace(table, said_shown=leaky), *tables[place + 1 :]]
            assert audit_release(base, {**needs, unit: leaked}, priorities, barriers, LIMITS)
            found += 1
    assert found >= 2


def test_what_the_audit_refuses_is_collapsed_until_it_passes(
    frame: pl.DataFrame, content: ReportContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sector that the audit refuses once comes out coarser, the others as before."""
    turns: list[set[str]] = []

    def strict(*given: object) -> set[str]:
        turns.append({"sector_food"} if not turns else audit_release(*given))  # type: ignore[arg-type]
        return turns[-1]

    before = needs_of(content).filter(pl.col("unit") == "person")
    monkeypatch.setattr(releasing, "audit_release", strict)
    after = needs_of(made.release(frame)).filter(pl.col("unit") == "person")
    assert len(turns) == 2
    water = pl.col("sector") == "water_sanitation"
    assert after.filter(water).drop("rank").equals(before.filter(water).drop("rank"))
    assert "parish" in set(before.filter(~water)["level"])
    assert "parish" not in set(after.filter(~water)["level"])


def test_too_few_interviews_publish_nothing() -> None:
    """Nine interviews are refused with a sentence."""
    with pytest.raises(NothingToShowError):
        made.release(made.interviews(9, 2))


def test_refusals_hold_no_answers_and_are_counted_for_the_province() -> None:
    """Refused contacts are no interviews; they are counted once, from five up."""
    kept = made.interviews(60, 3)
    refused = kept.head(7).with_columns(pl.lit("refused").alias("outcome"), pl.lit(None, pl.String).alias("unit"))
    content = made.release(pl.concat([kept, refused.with_columns(pl.lit(None, pl.String).alias("parish"))]))
    assert content.outcomes is not None
    shown = dict(content.outcomes.select("item", "n").iter_rows())
    assert (shown["complete"], shown["refused"]) == (60, 7)
    parishes = content.parishes
    assert parishes is not None
    assert parishes["n"].sum() == 60


def rounds(folder: Path, frame: pl.DataFrame, content: ReportContent) -> Rounds:
    """A way out into `folder`, where the release of `frame` is prepared already."""
    way = Rounds(made.project(), "r1", Ledger(folder))
    way.ledger.prepare("r1", fingerprint(made.dataset(frame), made.project()), content)
    return way


def test_a_release_is_kept_whole_and_made_once(frame: pl.DataFrame, content: ReportContent, tmp_path: Path) -> None:
    """Publishing twice from the same records gives release 1 both times, read back equal to what was made."""
    way = rounds(tmp_path, frame, content)
    first = way.release(lambda: made.dataset(frame), made.ISSUED, simulated=True)
    again = way.release(lambda: made.dataset(frame), made.ISSUED, simulated=True)
    assert (first.release, again.release) == (1, 1)
    assert differences(first, again) == []
    stands = way.published()
    assert stands is not None
    assert needs_of(stands).equals(needs_of(content))
    assert stands.limits == content.limits
    assert len(way.ledger.entries()) == 1


def test_a_withdrawal_after_publishing_leaves_the_old_tables(
    frame: pl.DataFrame, content: ReportContent, tmp_path: Path
) -> None:
    """One record fewer would show what that person said: refused, and the published tables stand."""
    way = rounds(tmp_path, frame, content)
    first = way.release(lambda: made.dataset(frame), made.ISSUED, simulated=True)
    with pytest.raises(ReissueError) as caught:
        way.release(lambda: made.dataset(frame.slice(1)), made.ISSUED, simulated=True)
    assert caught.value.details["cells"] > 0
    stands = way.published()
    assert stands is not None
    assert differences(first, stands) == []
    assert len(way.ledger.entries()) == 1


def test_a_round_and_the_next_can_both_be_published(content: ReportContent, tmp_path: Path) -> None:
    """Another round is a release of its own, whatever it holds."""
    ledger = Ledger(tmp_path)
    assert ledger.publish("r1", "a", content).release == 1
    assert ledger.publish("r2", "b", replace(content, needs=content.needs[:1])).release == 1
    assert [(entry.round, entry.release) for entry in ledger.entries()] == [("r1", 1), ("r2", 1)]


def test_every_changed_cell_must_change_by_enough(content: ReportContent, tmp_path: Path) -> None:
    """With every number ten higher a second release is made; with one of them nine higher, refused."""
    simple = replace(content, needs=(), priorities=(), barriers=(), profile=None, quality=None, outcomes=None)
    one = pl.DataFrame({"item": ["person", "household"], "n": [40, 20], "status": ["published"] * 2})
    ledger = Ledger(tmp_path)
    ledger.publish("r1", "a", replace(simple, consulted=one))
    with pytest.raises(ReissueError):
        ledger.publish("r1", "b", replace(simple, consulted=one.with_columns(n=pl.col("n") + pl.Series([10, 9]))))
    second = ledger.publish("r1", "c", replace(simple, consulted=one.with_columns(n=pl.col("n") + 10)))
    assert second.release == 2


def test_an_altered_ledger_is_noticed(frame: pl.DataFrame, content: ReportContent, tmp_path: Path) -> None:
    """A changed number in a kept release, or a broken line, is refused with the file's name."""
    way = rounds(tmp_path, frame, content)
    way.release(lambda: made.dataset(frame), made.ISSUED, simulated=True)
    kept = tmp_path / "releases" / "r1.1.json"
    text = kept.read_text(encoding="utf-8")
    kept.write_text(text.replace('"release": 1', '"release": 2'), encoding="utf-8")
    with pytest.raises(LedgerError, match=r"r1\.1\.json"):
        way.published()
    index = tmp_path / "releases" / INDEX
    index.write_text(index.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    with pytest.raises(LedgerError, match="ledger"):
        way.ledger.entries()


def test_what_a_release_depends_on_changes_its_fingerprint(frame: pl.DataFrame) -> None:
    """A record more or less is another release to prepare; the order of records is not."""
    whole = fingerprint(made.dataset(frame), made.project())
    assert whole == fingerprint(made.dataset(frame.reverse()), made.project())
    assert whole != fingerprint(made.dataset(frame.slice(1)), made.project())


def test_the_same_records_give_the_same_release(frame: pl.DataFrame, content: ReportContent) -> None:
    """Whatever the order of the records."""
    again = build_release(made.dataset(frame.reverse()), made.project(), number=1, issued=made.ISSUED, simulated=True)
    assert differences(content, again) == []


def test_who_did_not_answer_is_shown_apart(frame: pl.DataFrame, content: ReportContent) -> None:
    """By problem and reason for the province: as counted, none small, in the report and outside every percentage."""
    rows = content.unanswered
    assert rows is not None
    assert set(rows["reason"]) == {"total", "dont_know", "prefers_not", "not_applicable", "no_answer"}
    shown = rows.filter(pl.col("status") == "published")
    assert shown.filter(pl.col("n").is_between(1, 4)).is_empty()
    assert shown.filter(pl.col("n") >= 5).height > 0
    for row in shown.iter_rows(named=True):
        problem = row["indicator"].removeprefix("need_").removesuffix("_household")
        mine = frame.filter((pl.col("unit") == row["unit"]) & (pl.col(f"p_{problem}") == row["reason"]))
        if row["reason"] != "total":
            assert row["n"] == mine.height
    assert 'id="unanswered"' in page(content)


def test_more_processes_give_the_same_release(frame: pl.DataFrame, content: ReportContent) -> None:
    """Blocks made in another process are the same, and only the columns that are counted go there."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        again = build_release(
            made.dataset(frame), made.project(), number=1, issued=made.ISSUED, simulated=True, executor=pool
        )
    assert differences(content, again) == []
