"""Threats to a laptop: lost, seized, its owner coerced or dishonest, what its database and its sizes say."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldsurvey.base.errors import FieldsurveyError, UnlockError
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.records.envelope import MAX_HEADER, Header, body_length, open_record, read_envelope
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.vault import open_locked, verify_log
from tests.fieldwork.conftest import WORDS
from tests.fieldwork.test_secrecy import _candidates, _opens
from tests.threats.conftest import CANARY, PERSON, World
from tests.tui.laptops import joined
from tests.tui.memory import DATA
from tests.tui.terminal import Terminal
from tests.tui.test_flows import CANARY as TYPED
from tests.tui.test_flows import memory_hits, to_people, to_zone, unlock
from tests.vault.canaries import search

ROOT = Path(__file__).resolve().parents[2]


def test_laptop_lost_powered_off(world: World) -> None:
    """Whoever has the disk finds no answer in any encoding, sealed or draft, and no words open it; with the owner's
    words the draft opens and the sealed records still do not.
    """
    found = world.place / "found"
    shutil.copytree(world.laptop.home, found)
    assert search(found, [CANARY, WORDS]) == []
    thief = Laptop.open(found, world.clock)
    for guess in ("", "enero mapa nube cobre lila", "zumo duna yate horno grato lunes"):
        with pytest.raises(UnlockError):
            thief.unlock(guess)
    session = thief.unlock(WORDS)
    [draft] = session.drafts()
    assert session.resume(draft.draft_id).interview.question("/data/story").value == f"{CANARY} 3"
    for key in _candidates(session, thief):
        assert not any(_opens(record, key) for _, record in list(thief.locked.entries())[:1])
    session.close()
    thief.close()
    (found / "planted").write_bytes(CANARY.encode("utf-16-le"))  # control
    assert len(search(found, [CANARY])) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read through /proc")
def test_laptop_seized_locked(tmp_path: Path) -> None:
    """Locking ends the process that knew: neither it nor its answer is anywhere. Control: before, the scan finds it."""
    home = tmp_path / "home"
    joined(home, {"types": (DATA / "types.xml").read_bytes()}).close()
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(home), "FIELDSURVEY_HOME": str(home)}
    terminal = Terminal([sys.executable, "-m", "fieldsurvey"], {**environ, "FIELDSURVEY_LANG": "en"})
    try:
        unlock(terminal)
        to_zone(terminal)
        to_people(terminal)
        knew = terminal.child()
        if memory_hits(knew, TYPED) is None:
            pytest.skip("this user may not read another process's memory")
        assert memory_hits(knew, TYPED)
        terminal.send("f12")
        terminal.wait("Your six words")
        assert not Path(f"/proc/{knew}").exists()
        assert [memory_hits(process, TYPED) for process in (terminal.process.pid, terminal.child())] == [0, 0]
    finally:
        terminal.close()


def test_coerced_enumerator(world: World) -> None:
    """Unlocked, with everything the session and the database hold: no record opens. Control: the HMU's key opens it."""
    session = world.laptop.unlock(WORDS)
    records = [record for _, record in world.laptop.locked.entries()]
    keys = _candidates(session, world.laptop)
    assert len(keys) > 20
    assert [key for key in keys if any(_opens(record, key) for record in records)] == []
    assert session.waiting() == []  # by default nothing completed can be shown either
    session.close()
    assert CANARY.encode() in open_record(records[0], world.project.operational).payload


EDITS: dict[str, Callable[[sqlite3.Connection], object]] = {
    "edit": lambda c: c.execute("UPDATE outbox SET record = CAST(record || x'00' AS BLOB) WHERE seq = 2"),
    "delete": lambda c: c.executescript("DELETE FROM outbox WHERE seq = 2; DELETE FROM log WHERE seq = 2"),
    "insert": lambda c: c.execute("INSERT INTO log (seq, entry) SELECT 4, entry FROM log WHERE seq = 3"),
    "reorder": lambda c: c.executescript(
        "UPDATE log SET seq = 9 WHERE seq = 1; UPDATE log SET seq = 1 WHERE seq = 2;"
        "UPDATE log SET seq = 2 WHERE seq = 9"
    ),
    "swap bodies": lambda c: c.executescript(
        "UPDATE outbox SET seq = 9 WHERE seq = 1; UPDATE outbox SET seq = 1 WHERE seq = 2;"
        "UPDATE outbox SET seq = 2 WHERE seq = 9"
    ),
    "cut the end": lambda c: c.executescript("DELETE FROM outbox WHERE seq = 3; DELETE FROM log WHERE seq = 3"),
    "drop a body": lambda c: c.execute("DELETE FROM outbox WHERE seq = 2"),
}


@pytest.mark.parametrize("name", EDITS)
def test_dishonest_enumerator(world: World, name: str) -> None:
    """What is sealed and then edited, deleted, inserted or reordered is found; before it, the log is whole."""
    world.laptop.close()
    path = world.laptop.home / "vault.db"
    assert verify_log(open_locked(path)).whole
    with sqlite3.connect(path) as connection:
        EDITS[name](connection)
    connection.close()
    assert not verify_log(open_locked(path)).whole


def test_size_and_time_metadata(world: World) -> None:
    """Outside a record: padded sizes and the allow-listed header; no form, time, place or enumerator in clear.

    Control: all of these are inside.
    """
    sizes = {body_length(n) for n in range(3000)}
    for _, record in world.laptop.locked.entries():
        envelope = read_envelope(record)
        assert len(envelope.header_bytes) <= MAX_HEADER
        assert set(type(envelope.header).model_fields) == set(Header.model_fields)
        assert set(Header.model_fields) == {"project", "device", "case", "revision", "kind", "parent", "withdrawal"}
        assert len(envelope.body) in sizes
        for told in (b"synthetic", PERSON.encode(), b"2026-03-01", b"A synthetic form"):
            assert told not in record
        inside = open_record(record, world.project.operational).payload
        assert all(told in inside for told in (b"synthetic", PERSON.encode(), b"2026-03-01"))
    assert len(sizes) < 40  # three thousand lengths of payload look like a few dozen


def test_what_sqlite_leaves_behind(world: World) -> None:
    """While a vault is at work and after: nothing readable in database, write-ahead log, journal or temporary files.

    Control: an ordinary database that deletes a row keeps it.
    """
    session = world.laptop.unlock(WORDS)
    work = session.start("synthetic")
    for n in range(60):
        work.answer("/data/story", f"{CANARY} erased {n}" * 20)
    assert search(world.laptop.home, [CANARY]) == []
    work.discard()
    session.close()
    assert search(world.laptop.home, [CANARY]) == []
    plain = world.place / "plain.db"
    with sqlite3.connect(plain) as connection:
        connection.executescript("PRAGMA secure_delete=OFF; CREATE TABLE t (v TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (CANARY,))
        connection.commit()
        connection.execute("DELETE FROM t")
    connection.close()
    assert search(world.place, [CANARY]) != []


def test_recorded_now_decrypted_in_2040(world: World) -> None:
    """Every wrap is of the hybrid kind, and nothing else is read: other lengths, other suites, a classical half alone.

    Control: the record as it is reads.
    """
    record = next(record for _, record in world.laptop.locked.entries())
    envelope = read_envelope(record)
    assert len(envelope.wraps) == 1168 * len(envelope.recipient_ids)  # ML-KEM-768 with X25519, and the wrapped key
    assert len(world.project.operational.public.bytes) == 1184 + 32
    begin = len(record) - len(envelope.body) - len(envelope.wraps)
    classical = record[:begin] + envelope.wraps[: 80 * len(envelope.recipient_ids)] + envelope.body
    with pytest.raises(FieldsurveyError):
        open_record(classical, world.project.operational)
    with pytest.raises(FieldsurveyError):  # the X25519 share of another: the ML-KEM half alone is not enough
        open_record(record[: begin + 1100] + bytes(32) + record[begin + 1132 :], world.project.operational)
    assert isinstance(world.project.operational, RecipientPrivate)
    assert CANARY.encode() in open_record(record, world.project.operational).payload
