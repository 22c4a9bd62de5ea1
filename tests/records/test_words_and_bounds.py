"""What a whole run of mutmut over the records left standing: where a log breaks is told, and the last bounds.

Its other survivors are the same program: the default byte order, the length that a generator has by default, names of
encodings, the hash of a key, text of an assertion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest

from fieldsurvey.records.container import MAX_FILE, MAX_FRAME, MAX_FRAMES, Frame, write_container
from fieldsurvey.records.envelope import MAX_PAYLOAD, Header, body_length, open_record, read_envelope, seal
from fieldsurvey.records.errors import ContainerError, FieldError, FormatVersionError, LogError, RecordFormatError
from fieldsurvey.records.log import MAX_SEQ, LogEntry, next_entry, start_head, verify_run
from fieldsurvey.records.padding import FLOOR, LENGTH_BYTES, padme, unpad
from fieldsurvey.records.wire import Wire
from fieldsurvey.records.withdrawal import BITS, Tombstone
from tests.records.conftest import PROJECT, Actors

CASE = "c" * 32


def log_of(actors: Actors, count: int) -> list[LogEntry]:
    """A log of synthetic records."""
    entries: list[LogEntry] = []
    for n in range(count):
        last = entries[-1] if entries else None
        entries.append(next_entry(actors.device, PROJECT, actors.device_id, last, bytes([n]) * 32))
    return entries


def broken(actors: Actors, entries: list[LogEntry], previous: bytes | None) -> dict[str, object]:
    """What the refusal of a run says, after it was put into a sentence."""
    with pytest.raises(LogError) as caught:
        verify_run(actors.device.public, PROJECT, actors.device_id, previous, entries, every_signature=True)
    assert caught.value.message
    assert caught.value.advice
    return dict(caught.value.details)


@pytest.mark.parametrize(
    ("change", "seq", "reason"),
    [
        (lambda run, actors: [], 0, "empty"),
        (lambda run, actors: run[1:], 2, "not the first"),
        (lambda run, actors: [run[0], replace(run[1], device="0" * 32), run[2]], 2, "another log"),
        (lambda run, actors: [run[0], replace(run[1], project="0" * 32), run[2]], 2, "another log"),
        (lambda run, actors: [run[0], run[2]], 2, "sequence"),
        (lambda run, actors: [run[0], run[1], replace(run[2], head=bytes(32))], 3, "chain"),
        (lambda run, actors: [run[0], replace(run[1], signature=run[0].signature), run[2]], 2, "signature"),
        (lambda run, actors: [*run[:2], replace(run[2], signature=b"\x01" + bytes(64))], 3, "signature"),
    ],
)
def test_a_broken_log_says_where(
    actors: Actors, change: Callable[[list[LogEntry], Actors], list[LogEntry]], seq: int, reason: str
) -> None:
    """The device, the first position that fails and why: what `verify` shows to a person."""
    run = log_of(actors, 3)
    assert verify_run(actors.device.public, PROJECT, actors.device_id, None, run) == run[-1].head
    expected = {"device": actors.device_id, "seq": seq, "reason": reason}
    assert broken(actors, change(run, actors), None) == expected


def test_a_log_has_one_beginning(actors: Actors) -> None:
    """An entry 1 that follows anything but the start of this very log is refused there."""
    run = log_of(actors, 2)
    assert broken(actors, run, bytes(32)) == {"device": actors.device_id, "seq": 1, "reason": "start"}
    other = start_head("0" * 32, actors.device_id)
    assert broken(actors, run, other) == {"device": actors.device_id, "seq": 1, "reason": "start"}


def test_an_entry_does_not_follow_another_log(actors: Actors) -> None:
    """The entry after one of another device or project is not made."""
    last = log_of(actors, 2)[-1]
    for project, device in ((PROJECT, "0" * 32), ("0" * 32, actors.device_id)):
        with pytest.raises(LogError) as caught:
            next_entry(actors.device, project, device, last, bytes(32))
        assert caught.value.details == {"device": device, "seq": 2, "reason": "another log"}


def test_the_last_number_of_a_log_is_read(actors: Actors) -> None:
    """Number 2^53 - 1 and no higher, number 1 and no lower; what is refused names the device that it speaks of."""
    entry = replace(log_of(actors, 1)[0], seq=MAX_SEQ)
    assert LogEntry.from_bytes(entry.to_bytes()) == entry
    data = entry.to_bytes()
    for number in (0, MAX_SEQ + 1):
        with pytest.raises(LogError) as caught:
            LogEntry.from_bytes(data[:32] + number.to_bytes(8, "big") + data[40:])
        assert caught.value.details == {"device": actors.device_id, "seq": 0, "reason": "length or number"}


class Note(Wire):
    """A structure of at most 64 bytes."""

    what = "note"
    magic = b"NOTE\x01"
    max_bytes = 64

    format_version: Literal[1] = 1
    text: str = ""


def refused(data: bytes) -> dict[str, object]:
    """What the refusal of a note says."""
    with pytest.raises(FieldError) as caught:
        Note.from_bytes(data)
    assert caught.value.message
    return dict(caught.value.details)


def test_a_structure_says_what_is_wrong_with_it() -> None:
    """The last length that is taken, the first that is refused, the magic and the spelling; each by name."""
    room = Note.max_bytes - len(Note().to_bytes())
    longest = Note(text="n" * room).to_bytes()
    assert Note.from_bytes(longest).text == "n" * room
    assert refused(longest + b" ") == {"what": "note", "field": "*", "reason": "too long"}
    assert refused(b"N" + longest[1:5] + b"{}") == {"what": "note", "field": "*", "reason": "encoding"}
    assert refused(b"JOT1\x01{}") == {"what": "note", "field": "*", "reason": "magic"}
    assert refused(b'NOTE\x01{"text":1}') == {"what": "note", "field": "text", "reason": "string_type"}
    with pytest.raises(FormatVersionError) as later:
        Note.from_bytes(b"NOTE\x02{}")
    assert later.value.details == {"what": "note", "found": 2, "known": 1}


class Many(Wire):
    """A structure that can have many faults."""

    what = "list"

    numbers: list[int]


@pytest.mark.parametrize(("faults", "field", "reason"), [(100, "numbers", "int_type"), (101, "*", "too many faults")])
def test_a_flood_of_faults_is_not_listed(faults: int, field: str, reason: str) -> None:
    """A hundred faults are told by the first of them; more are only called many."""
    with pytest.raises(FieldError) as caught:
        Many.from_bytes(b'{"numbers":[' + b",".join([b"null"] * faults) + b"]}")
    assert caught.value.details == {"what": "list", "field": field, "reason": reason}


@pytest.mark.parametrize("size", [0, 1, FLOOR - 5, FLOOR - 4, FLOOR - 3, 2047, 2048, 4091, 4092, 4093, 16_380, 16_381])
def test_a_body_is_as_long_as_it_is_said_to_be(actors: Actors, size: int) -> None:
    """Around each step of the padding, for what sizes of parts are planned with."""
    blob = seal(Header(project=PROJECT, device=actors.device_id, case=CASE), bytes(size), [actors.operational.public])
    assert len(read_envelope(blob).body) == body_length(size)


def test_the_longest_answers_are_sealed(actors: Actors) -> None:
    """8 MiB, sealed and opened; a byte more is refused before anything is done. A shorter body is no record."""
    header = Header(project=PROJECT, device=actors.device_id, case=CASE)
    blob = seal(header, bytes(MAX_PAYLOAD), [actors.operational.public])
    assert len(open_record(blob, actors.operational).payload) == MAX_PAYLOAD
    with pytest.raises(FieldError) as caught:
        seal(header, bytes(MAX_PAYLOAD + 1), [actors.operational.public])
    assert caught.value.details == {"what": "record", "field": "payload", "reason": "too long"}
    least = seal(header, b"", [actors.operational.public])
    assert open_record(least, actors.operational).payload == b""
    for cut in (least[:7], least[: len(least) - body_length(0)], least[:-1]):
        with pytest.raises(RecordFormatError) as short:
            read_envelope(cut)
        assert short.value.message


def test_padding_has_its_floor() -> None:
    """Up to 1 KiB all are 1 KiB; nothing at all, or only a length, is no padded text."""
    assert [padme(n) for n in (0, FLOOR - 1, FLOOR)] == [FLOOR] * 3
    assert padme(FLOOR + 1) > FLOOR
    assert [unpad(bytes(n)) for n in (0, LENGTH_BYTES - 1, LENGTH_BYTES)] == [None] * 3
    assert unpad(bytes(FLOOR)) == b""


def unread() -> bytes:
    """A frame that must not be loaded yet."""
    raise AssertionError("loaded before the bounds were looked at")


def test_the_longest_file_is_written(actors: Actors) -> None:
    """64 MiB with its own manifest and signatures counted, and 16,384 frames; one byte or frame more is refused."""

    def begin(last: int) -> None:
        sizes = [MAX_FRAME, MAX_FRAME, MAX_FRAME, last]
        write_container(
            "batch", {}, [Frame(bytes([n]) * 32, size, unread) for n, size in enumerate(sizes)], actors.carrier
        )

    empty = b"".join(write_container("batch", {}, [], actors.carrier))
    table = sum(len(f'["{"00" * 32}",{MAX_FRAME}]') for _ in range(4)) + 3  # commas between four rows
    exact = MAX_FILE - 3 * MAX_FRAME - len(empty) - table
    begin(exact)  # a length with as many digits as MAX_FRAME has
    assert len(str(exact)) == len(str(MAX_FRAME))
    with pytest.raises(ContainerError) as caught:
        begin(exact + 1)
    assert caught.value.details == {"kind": "batch", "reason": "too long"}
    many = [Frame(n.to_bytes(32, "big"), 1, unread) for n in range(MAX_FRAMES)]
    write_container("batch", {}, many, actors.carrier)
    with pytest.raises(ContainerError) as frames:
        write_container("batch", {}, [*many, Frame(b"\xff" * 32, 1, unread)], actors.carrier)
    assert frames.value.details == {"kind": "batch", "reason": "frames"}


def test_a_file_is_not_written_wrongly(actors: Actors) -> None:
    """No signer, too long a manifest, or a frame that is not what was announced: each by its reason."""
    wrong = Frame(bytes(32), 1, lambda: b"!")
    for make, reason in (
        (lambda: write_container("batch", {}, [], []), "signatures"),
        (lambda: write_container("batch", {"n": "n" * (5 << 20)}, [], actors.carrier), "manifest length"),
        (lambda: b"".join(write_container("batch", {}, [wrong], actors.carrier)), "frame altered"),
    ):
        with pytest.raises(ContainerError) as caught:
            make()
        assert caught.value.details == {"kind": "batch", "reason": reason}
        assert caught.value.message


@pytest.mark.parametrize(("first", "taken"), [("0", True), ("3", True), ("4", False), ("7", False), ("Z", False)])
def test_a_tombstones_code_has_77_bits(first: str, taken: bool) -> None:
    """The first of sixteen characters carries two bits; a code with more is no code that a slip ever had."""
    assert BITS == 77
    code = first + "0" * 15
    if taken:
        assert Tombstone(project=PROJECT, code=code, requested="2026-01-02").code == code
    else:
        with pytest.raises(ValueError, match="code"):
            Tombstone(project=PROJECT, code=code, requested="2026-01-02")
