"""At each bound the last value that is taken and the first that is refused, and that every refusal says why.

Written from what a run of mutmut left standing: a bound moved by one, a reason that nobody read.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.records import container
from fieldsurvey.records.container import MAX_MANIFEST, MAX_SIGNATURES, open_container, write_container
from fieldsurvey.records.errors import CodeError, ContainerError, FieldError, SignatureError
from fieldsurvey.records.receipt import MAX_BYTES, Level, Receipt, Role, read_receipt, write_receipt
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import BITS, Tombstone, WithdrawalCode, _check, _digits
from tests.records.conftest import PROJECT, Actors, seed

MANIFEST = {"note": "synthetic"}
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def said(error: FieldsurveyError) -> tuple[str, str]:
    """The kind and reason of a refusal, after its sentence was put together as a person would read it."""
    assert error.message
    assert error.advice
    return str(error.details["kind"]), str(error.details["reason"])


def built(whole: object, *keys: SigningKey) -> bytes:
    """A container around any manifest at all, signed."""
    data = canonical(whole)
    signatures = b"".join(key.public.id + key.sign(container.label_of("batch"), data) for key in keys)
    return container.MAGIC + len(data).to_bytes(4, "big") + bytes([len(keys)]) + data + signatures


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"X" + data[1:], "magic"),
        (lambda data: data[:5] + bytes(4) + data[9:], "manifest length"),
        (lambda data: data[:5] + (1).to_bytes(4, "big") + data[9:], "manifest length"),
        (lambda data: data[:5] + (MAX_MANIFEST + 1).to_bytes(4, "big") + data[9:], "manifest length"),
        (lambda data: data[:9] + b"\x00" + data[10:], "signatures"),
        (lambda data: data[:9] + bytes([MAX_SIGNATURES + 1]) + data[10:], "signatures"),
        (lambda data: data[:-1], "truncated"),
        (lambda data: data[:-1] + b"!", "frame altered"),
        (lambda data: data + b"!", "something follows the end"),
    ],
)
def test_a_container_says_what_is_wrong_with_it(actors: Actors, change: Callable[[bytes], bytes], reason: str) -> None:
    """Each fault by its own reason, in a sentence that can be shown."""
    whole = b"".join(write_container("batch", MANIFEST, [b"a frame?"], actors.carrier))
    assert open_container(whole, "batch").read_all()
    with pytest.raises(ContainerError) as caught:
        open_container(change(whole), "batch").read_all()
    assert said(caught.value) == ("batch", reason)


@pytest.mark.parametrize(
    ("whole", "reason"),
    [
        ({"content": {}, "frames": []}, "manifest"),
        ([], "manifest"),
        ({"content": {}, "frames": [], "kind": "receipt"}, "kind"),
        ({"content": [], "frames": [], "kind": "batch"}, "content"),
        ({"content": {}, "frames": {}, "kind": "batch"}, "frames"),
        ({"content": {}, "frames": [["00" * 32]], "kind": "batch"}, "frames"),
        ({"content": {}, "frames": [["0" * 63, 1]], "kind": "batch"}, "frame address"),
        ({"content": {}, "frames": [["00" * 32, -1]], "kind": "batch"}, "frame length"),
        ({"content": {}, "frames": [["00" * 32, 1], ["00" * 32, 1]], "kind": "batch"}, "frame twice"),
        ({"content": {}, "frames": [[f"{n:064x}", 16 << 20] for n in range(4)], "kind": "batch"}, "too long"),
    ],
)
def test_a_manifest_says_what_is_wrong_with_it(actors: Actors, whole: object, reason: str) -> None:
    """The same for what is in the manifest, however well it is signed."""
    with pytest.raises(ContainerError) as caught:
        open_container(built(whole, actors.carrier), "batch")
    assert said(caught.value) == ("batch", reason)


def test_four_signatures_are_taken_and_none_twice(actors: Actors) -> None:
    """The most that a container may carry; one more, one twice, or an algorithm that is none are refused."""
    keys = [SigningKey(seed(f"signer {n}")) for n in range(MAX_SIGNATURES)]
    whole = b"".join(write_container("batch", MANIFEST, [], keys))
    opened = open_container(whole, "batch")
    for key in keys:
        opened.verify(key.public)
    with pytest.raises(SignatureError) as unsigned:
        opened.verify(actors.central.public)
    assert "batch" in unsigned.value.message
    plain = {"content": {}, "frames": [], "kind": "batch"}
    unknown = bytearray(built(plain, keys[0]))
    unknown[-65] = 9  # the algorithm byte of the one signature
    for data in (built(plain, keys[0], keys[0]), bytes(unknown)):
        with pytest.raises(ContainerError) as caught:
            open_container(data, "batch")
        assert said(caught.value) == ("batch", "signatures")


def test_the_longest_manifest_is_taken(actors: Actors) -> None:
    """4 MiB, written and read; a byte more is not written."""
    empty = len(canonical({"content": {"note": ""}, "frames": [], "kind": "batch"}))
    note = "n" * (MAX_MANIFEST - empty)
    whole = b"".join(write_container("batch", {"note": note}, [], actors.carrier))
    assert open_container(io.BytesIO(whole), "batch").manifest == {"note": note}
    with pytest.raises(ContainerError):
        write_container("batch", {"note": note + "n"}, [], actors.carrier)


def test_a_receipt_is_small(actors: Actors) -> None:
    """A signed receipt that announces more than 64 KiB is refused before that is read."""
    receipt = Receipt(
        project=PROJECT,
        device=actors.device_id,
        up_to=1,
        head="00" * 32,
        level=Level.COMMITTED,
        by=Role.CENTRAL,
        issued="2026-01-02T03:04:05Z",
    )
    keys = [(Role.CENTRAL, actors.central.public)]
    assert read_receipt(write_receipt(receipt, actors.central), keys) == receipt
    large = b"".join(write_container("receipt", receipt.content(), [bytes(MAX_BYTES)], actors.central))
    with pytest.raises(ContainerError) as caught:
        read_receipt(large, keys)
    assert said(caught.value) == ("receipt", "too long")
    with pytest.raises(SignatureError) as foreign:
        read_receipt(write_receipt(receipt, actors.carrier), keys)
    assert "receipt" in foreign.value.message


def test_a_code_has_all_its_bits_and_no_more() -> None:
    """77 random bits reach the code; letters for 78 or more are refused although their check digit is right."""
    full = WithdrawalCode.generate(lambda n: b"\xff" * n)
    assert full.value == 2**77 - 1 == 2**BITS - 1
    assert WithdrawalCode.parse(full.text) == full
    for value in (2**77, 2**77 + 1, 2**78 - 1, 2**80 - 1):
        digits = _digits(value)
        typed = "".join(LETTERS[digit] for digit in (*digits, _check(digits)))
        with pytest.raises(CodeError) as caught:
            WithdrawalCode.parse(typed)
        assert caught.value.details["reason"] == "check"


@pytest.mark.parametrize(("typed", "reason"), [("?" * 17, "letters"), ("0" * 16, "length"), ("0" * 15 + "10", "check")])
def test_a_mistyped_code_says_which_kind_of_mistake(typed: str, reason: str) -> None:
    """Letters that no code has, too few of them, or a check digit that does not fit; in words."""
    with pytest.raises(CodeError) as caught:
        WithdrawalCode.parse(typed)
    assert caught.value.details["reason"] == reason
    assert caught.value.message


def test_a_damaged_tombstone_says_so() -> None:
    """By name, in a sentence."""
    code = WithdrawalCode.generate(lambda n: b"\x5a" * n)
    data = Tombstone(project=PROJECT, code=code.raw, requested="2026-01-02").to_bytes()
    with pytest.raises(FieldError) as caught:
        Tombstone.from_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert caught.value.details == {"what": "tombstone", "field": "*", "reason": "check"}
    assert caught.value.message
    assert code.raw not in repr(code) + repr(Tombstone.from_bytes(data))


def test_two_recipients_are_two(actors: Actors) -> None:
    """Equal means the same key, and nothing that is no key at all."""
    assert actors.operational.public == RecipientPrivate(seed("operational")).public
    assert actors.operational.public != actors.escrow.public
    assert actors.operational.public != actors.carrier.public
    assert len({RecipientPrivate.generate().public.bytes for _ in range(3)}) == 3
