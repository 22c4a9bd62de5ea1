"""Files written once keep opening: each golden file is read, and says what it said when it was made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fieldsurvey.project.signed import read_project
from fieldsurvey.records.container import open_container
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import open_record, record_hash
from fieldsurvey.records.log import ENTRY_BYTES, LogEntry, verify_run
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.receipt import Role, read_receipt
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from tests.records import make_golden, reader
from tests.records.make_golden import GOLDEN


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What the files hold, as text."""
    found: dict[str, Any] = json.loads(golden("expected.json"))
    return found


def seed(expected: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(expected["seeds"][name])


@pytest.mark.parametrize("who", ["operational", "escrow"])
def test_the_record_opens(expected: dict[str, Any], who: str) -> None:
    """By our reader and by the second one, for both recipients."""
    blob = golden("record-1.fse")
    opened = open_record(blob, RecipientPrivate(seed(expected, who)))
    assert opened.header.model_dump(mode="json") == expected["header"]
    assert Payload.from_bytes(opened.payload).model_dump(mode="json") == expected["payload"]
    header, payload = reader.open_fse1(blob, seed(expected, who))
    assert (header, json.loads(payload)) == (expected["header"], expected["payload"])
    assert record_hash(blob).hex() == expected["record_hash"]


def test_a_record_of_several_chunks_opens(expected: dict[str, Any]) -> None:
    """40,000 bytes are three chunks."""
    blob = golden("record-2.fse")
    assert open_record(blob, RecipientPrivate(seed(expected, "operational"))).payload == b"x" * 40_000
    assert reader.open_fse1(blob, seed(expected, "operational"))[1] == b"x" * 40_000


def test_the_log_holds(expected: dict[str, Any]) -> None:
    """Two entries, their chain and their signatures, over the two records."""
    data = golden("log.bin")
    entries = [LogEntry.from_bytes(data[i : i + ENTRY_BYTES]) for i in range(0, len(data), ENTRY_BYTES)]
    card = DeviceCard.from_bytes(golden("device.card"))
    head = verify_run(card.sign_key, card.project, card.device, None, entries, every_signature=True)
    assert (head.hex(), card.device) == (expected["head"], expected["device"])
    assert [e.record_hash for e in entries] == [record_hash(golden(f"record-{i}.fse")) for i in (1, 2)]


def test_the_receipt_the_container_and_the_tombstone_are_read(expected: dict[str, Any]) -> None:
    """Each is verified with the key it was made with."""
    central = SigningKey(seed(expected, "central")).public
    receipt = read_receipt(golden("receipt.fsr"), [(Role.CENTRAL, central)])
    assert receipt.model_dump(mode="json") == expected["receipt"]
    container = open_container(golden("container.fsb"), "batch")
    container.verify(SigningKey(seed(expected, "carrier")).public)
    assert list(container.read_all().values()) == [golden("record-1.fse"), golden("record-2.fse")]
    stone = Tombstone.from_bytes(golden("tombstone.fsw"))
    code = WithdrawalCode.parse(expected["code"]["text"])
    assert code == WithdrawalCode.parse(expected["code"]["words"])
    assert stone.tag == code.tag(stone.project) == expected["code"]["tag"] == expected["header"]["withdrawal"]


def test_the_project_is_read(expected: dict[str, Any]) -> None:
    """Under its pinned root, with its form."""
    signed = read_project(golden("project.fsp"), pinned=expected["root_fingerprint"])
    assert signed.model.model_dump(mode="json") == expected["project"]
    assert signed.form_bytes("needs") == make_golden.XFORM


def test_what_is_made_today_has_the_shape_of_what_was_made_then(expected: dict[str, Any]) -> None:
    """Lengths and all that is not drawn at random are the same: a format cannot change without being noticed."""
    made = make_golden.make()
    assert {name: len(data) for name, data in made.items() if name != "expected.json"} == {
        name: len(golden(name)) for name in made if name != "expected.json"
    }
    today = json.loads(made["expected.json"])
    drawn = {"record_hash", "head", "receipt"}
    assert {k: v for k, v in today.items() if k not in drawn} == {k: v for k, v in expected.items() if k not in drawn}
    for name in ("device.card", "tombstone.fsw"):
        assert made[name] == golden(name)
