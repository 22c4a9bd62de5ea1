"""JSON that is meant to hurt, in the place of every structure that is read from strangers: each is refused, typed.

Signatures and seals around a bomb are genuine: it is what an insider could make, and it gets as far as one can.
"""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from fieldsurvey.base.canonical import parse_canonical
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.cli.forms import read_json
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project.draft import read_plan
from fieldsurvey.project.signed import read_project
from fieldsurvey.records import container
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import Header, open_record, read_header, seal
from fieldsurvey.records.keyfile import lock_secret, unlock_secret
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.receipt import Role, read_receipt
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.returned import ReturnManifest, open_return, read_return, write_return
from fieldsurvey.records.signing import RootKey, SigningKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.withdrawal import Tombstone
from fieldsurvey.vault import verify_vault
from fieldsurvey.xforms.program.lists import from_geojson
from fieldsurvey.xforms.xpath.errors import EvaluationError
from sync.batches import read_batch
from sync.central import Central
from sync.folder import export_batches
from sync.importing import import_folder
from tests.faults.rounds import CLOCK
from tests.fieldwork.conftest import WORDS, SyntheticProject, join
from tests.sync.projects import SyntheticProject as SyncProject
from tests.sync.projects import join as join_vault
from tests.sync.projects import seal_some

MIB = 1 << 20
HMU, CENTRAL, ROOT = RecipientPrivate.generate(), SigningKey.generate(), RootKey.generate()

BOMBS: dict[str, bytes] = {
    "10,000 arrays": b"[" * 10_000 + b"]" * 10_000,
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a million open arrays": b"[" * MIB,
    "10,000 arrays in a field": b'{"format":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "a duplicate key": b'{"format":"a","format":"b"}',
    "a duplicate key, escaped": b'{"format":"a","\\u0066ormat":"b"}',
    "NaN": b'{"format":NaN}',
    "Infinity": b'{"format":-Infinity}',
    "a float beyond all": b'{"format":1e999}',
    "an integer of 100,000 digits": b'{"format":' + b"9" * 100_000 + b"}",
    "a lone surrogate, escaped": b'{"format":"\\ud800"}',
    "a lone surrogate, raw": b'{"format":"\xed\xa0\x80"}',
    "a lone surrogate as a key": b'{"\\udfff":1}',
    "a text of 1 MiB": b'{"format":"' + b"a" * MIB + b'"}',
    "a key of 1 MiB": b'{"' + b"a" * MIB + b'":1}',
    "100,000 keys": b"{" + b",".join(b'"%06d":1' % n for n in range(100_000)) + b"}",
    "80,000 keys": b"{" + b",".join(b'"%06d":1' % n for n in range(80_000)) + b"}",
    "79,990 items in a field": b'{"format":[' + b",".join([b"1"] * 79_990) + b"]}",
    "4 MiB of keys": b"{" + b",".join(b'"%06d":1' % n for n in range(390_000)) + b"}",
    "no UTF-8": b'{"format":"\xff\xfe"}',
    "UTF-16": '{"format":"a"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"format":"a"}',
    "a NUL": b'{"format":"a"}\x00',
    "two values": b'{"format":"a"}{"format":"a"}',
    "nothing": b"",
    "not an object": b'"format"',
    "backslashes": b'{"format":"' + b"\\" * (MIB + 1),
}  # fmt: skip


class _Bomb:
    """In place of a header."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def to_bytes(self) -> bytes:
        """The bomb."""
        return self._data


def _record(header: Any, payload: bytes) -> bytes:
    try:
        return seal(header, payload, [HMU.public])
    except (FieldsurveyError, OverflowError):  # too long for the length's two bytes: cut, it is no JSON either
        return seal(_Bomb(header.to_bytes()[:65_535]), payload, [HMU.public])  # type: ignore[arg-type]


def header_of_a_record(bomb: bytes) -> object:
    """Read by central, which has no key."""
    return read_header(_record(_Bomb(bomb), b"synthetic"))


def payload_of_a_record(bomb: bytes) -> object:
    """Opened by the HMU."""
    sealed = seal(Header(project="ab" * 16, device="cd" * 16, case="ef" * 16), bomb, [HMU.public])
    return Payload.from_bytes(open_record(sealed, HMU).payload)


def _container(kind: Any, bomb: bytes, signer: Any) -> bytes:
    with patch.object(container, "canonical", lambda _value: bomb):
        return b"".join(container.write_container(kind, {}, [], signer))


def manifest_of_a_project(bomb: bytes) -> object:
    """Signed by a root."""
    return read_project(_container("project", bomb, ROOT))


def manifest_of_a_batch(bomb: bytes) -> object:
    """Signed by a laptop's carrier key."""
    return read_batch(io.BytesIO(_container("batch", bomb, CENTRAL)))


def manifest_of_a_receipt(bomb: bytes) -> object:
    """Signed by central's own key."""
    return read_receipt(_container("receipt", bomb, CENTRAL), [(Role.CENTRAL, CENTRAL.public)])


def _inside(kind: Any, bomb: bytes, signer: Any) -> bytes:
    """The bomb as the `content` of an otherwise right manifest."""
    return _container(kind, b'{"content":' + bomb + b',"frames":[],"kind":"' + kind.encode() + b'"}', signer)


def content_of_a_project(bomb: bytes) -> object:
    """The project's model itself."""
    return read_project(_inside("project", bomb, ROOT))


def content_of_a_batch(bomb: bytes) -> object:
    """What a batch says of itself."""
    return read_batch(io.BytesIO(_inside("batch", bomb, CENTRAL)))


def content_of_a_receipt(bomb: bytes) -> object:
    """What a receipt says."""
    return read_receipt(_inside("receipt", bomb, CENTRAL), [(Role.CENTRAL, CENTRAL.public)])


def manifest_of_a_return(bomb: bytes) -> object:
    """Signed by the HMU's key."""
    return read_return(_container("return", bomb, CENTRAL), [(Role.HMU, CENTRAL.public)])


def content_of_a_return(bomb: bytes) -> object:
    """What returned work shows without a key."""
    frame = bytes(1168 + 56 + 1024 + 16)
    with patch.object(container, "canonical", lambda value: _with_frame(bomb, value)):
        data = b"".join(container.write_container("return", {}, [frame], CENTRAL))
    return read_return(data, [(Role.HMU, CENTRAL.public)])


def _with_frame(bomb: bytes, value: Any) -> bytes:
    address, size = value["frames"][0]
    return b'{"content":' + bomb + f',"frames":[["{address}",{size}]],"kind":"return"}}'.encode()


def inside_a_return(bomb: bytes) -> object:
    """Sealed to a laptop, and signed."""
    said = ReturnManifest(project="ab" * 16, device="cd" * 16, case="ef" * 16, revision=1, record="12" * 32)
    data = write_return(said, _Bomb(bomb), HMU.public, CENTRAL)  # type: ignore[arg-type]
    return open_return(read_return(data, [(Role.HMU, CENTRAL.public)]), HMU)


def a_tombstone(bomb: bytes) -> object:
    """From a stick."""
    return Tombstone.from_bytes(Tombstone.magic + bomb)


READERS: tuple[Callable[[bytes], object], ...] = (
    parse_canonical,
    header_of_a_record,
    payload_of_a_record,
    manifest_of_a_project,
    manifest_of_a_batch,
    manifest_of_a_receipt,
    content_of_a_project,
    content_of_a_batch,
    content_of_a_receipt,
    manifest_of_a_return,
    content_of_a_return,
    inside_a_return,
    a_tombstone,
    DeviceCard.from_bytes,
)
FLOODS = {"80,000 keys", "4 MiB of keys"}
# Canonical JSON by itself has no fields: these are well formed to it, and only to it.
HARMLESS = {"a text of 1 MiB", "a key of 1 MiB", "80,000 keys", "79,990 items in a field", "not an object"}


def hurts(reader: Callable[[bytes], object], bomb: bytes, *, weigh: bool = False) -> str:
    """ "" if the bomb is refused with an error of ours, within 2 s of CPU and, if `weigh`ed, 128 MiB."""
    if weigh:
        tracemalloc.start()
    start = time.process_time()
    try:
        reader(bomb)
        outcome = "taken"
    except FieldsurveyError:
        outcome = ""
    except Exception as error:  # noqa: BLE001  whatever it is, it is the finding
        outcome = repr(error)[:200]
    if weigh:
        peak = tracemalloc.get_traced_memory()[1] // MIB
        tracemalloc.stop()
        return outcome + (f" {peak} MiB" if peak > 128 else "")
    seconds = time.process_time() - start
    return outcome + (f" {seconds:.1f} s" if seconds > 2 else "")


def _hurt(reader: Callable[[bytes], object], *, weigh: bool) -> dict[str, str]:
    allowed = HARMLESS if reader is parse_canonical else set()
    bombs = BOMBS if weigh else {name: bomb for name, bomb in BOMBS.items() if name not in FLOODS}
    found = {name: hurts(reader, bomb, weigh=weigh) for name, bomb in bombs.items()}
    return {name: how for name, how in found.items() if how and not (how == "taken" and name in allowed)}


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__qualname__)
def test_every_bomb_is_refused(reader: Callable[[bytes], object]) -> None:
    """By each reader: typed, within 2 s of CPU."""
    assert _hurt(reader, weigh=False) == {}


@pytest.mark.long
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__qualname__)
def test_every_bomb_is_refused_in_little_memory(reader: Callable[[bytes], object]) -> None:
    """By each reader: within 128 MiB, floods of faults included."""
    assert _hurt(reader, weigh=True) == {}


def test_a_flood_of_faults_is_refused_before_it_is_listed() -> None:
    """A signed project of 4 MiB of unknown keys took 685 MiB to be refused when each was listed."""
    assert hurts(content_of_a_project, BOMBS["4 MiB of keys"], weigh=True) == ""


def test_the_control_is_hurt() -> None:
    """Control: Python's own reader takes some of them and dies of others; both are seen."""
    import json

    hurt = {name: hurts(json.loads, bomb) for name, bomb in BOMBS.items() if name not in FLOODS}
    assert hurt["a duplicate key"] == hurt["NaN"] == "taken"
    assert "RecursionError" in hurt["10,000 arrays"]
    assert "MiB" in hurts(lambda data: data * 200, bytes(MIB), weigh=True)


def _steps_file(bomb: bytes, folder: Path) -> object:
    path = folder / "steps.json"
    path.write_bytes(bomb)
    return read_json(path)


# What Python reads and the steps' own checks refuse later, or what is no harm in a file of one's own.
_OWN = {
    "a duplicate key", "a duplicate key, escaped", "NaN", "Infinity", "a float beyond all", "a text of 1 MiB",
    "a key of 1 MiB", "100,000 keys", "79,990 items in a field", "not an object", "a lone surrogate, escaped",
    "a lone surrogate as a key",
}  # fmt: skip


def test_steps_files_are_refused_typed(tmp_path: Path) -> None:
    """A steps file is its author's own: what JSON allows is read, everything else is a sentence."""
    bombs = {name: bomb for name, bomb in BOMBS.items() if name not in FLOODS}
    hurt = {name: hurts(lambda data: _steps_file(data, tmp_path), bomb) for name, bomb in bombs.items()}
    assert {name: how for name, how in hurt.items() if how and not (how == "taken" and name in _OWN)} == {}
    assert hurt["10,000 arrays"] == ""


def test_a_plan_of_bombs_is_refused() -> None:
    """The steward's own file: a sentence."""
    bombs = {name: bomb for name, bomb in BOMBS.items() if name not in FLOODS}
    assert {name: how for name, bomb in bombs.items() if (how := hurts(read_plan, bomb))} == {}


def test_steps_that_are_no_steps_are_refused(tmp_path: Path) -> None:
    """What was read is then no list of steps."""
    laptop = join(tmp_path, SyntheticProject(), CLOCK)
    session = laptop.unlock(WORDS)
    work = session.start("synthetic")
    for bomb in ("NaN", "a float beyond all", "100,000 keys", "a lone surrogate, escaped"):
        with pytest.raises(FieldsurveyError):
            work.apply(_steps_file(BOMBS[bomb], tmp_path))  # type: ignore[arg-type]
    session.close()


def test_a_list_beside_a_form_is_refused() -> None:
    """GeoJSON that comes with a form: an error of the form's, never of Python's."""
    for bomb in BOMBS.values():
        with pytest.raises((FieldsurveyError, EvaluationError)):
            from_geojson(bomb)


def test_a_key_file_of_bombs_is_refused() -> None:
    """Damaged key files of any size: typed before anything is derived; a genuine one opens (control)."""
    whole = lock_secret(b"synthetic secret", WORDS, FLOOR)
    assert unlock_secret(whole, WORDS) == b"synthetic secret"
    for bomb in BOMBS.values():
        for data in (bomb, whole[:4] + bomb, whole + bomb):
            if data != whole:
                assert hurts(lambda data: unlock_secret(data, WORDS), data) == ""


def _strange() -> Iterator[str]:
    yield "a" * MIB
    yield "ñ🦙" * (MIB // 6)
    yield "<&]]>" * (MIB // 5)


@pytest.mark.parametrize("text", list(_strange()), ids=["letters", "many bytes", "markup"])
def test_an_answer_of_a_mebibyte_travels_whole(text: str, tmp_path: Path) -> None:
    """Typed, saved, resumed, sealed, exported, merged and opened: the same text."""
    project = SyntheticProject()
    laptop = join(tmp_path / "home", project, CLOCK)
    session = laptop.unlock(WORDS)
    work = session.start("synthetic")
    work.answer("/data/story", text)
    work.answer("/data/age", "30")
    session.close()
    laptop.close()
    laptop = Laptop.open(tmp_path / "home", CLOCK)
    session = laptop.unlock(WORDS)
    work = session.resume(session.drafts()[0].draft_id)
    assert work.interview.question("/data/story").value == text
    work.finalise()
    assert verify_vault(session.vault).whole
    session.close()
    export_batches(laptop.locked, tmp_path / "stick", clock=CLOCK)
    with Central.open(tmp_path / "central.db", clock=CLOCK) as central:
        report = import_folder(central, tmp_path / "stick", laptop.project, None)
        assert (report.new, report.refused) == (1, ())
    ((_entry, record),) = laptop.locked.entries()
    instance = Payload.from_bytes(open_record(record, project.operational).payload).instance
    assert text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in instance
    laptop.close()


def test_a_lone_surrogate_typed_at_a_terminal_reaches_nothing(tmp_path: Path) -> None:
    """A terminal can pass one on: the answer is saved and sealed as text that UTF-8 can hold, or refused, typed."""
    project = SyntheticProject()
    laptop = join(tmp_path / "home", project, CLOCK)
    session = laptop.unlock(WORDS)
    work = session.start("synthetic")
    try:
        work.answer("/data/story", "before \ud800 after")
    except FieldsurveyError:
        work.answer("/data/story", "before after")
    work.answer("/data/age", "30")
    draft = work.draft_id
    work.close()
    work = session.resume(draft)
    work.finalise()
    ((_entry, record),) = laptop.locked.entries()
    assert "before" in Payload.from_bytes(open_record(record, project.operational).payload).instance
    session.close()
    laptop.close()


@pytest.mark.long
def test_a_hundred_thousand_records(tmp_path: Path) -> None:
    """One laptop's log of 100,000: exported in bounded memory, merged, every one there, and the log verifies."""
    count = 100_000
    project = SyncProject()
    laptop = join_vault(project, tmp_path / "home")
    laptop.locked.store.connection.execute("PRAGMA synchronous=OFF")  # the filling is not what is tried here
    seal_some(laptop, count)
    laptop.locked.store.connection.execute("PRAGMA synchronous=FULL")
    tracemalloc.start()
    report = export_batches(laptop.locked, tmp_path / "stick", clock=CLOCK)
    assert report.written == count
    with Central.open(tmp_path / "central.db", clock=CLOCK) as central:
        project.enrol(laptop.locked.device_card())
        signed = project.publish(project.version)
        assert import_folder(central, tmp_path / "stick", signed, project.central).new == count
        assert central.status().counts.entries == count
    assert tracemalloc.get_traced_memory()[1] < 128 * MIB
    tracemalloc.stop()
    laptop.close()
