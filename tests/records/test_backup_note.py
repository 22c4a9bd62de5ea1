"""Notes of backups: central's signed word on what a backup holds of a log. Keys and values are synthetic."""

from __future__ import annotations

from typing import Any

import pytest

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.records.backup import BackupNote, read_note, write_note
from fieldsurvey.records.container import write_container
from fieldsurvey.records.errors import ContainerError, FieldError, SignatureError
from fieldsurvey.records.receipt import Level, Receipt, Role, read_receipt, write_receipt
from fieldsurvey.records.signing import SigningKey

KEY = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(range(1, 33)))
SAID: dict[str, Any] = {
    "project": "0f" * 16,
    "device": "d0" * 16,
    "up_to": 9,
    "head": "ab" * 32,
    "absent": ((2, 3), (5, 5)),
    "at": "2026-03-01T08:00:00Z",
    "sha256": "5a" * 32,
}


def test_what_was_signed_is_read() -> None:
    """By that key, among others."""
    note = BackupNote(**SAID)
    assert read_note(write_note(note, KEY), [OTHER.public, KEY.public]) == note


def test_nobody_elses_word_is_read() -> None:
    """Another key's, several signatures, a frame, no keys at all."""
    note = BackupNote(**SAID)
    for keys in ([OTHER.public], []):
        with pytest.raises(SignatureError):
            read_note(write_note(note, KEY), keys)
    for frames, signers in (([b"x"], [KEY]), ([], [KEY, OTHER])):
        with pytest.raises(ContainerError):
            read_note(b"".join(write_container("backup", note.content(), frames, signers)), [KEY.public])


def test_a_receipt_is_no_note_and_a_note_no_receipt() -> None:
    """A "backed up" receipt says when it was given, not when the backup was made: it must not be put in its place."""
    same = {name: value for name, value in SAID.items() if name not in {"at", "sha256"}}
    receipt = Receipt(**same, format_version=2, level=Level.BACKED_UP, by=Role.CENTRAL, issued=SAID["at"])
    with pytest.raises(UntrustedError):
        read_note(write_receipt(receipt, KEY), [KEY.public])
    with pytest.raises(UntrustedError):
        read_receipt(write_note(BackupNote(**SAID), KEY), [(Role.CENTRAL, KEY.public)])


def test_every_flipped_bit_and_every_cut_is_refused() -> None:
    """Each byte of it counts."""
    data = write_note(BackupNote(**SAID), KEY)
    for at in range(len(data)):
        for altered in (data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :], data[:at]):
            with pytest.raises(UntrustedError):
                read_note(altered, [KEY.public])


@pytest.mark.parametrize("absent", [((0, 1),), ((2, 1),), ((1, 2), (3, 4)), ((4, 4), (1, 1)), ((9, 10),)])
def test_a_note_has_one_spelling(absent: tuple[tuple[int, int], ...]) -> None:
    """Stretches in order, apart, within the log."""
    content = {**BackupNote(**SAID).content(), "absent": [list(stretch) for stretch in absent]}
    with pytest.raises(FieldError):
        read_note(b"".join(write_container("backup", content, [], KEY)), [KEY.public])
