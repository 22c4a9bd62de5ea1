"""Key slots and key files: known answers, bounds before allocation, one error for every wrong passphrase."""

from __future__ import annotations

import struct
from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from fieldsurvey.base.errors import FieldsurveyError, UnlockError, UntrustedError
from fieldsurvey.records import slots
from fieldsurvey.records.errors import FormatVersionError
from fieldsurvey.records.keyfile import lock_secret, unlock_secret
from fieldsurvey.records.slots import (
    DEFAULT,
    FLOOR,
    Argon2Params,
    EmptyPassphraseError,
    SlotDamagedError,
    SlotMemoryError,
    SlotParametersError,
    calibrate,
    lock_slot,
    open_slot,
    read_params,
)

WORDS = "enero mapa nube cobre lila pauta"
SECRET = bytes(range(32))
SLOT = lock_slot(SECRET, WORDS, label="test", params=FLOOR)


def test_argon2id_known_answer() -> None:
    """RFC 9106, section 5.3: the library's Argon2id gives the published tag."""
    made = Argon2id(
        salt=b"\x02" * 16, length=32, iterations=3, lanes=4, memory_cost=32, ad=b"\x04" * 12, secret=b"\x03" * 8
    ).derive(b"\x01" * 32)
    assert made.hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


@pytest.mark.parametrize(
    ("plaintext", "result"),
    [
        ("", "07f5f4169bbf55a8400cd47ea6fd400f"),
        ("0100000000000000", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
    ],
)
def test_aes_gcm_siv_known_answer(plaintext: str, result: str) -> None:
    """RFC 8452, appendix C.2 (AES-256): the library gives the published ciphertext and tag."""
    key, nonce = bytes.fromhex("01" + "00" * 31), bytes.fromhex("03" + "00" * 11)
    assert AESGCMSIV(key).encrypt(nonce, bytes.fromhex(plaintext), b"").hex() == result


def test_a_slot_opens_with_its_words_however_typed() -> None:
    """The same words in capitals, with hyphens or doubled spaces open the slot."""
    assert open_slot(SLOT, "  ENERO-mapa nube  cobre lila pauta", label="test") == SECRET


def test_two_slots_of_one_secret_differ() -> None:
    """Salt and nonce are fresh: nothing shows that two slots hold the same secret."""
    again = lock_slot(SECRET, WORDS, label="test", params=FLOOR)
    assert again[10:] != SLOT[10:]
    assert len(again) == len(SLOT)


def _checked(locked: bytes) -> bytes:
    """With the check that it would have: what somebody makes who wants to deceive."""
    return locked + sha256(b"fieldsurvey slot v1 check" + locked).digest()[:8]


def _wrong(position: int) -> bytes:
    return _checked(SLOT[:position] + bytes([SLOT[position] ^ 1]) + SLOT[position + 1 : -8])


@pytest.mark.parametrize(
    ("slot", "words", "label"),
    [
        (SLOT, "enero mapa nube cobre lila pausa", "test"),
        (SLOT, "", "test"),
        (SLOT, "\ud800", "test"),
        (SLOT, WORDS, "another purpose"),
        (_wrong(7), WORDS, "test"),  # memory, still within bounds
        (_wrong(12), WORDS, "test"),  # salt
        (_wrong(30), WORDS, "test"),  # nonce
        (_wrong(45), WORDS, "test"),  # secret
        (_wrong(len(SLOT) - 9), WORDS, "test"),  # tag
        (_checked(SLOT[:-9]), WORDS, "test"),
    ],
    ids=("words", "empty", "surrogate", "purpose", "memory", "salt", "nonce", "secret", "tag", "truncated"),
)
def test_every_wrong_cause_is_the_same_error(slot: bytes, words: str, label: str) -> None:
    """Wrong words, wrong purpose or bytes altered on purpose: one class, one sentence, no cause chained to it."""
    with pytest.raises(UnlockError) as caught:
        open_slot(slot, words, label=label)
    assert type(caught.value) is UnlockError
    assert caught.value.message == UnlockError().message
    assert caught.value.details == {}
    assert caught.value.__cause__ is None


def _with(memory: int, iterations: int, lanes: int) -> bytes:
    return _checked(SLOT[:4] + struct.pack(">IBB", memory, iterations, lanes) + SLOT[10:-8])


@pytest.mark.parametrize(
    "parameters",
    [
        (0, 2, 1),
        (19 * 1024 - 1, 2, 1),
        (512 * 1024 + 1, 2, 1),
        (2**32 - 1, 2, 1),
        (19 * 1024, 1, 1),
        (19 * 1024, 17, 1),
        (19 * 1024, 255, 1),
        (19 * 1024, 2, 0),
        (19 * 1024, 2, 9),
    ],
)
def test_parameters_out_of_bounds_are_refused_before_deriving(
    parameters: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading or writing such a slot never reaches Argon2id; control: the slot as made does."""
    derived: list[int] = []

    def derive(*_: object) -> bytes:
        derived.append(1)
        return bytes(32)

    monkeypatch.setattr(slots, "_derive", derive)
    with pytest.raises(SlotParametersError):
        open_slot(_with(*parameters), WORDS, label="test")
    with pytest.raises(SlotParametersError):
        lock_slot(SECRET, WORDS, label="test", params=Argon2Params(*parameters))
    assert derived == []
    with pytest.raises(UnlockError):
        open_slot(SLOT, WORDS, label="test")
    assert derived == [1]


def test_a_small_machine_refuses_a_large_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a quarter of the machine's memory is refused with its own words; the floor never is."""
    monkeypatch.setattr(slots, "_machine_memory", lambda: 128 << 20)
    with pytest.raises(SlotMemoryError):
        read_params(_with(64 * 1024, 3, 4))
    monkeypatch.setattr(slots, "_machine_memory", lambda: 32 << 20)
    assert read_params(SLOT) == FLOOR


def test_argon2_out_of_memory_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the allocation itself fails the person reads a sentence, not a traceback."""

    class Starved:
        def __init__(self, **_: object) -> None:
            raise MemoryError

    monkeypatch.setattr(slots, "Argon2id", Starved)
    with pytest.raises(SlotMemoryError):
        open_slot(SLOT, WORDS, label="test")


def test_damage_is_told_from_a_wrong_passphrase_without_deriving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte flipped and every length is told, and costs no derivation; control: the slot itself does."""
    derived: list[int] = []

    def derive(*_: object) -> bytes:
        derived.append(1)
        return bytes(32)

    monkeypatch.setattr(slots, "_derive", derive)
    bad = [SLOT[:n] for n in range(len(SLOT))]
    bad += [SLOT[:n] + bytes([SLOT[n] ^ 0x10]) + SLOT[n + 1 :] for n in range(len(SLOT))]
    for altered in [*bad, SLOT + b"\0", SLOT + bytes(slots.MAX_SECRET)]:
        with pytest.raises((SlotDamagedError, FormatVersionError)):
            open_slot(altered, WORDS, label="test")
    assert derived == []
    with pytest.raises(UnlockError):
        open_slot(SLOT, WORDS, label="test")
    assert derived == [1]


def test_every_truncation_and_flip_of_a_slot_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the check made to fit, no byte flipped and no length gives the secret or anything but a typed error."""
    cheap: dict[tuple[bytes, str], bytes] = {}

    def derive(head: bytes, passphrase: str, params: Argon2Params) -> bytes:
        return cheap.setdefault((head, passphrase), struct.pack(">I", len(cheap)) * 8)

    monkeypatch.setattr(slots, "_derive", derive)
    slot = lock_slot(SECRET, WORDS, label="test", params=FLOOR)
    assert open_slot(slot, WORDS, label="test") == SECRET
    locked = slot[:-8]
    bad = [locked[:n] for n in range(len(locked))]
    bad += [locked[:n] + bytes([locked[n] ^ bit]) + locked[n + 1 :] for n in range(len(locked)) for bit in (1, 0x80)]
    bad += [locked + b"\x00", locked + bytes(slots.MAX_SECRET)]
    for altered in map(_checked, bad):
        with pytest.raises((UnlockError, UntrustedError, SlotMemoryError)):
            open_slot(altered, WORDS, label="test")


def test_not_a_slot() -> None:
    """Other files' bytes and a slot cut in its head are called damaged."""
    for other in (b"", b"PK\x03\x04" + bytes(100), SLOT[:40], b"FSL" + SLOT[3:]):
        with pytest.raises(SlotDamagedError):
            open_slot(other, WORDS, label="test")


def test_an_empty_passphrase_makes_no_slot() -> None:
    """Nothing, or only spaces and hyphens, is refused when locking."""
    for empty in ("", " \t-"):
        with pytest.raises(EmptyPassphraseError):
            lock_slot(SECRET, empty, label="test", params=FLOOR)


def _machine(speed: float) -> tuple[Callable[[Argon2Params], float], list[Argon2Params]]:
    """Seconds that a machine of `speed` KiB-iterations a second takes, and what it was asked."""
    asked: list[Argon2Params] = []

    def measure(params: Argon2Params) -> float:
        asked.append(params)
        return params.memory_kib * params.iterations / speed

    return measure, asked


@pytest.mark.parametrize("speed", [2e4, 1e5, 2.5e5, 1e6, 3e6, 6e6, 1e9])
def test_calibration_lands_between_half_and_one_second(speed: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the slowest laptop to the fastest: within 0.5 to 1 s, or at a bound, and always accepted."""
    monkeypatch.setattr(slots, "_machine_memory", lambda: 8 << 30)
    measure, asked = _machine(speed)
    chosen = calibrate(measure)
    chosen.check()
    took = chosen.memory_kib * chosen.iterations / speed
    lowest, highest = (chosen.memory_kib, chosen.iterations) == (19 * 1024, 2), chosen.iterations == 16
    assert 0.4 <= took <= 1 or (took > 1 and lowest) or (took < 0.5 and highest)
    assert len(asked) <= 24


def test_the_default_is_within_the_bounds() -> None:
    """64 MiB, 3 iterations, 4 lanes: accepted as it is."""
    DEFAULT.check()


def test_key_file_round_trip_and_wrong_passphrase() -> None:
    """A steward's secret opens with its passphrase only, and a vault's slot is not a key file."""
    blob = lock_secret(b"root key bytes", WORDS, FLOOR)
    assert unlock_secret(blob, WORDS) == b"root key bytes"
    assert b"root key bytes" not in blob
    for other, words in ((blob, "other words"), (SLOT, WORDS)):
        with pytest.raises(FieldsurveyError) as caught:
            unlock_secret(other, words)
        assert type(caught.value) is UnlockError
