"""Erasure at central and its reports: every place's word reaches every other by stick, and what is late is said."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.fieldwork.erasures import Reports, Trust, overdue, standings
from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.fieldwork.withdrawals import Withdrawals, access, overdue_at, withdraw
from fieldsurvey.records.device import LogParent
from fieldsurvey.records.envelope import Header, seal
from fieldsurvey.records.erased import ErasedCase, ErasureReport, Place, write_erasure
from fieldsurvey.records.payload import FormRef, Payload
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.returned import ReturnedWork, ReturnManifest, write_return
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.tui.withdrawing import backup_to_go
from sync.central import Central
from sync.erasing import hear_reports, learn_withdrawals, makers, settle, trust_of
from sync.folder import collect, export_batches
from sync.importing import import_folder
from sync.store import Notice
from sync.withdrawals import export_withdrawals, take_reports
from tests.sync.laptops import HMU, PROJECT, laptop
from tests.sync.projects import CENTRAL, NOW, PASSPHRASE, SyntheticProject, enrol, join

DAY = NOW.date()


@pytest.fixture
def project() -> SyntheticProject:
    """A synthetic project."""
    return SyntheticProject()


def sealed(one: Laptop, code: WithdrawalCode, kind: Literal["record", "attachment"] = "record") -> bytes:
    """One more synthetic record with this code."""
    with one.locked.unlock(PASSPHRASE) as vault:
        header = Header(
            project=vault.project,
            device=vault.device,
            case=code.tag(vault.project)[:32],
            kind=kind,
            withdrawal=code.tag(vault.project),
        )
        record = seal(header, b"synthetic" + bytes(40), [HMU.public])
        vault.finalise(vault.drafts.create(bytes(32), b"head", b"snapshot").draft_id, record)
    return record


def said(home: Path, trust: Trust) -> dict[Place, dict[str, int]]:
    """Place -> tag -> records, as a home has heard."""
    found: dict[Place, dict[str, int]] = {}
    for heard in Reports(home, trust):
        for case in heard.report.cases:
            mine = found.setdefault(heard.report.place, {})
            mine[case.tag] = max(mine.get(case.tag, 0), case.records)
    return found


def test_each_places_word_reaches_the_others(project: SyntheticProject, tmp_path: Path, clock: FixedClock) -> None:
    """Laptop -> stick -> central -> stick -> laptop: central knows that the laptop erased, the laptop that central did.

    The case had a record and a picture, both at central; a second stick carries nothing twice.
    """
    one, stick, office = join(project, tmp_path / "one"), tmp_path / "stick", tmp_path / "office"
    code, other = WithdrawalCode.generate(), WithdrawalCode.generate()
    sealed(one, code, "attachment")
    sealed(one, code)
    sealed(one, other)
    signed = project.enrol(one.locked.device_card())
    tag = code.tag(project.id)
    office.mkdir()
    with Central.open(tmp_path / "central.db", clock=clock) as central:
        export_batches(one.locked, stick, clock=clock)
        import_folder(central, stick, signed, project.central, home=office)
        assert withdraw(one.locked, code, DAY, NOW).bodies == 2
        export_batches(one.locked, stick, clock=clock)
        report = import_folder(central, stick, signed, project.central, home=office)
        assert (report.withdrawals, report.erased) == (1, 2)
        assert makers(central)[tag] == (one.locked.device_card().device,)
        told = said(office, trust_of(central))
        assert told == {Place.LAPTOP: {tag: 2}, Place.CENTRAL: {tag: 2}}
        assert {notice.kind for notice in central.store.notices("erasure")} == {"erasure"}
        again = settle(central, office, project.central, NOW, stick)
        assert (again.erased, len(list(Reports(office, trust_of(central)).files()))) == (0, 2)
    collect(one, stick)
    places = access(one.locked, code, signed.model, DAY).places
    assert [(place.place, place.records, place.at is not None) for place in places] == [
        (Place.CENTRAL, 2, True),
        (Place.LAPTOP, 2, True),
    ]
    assert access(one.locked, other, signed.model, DAY).places == ()
    one.close()


def test_another_site_over_the_same_store_learns_it(
    project: SyntheticProject, tmp_path: Path, clock: FixedClock
) -> None:
    """Two homes, one central: what one enters, the other knows, and the report is written once."""
    model = project.model()
    code = WithdrawalCode.generate()
    with Central.open(tmp_path / "central.db", clock=clock) as central:
        central.learn(model)
        stone = Tombstone(project=project.id, code=code.raw, requested="2026-03-01")
        Withdrawals(tmp_path / "here").enter(stone)
        settle(central, tmp_path / "here", project.central, NOW)
        settle(central, tmp_path / "there", project.central, NOW + timedelta(hours=1))
        assert Withdrawals(tmp_path / "there").find(stone.tag) == stone
        assert len(list(Reports(tmp_path / "there", trust_of(central)).files())) == 1
        earlier = stone.model_copy(update={"requested": "2026-02-27"})  # the first day stands, wherever it was asked
        Withdrawals(tmp_path / "there").enter(earlier)
        learn_withdrawals(central, tmp_path / "there")
        learn_withdrawals(central, tmp_path / "here")
        assert Withdrawals(tmp_path / "here").find(stone.tag) == earlier


def test_a_batch_on_the_stick_goes_only_where_central_has_it(tmp_path: Path, clock: FixedClock) -> None:
    """After a merge the stick's batch of a withdrawn case is taken off; one that central never read stays."""
    one, two = laptop(2), laptop(0)
    code = WithdrawalCode.generate()
    two.seal(withdrawal=code.tag(PROJECT))
    folder = tmp_path / "stick" / "fieldsurvey" / "batches"
    folder.mkdir(parents=True)
    (folder / "one.fsb").write_bytes(one.batch())
    (folder / "two.fsb").write_bytes(two.batch())
    with Central.open(tmp_path / "central.db", clock=clock) as central:
        enrol(central, one, two)
        central.withdraw(Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01"))
        assert settle(central, tmp_path, None, NOW, tmp_path / "stick").sticks == 0
        assert len(list(folder.iterdir())) == 2
        with (folder / "two.fsb").open("rb") as stream:
            central.merge(stream)
        assert settle(central, tmp_path, None, NOW, tmp_path / "stick").sticks == 1
        assert [path.name for path in folder.iterdir()] == ["one.fsb"]


def test_a_report_of_nobody_known_is_not_believed(tmp_path: Path, clock: FixedClock) -> None:
    """On a stick or over a line: forged, of a foreign role, of a laptop that never sent anything. Control: its own."""
    one = laptop(1)
    report = ErasureReport(
        project=PROJECT,
        place=Place.LAPTOP,
        device=one.device,
        cases=(ErasedCase(tag="7a" * 32, records=1),),
        at="2026-03-02T10:00:00Z",
    )
    folder = tmp_path / "stick" / "fieldsurvey" / "erased"
    folder.mkdir(parents=True)
    good, forged = write_erasure(report, one.carrier), write_erasure(report, SigningKey.generate())
    (folder / "forged.fsx").write_bytes(forged)
    (folder / "rubbish.fsx").write_bytes(b"FSB1" + bytes(300_000))
    (folder / "link.fsx").symlink_to("/dev/zero")
    (folder / "good.fsx").write_bytes(good)
    with Central.open(tmp_path / "central.db", clock=clock) as central:
        assert hear_reports(central, [good]) == 0
        enrol(central, one)
        assert hear_reports(central, [forged]) == 0
        assert not list(central.store.notices("erasure"))
        assert take_reports(tmp_path / "home", trust_of(central), tmp_path / "stick").new == 1
        assert (hear_reports(central, [good, good]), hear_reports(central, [good])) == (1, 0)


def test_what_is_late_is_said(project: SyntheticProject, tmp_path: Path) -> None:
    """Five days after the request nobody is late, on the sixth everybody is who has not reported; who has, is not."""
    one = join(project, tmp_path / "one")
    code = WithdrawalCode.generate()
    sealed(one, code)
    signed = project.enrol(one.locked.device_card())
    withdraw(one.locked, code, DAY, NOW)
    last = DAY + timedelta(days=signed.model.policy.retention.withdrawal_days)
    assert overdue_at(one.locked, signed.model, last) == ()
    late = overdue_at(one.locked, signed.model, last + timedelta(days=1))
    assert [(found.place, found.count, found.due) for found in late] == [(Place.CENTRAL, 1, last.isoformat())]
    trust = Trust.of(signed.model, one.locked.device_card())
    Reports(one.home, trust).write(
        Place.CENTRAL, project.central, project.id, {code.tag(project.id): 1}, NOW, backups_until=DAY + timedelta(10)
    )
    assert overdue_at(one.locked, signed.model, last + timedelta(days=1)) == ()
    [central, _laptop] = access(one.locked, code, signed.model, DAY).places
    assert central.backups_until == (DAY + timedelta(10)).isoformat()
    [central, _laptop] = access(one.locked, code, signed.model, DAY + timedelta(11)).places
    assert central.backups_until is None
    one.close()


def test_a_replaced_key_signs_nothing_new_and_what_it_said_stands(project: SyntheticProject, tmp_path: Path) -> None:
    """A leaver's key cannot claim an erasure; the report that central gave before its key was replaced still counts."""
    model = project.model()
    tag, later = "7a" * 32, "7b" * 32
    Reports(tmp_path, Trust.of(model)).write(Place.CENTRAL, project.central, project.id, {tag: 1}, NOW)
    gone = tuple(one.model_copy(update={"retired": "2026-03-03T09:00:00Z"}) for one in model.roles)
    replaced = Trust.of(model.model_copy(update={"roles": gone}))
    assert said(tmp_path, replaced) == {Place.CENTRAL: {tag: 1}}
    case = ErasedCase(tag=later, records=1)
    claim = ErasureReport(project=project.id, place=Place.CENTRAL, cases=(case,), at="2026-03-04T09:00:00Z")
    with pytest.raises(UntrustedError):
        Reports(tmp_path, replaced).keep(write_erasure(claim, project.central))
    assert Reports(tmp_path, Trust.of(model)).keep(write_erasure(claim, project.central))  # control: while it stood


def test_a_restored_laptop_speaks_for_the_one_it_was(project: SyntheticProject, tmp_path: Path) -> None:
    """The device that made the case is gone; the one that goes on from it reports, and that counts for both."""
    model = project.model()
    before = laptop(0, project=project.id)
    parent = LogParent(device=before.device, seq=1, head="5e" * 32)
    after = laptop(0, project=project.id, parent=parent, former=before.carrier)
    trust = Trust.of(model, before.card, after.card)
    reports = Reports(tmp_path, trust)
    asked = {"today": date(2026, 3, 20), "devices": [before.device]}
    tag = "7a" * 32
    [_central, old] = standings(tag, "2026-03-01", model, reports, **asked)  # type: ignore[arg-type]  # two kinds of values
    assert (old.place, old.overdue) == (Place.LAPTOP, True)
    reports.write(Place.LAPTOP, after.carrier, project.id, {tag: 1}, NOW, device=after.device)
    [_central, old] = standings(tag, "2026-03-01", model, reports, **asked)  # type: ignore[arg-type]  # as above
    assert (old.overdue, old.records) == (False, 1)
    late = overdue({tag: "2026-03-01"}, model, reports, date(2026, 3, 20), devices_of=lambda _tag: [before.device])
    assert [found.place for found in late] == [Place.CENTRAL]


def test_while_a_draft_lies_in_the_vault_nothing_uncertain_is_said(project: SyntheticProject, tmp_path: Path) -> None:
    """A locked laptop cannot know whether a completed interview that waits is the one: it reports when none waits."""
    one = join(project, tmp_path / "one")
    with one.locked.unlock(PASSPHRASE) as vault:
        draft = vault.drafts.create(bytes(32), b"head", b"snapshot")
    code = WithdrawalCode.generate()
    withdraw(one.locked, code, DAY, NOW)
    trust = Trust.of(None, one.locked.device_card())
    assert said(one.home, trust) == {}
    with one.locked.unlock(PASSPHRASE) as vault:
        vault.discard(draft.draft_id)
    export_withdrawals(one.home, tmp_path / "stick")
    export_batches(one.locked, tmp_path / "stick", clock=FixedClock(datetime(2026, 3, 3, tzinfo=UTC)))
    assert said(one.home, trust) == {Place.LAPTOP: {code.tag(project.id): 0}}
    one.close()


def returned(case: str, tag: str | None) -> bytes:
    """Work that a synthetic HMU sends back."""
    manifest = ReturnManifest(
        project=PROJECT, device="d1" * 16, case=case, revision=1, record="5e" * 32, withdrawal=tag
    )
    payload = Payload(
        form=FormRef(id="synthetic", version="1", hash="ab" * 32),
        instance="<data/>",
        person="E01",
        language="es",
        started="2026-03-01T09:00:00Z",
        finished="2026-03-01T09:10:00Z",
    )
    work = ReturnedWork(issued="2026-03-02T09:00:00Z", record=payload, general="synthetic")
    return write_return(manifest, work, RecipientPrivate.generate().public, SigningKey.generate())


def test_returned_work_of_a_withdrawn_case_goes_too(tmp_path: Path, clock: FixedClock) -> None:
    """It holds the answers, sealed to the laptop: it leaves central, its file and the stick; the other case's stays."""
    code = WithdrawalCode.generate()
    leaves, stays = returned("2a" * 16, code.tag(PROJECT)), returned("2b" * 16, "7a" * 32)
    folder = tmp_path / "stick" / "fieldsurvey" / "returned"
    folder.mkdir(parents=True)
    with Central.open(tmp_path / "central.db", clock=clock) as central:
        enrol(central)
        with central.store.write() as writer:
            for data in (leaves, stays):
                writer.notice(Notice("return", hashlib.sha256(data).digest(), "d1" * 16, data))
                (folder / f"{len(data)}-{data[-4:].hex()}.fsc").write_bytes(data)
        (folder / "rubbish.fsc").write_bytes(b"FSB1")
        files = [tmp_path / "central.db", tmp_path / "central.db-wal"]
        assert any(leaves[-200:] in path.read_bytes() for path in files if path.exists())  # control
        central.withdraw(Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01"))
        settle(central, tmp_path, None, NOW, tmp_path / "stick")
        assert [notice.data for notice in central.store.notices("return")] == [stays]
        assert not any(leaves[-200:] in path.read_bytes() for path in files if path.exists())
    assert sorted(len(path.read_bytes()) for path in folder.iterdir()) == sorted([4, len(stays)])


@pytest.mark.parametrize("later", [(NOW + timedelta(days=3650)).isoformat(), "some day"])
def test_a_backup_whose_date_cannot_be_true_is_counted_from_today(
    tmp_path: Path, clock: FixedClock, later: str
) -> None:
    """In the future, or none: the report says ten days from now, not from then, and is not taken for settled by it."""
    one, code = laptop(0), WithdrawalCode.generate()
    one.seal(withdrawal=code.tag(PROJECT))
    with Central.open(tmp_path / "central.db", clock=clock) as central:
        enrol(central, one)
        central.merge(io.BytesIO(one.batch()))
        with central.store.write() as writer:
            writer.covered([], later)
        central.withdraw(Tombstone(project=PROJECT, code=code.raw, requested=DAY.isoformat()))
        settle(central, tmp_path, CENTRAL, NOW)
        (heard,) = Reports(tmp_path, trust_of(central))
    until = (DAY + timedelta(days=10)).isoformat()
    assert heard.report.backups_until == until
    assert backup_to_go([heard], PROJECT, later, DAY + timedelta(days=10)) is None
    assert backup_to_go([heard], PROJECT, later, DAY + timedelta(days=11)) == until
    made = (NOW + timedelta(days=1)).isoformat()  # the control: a backup that came after it
    assert backup_to_go([heard], PROJECT, made, DAY + timedelta(days=11)) is None
