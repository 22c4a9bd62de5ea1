"""Backups: whole or refused, verified before and after, ciphertext only, never in place of what holds more."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.errors import FieldsurveyError, StorageError
from fieldsurvey.base.files import MediumGoneError, NoSpaceError
from fieldsurvey.base.sqlite import DatabaseBusyError, DatabaseDamagedError, open_sqlite
from fieldsurvey.records.errors import FormatVersionError
from fieldsurvey.vault import Vault, backup, open_locked, verify_log
from fieldsurvey.vault.attachments import DraftFiles, StoredFile
from fieldsurvey.vault.backup import MAGIC, Beside, extract, files_of, read_manifest, write_backup
from fieldsurvey.vault.backup_files import KeptFile, listed, pieces, put_in_place
from fieldsurvey.vault.errors import BackupAheadError, BackupDamagedError
from fieldsurvey.vault.schema import check_tables
from fieldsurvey.vault.store import Store
from tests.vault.canaries import search
from tests.vault.conftest import FORM, NOW, WORDS

Sealer = Callable[[bytes], bytes]
BUNDLE = Beside(b"synthetic project file", b"synthetic withdrawals")
CANARY = "Pichincha-3141-ñandú"


@pytest.fixture
def worked(vault: Vault, sealed: Sealer) -> Vault:
    """Three records and a draft."""
    for n in range(3):
        vault.finalise(vault.drafts.create(FORM, b"", b"").draft_id, sealed(b"%d" % n))
    vault.drafts.create(FORM, b"head", CANARY.encode())
    return vault


def _records(vault: Vault, sealed: Sealer) -> None:
    vault.finalise(vault.drafts.create(FORM, b"", b"").draft_id, sealed(b"more"))


def test_a_backup_holds_the_vault_as_it_was(worked: Vault, tmp_path: Path) -> None:
    """Taken while unlocked by somebody: log, records, slots and drafts come out of it, and the words open it."""
    report = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW)
    assert report.verified.whole
    assert (report.manifest.seq, report.manifest.device) == (3, worked.device)
    assert report.size == report.path.stat().st_size
    manifest, bundle = extract(report.path, tmp_path / "again.db")
    assert (manifest, bundle) == (report.manifest, BUNDLE)
    assert list(open_locked(tmp_path / "again.db").entries()) == list(worked.locked.entries())
    with open_locked(tmp_path / "again.db").unlock(WORDS) as again:
        assert again.drafts.open(again.drafts.ids()[0]).snapshot == CANARY.encode()
    assert [file.name for file in (tmp_path / "out").iterdir()] == [report.path.name]
    assert not list(tmp_path.glob("*.snapshot*"))


def test_a_backup_holds_ciphertext_only(worked: Vault, tmp_path: Path) -> None:
    """No answer of a draft is in it in any encoding; control: planted beside it, the search finds it."""
    write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW)
    assert search(tmp_path / "out", [CANARY]) == []
    (tmp_path / "out" / "planted").write_text(CANARY, encoding="utf-16-le")
    assert search(tmp_path / "out", [CANARY])


def test_every_flipped_byte_and_every_cut_of_a_backup_is_refused(worked: Vault, tmp_path: Path) -> None:
    """Each byte of the head and manifest, and a spread over the rest; cuts and extensions; nothing is left behind."""
    path = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path
    data = path.read_bytes()
    manifest_end = 9 + int.from_bytes(data[5:9], "big")
    places = [
        *range(0, manifest_end, 3),
        *range(manifest_end, len(data), len(data) // 60),
        *range(len(data) - 60, len(data), 7),
    ]
    spoilt = tmp_path / "spoilt.fsv"
    cases = [data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :] for at in places]
    cases += [data[:at] for at in (0, 1, 5, 8, 9, 40, manifest_end, len(data) // 2, len(data) - 1)] + [data + b"x"]
    for case in cases:
        spoilt.write_bytes(case)
        with pytest.raises((BackupDamagedError, FormatVersionError)):
            extract(spoilt, tmp_path / "x.db")
        assert not (tmp_path / "x.db").exists()
    spoilt.write_bytes(data)  # control
    extract(spoilt, tmp_path / "x.db")


def test_a_later_backup_takes_the_place_of_the_earlier(worked: Vault, sealed: Sealer, tmp_path: Path) -> None:
    """One file a laptop and folder; the later one holds more."""
    first = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path
    _records(worked, sealed)
    second = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW)
    assert (second.path, second.manifest.seq) == (first, 4)
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_a_vault_that_was_rolled_back_replaces_no_backup(worked: Vault, sealed: Sealer, tmp_path: Path) -> None:
    """Its backup holds what it no longer does: refused, and the backup is as it was."""
    old = tmp_path / "old.db"
    worked.locked.store.vacuum_into(old)
    _records(worked, sealed)
    path = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path
    before = path.read_bytes()
    with pytest.raises(BackupAheadError):
        write_backup(open_locked(old), BUNDLE, tmp_path / "out", NOW)
    assert path.read_bytes() == before


def test_a_damaged_vault_is_backed_up_beside_the_whole_one(worked: Vault, tmp_path: Path) -> None:
    """What was found is reported; the whole backup stays; the damaged one says so in its name."""
    whole = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path
    before = whole.read_bytes()
    worked.locked.store.connection.execute("UPDATE outbox SET record = zeroblob(2000) WHERE seq = 2")
    report = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW)
    assert not report.verified.whole
    assert "damaged" in report.path.name
    assert whole.read_bytes() == before


@pytest.mark.parametrize(("number", "expected"), [(28, NoSpaceError), (5, MediumGoneError)])
def test_a_full_or_gone_medium_leaves_the_earlier_backup(
    worked: Vault,
    sealed: Sealer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    expected: type[Exception],
) -> None:
    """The stick fills up or is pulled out while it is written: a sentence, the earlier one whole, no snapshot left."""
    path = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path
    before = path.read_bytes()
    _records(worked, sealed)
    pieces = backup._pieces

    def broken(*given: Any) -> Iterator[bytes]:
        for n, piece in enumerate(pieces(*given)):
            if n == 2:
                raise OSError(number, "synthetic")
            yield piece

    monkeypatch.setattr(backup, "_pieces", broken)
    with pytest.raises(expected):
        write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW)
    assert path.read_bytes() == before
    assert not list(worked.locked.path.parent.glob("*.snapshot*"))
    assert verify_log(worked.locked).whole


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON log BEGIN DELETE FROM slot; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE more (x)",
        "DROP TABLE copied",
        "ALTER TABLE log ADD COLUMN x TEXT",
    ],
)
def test_foreign_tables_in_a_backup_are_refused(worked: Vault, tmp_path: Path, statement: str) -> None:
    """A database with a trigger, a view, a table more or less is not ours; control: as it was made it passes."""
    copy = tmp_path / "copy.db"
    worked.locked.store.vacuum_into(copy)
    connection = open_sqlite(copy)
    check_tables(connection, copy)
    connection.execute(statement)
    with pytest.raises(DatabaseDamagedError):
        check_tables(connection, copy)
    connection.close()


def test_the_manifest_is_bounded(tmp_path: Path) -> None:
    """A length beyond the bounds is refused before anything of it is read; other files are no backups."""
    file = tmp_path / "x.fsv"
    for data in (
        b"",
        b"FSVB\x01",
        b"FSVB\x01" + b"\xff" * 4 + b"{}",
        b"PK\x03\x04" + bytes(90),
        b"FSVA\x00" + bytes(90),
    ):
        file.write_bytes(data)
        with pytest.raises(BackupDamagedError):
            read_manifest(file)
    with pytest.raises(FieldsurveyError):
        read_manifest(tmp_path / "nothing.fsv")
    file.write_bytes(MAGIC[:-1] + b"\x63" + bytes(90))
    with pytest.raises(FormatVersionError):
        read_manifest(file)


def test_the_hash_at_the_end_is_over_everything_before(worked: Vault, tmp_path: Path) -> None:
    """As docs/format.md says."""
    data = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path.read_bytes()
    assert hashlib.sha256(data[:-32]).digest() == data[-32:]
    beside = b"".join(BUNDLE)
    assert data[-32 - len(beside) : -32] == beside  # no files of drafts
    length = int.from_bytes(data[5:9], "big")
    (tmp_path / "plain.db").write_bytes(data[9 + length : -32 - len(beside)])
    assert sqlite3.connect(tmp_path / "plain.db").execute("SELECT head_seq FROM device").fetchone() == (3,)


def _file(vault: Vault, draft: str, content: bytes) -> StoredFile:
    return DraftFiles(vault.locked.path.parent, draft).add([content])


def test_the_files_of_drafts_come_along(worked: Vault, tmp_path: Path) -> None:
    """Each file of each draft is in the backup as it lies there, and opens where the backup is extracted."""
    [first] = worked.drafts.ids()
    second = worked.drafts.create(FORM, b"", b"").draft_id
    kept = [(draft, _file(worked, draft, content)) for draft, content in ((first, b"a" * 900_000), (second, b"b"))]
    path = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path
    extract(path, tmp_path / "again.db")
    (tmp_path / "home").mkdir()
    put_in_place(files_of(tmp_path / "again.db"), tmp_path / "home")
    found = [b"".join(DraftFiles(tmp_path / "home", draft).read(file)) for draft, file in kept]
    assert found == [b"a" * 900_000, b"b"]


def test_a_draft_that_goes_meanwhile_is_tried_again(
    worked: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draft with a file is finalised while the backup is taken: the second attempt has the vault without it. If it
    never stands still, it is said and nothing is written."""
    [draft] = worked.drafts.ids()
    file = _file(worked, draft, b"x" * 5000)
    real, calls = pieces, []

    def once(home: Path, files: list[KeptFile]) -> Iterator[bytes]:
        calls.append(len(files))
        if len(calls) == 1:
            DraftFiles(worked.locked.path.parent, draft).remove(file.id)
        yield from real(home, files)

    monkeypatch.setattr(backup, "pieces", once)
    report = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW)
    assert calls == [1, 0]
    assert report.manifest.files == 0

    def never(home: Path, files: list[KeptFile]) -> Iterator[bytes]:
        yield b""
        raise DatabaseBusyError(place=str(home))

    monkeypatch.setattr(backup, "pieces", never)
    before = report.path.read_bytes()
    with pytest.raises(DatabaseBusyError):
        write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW)
    assert report.path.read_bytes() == before
    assert [held.name for held in (tmp_path / "out").iterdir()] == [report.path.name]


@pytest.mark.parametrize("size", [0, 4999, 5001, 2**63])
def test_files_whose_lengths_do_not_fit_are_refused(worked: Vault, tmp_path: Path, size: int) -> None:
    """A length that reaches beyond the section, or leaves a rest: refused before it is read, nothing left behind."""
    [draft] = worked.drafts.ids()
    _file(worked, draft, b"x" * 5000)
    data = bytearray(write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path.read_bytes()[:-32])
    files = read_manifest(next((tmp_path / "out").iterdir())).files
    at = len(data) - files + 32
    data[at : at + 8] = size.to_bytes(8, "big")
    spoilt = tmp_path / "spoilt.fsv"
    spoilt.write_bytes(bytes(data) + hashlib.sha256(data).digest())
    with pytest.raises(BackupDamagedError):
        extract(spoilt, tmp_path / "again.db")
    assert not list(tmp_path.glob("again.db*"))


def test_places_that_cannot_be_written_are_said(worked: Vault, tmp_path: Path) -> None:
    """A file where the folder should be; a folder to extract into that is not there: typed, and nothing left behind."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        write_backup(worked.locked, BUNDLE, tmp_path / "file" / "out", NOW)
    [draft] = worked.drafts.ids()
    _file(worked, draft, b"x")
    path = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path
    with pytest.raises(StorageError):
        extract(path, tmp_path / "nowhere" / "again.db")
    (tmp_path / "again.db.files").write_text("in the way")
    with pytest.raises(StorageError):
        extract(path, tmp_path / "again.db")
    assert not (tmp_path / "again.db").exists()
    with pytest.raises(StorageError):
        put_in_place(tmp_path / "out", tmp_path / "nowhere")
    assert not list(worked.locked.path.parent.glob("*.snapshot*"))


def test_a_full_laptop_says_so(worked: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no room for the snapshot: typed, no backup, no snapshot left, and the vault is whole."""

    def full(_: object, target: Path) -> None:
        target.write_bytes(b"half")
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(Store, "vacuum_into", full)
    with pytest.raises(NoSpaceError):
        write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW)
    assert not (tmp_path / "out").exists()
    assert not list(worked.locked.path.parent.glob("*.snapshot*"))
    assert verify_log(worked.locked).whole


def test_a_spoilt_backup_is_replaced_by_a_whole_one(worked: Vault, tmp_path: Path) -> None:
    """What is no backup any more holds nobody up."""
    path = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path
    path.write_bytes(path.read_bytes()[:100])
    write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW)
    assert read_manifest(path).seq == 3


def test_a_backup_that_shrinks_while_it_is_read_is_refused(worked: Vault, tmp_path: Path) -> None:
    """The stick loses the end after the lengths were checked."""
    path = write_backup(worked.locked, BUNDLE, tmp_path / "out", NOW).path
    with path.open("rb") as stream, pytest.raises(BackupDamagedError):
        stream.seek(-10, 2)
        list(backup._streamed(stream, 11, hashlib.sha256(), path))


def test_nothing_strange_beside_the_vault_is_taken_along(worked: Vault, tmp_path: Path) -> None:
    """Half-written files and names that are no ids stay out."""
    [draft] = worked.drafts.ids()
    kept = _file(worked, draft, b"x")
    home = worked.locked.path.parent
    (home / "attachments" / draft / f"{kept.id}.part").write_bytes(b"half")
    (home / "attachments" / "strange").mkdir()
    (home / "attachments" / "strange" / ("ab" * 16)).write_bytes(b"strange")
    assert [(held.draft, held.name) for held in listed(home)] == [(draft, kept.id)]


def test_a_file_that_changes_meanwhile_is_noticed(worked: Vault) -> None:
    """Shorter than listed, or gone: not passed over."""
    [draft] = worked.drafts.ids()
    kept = _file(worked, draft, b"x" * 100)
    home = worked.locked.path.parent
    files = listed(home)
    (home / "attachments" / draft / kept.id).write_bytes(b"short")
    with pytest.raises(DatabaseBusyError):
        list(pieces(home, files))
    (home / "attachments" / draft / kept.id).unlink()
    with pytest.raises(DatabaseBusyError):
        list(pieces(home, files))
