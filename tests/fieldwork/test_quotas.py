"""Quotas on a laptop: cases sealed here, each once, in the cells of its last revision; nothing leaves the vault."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.cli.sync import app as sync_app
from fieldsurvey.fieldwork import Laptop, SealedCard, Session
from fieldsurvey.fieldwork.quotas import CaseCount, count_of, forget_counts, tally
from fieldsurvey.fieldwork.returned import TakenReturn, take_return
from fieldsurvey.fieldwork.withdrawals import withdraw
from fieldsurvey.project.policy import Plan, Quota, Round
from fieldsurvey.project.quotas import Cell
from fieldsurvey.project.signed import read_project, write_project
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault.sealed_log import note_signed_time
from fieldsurvey.xforms import load_form
from forms import catalogue
from sync.central import Central
from sync.folder import export_batches
from sync.importing import import_folder
from tests.fieldwork.conftest import WORDS, SyntheticProject, join
from tests.fieldwork.returning import returned, with_hmu
from tests.vault.canaries import search

ALL, PARISH, WOMEN = Cell(), Cell(parish="100151"), Cell(parish="100151", sex="woman")
HOSTS = Cell(mobility="host")
CELLS = (ALL, PARISH, WOMEN, HOSTS)
QUOTAS = tuple(Quota(**cell._asdict(), count=n + 4) for n, cell in enumerate(CELLS))
ROUND = Round(id="ronda-canaria-60317", title="Synthetic", start="2026-03-01", end="2026-03-10", quotas=QUOTAS)
PLAN = Plan(rounds=(ROUND,))
_QUESTIONS = ("fieldwork_date", "parish", "host_mobility", "sex", "age_band", "outcome")
_FORM = """<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
        xmlns:jr="http://openrosa.org/javarosa">
  <h:head><h:title>Synthetic people</h:title><model>
    <instance><data id="people" version="1">{leaves}<others jr:template=""><sex/><age_band/></others>
      <meta><instanceID/></meta></data></instance>
    <bind nodeset="/data/meta/instanceID" type="string" readonly="true()" jr:preload="uid"/>
    {binds}<bind nodeset="/data/others/sex" type="string"/><bind nodeset="/data/others/age_band" type="string"/>
  </model></h:head>
  <h:body>{inputs}<group ref="/data/others"><label>Others</label><repeat nodeset="/data/others">
    <input ref="/data/others/sex"><label>Sex</label></input>
    <input ref="/data/others/age_band"><label>Age</label></input></repeat></group></h:body>
</h:html>
"""


def xform() -> bytes:
    """Asks what quotas name, once of the person and once of others in a repeat."""
    leaves = "".join(f"<{name}/>" for name in _QUESTIONS)
    types = {"fieldwork_date": "date"}
    binds = "".join(f'<bind nodeset="/data/{n}" type="{types.get(n, "string")}"/>' for n in _QUESTIONS)
    inputs = "".join(f'<input ref="/data/{name}"><label>{name}</label></input>' for name in _QUESTIONS)
    return _FORM.format(leaves=leaves, binds=binds, inputs=inputs).encode()


class Planned(SyntheticProject):
    """With the plan and a form about one person."""

    def publish(self, root: RootKey | None = None) -> bytes:
        """As before, and signed anew with the plan."""
        made = read_project(super().publish(root))
        model = made.model.model_copy(update={"plan": PLAN})
        return write_project(model, {fields["hash"]: source for source, fields in self.forms}, root or self.root)


@pytest.fixture
def project() -> SyntheticProject:
    """With an HMU that returns work."""
    made = with_hmu(Planned())
    made.add_form(xform(), "people", "1")
    return made


@pytest.fixture
def laptop(tmp_path: Path, project: SyntheticProject, clock: FixedClock) -> Iterator[Laptop]:
    """Joined and locked; its folder is `home` below the test's."""
    made = join(tmp_path / "home", project, clock)
    yield made
    made.close()


def interview(session: Session, form: str = "people", **answers: str) -> SealedCard:
    """One that is sealed."""
    work = session.start(form)
    for name, value in {"fieldwork_date": "2026-03-01", **answers}.items() if form == "people" else answers.items():
        work.answer(f"/data/{name}", value)
    return work.finalise()


def done(session: Session) -> dict[Cell, int]:
    """By cell, without what is 0."""
    found = session.counted()
    assert found is not None
    assert found.whole
    return dict(found.done)


def test_each_sealed_case_counts_where_it_belongs(laptop: Laptop) -> None:
    """For every quota it meets; not with another date, refused, of a form about nobody, as practice or as a draft."""
    session = laptop.unlock(WORDS)
    assert done(session) == {}
    interview(session, parish="100151", sex="woman", host_mobility="host")
    assert done(session) == dict.fromkeys(CELLS, 1)
    interview(session, parish="100151", sex="man", host_mobility="mobility", outcome="partial")
    assert done(session) == {ALL: 2, PARISH: 2, WOMEN: 1, HOSTS: 1}
    before = done(session)
    interview(session, parish="100151", sex="woman", fieldwork_date="2026-03-11")
    interview(session, parish="100151", sex="woman", outcome="refused")
    interview(session, "synthetic", story="told")
    session.start("people").answer("/data/fieldwork_date", "2026-03-01")
    practice = session.start("people", practice=True)
    practice.answer("/data/fieldwork_date", "2026-03-01")
    practice.complete()
    assert done(session) == before
    assert len(session.vault.tally.kept()) == 5
    session.close()
    again = laptop.unlock(WORDS)
    assert done(again) == before
    again.close()


def test_answers_of_others_in_a_repeat_are_not_the_persons(laptop: Laptop) -> None:
    """A household's roster moves nobody into a cell."""
    session = laptop.unlock(WORDS)
    work = session.start("people")
    work.answer("/data/fieldwork_date", "2026-03-01")
    work.answer("/data/parish", "100151")
    work.answer(work.add_repeat("/data/others") + "/sex", "woman")
    work.finalise()
    assert done(session) == {ALL: 1, PARISH: 1}
    session.close()


def test_a_revision_moves_the_case_and_does_not_count_twice(laptop: Laptop, project: SyntheticProject) -> None:
    """Returned by the HMU, mended and sealed once more: it is in the new cell and in no former one."""
    session = laptop.unlock(WORDS)
    interview(session, parish="100151", sex="man")
    session.close()
    data = returned(laptop, project, comments={}, general="?")
    assert isinstance(take_return(laptop.locked, data, laptop.project), TakenReturn)
    session = laptop.unlock(WORDS)
    assert done(session) == {ALL: 1, PARISH: 1}
    work = session.resume(session.returned()[0].draft_id)
    work.answer("/data/sex", "woman")
    assert work.finalise().revision == 2
    assert done(session) == {ALL: 1, PARISH: 1, WOMEN: 1}
    assert len(session.vault.tally.kept()) == 1
    session.close()


def test_a_withdrawn_case_leaves_the_count_at_once(laptop: Laptop) -> None:
    """Also where the record is long gone from the laptop; at the next unlock its row goes, and no other."""
    session = laptop.unlock(WORDS)
    card = interview(session, parish="100151")
    interview(session)
    session.vault.locked.store.connection.execute("DELETE FROM outbox")
    assert card.withdrawal_code is not None
    withdraw(laptop.locked, WithdrawalCode.parse(card.withdrawal_code), date(2026, 3, 2))
    assert done(session) == {ALL: 1}
    assert len(session.vault.tally.kept()) == 2
    session.close()
    session = laptop.unlock(WORDS)
    assert (done(session), len(session.vault.tally.kept())) == ({ALL: 1}, 1)
    session.close()


def test_a_round_is_forgotten_once_it_is_over_by_both_clocks(laptop: Laptop, clock: FixedClock) -> None:
    """Neither the laptop's clock nor signed time alone forgets it; a plan that was prolonged keeps it."""
    session = laptop.unlock(WORDS)
    interview(session, parish="100151")
    assert forget_counts(session.vault, PLAN, date(2029, 1, 1)) == 0
    with session.vault.locked.store.write() as connection:
        note_signed_time(connection, "2026-03-11T08:00:00+00:00")
    assert forget_counts(session.vault, PLAN, date(2026, 3, 10)) == 0
    longer = Plan(rounds=(ROUND.model_copy(update={"end": "2026-03-11"}),))
    assert forget_counts(session.vault, longer, date(2029, 1, 1)) == 0
    session.close()
    clock.at = datetime(2026, 3, 11, 9, tzinfo=UTC)
    session = laptop.unlock(WORDS)
    assert session.vault.tally.kept() == []
    session.close()


def test_it_says_when_it_is_not_whole(laptop: Laptop) -> None:
    """A damaged row, or something sealed before this program counted: the rest counts, and the person is told."""
    session = laptop.unlock(WORDS)
    interview(session)
    interview(session)
    connection = session.vault.locked.store.connection
    connection.execute("UPDATE tally SET box = x'00' WHERE name = (SELECT min(name) FROM tally)")
    found = session.counted()
    assert found is not None
    assert (dict(found.done), found.whole) == ({ALL: 1}, False)
    connection.execute("DELETE FROM tally WHERE box = x'00'")
    assert done(session) == {ALL: 1}
    connection.execute("UPDATE device SET tally_since = '2026-03-01'")
    found = session.counted()
    assert found is not None
    assert not found.whole
    session.close()


CASES = st.lists(
    st.tuples(
        st.integers(0, 5),  # which case
        st.builds(
            CaseCount,
            round=st.sampled_from(["r1", "r2", ""]),
            until=st.just("2026-03-10"),
            cells=st.lists(st.sampled_from(CELLS), unique=True).map(tuple),
            tag=st.sampled_from([None, "a", "b"]),
        ),
    ),
    max_size=12,
)


@given(CASES, st.sets(st.sampled_from(["a", "b"])), st.randoms())
def test_the_count_is_a_function_of_the_set_of_cases(
    sealed: list[tuple[int, CaseCount]], withdrawn: set[str], rng: object
) -> None:
    """The last revision of each case, in whatever order cases lie; a cell has as many as cases name it."""
    last = list(dict(sealed).values())
    wanted = {
        cell: sum(cell in case.cells for case in last if case.round == "r1" and case.tag not in withdrawn)
        for cell in CELLS
    }
    rng.shuffle(last)  # type: ignore[attr-defined]
    again = [CaseCount.from_bytes(case.to_bytes()) for case in last]
    assert again == last
    found = tally(last, "r1", withdrawn)
    assert {cell: found[cell] for cell in CELLS} == wanted


def test_an_assembly_counts_for_nothing() -> None:
    """The built-in form of an assembly asks no person who he or she is; that of an interview does."""
    for form_id, cells in (("assembly", ()), ("needs", (ALL, PARISH))):
        form = load_form(catalogue.compiled(form_id), {})
        paths = {node.name: node.path for node in form.nodes if node.name in {"fieldwork_date", "parish"}}
        xml = _instance(form_id, {paths["fieldwork_date"]: "2026-03-02", paths["parish"]: "100151"})
        assert count_of(form, xml, PLAN, None, date(2026, 3, 2)).cells == cells


def _instance(form_id: str, answers: dict[str, str]) -> bytes:
    said = ""
    for path, value in answers.items():
        names = path.split("/")[2:]
        said += "".join(f"<{n}>" for n in names) + value + "".join(f"</{n}>" for n in reversed(names))
    return f'<data id="{form_id}">{said}</data>'.encode()


def test_nothing_of_it_reaches_a_stick_central_or_a_command(
    laptop: Laptop, project: SyntheticProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row, open or sealed, is in a batch, in central or in what `sync status` says; nor does a batch, or that, name
    the round. Central has the signed project with the plan, which says what is wanted, and no more.
    """
    session = laptop.unlock(WORDS)
    for _ in range(3):
        interview(session, parish="100151", sex="woman")
    rows = session.vault.locked.store.rows("SELECT name, box FROM tally")
    kept = [row.content for row in session.vault.tally.kept()]
    session.close()
    project.enrol(laptop.locked.device_card())
    signed = read_project(project.publish())
    stick = tmp_path / "stick"
    export_batches(laptop.locked, stick)
    (tmp_path / "central").mkdir()
    with Central.open(tmp_path / "central" / "central.db") as central:
        import_folder(central, stick, signed, None)
        assert len(list(central.cases())) == 3
    monkeypatch.setenv("FIELDSURVEY_HOME", str(tmp_path / "home"))
    told = CliRunner().invoke(sync_app, ["status", "--json"])
    assert told.exit_code == 0
    folders = [stick / "fieldsurvey" / "batches", tmp_path / "told", tmp_path / "central"]
    folders[1].mkdir()
    (folders[1] / "status.json").write_text(told.output, encoding="utf-8")
    secret = [content for content in kept if content is not None] + [part[:12] for row in rows for part in row]
    assert len(secret) == 9
    for folder in folders:
        assert _holds(folder, secret) == []
    assert [search(folder, [ROUND.id]) for folder in folders[:2]] == [[], []]
    (folders[0] / "planted").write_bytes(b"." + rows[0][1] + ROUND.id.encode() + b".")
    assert _holds(folders[0], secret) == ["planted"]
    assert search(folders[0], [ROUND.id]) != []


def _holds(folder: Path, secret: list[bytes]) -> list[str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert files
    return [path.name for path in files if any(one in path.read_bytes() for one in secret)]
