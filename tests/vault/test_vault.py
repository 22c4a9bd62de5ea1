"""Making, locking, unlocking: one class for every wrong passphrase, one process at a time, people apart."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from fieldsurvey.base.errors import FieldsurveyError, UnlockError
from fieldsurvey.base.sqlite import DatabaseDamagedError
from fieldsurvey.records import slots
from fieldsurvey.records.errors import FormatVersionError
from fieldsurvey.records.slots import FLOOR, SlotDamagedError, SlotMemoryError
from fieldsurvey.vault import Vault, open_locked
from fieldsurvey.vault.errors import (
    LastPersonError,
    NewerVaultError,
    NoSuchDraftError,
    NoSuchPersonError,
    NoVaultError,
    OtherRootError,
    PersonExistsError,
    SlotsFullError,
    UnfinishedDraftsError,
    VaultDamagedError,
    VaultExistsError,
    VaultInUseError,
)
from fieldsurvey.vault.keys import PersonCodeError
from fieldsurvey.vault.schema import MIGRATIONS
from tests.vault.conftest import FORM, OTHER_WORDS, ROOT, WORDS, make_vault


def test_a_vault_opens_again_with_its_words(tmp_path: Path) -> None:
    """The person, device and drafts are those that were there before the vault was closed."""
    with make_vault(tmp_path / "vault.db") as made:
        draft = made.drafts.create(FORM, b"head", b"snapshot").draft_id
        device = made.device
    with open_locked(tmp_path / "vault.db").unlock(WORDS) as again:
        assert (again.person, again.device, again.drafts.ids()) == ("E01", device, [draft])
        assert again.drafts.open(draft).snapshot == b"snapshot"


def _spoil(path: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(sql, values)
    connection.close()


def _made_to_fit(slot: bytes, place: int) -> bytes:
    """The slot with one byte changed and a check that fits: not damage, but somebody's doing."""
    altered = slot[:place] + bytes([slot[place] ^ 1]) + slot[place + 1 : -8]
    return altered + sha256(b"fieldsurvey slot v1 check" + altered).digest()[:8]


@pytest.mark.parametrize("cause", ["words", "empty", "salt", "tag", "other slot's", "slot number"])
def test_every_wrong_passphrase_is_one_sentence(tmp_path: Path, cause: str) -> None:
    """Whatever keeps it from opening: UnlockError, the same words, nothing chained that would tell why."""
    path = tmp_path / "vault.db"
    with make_vault(path) as made:
        made.people.add("E02", OTHER_WORDS, FLOOR)
    slot = sqlite3.connect(path).execute("SELECT slot FROM slot WHERE number = 1").fetchone()[0]
    words, number = WORDS, 1 if cause != "slot number" else 2
    if cause == "words":
        words = "enero mapa nube cobre lila lunes"
    elif cause == "empty":
        words = ""
    elif cause == "salt":
        _spoil(path, "UPDATE slot SET slot = ? WHERE number = 1", _made_to_fit(slot, 12))
    elif cause == "tag":
        _spoil(path, "UPDATE slot SET slot = ? WHERE number = 1", _made_to_fit(slot, len(slot) - 9))
    elif cause == "other slot's":
        words = OTHER_WORDS
    with pytest.raises(UnlockError) as caught:
        open_locked(path).unlock(words, slot=number)
    assert type(caught.value) is UnlockError
    assert caught.value.message == UnlockError().message
    assert caught.value.__cause__ is None


def test_a_damaged_slot_leaves_the_others(tmp_path: Path) -> None:
    """One slot overwritten: it is named in what a locked laptop shows, and the other person still gets in."""
    path = tmp_path / "vault.db"
    with make_vault(path) as made:
        made.people.add("E02", OTHER_WORDS, FLOOR)
    _spoil(path, "UPDATE slot SET slot = ? WHERE number = 1", b"\0" * 40)
    locked = open_locked(path)
    assert [(slot.number, slot.damaged) for slot in locked.slots()] == [(1, True), (2, False)]
    with locked.unlock(OTHER_WORDS) as vault:
        assert vault.person == "E02"
    with pytest.raises(UnlockError):
        locked.unlock(WORDS)
    _spoil(path, "UPDATE slot SET slot = ? WHERE number = 2", b"FSK\x01" + b"\xff" * 80)
    with pytest.raises(SlotDamagedError):
        locked.unlock(WORDS)


def test_damaged_device_secrets_are_told(tmp_path: Path) -> None:
    """The right words and altered secrets: a damage, not a wrong passphrase; control: unaltered they open."""
    path = tmp_path / "vault.db"
    make_vault(path).close()
    open_locked(path).unlock(WORDS).close()
    _spoil(path, "UPDATE device SET secrets = zeroblob(92)")
    with pytest.raises(VaultDamagedError):
        open_locked(path).unlock(WORDS)


def test_nothing_joined_yet(tmp_path: Path) -> None:
    """No file, or the empty file of a join that was cut off, says how to join; joining then works."""
    path = tmp_path / "vault.db"
    with pytest.raises(NoVaultError):
        open_locked(path)
    path.touch()
    with pytest.raises(NoVaultError):
        open_locked(path)
    with make_vault(path) as vault:
        assert vault.person == "E01"


def test_a_second_vault_in_the_same_place_is_refused(tmp_path: Path) -> None:
    """Creating never overwrites: the first one's drafts are still there."""
    path = tmp_path / "vault.db"
    with make_vault(path) as first:
        draft = first.drafts.create(FORM, b"", b"").draft_id
    with pytest.raises(VaultExistsError):
        make_vault(path)
    with open_locked(path).unlock(WORDS) as again:
        assert again.drafts.ids() == [draft]


def test_a_newer_vault_and_a_foreign_database_are_refused(tmp_path: Path) -> None:
    """A later version's file and another program's database are named, and not touched."""
    newer, foreign = tmp_path / "newer.db", tmp_path / "foreign.db"
    make_vault(newer).close()
    _spoil(newer, "PRAGMA user_version=99")
    with pytest.raises(NewerVaultError):
        open_locked(newer)
    _spoil(foreign, "CREATE TABLE other (x)")
    with pytest.raises(DatabaseDamagedError):
        open_locked(foreign)
    with pytest.raises(DatabaseDamagedError):
        make_vault(foreign)
    (tmp_path / "text.db").write_text("not a database, but long enough to look like one" * 30)
    with pytest.raises(DatabaseDamagedError):
        open_locked(tmp_path / "text.db")


def test_a_migration_commits_with_its_record(tmp_path: Path) -> None:
    """The table of migrations and SQLite's user_version agree with the tables that are there."""
    path = tmp_path / "vault.db"
    make_vault(path).close()
    connection = sqlite3.connect(path)
    newest = len(MIGRATIONS)
    assert connection.execute("SELECT version FROM migration").fetchall() == [(n,) for n in range(1, newest + 1)]
    assert connection.execute("PRAGMA user_version").fetchone() == (newest,)


_HOLD = """
import sys
from pathlib import Path
from fieldsurvey.vault import open_locked
vault = open_locked(Path(sys.argv[1])).unlock(sys.argv[2])
print("unlocked", flush=True)
sys.stdin.read()
"""


def test_the_second_process_is_told_and_the_first_goes_on(tmp_path: Path) -> None:
    """While one process has it unlocked another is refused before any guess; killed, the first leaves no lock."""
    path = tmp_path / "vault.db"
    make_vault(path).close()
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path), WORDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "unlocked\n"
        locked = open_locked(path)
        with pytest.raises(VaultInUseError) as caught:
            locked.unlock("wrong words")
        assert str(holder.pid) in caught.value.message
        assert locked.head().seq == 0  # what a locked laptop shows needs no lock
        holder.kill()
        holder.wait()
    with locked.unlock(WORDS) as vault:
        assert vault.person == "E01"


def test_a_failed_unlock_lets_go(tmp_path: Path) -> None:
    """After a wrong passphrase the right one works at once, in the same process."""
    path = tmp_path / "vault.db"
    make_vault(path).close()
    locked = open_locked(path)
    with pytest.raises(UnlockError):
        locked.unlock("wrong")
    locked.unlock(WORDS).close()


def test_people_see_only_their_own_drafts(vault: Vault) -> None:
    """Two people on one laptop: neither lists, opens nor deletes the other's draft; each opens their own."""
    mine = vault.drafts.create(FORM, b"mine", b"mine").draft_id
    vault.people.add("E02", OTHER_WORDS, FLOOR)
    vault.close()
    with vault.locked.unlock(OTHER_WORDS) as other:
        assert other.person == "E02"
        theirs = other.drafts.create(FORM, b"theirs", b"theirs").draft_id
        assert other.drafts.ids() == [theirs]
        with pytest.raises(NoSuchDraftError):
            other.drafts.open(mine)
        with pytest.raises(NoSuchDraftError):
            other.discard(mine)
        assert [(p.slot, p.person, p.drafts) for p in other.people.listed()] == [(1, "E01", 1), (2, "E02", 1)]
    with vault.locked.unlock(WORDS) as again:
        assert again.drafts.open(mine).head == b"mine"


def test_another_persons_key_does_not_open_a_draft(vault: Vault) -> None:
    """Even with the row's owner rewritten to oneself, the ciphertext stays shut: the key is the owner's."""
    mine = vault.drafts.create(FORM, b"mine", b"mine").draft_id
    vault.people.add("E02", OTHER_WORDS, FLOOR)
    vault.close()
    _spoil(vault.locked.path, "UPDATE draft SET owner = (SELECT owner FROM slot WHERE number = 2)")
    with vault.locked.unlock(OTHER_WORDS) as other:
        assert other.drafts.ids() == [mine]
        with pytest.raises(VaultDamagedError):
            other.drafts.open(mine)


def test_up_to_eight_people(vault: Vault) -> None:
    """The ninth is refused; a code twice is refused; a leaver's slot can be given to somebody else."""
    for number in range(2, 9):
        vault.people.add(f"E0{number}", OTHER_WORDS + f" {number}", FLOOR)
    with pytest.raises(SlotsFullError):
        vault.people.add("E09", OTHER_WORDS, FLOOR)
    with pytest.raises(PersonExistsError):
        vault.people.add("E05", OTHER_WORDS, FLOOR)
    vault.people.remove("E05")
    assert vault.people.add("E09", OTHER_WORDS, FLOOR).slot == 5


def test_a_leaver_gets_in_no_more(vault: Vault) -> None:
    """Removing asks about unfinished drafts, deletes slot and drafts, and never removes the only person."""
    with pytest.raises(LastPersonError):
        vault.people.remove("E01")
    vault.people.add("E02", OTHER_WORDS, FLOOR)
    vault.close()
    with vault.locked.unlock(OTHER_WORDS) as other:
        other.drafts.create(FORM, b"", b"").append(b"change")
    with vault.locked.unlock(WORDS) as again:
        with pytest.raises(NoSuchPersonError):
            again.people.remove("E03")
        with pytest.raises(UnfinishedDraftsError):
            again.people.remove("E02")
        again.people.remove("E02", forget_drafts=True)
        assert again.locked.draft_count() == 0
        assert again.locked.store.rows("SELECT * FROM change") == []
    with pytest.raises(UnlockError):
        vault.locked.unlock(OTHER_WORDS)


def test_a_changed_passphrase_opens_and_the_old_one_does_not(vault: Vault) -> None:
    """Only the slot is written anew: drafts are those of before."""
    draft = vault.drafts.create(FORM, b"", b"kept").draft_id
    vault.people.change_passphrase(OTHER_WORDS, FLOOR)
    vault.close()
    with pytest.raises(UnlockError):
        vault.locked.unlock(WORDS)
    with vault.locked.unlock(OTHER_WORDS) as again:
        assert again.drafts.open(draft).snapshot == b"kept"


@pytest.mark.parametrize("code", ["", "é", "a b", "-a", "x" * 65, "a\n"])
def test_codes_that_no_slot_takes(vault: Vault, code: str) -> None:
    """Codes are short plain words; control: one of 64 characters is taken."""
    with pytest.raises(PersonCodeError):
        vault.people.add(code, OTHER_WORDS, FLOOR)
    assert vault.people.add("x" * 64, OTHER_WORDS, FLOOR).person == "x" * 64


def test_slots_do_not_show_whose_they_are(vault: Vault) -> None:
    """Codes of any length give rows of one length, and no code is in the file."""
    vault.people.add("ENUMERATOR-WITH-A-LONG-CODE", OTHER_WORDS, FLOOR)
    vault.close()
    rows = vault.locked.store.rows("SELECT length(slot), length(person), length(owner) FROM slot")
    assert len(rows) == 2
    assert len(set(rows)) == 1
    for path in vault.locked.path.parent.iterdir():
        assert b"ENUMERATOR" not in path.read_bytes()


def test_the_pin_moves_forward_and_only_for_its_root(vault: Vault) -> None:
    """A newer version of the same root is remembered, an older one is not, another root is refused."""
    vault.locked.move_pin(ROOT, 5)
    vault.locked.move_pin(ROOT, 3)
    assert vault.locked.pin() == (ROOT, 5)
    with pytest.raises(OtherRootError):
        vault.locked.move_pin("ee" * 32, 6)
    assert vault.locked.pin() == (ROOT, 5)


def test_errors_speak(tmp_path: Path) -> None:
    """Each error of the room has a sentence and advice that fill in without a hole."""
    for error in (
        NoVaultError(place="x"),
        VaultInUseError(process="1", place="x"),
        NewerVaultError(place="x", found=2, known=1),
    ):
        assert isinstance(error, FieldsurveyError)
        assert "{" not in error.message + error.advice


def _slot_asking_for(slot: bytes, memory_kib: int, iterations: int, lanes: int) -> bytes:
    """A slot's bytes with other Argon2id parameters."""
    return slot[:4] + memory_kib.to_bytes(4, "big") + bytes([iterations, lanes]) + slot[10:]


@pytest.mark.parametrize(
    "asked",
    [(0, 2, 1), (19 * 1024 - 1, 2, 1), (512 * 1024 + 1, 2, 1), (2**32 - 1, 255, 255), (19 * 1024, 1, 1),
     (19 * 1024, 17, 1), (19 * 1024, 2, 0), (19 * 1024, 2, 9)],
)  # fmt: skip
def test_argon2_out_of_bounds_is_refused_before_a_byte_is_allocated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[int, int, int]
) -> None:
    """A vault whose slot asks for 4 TiB, or for a lock that is none: said so, and nothing was derived. Control: within
    the bounds it derives."""
    path = tmp_path / "vault.db"
    make_vault(path).close()
    slot = sqlite3.connect(path).execute("SELECT slot FROM slot").fetchone()[0]
    derived: list[object] = []

    def derive(*given: object) -> bytes:
        derived.append(given)
        return bytes(32)

    monkeypatch.setattr(slots, "_derive", derive)
    _spoil(path, "UPDATE slot SET slot = ?", _slot_asking_for(slot, *asked))
    locked = open_locked(path)
    with pytest.raises(SlotDamagedError):
        locked.unlock(WORDS)
    assert [(held.number, held.damaged) for held in locked.slots()] == [(1, True)]
    assert derived == []
    _spoil(path, "UPDATE slot SET slot = ?", slot)
    with pytest.raises(UnlockError):
        locked.unlock(WORDS)
    assert len(derived) == 1


def test_too_little_memory_is_a_sentence_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine cannot give what the slot needs: typed, says that nothing changed and what to do; later it opens."""
    path = tmp_path / "vault.db"
    make_vault(path).close()
    before = path.read_bytes()

    class Starving:
        def __init__(self, **_: object) -> None:
            pass

        def derive(self, _: bytes) -> bytes:
            raise MemoryError

    locked = open_locked(path)
    with monkeypatch.context() as patch:
        patch.setattr(slots, "Argon2id", Starving)
        with pytest.raises(SlotMemoryError) as caught:
            locked.unlock(WORDS)
    assert "19" in caught.value.message
    assert "Nothing was changed" in caught.value.advice
    assert path.read_bytes() == before
    locked.unlock(WORDS).close()


def test_a_vault_of_another_format_version_says_so(tmp_path: Path) -> None:
    """A slot or a card of another version is not called damaged, and no wrong passphrase: the version is named."""
    path = tmp_path / "vault.db"
    make_vault(path).close()
    locked = open_locked(path)
    slot, card = locked.store.one("SELECT slot, card FROM slot, device")
    _spoil(path, "UPDATE slot SET slot = ?", slot[:3] + b"\x63" + slot[4:])
    with pytest.raises(FormatVersionError):
        locked.unlock(WORDS)
    _spoil(path, "UPDATE slot SET slot = ?", slot)
    _spoil(path, "UPDATE device SET card = ?", re.sub(rb'"format_version":\d+', b'"format_version":99', card))
    with pytest.raises(FormatVersionError):
        open_locked(path).device_card()
