"""Files written once keep opening: each golden file is read, and says what it said when it was made.

tests/reader_js reads them too, with nothing of ours.
"""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.needs.opened.store import load_dataset
from fieldsurvey.project import shares
from fieldsurvey.project.keys import HmuKeys, open_hmu, read_role_key, unlock_escrow, unlock_hmu, unlock_root
from fieldsurvey.project.ledger import Ledger
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.records.codewords import CODE_WORDS, fingerprint_words
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import open_record, record_hash
from fieldsurvey.records.log import ENTRY_BYTES, LogEntry, verify_run
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.receipt import read_receipt
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.vault import open_locked
from fieldsurvey.vault.attachments import DraftFiles, StoredFile
from fieldsurvey.vault.backup import extract, files_of
from fieldsurvey.vault.backup_files import put_in_place
from sync.batches import read_batch
from tests.records import golden_vault, make_golden, reader
from tests.records.make_golden import GOLDEN

SHEET_WORDS = 33
RECORDS = sorted(path.name for path in GOLDEN.glob("*.fse"))


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


EXPECTED: dict[str, Any] = json.loads(golden("expected.json"))
KEYS: dict[str, Any] = json.loads(golden("keys.json"))


@pytest.fixture(scope="module")
def signed() -> SignedProject:
    """The project, pinned by its first root."""
    return read_project(golden("project.fsp"), pinned=KEYS["pinned"])


@pytest.fixture(scope="module")
def hmu_keys() -> HmuKeys:
    """hmu.key, opened."""
    return unlock_hmu(GOLDEN / "hmu.key", KEYS["passphrases"]["hmu.key"])


@pytest.mark.parametrize("seed", KEYS["recipients"])
@pytest.mark.parametrize("name", RECORDS)
def test_the_records_open(name: str, seed: str) -> None:
    """By our reader and by the second one, for both recipients."""
    blob, expected = golden(name), EXPECTED[name]
    opened = open_record(blob, RecipientPrivate(bytes.fromhex(seed)))
    assert opened.header.content() == expected["header"]
    assert record_hash(blob).hex() == expected["hash"]
    if "part" in expected:
        assert opened.payload.hex() == expected["part"]
    else:
        assert Payload.from_bytes(opened.payload).content() == expected["payload"]
    assert reader.open_fse1(blob, bytes.fromhex(seed)) == (expected["header"], opened.payload)


def test_the_records_are_an_interview_its_revision_and_a_picture_in_parts() -> None:
    """The parts, in the order that the interview names, are the picture."""
    attachment = EXPECTED["record-1.fse"]["payload"]["attachments"][0]
    by_hash = {said["hash"]: said for name, said in EXPECTED.items() if name in RECORDS}
    assert b"".join(bytes.fromhex(by_hash[part]["part"]) for part in attachment["parts"]) == make_golden.PHOTO
    assert EXPECTED["record-2.fse"]["header"]["parent"] == EXPECTED["record-1.fse"]["hash"]


def test_the_log_holds() -> None:
    """Every entry, the chain and the signatures, over the records."""
    data, expected = golden("log.bin"), EXPECTED["log.bin"]
    entries = [LogEntry.from_bytes(data[i : i + ENTRY_BYTES]) for i in range(0, len(data), ENTRY_BYTES)]
    card = DeviceCard.from_bytes(golden("device.card"))
    head = verify_run(card.sign_key, card.project, card.device, None, entries, every_signature=True)
    assert (head.hex(), [e.record_hash.hex() for e in entries]) == (expected["head"], expected["records"])
    assert expected["records"] == [record_hash(golden(name)).hex() for name in RECORDS]


@pytest.mark.parametrize("name", ["device.card", "device-renewed.card"])
def test_the_cards_are_read(name: str) -> None:
    """A first one, and one whose log goes on from another's."""
    assert DeviceCard.from_bytes(golden(name)).content() == EXPECTED[name]


def test_the_batch_is_read() -> None:
    """With all its records."""
    batch = read_batch(BytesIO(golden("batch.fsb")), KEYS["project"])
    found = [blob for _entry, _header, blob in batch.records()]
    assert found == [golden(name) for name in RECORDS]
    assert [record_hash(blob).hex() for blob in found] == EXPECTED["batch.fsb"]["frames"]
    assert batch.card.content() == EXPECTED["batch.fsb"]["content"]["card"]


@pytest.mark.parametrize("level", ["received", "committed", "backed_up"])
def test_the_receipts_are_read(level: str, signed: SignedProject) -> None:
    """Of every level, by the role keys of the project."""
    name = f"receipt-{level}.fsr"
    assert read_receipt(golden(name), signed.model.role_keys).content() == EXPECTED[name]


def test_the_tombstone_and_the_code_are_read() -> None:
    """The code as letters, spelled loosely, and as words is one code, and the tombstone's."""
    stone, expected = Tombstone.from_bytes(golden("tombstone.fsw")), EXPECTED["tombstone.fsw"]
    assert stone.content() | {"tag": stone.tag} == expected
    for line, said in zip(golden("withdrawal.codes").decode().splitlines(), EXPECTED["withdrawal.codes"], strict=True):
        code = WithdrawalCode.parse(line)
        assert {"text": code.text, "words": code.words, "tag": code.tag(KEYS["project"])} == said
        assert said["tag"] == stone.tag == EXPECTED["record-1.fse"]["header"]["withdrawal"]


def test_the_project_is_read(signed: SignedProject) -> None:
    """Under the root that came before its own, with its frames, and says to whom each day's interviews are sealed."""
    expected = EXPECTED["project.fsp"]
    assert signed.model.content() == expected["content"]
    assert list(signed.model.root_fingerprints) == expected["roots"]
    assert sorted(signed.frames) == expected["frames"]
    for day, ids in expected["sealed_to"].items():
        assert [one.id for one in signed.model.recipients_on(day)] == ids
    assert fingerprint_words(signed.root_fingerprint) == expected["root_words"]


def test_the_key_files_open(hmu_keys: HmuKeys) -> None:
    """root, hmu and escrow with their passphrases, central with none."""
    passphrases = KEYS["passphrases"]
    root = unlock_root(GOLDEN / "root.key", passphrases["root.key"])
    assert root.to_bytes().hex() == EXPECTED["root.key"]["seed"]
    assert root.public.fingerprint == EXPECTED["root.key"]["public"] == EXPECTED["project.fsp"]["roots"][-1]
    escrow = unlock_escrow(GOLDEN / "escrow.key", passphrases["escrow.key"])
    assert escrow.seed.hex() == EXPECTED["escrow.key"]["seed"]
    found = (hmu_keys.recipient.seed, hmu_keys.sign.to_bytes(), hmu_keys.dataset)
    assert [one.hex() for one in found] == [EXPECTED["hmu.key"][name] for name in ("seed", "sign", "dataset")]
    assert read_role_key(GOLDEN / "central.key").key.to_bytes().hex() == EXPECTED["central.key"]["seed"]


@pytest.mark.parametrize("name", ["root", "escrow"])
def test_two_sheets_give_the_key(name: str) -> None:
    """Any two of the three."""
    one, two, three = golden(f"{name}.sheets").decode().splitlines()
    for pair in ((one, two), (three, one), (two, three)):
        assert shares.combine(pair).hex() == EXPECTED[f"{name}.sheets"]["seed"]


def test_two_people_open_the_hmus_keys_and_a_rounds(tmp_path: Path) -> None:
    """As they lie in a steward's folder: shares, what they open, and what that opens."""
    people = [f"hmu-H0{number}.key" for number in (1, 2, 3)]
    for name in people:
        (tmp_path / name).write_bytes(golden(name))
    (tmp_path / "hmu.key").write_bytes(golden("two-people.key"))
    rounds = tmp_path / "rounds" / KEYS["round"]
    rounds.mkdir(parents=True)
    (rounds / f"operational-{EXPECTED['round.key']['public']}.key").write_bytes(golden("round.key"))
    found = open_hmu(tmp_path, [KEYS["passphrases"][name] for name in (people[2], people[0])])
    assert found.recipient.seed.hex() == EXPECTED["two-people.key"]["seed"]
    assert [key.seed.hex() for key in found.rounds[KEYS["round"]]] == [EXPECTED["round.key"]["seed"]]
    assert set(found.people) == {"H01", "H03"}
    assert [key.seed.hex() for key in found.earlier] == EXPECTED["hmu.key"]["earlier"]


def test_the_ledger_holds(signed: SignedProject, tmp_path: Path) -> None:
    """Lines of the first root, of its successor and of the HMU."""
    (tmp_path / "ledger.jsonl").write_bytes(golden("ledger.jsonl"))
    assert [line.content() for line in Ledger(tmp_path, signed.model).lines] == EXPECTED["ledger.jsonl"]


def test_the_backup_is_read(tmp_path: Path) -> None:
    """Its log and records without a key, its draft with the words."""
    expected = EXPECTED["laptop.fsv"]
    manifest, beside = extract(GOLDEN / "laptop.fsv", tmp_path / "vault.db")
    assert manifest.content() == expected["manifest"]
    assert hashlib.sha256(beside.project_file).hexdigest() == expected["project"]
    assert golden("tombstone.fsw") in beside.withdrawals
    kept = expected["files"][0]
    put_in_place(files_of(tmp_path / "vault.db"), tmp_path)
    files = DraftFiles(tmp_path, kept["draft"])
    picture = b"".join(files.read(StoredFile(kept["id"], KEYS["draft_file"], len(golden_vault.PICTURE))))
    assert hashlib.sha256(picture).hexdigest() == kept["content"]
    locked = open_locked(tmp_path / "vault.db")
    entries = list(locked.entries())
    assert [entry.to_bytes().hex() for entry, _record in entries] == expected["entries"]
    assert [record_hash(record).hex() for _entry, record in entries] == expected["records"]
    with locked.unlock(KEYS["passphrases"]["laptop.fsv"]) as vault:
        assert vault.person == expected["person"]
        drafts = [vault.drafts.open(draft_id) for draft_id in vault.drafts.ids()]
        assert [(one.head.hex(), one.snapshot.hex()) for one in drafts] == [
            (one["head"], one["snapshot"]) for one in expected["drafts"]
        ]
    locked.close()


def test_the_opened_round_is_read(hmu_keys: HmuKeys) -> None:
    """With its counts and its rows."""
    name = f"{KEYS['round']}.fso"
    dataset = load_dataset(KEYS["round"], hmu_keys, GOLDEN)
    expected = EXPECTED[name]
    assert dataset.quality.content() == expected["manifest"]["quality"]
    assert [table.frame.height for table in dataset.tables] == [len(table["rows"]) for table in expected["tables"]]
    assert dataset.frame("needs")["sources"].to_list() == [row["sources"] for row in expected["tables"][0]["rows"]]


def test_the_words_are_the_words() -> None:
    """The list that other readers take is the one that is used."""
    assert tuple(golden("words.txt").decode().splitlines()) == CODE_WORDS


def test_what_is_made_today_has_the_shape_of_what_was_made_then(tmp_path: Path) -> None:
    """Lengths and all that is not drawn at random are the same: a format cannot change without being noticed."""
    made = make_golden.make()
    assert made.keys() == {path.name for path in GOLDEN.iterdir()}
    drawn = {"expected.json", f"{KEYS['round']}.fso", "laptop.fsv"}  # Parquet's and SQLite's writers
    drawn |= {name for name in made if name.endswith((".sheets", ".key"))}  # random words have different lengths
    sizes = {name: len(data) for name, data in made.items() if name not in drawn}
    assert sizes == {name: len(golden(name)) for name in sizes}
    for name in ("device.card", "device-renewed.card", "tombstone.fsw", "withdrawal.codes", "words.txt"):
        assert made[name] == golden(name)
    today, then = _shape(json.loads(made["expected.json"])), _shape(EXPECTED)
    for said in (today, then):
        del said["laptop.fsv"]["manifest"]["database"]  # grows with the vault's own tables, which migrations add
    assert today == then


def _shape(value: Any) -> Any:
    """Names and types, and texts that are no hexadecimal."""
    if isinstance(value, dict):
        return {name: _shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_shape(one) for one in value]
    if isinstance(value, str) and len(value) >= 16 and set(value) <= set("0123456789abcdef"):
        return len(value)
    if isinstance(value, str) and len(value.split()) == SHEET_WORDS:
        return SHEET_WORDS
    return value
