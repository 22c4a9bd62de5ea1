"""A device's log: any edit, deletion, insertion or reordering is flagged; so is a foreign signature."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldsurvey.records.errors import LogError
from fieldsurvey.records.labels import SIGN_LOG_ENTRY
from fieldsurvey.records.log import (
    ENTRY_BYTES,
    MAX_SEQ,
    LogEntry,
    heads_of,
    next_entry,
    next_head,
    start_head,
    verify_run,
)
from fieldsurvey.records.signing import SigningKey
from tests.records.conftest import PROJECT, Actors, seed
from tests.records.mutants import flips

OTHER_PROJECT = "bb" * 16


def chain(key: SigningKey, device: str, count: int, project: str = PROJECT, salt: str = "") -> list[LogEntry]:
    """A log of `count` entries over invented records."""
    entries: list[LogEntry] = []
    for i in range(count):
        digest = hashlib.sha256(f"synthetic record {salt}{i}".encode()).digest()
        entries.append(next_entry(key, project, device, entries[-1] if entries else None, digest))
    return entries


@pytest.fixture(scope="module")
def log(actors: Actors) -> list[LogEntry]:
    """Six entries."""
    return chain(actors.device, actors.device_id, 6)


def check(actors: Actors, entries: list[LogEntry], before: bytes | None = None) -> bytes:
    return verify_run(actors.device.public, PROJECT, actors.device_id, before, entries)


def test_a_whole_log_and_each_run_of_it_hold(actors: Actors, log: list[LogEntry]) -> None:
    """The control of all that follows: the log, and every run of it after a trusted head, verify."""
    assert check(actors, log) == log[-1].head
    for start in range(1, 6):
        for end in range(start + 1, 7):
            assert check(actors, log[start:end], log[start - 1].head) == log[end - 1].head


def test_the_chain_is_as_documented(actors: Actors, log: list[LogEntry]) -> None:
    """Heads recomputed by hand from docs/format.md are the log's."""

    def h(label: bytes, *parts: bytes) -> bytes:
        packed = len(label).to_bytes(2, "big") + label
        return hashlib.sha256(packed + b"".join(len(p).to_bytes(4, "big") + p for p in parts)).digest()

    head = h(b"fieldsurvey/1/log start", bytes.fromhex(PROJECT), bytes.fromhex(actors.device_id))
    assert head == start_head(PROJECT, actors.device_id)
    for entry in log:
        head = h(b"fieldsurvey/1/log head", head, entry.seq.to_bytes(8, "big"), entry.record_hash)
        assert entry.head == head


def test_edits_are_flagged(actors: Actors, log: list[LogEntry]) -> None:
    """A record exchanged at any place is flagged there, even when the later heads are recomputed."""
    for i in range(6):
        edited = list(log)
        edited[i] = replace(log[i], record_hash=b"\7" * 32)
        with pytest.raises(LogError) as caught:
            check(actors, edited)
        assert caught.value.details["seq"] == i + 1
        head = log[i - 1].head if i else start_head(PROJECT, actors.device_id)
        for j in range(i, 6):
            head = next_head(head, j + 1, edited[j].record_hash)
            edited[j] = replace(edited[j], head=head)
        with pytest.raises(LogError):
            check(actors, edited)


def test_deletions_insertions_and_reorderings_are_flagged(actors: Actors, log: list[LogEntry]) -> None:
    """Every single deletion but of the end, every repetition, every exchange of two entries is flagged."""
    for i in range(6):
        if i < 5:
            with pytest.raises(LogError):
                check(actors, log[:i] + log[i + 1 :])
        with pytest.raises(LogError):
            check(actors, [*log[: i + 1], log[i], *log[i + 1 :]])
        for j in range(i):
            swapped = list(log)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            with pytest.raises(LogError):
                check(actors, swapped)


def test_renumbered_deletions_are_flagged(actors: Actors, log: list[LogEntry]) -> None:
    """Closing the gap by renumbering does not help who has no key."""
    for i in range(5):
        shorter = [replace(entry, seq=n) for n, entry in enumerate(log[:i] + log[i + 1 :], 1)]
        with pytest.raises(LogError):
            check(actors, shorter)


def test_a_number_project_or_device_changed_in_the_middle_is_flagged(actors: Actors, log: list[LogEntry]) -> None:
    """Fields of an entry that is not the last are covered too, although only the last signature is checked."""
    for changes in ({"seq": 99}, {"project": OTHER_PROJECT}, {"device": "cc" * 16}):
        edited = list(log)
        edited[2] = replace(log[2], **changes)
        with pytest.raises(LogError):
            check(actors, edited)


def test_a_log_that_begins_elsewhere_is_refused_although_its_device_signed_it(actors: Actors) -> None:
    """A device that signs a first entry over another start makes no log, even for a caller who names that start."""
    start, digest = b"\5" * 32, b"\6" * 32
    head = next_head(start, 1, digest)
    signed = bytes.fromhex(PROJECT) + bytes.fromhex(actors.device_id) + (1).to_bytes(8, "big") + head
    entry = LogEntry(PROJECT, actors.device_id, 1, digest, head, actors.device.sign(SIGN_LOG_ENTRY, signed))
    with pytest.raises(LogError):
        check(actors, [entry], start)


def test_another_devices_key_project_or_start_is_flagged(actors: Actors, log: list[LogEntry]) -> None:
    """A log signed by another key, moved to another project or device, or begun elsewhere is refused."""
    forged = chain(SigningKey(seed("stranger")), actors.device_id, 6)
    elsewhere = chain(actors.device, actors.device_id, 6, OTHER_PROJECT)
    moved = [replace(entry, project=PROJECT) for entry in elsewhere]
    for entries, before in (
        (forged, None),
        (elsewhere, None),
        (moved, None),
        (log[1:], None),
        (log, log[0].head),
        (log[2:], log[0].head),
        ([], None),
    ):
        with pytest.raises(LogError):
            check(actors, entries, before)


def test_the_last_signature_covers_the_run_and_each_can_be_asked_for(actors: Actors, log: list[LogEntry]) -> None:
    """A bad signature in the middle matters only when every one is asked for; at the end it always does."""
    middle, end = list(log), list(log)
    middle[2] = replace(log[2], signature=log[3].signature)
    end[5] = replace(log[5], signature=log[4].signature)
    assert check(actors, middle) == log[-1].head
    with pytest.raises(LogError):
        verify_run(actors.device.public, PROJECT, actors.device_id, None, middle, every_signature=True)
    with pytest.raises(LogError):
        check(actors, end)


def test_entries_come_back_from_their_bytes_and_no_flip_verifies(actors: Actors, log: list[LogEntry]) -> None:
    """169 bytes each way; every byte flipped gives an entry that does not verify; other lengths are refused."""
    data = log[0].to_bytes()
    assert len(data) == ENTRY_BYTES == 169
    assert LogEntry.from_bytes(data) == log[0]
    for mutant in flips(data):
        with pytest.raises(LogError):
            check(actors, [LogEntry.from_bytes(mutant)])
    for bad in (b"", data[:-1], data + b"x", data[:32] + bytes(8) + data[40:], data[:32] + b"\xff" * 8 + data[40:]):
        with pytest.raises(LogError):
            LogEntry.from_bytes(bad)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_only_consecutive_runs_hold(picked: list[int]) -> None:
    """Any choice of entries in any order holds exactly when it is a run from the first."""
    key = SigningKey(seed("device"))
    log = chain(key, "ab" * 16, 6)
    entries = [log[i] for i in picked]
    if picked == list(range(len(picked))):
        assert verify_run(key.public, PROJECT, "ab" * 16, None, entries) == entries[-1].head
    else:
        with pytest.raises(LogError):
            verify_run(key.public, PROJECT, "ab" * 16, None, entries)


def test_an_entry_is_not_added_to_another_log(actors: Actors, log: list[LogEntry]) -> None:
    """Going on from another project's entry is refused."""
    with pytest.raises(LogError):
        next_entry(actors.device, OTHER_PROJECT, actors.device_id, log[-1], b"h" * 32)


@pytest.mark.parametrize("first", [1, 2, 255, 256, MAX_SEQ - 2])
def test_heads_of_a_run_are_those_of_its_entries(first: int) -> None:
    """A thousand at a time or one by one: the same heads, and another one for every part that is another."""
    hashes = [bytes([number]) * 32 for number in range(3)]
    one_by_one, head = [], b"p" * 32
    for seq, digest in enumerate(hashes, first):
        head = next_head(head, seq, digest)
        one_by_one.append(head)
    assert heads_of(b"p" * 32, first, hashes) == one_by_one
    others = [
        heads_of(b"q" * 32, first, hashes),
        heads_of(b"p" * 32, first + 1, hashes),
        heads_of(b"p" * 32, first, []),
    ]
    assert not {head for found in others for head in found} & set(one_by_one)
