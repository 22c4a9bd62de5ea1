"""Threats on the way and at central: hostile, repeated or withheld batches, a hostile server, a hijacked record."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest

from fieldsurvey.base.errors import RefusedError, UntrustedError
from fieldsurvey.records.envelope import open_record
from fieldsurvey.records.errors import NotARecipientError
from fieldsurvey.records.receipt import Level, Receipt, Role, write_receipt
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey
from sync.central import Central
from sync.folder import export_batches, take_receipts
from sync.importing import import_folder
from tests.fieldwork.conftest import NOW
from tests.sync.current import records
from tests.sync.laptops import laptop as synthetic
from tests.sync.projects import enrol
from tests.threats.conftest import CANARY, World
from tests.vault.canaries import search


def merged(place: Path, batches: list[bytes], *devices: object) -> Central:
    """A central that learned these devices and merged these batches."""
    central = Central.open(place)
    enrol(central, *devices)  # type: ignore[arg-type]
    for batch in batches:
        central.merge(io.BytesIO(batch))
    return central


def test_hostile_batch_or_stick(tmp_path: Path) -> None:
    """Flipped, cut, renamed, a zip, a link, a path for a name: refused or left aside, central is as it was.

    Control: the batch as it was merges.
    """
    device = synthetic(3)
    [good] = device.batches()
    central = merged(tmp_path / "central.db", [], device)
    before = central.digest()
    step = max(len(good) // 400, 1)
    bad = [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in range(0, len(good), step)]
    bad += [good[:at] for at in range(0, len(good), step * 4)] + [good + b"\0"]
    for data in bad:
        with pytest.raises((UntrustedError, RefusedError)):
            central.merge(io.BytesIO(data))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("../../escape.txt", "x")
    with pytest.raises((UntrustedError, RefusedError)):
        central.merge(io.BytesIO(archive.getvalue()))
    assert central.digest() == before
    assert not list(tmp_path.glob("**/escape.txt"))
    assert central.merge(io.BytesIO(good)).new == 3
    central.close()


def test_replay_duplicates_any_order(tmp_path: Path) -> None:
    """Three batches in every order, each once or twice: one state. Control: two of the three give another."""
    device = synthetic(6)
    batches = [device.batch(1, 2), device.batch(3, 4), device.batch(5, 6)]
    states = set()
    for number, order in enumerate(permutations(batches)):
        for times in (1, 2):
            central = merged(tmp_path / f"{number}-{times}.db", list(order) * times, device)
            states.add(central.digest())
            central.close()
    assert len(states) == 1
    fewer = merged(tmp_path / "fewer.db", batches[:2], device)
    assert fewer.digest() not in states
    fewer.close()


def test_rollback_cloned_laptop_withheld_suffix(world: World, tmp_path: Path) -> None:
    """A cloned laptop is a fork, both histories kept; a withheld middle is a gap; a laptop whose end is withheld says
    how much nobody has acknowledged.
    """
    device = synthetic(3)
    twin = device.clone()
    device.seal()
    twin.seal()
    central = merged(tmp_path / "fork.db", [device.batch(), twin.batch()], device)
    [status] = central.status().devices
    assert status.log.forks
    assert len(list(records(central))) == 5
    central.close()
    central = merged(tmp_path / "gap.db", [device.batch(1, 1), device.batch(4, 4)], device)
    [status] = central.status().devices
    assert (status.log.gaps, status.log.whole_to) == (((2, 3),), 1)
    central.close()
    locked = world.laptop.locked
    locked.take_receipt(_receipt(world, 1), NOW)
    told = world.laptop.status()
    assert (told.sealed, told.acknowledged) == (3, 1)


def _receipt(world: World, up_to: int, **fields: object) -> Receipt:
    log = world.laptop.locked
    values = {
        "project": world.project.id, "device": log.device_card().device, "up_to": up_to,
        "head": log.head_at(up_to).hex(), "level": Level.BACKED_UP, "by": Role.CENTRAL,
        "issued": NOW.isoformat("T", "seconds"),
    }  # fmt: skip
    return Receipt(**{**values, **fields})  # type: ignore[arg-type]


def test_hostile_server(world: World, tmp_path: Path) -> None:
    """Forged, weaker, foreign, beyond the end, of another history, or dated back: nothing is purged, all is kept.

    Control: central's own receipt, once its days are over by signed time and by the clock, lets bodies go.
    """
    stick = tmp_path / "stick"
    folder = stick / "fieldsurvey" / "receipts"
    folder.mkdir(parents=True)
    old = (NOW - timedelta(days=400)).isoformat("T", "seconds")
    bad = {
        "forged": (_receipt(world, 3), SigningKey.generate()),
        "weaker": (_receipt(world, 3, level=Level.RECEIVED), world.central),
        "foreign": (_receipt(world, 3, device="ab" * 16), world.central),
        "history": (_receipt(world, 3, head="cd" * 32), world.central),
        "beyond": (_receipt(world, 3).model_copy(update={"up_to": 9}), world.central),
    }
    for name, (receipt, key) in bad.items():
        (folder / f"{name}.fsr").write_bytes(write_receipt(receipt, key))
    take_receipts(world.laptop.locked, stick, world.laptop.project)
    assert world.laptop.purge().records == 0
    assert len(list(world.laptop.locked.entries())) == 3
    locked = world.laptop.locked
    locked.take_receipt(_receipt(world, 3, issued=old), NOW)  # by a stolen central: dated back
    assert world.laptop.purge().records == 0
    world.clock.move(days=9)
    later = world.clock.now()
    locked.take_receipt(_receipt(world, 3, issued=later.isoformat("T", "seconds"), level=Level.COMMITTED), later)
    assert world.laptop.purge().records == 3


def test_re_signed_or_hijacked_record(tmp_path: Path) -> None:
    """An enrolled device that logs another device's record, or one with another project's header: refused.

    Control: the record in its own device's log merges.
    """
    victim, thief = synthetic(1), synthetic(1, name="adversarial laptop")
    thief.append(victim.log[0][1])
    central = merged(tmp_path / "central.db", [], victim, thief)
    with pytest.raises((UntrustedError, RefusedError)):
        central.merge(io.BytesIO(thief.batch()))
    assert central.merge(io.BytesIO(victim.batch())).new == 1
    central.close()


def test_curious_supervisor_stolen_central(world: World, tmp_path: Path) -> None:
    """The stick that a supervisor carries and all that central holds, in every encoding: no answer, no form, no person;
    no key that lies there opens a record. Control: the HMU's does.
    """
    stick, office = tmp_path / "carried", tmp_path / "office"
    stick.mkdir()
    office.mkdir()
    export_batches(world.laptop.locked, stick, clock=world.clock)
    world.project.enrol(world.laptop.locked.device_card())
    world.laptop.update(world.project.publish())
    with Central.open(office / "central.db") as central:
        import_folder(central, stick, world.laptop.project, world.central)
        sealed = [blob for _, blob in records(central)]
    (stick / "fieldsurvey" / "project.fsp").unlink(missing_ok=True)  # the form is no secret; who answered it is
    assert len(sealed) == 3
    assert search(stick, [CANARY, "A synthetic form", "Enumerator 1"]) == []
    assert search(office, [CANARY]) == []
    for record in sealed:
        with pytest.raises(NotARecipientError):
            open_record(record, RecipientPrivate(world.central.to_bytes()[-32:]))
        assert CANARY.encode() in open_record(record, world.project.operational).payload
