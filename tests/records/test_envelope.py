"""A sealed record opens for its recipients only, shows its header only, and nothing of it can be changed."""

from __future__ import annotations

import itertools
import json

import pytest
from cryptography.cobblestone import Cobblestone256Encryptor
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.errors import FieldsurveyError, UntrustedError
from fieldsurvey.records import envelope
from fieldsurvey.records.envelope import body_length, open_record, read_envelope, read_header, record_hash, seal
from fieldsurvey.records.errors import (
    AlteredError,
    FieldError,
    FormatVersionError,
    NoRecipientError,
    NotARecipientError,
    RecordFormatError,
)
from fieldsurvey.records.padding import pad, padme, unpad
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.recipients import RecipientPrivate, RecipientPublic
from tests.records.conftest import Actors, seed
from tests.records.mutants import flips, mutants, survivors, truncations


@pytest.fixture(scope="module")
def blob(actors: Actors, payload: Payload) -> bytes:
    """A record for two recipients."""
    return seal(actors.header(), payload.to_bytes(), [actors.operational.public, actors.escrow.public])


@pytest.fixture(scope="module")
def eight() -> list[RecipientPrivate]:
    """As many recipients as there may be."""
    return [RecipientPrivate(seed(f"recipient {i}")) for i in range(8)]


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=20_000), count=st.integers(1, 3))
def test_what_is_sealed_opens_for_every_recipient(data: bytes, count: int) -> None:
    """Any bytes, any number of recipients: each opens the same header and payload."""
    privates = [RecipientPrivate(seed(f"recipient {i}")) for i in range(count)]
    header = envelope.Header(project="00" * 16, device="11" * 16, case="22" * 16)
    blob = seal(header, data, [p.public for p in privates])
    for private in privates:
        assert open_record(blob, private) == envelope.Opened(header, data)


def test_the_same_recipients_in_any_order_are_sorted_and_unique(actors: Actors, eight: list[RecipientPrivate]) -> None:
    """Order and repetition of the recipients given do not show."""
    publics = [p.public for p in eight]
    parts = read_envelope(seal(actors.header(), b"x", publics[::-1] + publics))
    assert list(parts.recipient_ids) == sorted(p.id for p in publics)


def test_only_recipients_open_it(actors: Actors, blob: bytes) -> None:
    """The device's own recipient key and a stranger's are refused: the device cannot open what it sealed."""
    for private in (actors.stranger, RecipientPrivate(seed("device recipient"))):
        with pytest.raises(NotARecipientError):
            open_record(blob, private)


@pytest.mark.parametrize("count", [0, 9])
def test_nobody_and_nine_are_refused(actors: Actors, count: int) -> None:
    """Without a recipient, or with more than eight, nothing is sealed."""
    recipients = [RecipientPrivate(seed(f"recipient {i}")).public for i in range(count)]
    with pytest.raises(NoRecipientError):
        seal(actors.header(), b"x", recipients)


def test_what_shows_is_the_header_and_sizes(actors: Actors, payload: Payload, blob: bytes) -> None:
    """No answer, form name, person or time is readable; the control finds the project id, which the header shows."""
    secret = payload.to_bytes()
    canaries = ["canary-ñandú", payload.form.id + '"', payload.form.hash, payload.started, payload.person + '"']
    for canary in canaries:
        assert canary.encode() in secret
        assert canary.encode() not in blob
        assert canary.encode("utf-16-le") not in blob
    assert actors.header().project.encode() in blob
    assert set(json.loads(read_envelope(blob).header_bytes)) == {
        "project", "device", "case", "revision", "kind", "parent", "withdrawal",
    }  # fmt: skip


def test_two_sealings_share_nothing_but_the_header(actors: Actors) -> None:
    """The same payload sealed twice gives different wraps and bodies."""
    one, two = (read_envelope(seal(actors.header(), b"same", [actors.escrow.public])) for _ in range(2))
    assert one.header == two.header
    assert one.wraps != two.wraps
    assert one.body != two.body


def test_every_flipped_byte_is_refused(actors: Actors, blob: bytes) -> None:
    """Every byte of a record changed once: none opens, all errors are typed; the control opens."""
    assert open_record(blob, actors.operational).payload
    refused = 0
    for mutant in flips(blob):
        with pytest.raises((UntrustedError, NotARecipientError)):
            open_record(mutant, actors.operational)
        refused += 1
    assert refused == len(blob)


def test_every_truncation_and_extension_is_refused(actors: Actors, blob: bytes) -> None:
    """Every prefix of a record, and a record with something after it, is refused."""
    assert survivors(read_header, truncations(blob)) == ([], len(blob))
    for extra in (b"\0", blob, bytes(1024)):
        with pytest.raises(UntrustedError):
            open_record(blob + extra, actors.operational)


def _open_mutants(actors: Actors, blob: bytes, count: int, seed_: int) -> int:
    opened = 0
    for mutant in mutants(blob, count, seed_):
        try:
            open_record(mutant, actors.operational)
            opened += 1
        except (UntrustedError, NotARecipientError):
            continue
    return opened


def test_mutants_are_refused(actors: Actors, blob: bytes) -> None:
    """1,000 random mutants: 0 open, 0 untyped errors."""
    assert _open_mutants(actors, blob, 1_000, 7) == 0


def test_parts_cannot_be_swapped_between_records(actors: Actors) -> None:
    """Header, ids, wraps and body of two records for the same recipients, mixed in every way: only they open."""
    recipients = [actors.operational.public, actors.escrow.public]
    blobs = [seal(actors.header(case=f"{i:032x}"), b"payload %d" % i, recipients) for i in (1, 2)]
    parts = [read_envelope(blob) for blob in blobs]
    opened = 0
    for a, b, c in itertools.product((0, 1), repeat=3):
        header = parts[a].header_bytes
        prefix = envelope.MAGIC + len(header).to_bytes(2, "big") + b"\x02"
        mixed = prefix + header + b"".join(parts[0].recipient_ids) + parts[b].wraps + parts[c].body
        try:
            assert open_record(mixed, actors.operational).payload == b"payload %d" % (a + 1)
            opened += 1
        except AlteredError:
            continue
    assert opened == 2


def test_a_recipient_cannot_hand_on_the_key_under_another_header(actors: Actors) -> None:
    """Who opened a record and seals its key anew under another header gives a record that does not open."""
    blob = seal(actors.header(), b"mine", [actors.operational.public])
    parts = read_envelope(blob)
    other = actors.header(case="ee" * 16).to_bytes()
    assert len(other) == len(parts.header_bytes)
    with pytest.raises(AlteredError):
        open_record(blob.replace(parts.header_bytes, other), actors.operational)


def _reassembled(header: bytes, ids: list[bytes], wraps: bytes, body: bytes) -> bytes:
    return envelope.MAGIC + len(header).to_bytes(2, "big") + bytes([len(ids)]) + header + b"".join(ids) + wraps + body


def test_unsorted_repeated_and_too_many_recipients_are_refused(actors: Actors, blob: bytes) -> None:
    """The parser takes 1 to 8 ids in strictly rising order; the control is the record itself."""
    parts = read_envelope(blob)
    first, second = parts.recipient_ids
    halves = parts.wraps[:1168], parts.wraps[1168:]
    assert _reassembled(parts.header_bytes, [first, second], parts.wraps, parts.body) == blob
    for ids, wraps in (
        ([second, first], halves[1] + halves[0]),
        ([first, first], halves[0] * 2),
        ([bytes([i]) * 8 for i in range(9)], halves[0] * 9),
        ([], b""),
    ):
        with pytest.raises(RecordFormatError):
            read_header(_reassembled(parts.header_bytes, ids, wraps, parts.body))


@pytest.mark.parametrize(
    "change",
    [
        {"form": "needs"},
        {"revision": 0},
        {"revision": 2},
        {"revision": True},
        {"revision": 1.0},
        {"revision": 2**63},
        {"kind": "other"},
        {"parent": "ab" * 32},
        {"parent": "AB" * 32, "revision": 2},
        {"project": "0f" * 15},
        {"project": "zz" * 16},
        {"withdrawal": ""},
        {"case": None},
    ],
)
def test_headers_outside_the_allow_list_are_refused(actors: Actors, blob: bytes, change: dict[str, object]) -> None:
    """Unknown fields, other types, wrong lengths and a parent that does not fit the revision are refused."""
    parts = read_envelope(blob)
    header = canonical_json({**json.loads(parts.header_bytes), **change})
    with pytest.raises(FieldError):
        read_header(_reassembled(header, list(parts.recipient_ids), parts.wraps, parts.body))


def canonical_json(value: object) -> bytes:
    """Floats included: `canonical` is for our own values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_header_has_one_spelling(actors: Actors, blob: bytes) -> None:
    """White space, another order, a duplicate key, an escape: refused although JSON would read them alike."""
    parts = read_envelope(blob)
    good = parts.header_bytes
    for bad in (
        good.replace(b":", b": ", 1),
        json.dumps(dict(reversed(json.loads(good).items())), separators=(",", ":")).encode(),
        good[:-1] + b',"revision":1}',
        good.replace(b'"record"', b'"\\u0072ecord"'),
        good.replace(b',"withdrawal":null', b""),
        b"\xef\xbb\xbf" + good,
        good + b" ",
        b"[" * 1000,
    ):
        with pytest.raises(UntrustedError):
            read_header(_reassembled(bad, list(parts.recipient_ids), parts.wraps, parts.body))


def test_other_versions_are_refused_by_name(blob: bytes) -> None:
    """A record of another version says so; another file says so too."""
    with pytest.raises(FormatVersionError, match="version 9 "):
        read_header(b"FSE1\x09" + blob[5:])
    with pytest.raises(RecordFormatError) as caught:
        read_header(b"PK\x03\x04!" + blob[5:])
    assert caught.value.details["reason"] == "magic"


def test_sizes_are_padded(actors: Actors) -> None:
    """Payloads from 0 to 2,000 bytes give few sizes, each the floor or at most 12 % above the payload."""
    sizes = {
        len(read_envelope(seal(actors.header(), bytes(n), [actors.escrow.public])).body) for n in range(0, 2000, 16)
    }
    assert len(sizes) <= 20
    assert min(sizes) == body_length(0) == 1024 + 72
    for n in range(1, 200_000, 777):
        assert n <= padme(n) <= max(1024, n * 1.12)


def test_wrong_padding_is_refused(actors: Actors) -> None:
    """A body whose padding is not what we write is refused, although the seal itself is whole."""
    for padded in (pad(b"x")[:-1] + b"\1", (1 << 31).to_bytes(4, "big") + bytes(1020), pad(b"x") * 2):
        assert unpad(padded) is None
    header = actors.header().to_bytes()
    ids, key = actors.escrow.id, b"k" * 32
    wrap = actors.escrow.public.wrap(key, envelope._info(envelope._digest(header, ids), ids))
    encryptor = Cobblestone256Encryptor(key, envelope._context(header, ids, wrap))
    body = encryptor.update(b"\0\0\0\1" + b"x" + b"y" * 1019) + encryptor.finalize()
    with pytest.raises(RecordFormatError):
        open_record(_reassembled(header, [ids], wrap, body), actors.escrow)


def test_a_body_of_a_length_that_padding_never_gives_is_refused_unopened(blob: bytes) -> None:
    """Without any key: bodies a byte or a chunk away from every padded length are refused by the structure alone."""
    start = len(blob) - len(read_envelope(blob).body)
    for size in (1024 + 72 + 1, 1024 + 72 - 1, 2049 + 72, 16_384 + 88 - 1, 20_001 + 88, 0, 72):
        with pytest.raises(RecordFormatError):
            read_header(blob[:start] + bytes(size))
    for payload_size in (0, 5_000, 16_380, 100_000):
        assert read_header(blob[:start] + bytes(body_length(payload_size)))


def test_our_own_values_are_as_strict_as_foreign_bytes(actors: Actors) -> None:
    """A header is not made of what only looks like its fields."""
    for change in ({"revision": "1"}, {"revision": True}, {"kind": b"record"}, {"project": bytes(32)}):
        with pytest.raises(ValidationError):
            actors.header(**change)


def test_too_much_is_refused_before_sealing(actors: Actors) -> None:
    """A payload over 8 MiB is refused with its reason, and nothing is sealed."""
    with pytest.raises(FieldError):
        seal(actors.header(), bytes(envelope.MAX_PAYLOAD + 1), [actors.escrow.public])


def test_a_mebibyte_of_answers_comes_back(actors: Actors) -> None:
    """Large records are whole at the far end."""
    data = bytes(range(256)) * 4096
    assert open_record(seal(actors.header(), data, [actors.escrow.public]), actors.escrow).payload == data


def test_errors_say_nothing_of_the_content(actors: Actors) -> None:
    """A payload that does not parse gives an error without its text; the control finds the text in the input."""
    bad = canonical({"format": "fieldsurvey payload", "instance": "canary-answer", "person": "not a code!"})
    assert b"canary-answer" in bad
    with pytest.raises(FieldsurveyError) as caught:
        Payload.from_bytes(bad)
    shown = f"{caught.value} {caught.value.advice} {caught.value.details} {caught.value!r}"
    assert "canary" not in shown
    assert "not a code" not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_recipient_is_known_by_all_its_bytes(actors: Actors) -> None:
    """Equality and hash follow the bytes, as the library's own classes do not."""
    again = RecipientPublic(actors.escrow.public.bytes)
    assert again == actors.escrow.public
    assert len({again, actors.escrow.public, actors.operational.public}) == 2


def test_a_records_identity_is_the_hash_of_all_its_bytes(blob: bytes) -> None:
    """Any change gives another record."""
    assert all(record_hash(m) != record_hash(blob) for m in itertools.islice(flips(blob), 200))
