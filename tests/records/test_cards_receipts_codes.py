"""Device cards, receipts, withdrawal codes and payloads: one spelling, signed by whom they say, refused otherwise."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fieldsurvey.base.canonical import MAX_INTEGER, canonical
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.records.codewords import CODE_WORDS, fingerprint_words, from_words, to_words
from fieldsurvey.records.device import DeviceCard, LogParent, device_id
from fieldsurvey.records.errors import CodeError, FieldError, KeyFormatError, SignatureError
from fieldsurvey.records.labels import SIGN_DEVICE_CARD, TOMBSTONE_CHECK, hash_of
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.receipt import Level, Receipt, Role, read_receipt, write_receipt
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from tests.records.conftest import PROJECT, Actors
from tests.records.mutants import flips, mutants, survivors, truncations

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


# --- device cards ---------------------------------------------------------------------------------------------------


def test_a_card_comes_back_and_no_flip_or_cut_does(actors: Actors) -> None:
    """The control is read; every byte flipped and every prefix is refused."""
    data = actors.card.to_bytes()
    assert DeviceCard.from_bytes(data) == actors.card
    assert survivors(DeviceCard.from_bytes, flips(data)) == ([], len(data))
    assert survivors(DeviceCard.from_bytes, truncations(data)) == ([], len(data))


def resigned(actors: Actors, **changes: Any) -> bytes:
    """The card with fields changed and signed anew by the device's own key."""
    body = {**json.loads(actors.card.to_bytes()), **changes}
    del body["signature"]
    return canonical({**body, "signature": actors.device.sign(SIGN_DEVICE_CARD, canonical(body)).hex()})


def test_a_re_signed_card_must_still_hold_together(actors: Actors) -> None:
    """Correctly signed by its own device, and yet refused: another's id, one key for two uses, a dead recipient."""
    assert DeviceCard.from_bytes(resigned(actors, name="Other name")).name == "Other name"
    zero = (bytes(1184) + actors.card.recipient.bytes[1184:]).hex()
    for changes in (
        {"device": "ab" * 16},
        {"carrier": actors.card.sign},
        {"hpke": zero},
        {"hpke": ""},
        {"carrier": "01" + "00" * 32},
        {"carrier": "03" + actors.card.carrier[2:]},
        {"name": ""},
        {"name": "x" * 201},
        {"created": "yesterday"},
        {"created": "2026-02-30T00:00:00Z"},
        {"extra": 1},
        {"format_version": 9},
    ):
        with pytest.raises(UntrustedError):
            DeviceCard.from_bytes(resigned(actors, **changes))


def test_a_device_cannot_claim_anothers_id(actors: Actors) -> None:
    """The id follows from the signing key, so that another key gives another device."""
    assert actors.card.device == device_id(actors.device.public)
    assert device_id(actors.carrier.public) != actors.card.device


def test_a_new_log_names_the_old_one(actors: Actors) -> None:
    """After a new vault the card carries the old log's last head, under the signature."""
    parent = LogParent(device="cd" * 16, seq=7, head="ef" * 32)
    card = DeviceCard.make(
        actors.carrier,
        project=PROJECT,
        name="Laptop 1 again (synthetic)",
        carrier=actors.central.public,
        recipient=actors.card.recipient,
        created="2026-02-01T08:00:00-05:00",
        parent=parent,
    )
    assert DeviceCard.from_bytes(card.to_bytes()).parent == parent
    with pytest.raises(FieldError):
        DeviceCard.make(
            actors.carrier,
            project=PROJECT,
            name="",
            carrier=actors.central.public,
            recipient=actors.card.recipient,
            created="2026-02-01T08:00:00-05:00",
        )


# --- receipts -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def receipt(actors: Actors) -> Receipt:
    """Central holds the log up to entry 12."""
    return Receipt(
        project=PROJECT,
        device=actors.device_id,
        up_to=12,
        head="ab" * 32,
        level=Level.COMMITTED,
        by=Role.CENTRAL,
        issued="2026-01-06T10:00:00Z",
    )


def keys(actors: Actors) -> list[tuple[Role, Any]]:
    return [(Role.CENTRAL, actors.central.public), (Role.SUPERVISOR, actors.supervisor.public)]


def test_receipts_come_back_and_no_flip_cut_or_mutant_does(actors: Actors, receipt: Receipt) -> None:
    """The control is read; every flip, every prefix and 1,000 mutants are refused."""
    data = write_receipt(receipt, actors.central)

    def read(given: bytes) -> Receipt:
        return read_receipt(given, keys(actors))

    assert read(data) == receipt
    assert survivors(read, flips(data)) == ([], len(data))
    assert survivors(read, truncations(data)) == ([], len(data))
    assert survivors(read, mutants(data, 1_000)) == ([], 1_000)


def test_foreign_and_overstepping_receipts_are_refused(actors: Actors, receipt: Receipt) -> None:
    """Signed by a device, by a supervisor in central's name, or by central in a supervisor's name: refused."""
    for signer in (actors.device, actors.carrier, actors.supervisor):
        with pytest.raises(SignatureError):
            read_receipt(write_receipt(receipt, signer), keys(actors))
    as_supervisor = receipt.model_copy(update={"by": Role.SUPERVISOR, "level": Level.RECEIVED})
    with pytest.raises(SignatureError):
        read_receipt(write_receipt(as_supervisor, actors.central), keys(actors))
    assert read_receipt(write_receipt(as_supervisor, actors.supervisor), keys(actors)) == as_supervisor


def test_a_supervisor_can_only_say_received(actors: Actors, receipt: Receipt) -> None:
    """A relay's receipt that claims more is refused although the relay signed it: no purge can come of it."""
    for level in (Level.COMMITTED, Level.BACKED_UP):
        lying = receipt.model_copy(update={"by": Role.SUPERVISOR, "level": level})
        with pytest.raises(FieldError):
            read_receipt(write_receipt(lying, actors.supervisor), keys(actors))


# --- withdrawal codes -----------------------------------------------------------------------------------------------


@given(st.integers(0, 2**77 - 1))
def test_codes_are_read_as_printed_as_words_and_carelessly_typed(value: int) -> None:
    """Either form, in any case, with or without hyphens, with O for 0 and l for 1, gives the code."""
    code = WithdrawalCode(value)
    careless = code.text.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    for typed in (code.text, careless, code.text.replace("-", ""), code.words, code.words.upper(), f"  {code.words} "):
        assert WithdrawalCode.parse(typed) == code


def test_every_single_mistake_and_swap_in_a_code_is_seen() -> None:
    """All 17 × 31 substitutions and all swaps of two different characters are refused."""
    letters = WithdrawalCode(random.Random(3).getrandbits(77)).text.replace("-", "")
    tried = 0
    for i in range(17):
        for letter in _ALPHABET:
            if letter != letters[i]:
                tried += 1
                with pytest.raises(CodeError):
                    WithdrawalCode.parse(letters[:i] + letter + letters[i + 1 :])
        for j in range(i):
            swapped = list(letters)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            if swapped[i] != swapped[j]:
                with pytest.raises(CodeError):
                    WithdrawalCode.parse("".join(swapped))
    assert tried == 17 * 31


@pytest.mark.parametrize("typed", ["", "hola", "1234", "abajo " * 6, "abajo " * 8, "ABCD-EFGH-JKMN-PQRS", "🙂" * 17])
def test_what_is_no_code_says_so(typed: str) -> None:
    """Anything else is a typed error that does not repeat what was typed."""
    with pytest.raises(CodeError) as caught:
        WithdrawalCode.parse(typed)
    assert not typed or typed.strip() not in str(caught.value)


def test_codes_differ_and_never_print_themselves() -> None:
    """Fresh codes are distinct; repr and str of code and tombstone show no code."""
    codes = {WithdrawalCode.generate() for _ in range(200)}
    assert len(codes) == 200
    code = codes.pop()
    stone = Tombstone(project=PROJECT, code=code.raw, requested="2026-01-07")
    for shown in (repr(code), str(code), repr(stone), str(stone), f"{[stone]}"):
        assert code.raw not in shown.replace("-", "")
    assert code.raw.encode() in stone.to_bytes()


def test_a_tag_belongs_to_one_project_and_code() -> None:
    """The tag is the documented hash; another project or code gives another."""
    code = WithdrawalCode(12345)
    label = b"fieldsurvey/1/withdrawal tag"
    packed = len(label).to_bytes(2, "big") + label
    packed += (16).to_bytes(4, "big") + bytes.fromhex(PROJECT) + (16).to_bytes(4, "big") + code.raw.encode()
    assert code.tag(PROJECT) == hashlib.sha256(packed).hexdigest()
    assert len({code.tag(PROJECT), code.tag("00" * 16), WithdrawalCode(12346).tag(PROJECT)}) == 3


def test_tombstones_come_back_and_nothing_damaged_does() -> None:
    """A tombstone reveals its code and day; no flip, cut or mutant is taken for another, not even with another day."""
    stone = Tombstone(project=PROJECT, code=WithdrawalCode(99).raw, requested="2026-01-07")
    data = stone.to_bytes()
    assert Tombstone.from_bytes(data) == stone
    assert stone.tag == WithdrawalCode(99).tag(PROJECT)
    for damaged in (flips(data), truncations(data), mutants(data, 2_000)):
        assert survivors(Tombstone.from_bytes, damaged)[0] == []
    for bad in ("Z" * 16, "0" * 15, "o" * 16):
        with pytest.raises(ValidationError):
            Tombstone(project=PROJECT, code=bad, requested="2026-01-07")


def test_a_tombstone_with_a_check_that_fits_must_still_be_well_formed() -> None:
    """Who can compute the check still cannot bring another field, spelling or length."""
    data = Tombstone(project=PROJECT, code=WithdrawalCode(99).raw, requested="2026-01-07").to_bytes()[:-8]
    for plain in (data[:-1] + b',"more":1}', data.replace(b":", b": ", 1), data + b" ", data[5:], b"\0" * 2000):
        with pytest.raises(UntrustedError):
            Tombstone.from_bytes(plain + hash_of(TOMBSTONE_CHECK, plain)[:8])


def test_the_code_words_never_change() -> None:
    """Printed slips and fingerprints depend on these 2,048 words in this order."""
    assert len(set(CODE_WORDS)) == 2048
    assert hashlib.sha256(" ".join(CODE_WORDS).encode()).hexdigest() == CODE_WORDS_SHA256


CODE_WORDS_SHA256 = "2ff0b0b93f8dbbd7ed5a439332426b74eaa2ef01934b5786ae62c195fcb42b6f"


@given(st.integers(0, 2**88 - 1))
def test_words_and_numbers_are_one_to_one(value: int) -> None:
    """Eight words hold 88 bits, and come back; a fingerprint's words are its first 88 bits."""
    words = to_words(value, 8)
    assert from_words(words.split()) == value
    assert fingerprint_words(f"{value:022x}" + "f" * 42) == words
    assert from_words(["xyzzy"]) is None


# --- payloads -------------------------------------------------------------------------------------------------------


def test_a_payload_comes_back(payload: Payload) -> None:
    """Consent, notes and paradata included."""
    assert Payload.from_bytes(payload.to_bytes()) == payload


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=10,
        ),
        max_size=4,
    ),
    st.text(min_size=1, max_size=50),
)
def test_any_paradata_and_text_come_back(paradata: dict[str, Any], instance: str) -> None:
    """Every JSON value without floats, and every text that is Unicode, survives."""
    found = Payload.model_validate({**_fields(), "paradata": paradata, "instance": instance})
    assert Payload.from_bytes(found.to_bytes()) == found


def _fields() -> dict[str, Any]:
    return {
        "form": {"id": "needs", "version": "1", "hash": "ab" * 32},
        "instance": "<data/>",
        "person": "E01",
        "language": "es",
        "started": "2026-01-05T09:00:00-05:00",
        "finished": "2026-01-05T09:12:30.123-05:00",
    }


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{}",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"paradata":{"a":NaN}}',
        b'{"paradata":{"a":1e400}}',
        b'{"instance":"\\ud800"}',
        b'{"instance":"\xed\xa0\x80"}',
        b'{"paradata":' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
    ],
)
def test_payloads_that_are_not_ours_are_refused(bad: bytes) -> None:
    """Depth, duplicates, NaN, lone surrogates, wrong types: typed errors only."""
    with pytest.raises(UntrustedError):
        Payload.from_bytes(bad)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("person", "no code!"),
        ("mode", "fax"),
        ("started", "2026-01-05 09:00:00"),
        ("started", "2026-01-05T09:00:00"),
        ("finished", "2026-13-05T09:00:00Z"),
        ("paradata", {"a": 1.5}),
        ("notes", {"": "x"}),
        ("consent", [{"purpose": "survey"}]),
        ("unknown", 1),
        ("format_version", "1"),
        ("instance", ""),
    ],
)
def test_fields_out_of_bounds_are_refused(field: str, value: Any) -> None:
    """The control is the same payload without the change; each change is refused by name."""
    whole = json.loads(Payload.model_validate(_fields()).to_bytes())
    assert Payload.from_bytes(canonical(whole))
    data = json.dumps({**whole, field: value}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(FieldError) as caught:
        Payload.from_bytes(data)
    assert caught.value.details["field"] == field


def test_a_duplicate_key_and_a_long_payload_are_refused() -> None:
    """Two values for one field, and more than 8 MiB, are refused."""
    good = Payload.model_validate(_fields()).to_bytes()
    for bad in (good[:-1] + b',"person":"E02"}', good.replace(b":", b": ", 1), b" " * ((8 << 20) + 1)):
        with pytest.raises(FieldError):
            Payload.from_bytes(bad)


def test_keys_of_other_algorithms_are_refused_in_cards(actors: Actors) -> None:
    """A device signs with Ed25519 alone; a card whose key is anything else is refused."""
    for sign in ("02" + "ab" * 1984, "01" + "00" * 32):
        with pytest.raises((KeyFormatError, FieldError)):
            DeviceCard.from_bytes(resigned(actors, sign=sign))
