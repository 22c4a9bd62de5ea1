"""A round is opened from end to end: what was answered comes out, everything else is counted under its name."""

from __future__ import annotations

import os
import re
from collections import Counter
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fieldsurvey.needs.opened import opening
from fieldsurvey.needs.opened.dataset import Dataset
from fieldsurvey.needs.opened.errors import (
    ForeignCentralError,
    ForeignKeyError,
    HelpersLostError,
    NoSuchTableError,
    TooFewPeopleError,
)
from fieldsurvey.needs.opened.opening import open_round
from fieldsurvey.project.keys import HmuKeys
from fieldsurvey.project.policy import Round
from fieldsurvey.project.signed import SignedProject
from sync.central import Central
from tests.needs.opened.compare import same
from tests.needs.opened.world import CANARY, NEXT, ROUND, World


def answers_of(dataset: Dataset, form: str, case: str) -> dict[str, Any]:
    """What the tables hold of a case, by reference: rebuilt without the code that made them."""
    found: dict[str, Any] = {}
    top = dataset.frame(form).filter(pl.col("_case") == case).to_dicts()[0]
    for level in dataset.levels(form):
        table = dataset.table(form, level)
        for row in table.frame.filter(pl.col("_record") == top["_record"]).to_dicts():
            for column in table.columns:
                ref = column.path
                if level:  # only repeats at the first level in the built-in forms
                    above = ref.index(f"/{level}/") + len(level) + 1
                    ref = f"{ref[:above]}[{row['_position']}]{ref[above:]}"
                if row[column.name] is not None:
                    found[ref] = row[column.name]
    return found


@pytest.mark.parametrize("form", ["needs", "assembly"])
def test_answers_come_out_as_they_were_given(world: World, dataset: Dataset, form: str) -> None:
    """Every interview of the round is there with exactly the answers that the engine had before sealing."""
    given = world.in_round(form)
    assert len(given) == {"needs": 5, "assembly": 2}[form]
    for interview in given:
        expected = {ref: value for ref, value in interview.values.items() if not ref.startswith("/data/meta/")}
        assert answers_of(dataset, form, interview.case) == expected


def test_repeats_are_not_dropped(world: World, dataset: Dataset) -> None:
    """Each instance of each repeat in the sealed XML is a row of its table."""
    for level in ("result", "issue", "ranked", "agreement"):
        wanted = sum(len(re.findall(f"<{level}>", given.xml)) for given in world.in_round("assembly"))
        assert dataset.frame("assembly", level).height == wanted
    assert sum(dataset.frame("assembly", level).height for level in dataset.levels("assembly")[1:]) > 3


def test_every_record_is_counted_once_under_its_name(dataset: Dataset) -> None:
    """Corrupted, foreign, practice, unknown, unreadable, undated, out of the round, withdrawn: none stops another."""
    quality = dataset.quality
    assert quality.not_opened == {"altered": 1, "instance": 2, "not_a_recipient": 1, "payload": 1}
    assert quality.failed == 5
    assert (quality.practice, quality.unknown_form, quality.undated, quality.outside) == (1, 2, 1, 1)
    assert quality.unknown_forms == {"needs 99": 2}
    assert (quality.withdrawn, quality.only_proposals, quality.quarantined) == (1, 0, 2)
    assert quality.kept == sum(dataset.frame(form).height for form in dataset.forms) == 10
    apart = quality.practice + quality.unknown_form + quality.failed
    assert quality.cases == quality.opened + apart == 20
    assert quality.mistyped == {}


def test_what_is_withdrawn_practised_or_elsewhere_is_in_no_table(world: World, dataset: Dataset) -> None:
    """The cases that are only counted have no row, and their device's other records do."""
    cases = set(dataset.frame("needs")["_case"])
    apart = {given.case for given in world.given if given.form in {"withdrawn", "later"}}
    assert len(apart) == 2
    assert not cases & apart
    assert {given.case for given in world.in_round("needs")} <= cases
    assert dataset.frame("needs")["_mode"].unique().to_list() == ["screen"]


def test_conflicts_proposals_and_duplicates_are_flagged_never_dropped(dataset: Dataset, world: World) -> None:
    """Two concurrent revisions: one current, flagged; a proposal: flagged; the twin of an interview: both flagged."""
    frame, quality = dataset.frame("needs"), dataset.quality
    assert (quality.conflicts, quality.proposals, quality.duplicates) == (1, 1, 2)
    assert frame.filter("_conflict")["_revision"].to_list() == [2]
    assert frame.filter("_proposal")["_revision"].to_list() == [1]
    sample = next(given for given in world.given if given.form == "needs")
    twins = frame.filter("_duplicate")["_case"].to_list()
    assert len(set(twins)) == 2
    assert sample.case in twins


def test_the_rounds_ends_belong_to_it(world: World, central: Central) -> None:
    """An interview of the last day is in; one of the day after is in the next round, and only there."""
    dataset = open_round(central, world.project, world.hmu, NEXT)
    later = next(given for given in world.given if given.form == "later")
    assert dataset.frame("needs")["_case"].to_list() == [later.case]
    assert dataset.frame("needs")["fieldwork_date"].to_list() == [date(2026, 3, 9)]
    last = Round(id="x", title="x", start="2026-03-08", end="2026-03-08")
    days = open_round(central, world.project, world.hmu, last).frame("needs")["fieldwork_date"].unique().to_list()
    assert days == [date(2026, 3, 8)]


def test_columns_are_typed(dataset: Dataset) -> None:
    """Numbers, dates and lists are what they say, and the columns say what they are."""
    schema = dataset.frame("needs").schema
    assert schema["fieldwork_date"] == pl.Date
    assert schema["approached"] == pl.Int64
    assert schema["presence"] == pl.List(pl.String)
    assert schema["_revision"] == pl.Int64
    assert schema["_duplicate"] == pl.Boolean
    assert not any(name.startswith(("consent_duty", "messages")) for name in schema)
    columns = dataset.columns("needs")
    assert columns["host_mobility"].calculated
    assert columns["presence"].kind == "select_multiple"
    assert columns["fieldwork_date"].path == "/data/opening/fieldwork_date"


def test_the_order_is_that_of_the_cases(dataset: Dataset) -> None:
    """Rows lie by case, so that nothing tells in which order laptops came."""
    for form in dataset.forms:
        cases = dataset.frame(form)["_case"].to_list()
        assert cases == sorted(cases)


def test_processes_make_the_same_dataset(
    world: World, central: Central, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default pool, with small chunks, gives what this process gives; progress counts every record."""
    monkeypatch.setattr(opening, "POOL_FROM", 1)
    monkeypatch.setattr(opening, "CHUNK_RECORDS", 3)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    seen: list[tuple[int, int, str]] = []
    made = open_round(
        central, world.project, world.hmu, ROUND, progress=lambda done, total, text: seen.append((done, total, text))
    )
    same(made, dataset)
    assert [done for done, _total, _text in seen] == [3, 6, 9, 12, 15, 18, 20]
    assert {total for _done, total, _text in seen} == {20}
    assert seen[-1][2] == "10 records in the round"


def test_any_executor_will_do_and_few_chunks_wait(
    world: World, central: Central, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads give the same; never are more chunks in flight than twice the cores, however many there are."""
    monkeypatch.setattr(opening, "CHUNK_RECORDS", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    counts = Counter[str]()

    class Watched(ThreadPoolExecutor):
        """Counts what is submitted and not yet asked for."""

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future = super().submit(fn, *args, **kwargs)
            counts["flying"] += 1
            counts["most"] = max(counts["most"], counts["flying"])
            asked = future.result

            def result(timeout: float | None = None) -> Any:
                counts["flying"] -= 1
                return asked(timeout)

            future.result = result  # type: ignore[method-assign]
            return future

    with Watched(2) as threads:
        same(open_round(central, world.project, world.hmu, ROUND, executor=threads), dataset)
    assert counts["most"] == 2


def test_a_lost_body_and_a_swapped_one_are_counted(world: World, central: Central, dataset: Dataset) -> None:
    """Central lost one record and has another's bytes for a second: both are counted, the rest is opened."""
    hashes = [bytes.fromhex(text) for text in dataset.frame("needs")["_record"].to_list()[:3]]
    store: Any = central.store
    body = store.body(hashes[2])
    with store._connection as connection:
        connection.execute("DELETE FROM bodies WHERE hash = ?", (hashes[0],))
        connection.execute("UPDATE bodies SET body = ? WHERE hash = ?", (body, hashes[1]))
    quality = open_round(central, world.project, world.hmu, ROUND).quality
    assert quality.not_opened == {**dataset.quality.not_opened, "lost": 1, "altered": 2}
    assert quality.kept == dataset.quality.kept - 2


def test_what_could_not_be_opened_is_named(world: World, central: Central, dataset: Dataset) -> None:
    """Laptop, place in its log and reason of each, as central's log has them, in order; one that central loses joins
    them, and nothing of what is in one is said."""
    by_place = {(entry.device, entry.seq): entry.record_hash for entry in central.store.versions()}
    assert Counter(one.reason for one in dataset.left_out) == dataset.quality.not_opened
    assert list(dataset.left_out) == sorted(dataset.left_out, key=lambda one: (one.name, one.device, one.seq))
    names = {device.id: device.name for device in world.project.model.devices}
    assert all(one.name == names[one.device] for one in dataset.left_out)
    kept = {bytes.fromhex(text) for form in dataset.forms for text in dataset.frame(form)["_record"]}
    hashes = [by_place[one.device, one.seq] for one in dataset.left_out]
    assert len(set(hashes)) == dataset.quality.failed
    assert not kept & set(hashes)
    lost = bytes.fromhex(dataset.frame("needs")["_record"][0])
    store: Any = central.store
    with store._connection as connection:
        connection.execute("DELETE FROM bodies WHERE hash = ?", (lost,))
    again = open_round(central, world.project, world.hmu, ROUND).left_out
    (new,) = set(again) - set(dataset.left_out)
    assert (by_place[new.device, new.seq], new.reason) == (lost, "lost")


def test_a_worker_that_dies_is_a_typed_error(world: World, central: Central) -> None:
    """A broken pool is named, not shown as a traceback."""

    class Broken(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(BrokenProcessPool())
            return future

    with pytest.raises(HelpersLostError):
        open_round(central, world.project, world.hmu, ROUND, executor=Broken())


def test_another_projects_key_central_or_policy_is_refused(world: World, central: Central) -> None:
    """The key must be this project's, central must serve it, and the policy's number of people must be there."""
    with pytest.raises(ForeignKeyError):
        open_round(central, world.project, HmuKeys.generate("ab" * 16), ROUND)
    model = world.project.model
    other = SignedProject(model.model_copy(update={"id": "ab" * 16}), world.project.frames, b"")
    with pytest.raises(ForeignCentralError):
        open_round(central, other, HmuKeys.generate("ab" * 16), ROUND)
    policy = model.policy.model_copy(update={"people_to_open": 2, "hmu_people": 2})
    strict = SignedProject(model.model_copy(update={"policy": policy}), world.project.frames, b"")
    with pytest.raises(TooFewPeopleError):
        open_round(central, strict, world.hmu, ROUND)
    assert open_round(central, strict, world.hmu, ROUND, people=2).quality.kept == 10


def test_a_stolen_key_of_another_hmu_opens_nothing(world: World, central: Central) -> None:
    """With a key that is not a recipient every record is counted as not sealed to it, and none is kept."""
    stranger = HmuKeys.generate(world.project.model.id)
    quality = open_round(central, world.project, stranger, ROUND).quality
    assert quality.not_opened == {"not_a_recipient": quality.cases}
    assert quality.kept == 0


def test_nothing_prints_a_record(world: World, dataset: Dataset) -> None:
    """Neither the dataset nor a table nor a missing one's error shows an answer; a frame would."""
    table = dataset.table("needs")
    with pytest.raises(NoSuchTableError) as missing:
        dataset.frame("nothing")
    for shown in (repr(dataset), str(dataset), repr(table), repr(dataset.tables), str(missing.value)):
        assert "needs" in shown
        assert CANARY.split()[0] not in shown
        assert not any(given.case in shown for given in world.given)
    with pl.Config(tbl_cols=-1, tbl_rows=-1, tbl_width_chars=400, fmt_str_lengths=100):
        assert world.in_round("needs")[0].case in repr(table.frame.select("_case"))  # the control


def test_an_empty_central_opens_to_empty_tables(world: World, tmp_path: Path) -> None:
    """Nothing imported yet: every form has its columns and no row."""
    with Central.open(tmp_path / "empty.db") as central:
        dataset = open_round(central, world.project, world.hmu, ROUND)
    assert dataset.quality.cases == 0
    assert dataset.frame("needs").height == 0
    assert dataset.frame("needs").schema["approached"] == pl.Int64
    assert dataset.levels("assembly") == ("", "result", "issue", "ranked", "agreement")
