"""Batch files: what is written is read back; whatever is not exactly that is refused, typed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldsurvey.base.errors import FieldsurveyError, RefusedError, UntrustedError
from fieldsurvey.records.container import MAX_FRAME, write_container
from fieldsurvey.records.errors import ContainerError, FormatVersionError, LogError, RecordFormatError, SignatureError
from sync.batches import plan_batches, read_batch, write_batch
from sync.errors import BatchError, ForeignProjectError
from tests.sync.laptops import OTHER_PROJECT, PROJECT, SyntheticLaptop, laptop


def check(data: bytes) -> list[bytes]:
    """Read a batch whole; the records it carries."""
    return [record for _entry, _header, record in read_batch(io.BytesIO(data), PROJECT).records()]


def test_a_log_travels_whole_and_in_order() -> None:
    """Several batches within the bounds together hold every record of the log, with its chain unbroken."""
    device = laptop(7)
    files = device.batches(max_entries=3)
    assert len(files) == 3
    assert [record for data in files for record in check(data)] == [record for _entry, record in device.log]
    batches = [read_batch(io.BytesIO(data), PROJECT) for data in files]
    assert [(batch.first, batch.last) for batch in batches] == [(1, 3), (4, 6), (7, 7)]
    assert batches[1].previous == device.log[2][0].head


def test_bytes_bound_a_batch_too_and_a_large_record_gets_its_own() -> None:
    """The bound on bytes cuts; a record above it is still carried."""
    device = laptop(2)
    device.seal(size=60_000)
    device.seal()
    sizes = [len(record) for _entry, record in device.log]
    plans = list(plan_batches(device, 1, 4, max_bytes=sizes[0] * 2))
    assert [(plan.first, plan.last) for plan in plans] == [(1, 2), (3, 3), (4, 4)]


def test_the_same_stretch_gives_the_same_bytes() -> None:
    """Exporting twice writes the identical file: nothing in it depends on when it was made."""
    device = laptop(4)
    assert device.batch(2, 4) == device.batch(2, 4)


def test_what_the_device_erased_travels_without_its_record() -> None:
    """The chain stays whole over it; the batch says so in version 2, and one without any is the same as ever."""
    device = laptop(5)
    before = device.batch()
    device.erase(2, 5)
    batch = read_batch(io.BytesIO(device.batch()), PROJECT)
    assert (batch.first, batch.last, set(batch.erased)) == (1, 5, {2, 5})
    assert [entry.seq for entry in batch.present] == [1, 3, 4]
    assert [record for _entry, _header, record in batch.records()] == [device.log[at][1] for at in (0, 2, 3)]
    assert device.manifest()["format_version"] == 2
    assert device.manifest(3, 4)["format_version"] == 1
    assert all("erased" not in entry for entry in device.manifest(3, 4)["entries"])
    device.erased.clear()
    assert device.batch() == before


def test_a_batch_may_hold_nothing_but_what_was_erased() -> None:
    """No frame at all; and every byte of it still counts."""
    device = laptop(2)
    device.erase(1, 2)
    data = device.batch()
    assert check(data) == []
    assert read_batch(io.BytesIO(data), PROJECT).erased == {1, 2}
    for position in range(0, len(data), 7):
        refuse(data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :])
    refuse(data + b"\0")


def _version_1(manifest: dict[str, Any]) -> None:
    manifest["format_version"] = 1


def _not_said(manifest: dict[str, Any]) -> None:
    manifest["entries"][1]["erased"] = False


def _said_of_another(manifest: dict[str, Any]) -> None:
    manifest["entries"][0]["erased"], manifest["entries"][1]["erased"] = True, False


def _said_of_all(manifest: dict[str, Any]) -> None:
    for entry in manifest["entries"]:
        entry["erased"] = True


def _left_out(manifest: dict[str, Any]) -> None:
    del manifest["entries"][0]["erased"]


def _a_number(manifest: dict[str, Any]) -> None:
    manifest["entries"][0]["erased"] = 0


@pytest.mark.parametrize("tamper", [_version_1, _not_said, _said_of_another, _said_of_all, _left_out, _a_number])
def test_what_is_said_to_be_erased_must_fit_the_frames(tamper: Callable[[dict[str, Any]], None]) -> None:
    """Signed by the carrier key all the same: refused. As it was, it is read (control)."""
    device = laptop(3)
    device.erase(2)
    manifest = device.manifest()
    records = [device.log[0][1], device.log[2][1]]
    assert check(device.resign(manifest, records)) == records
    tamper(manifest)
    refuse(device.resign(manifest, records))


def test_nobody_but_the_laptop_can_leave_a_record_out() -> None:
    """A carrier takes out a record and says that it was erased, under a key of its own: refused, as in any batch."""
    device, relay = laptop(3), SyntheticLaptop()
    manifest = device.manifest() | {"format_version": 2}
    for entry in manifest["entries"]:
        entry["erased"] = entry["seq"] == 2
    records = [device.log[0][1], device.log[2][1]]
    assert check(device.resign(manifest, records)) == records
    with pytest.raises(SignatureError):
        check(relay.resign(manifest, records))


def test_a_batch_of_a_version_to_come_is_told() -> None:
    """By a sentence of its own, with the newest version that is read here."""
    device = laptop(1)
    manifest = device.manifest() | {"format_version": 3}
    with pytest.raises(FormatVersionError, match=r"version 3 .* reads version 2\."):
        check(device.resign(manifest, [device.log[0][1]]))


def test_one_record_in_memory_at_a_time() -> None:
    """Writing asks for a record only when its turn comes."""
    device = laptop(5)
    (plan,) = plan_batches(device, 1, 5)
    loaded: list[int] = []

    class Watched(SyntheticLaptop):
        def entries(self, from_seq: int, to_seq: int) -> Any:
            for entry, record in super().entries(from_seq, to_seq):
                loaded.append(entry.seq)
                yield entry, record

    device.__class__ = Watched
    pieces = write_batch(device, plan)
    next(pieces)
    assert loaded == []
    next(pieces)
    assert loaded == [1]


def test_every_flipped_byte_is_refused() -> None:
    """A small batch, each byte altered in turn: 0 accepted, typed errors only. The unaltered one passes (control)."""
    data = laptop(2).batch()
    assert len(check(data)) == 2
    step = 7  # every 7th here, with the header, table and signatures covered in whole by the long run
    for position in range(0, len(data), step):
        refuse(data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :])


@pytest.mark.long
def test_every_flipped_bit_is_refused() -> None:
    """All eight bits of every byte."""
    data = laptop(1).batch()
    for position in range(len(data)):
        for bit in range(8):
            refuse(data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :])


def test_every_truncation_is_refused() -> None:
    """Cut anywhere, the batch is refused whole; so is anything after its end."""
    data = laptop(2).batch()
    for length in range(0, len(data), 11):
        refuse(data[:length])
    refuse(data[:-1])
    refuse(data + b"\0")
    refuse(data + data)


def refuse(data: bytes) -> None:
    """Reading `data` to the end must raise a typed error of a foreseen kind."""
    with pytest.raises((UntrustedError, RefusedError)):
        check(data)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutants_are_refused_with_typed_errors(data: st.DataObject) -> None:
    """Deleted, doubled, swapped and overwritten stretches: never accepted, never an untyped error."""
    whole = _SMALL
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start, min(len(whole), start + 200)))
    piece = data.draw(st.sampled_from([b"", whole[start:end] * 2, b"\xff" * (end - start), whole[start:end][::-1]]))
    mutant = whole[:start] + piece + whole[end:]
    if mutant == whole:
        assert check(mutant)
    else:
        refuse(mutant)


_SMALL = laptop(1).batch()


def _edit(change: Callable[[dict[str, Any], list[bytes]], None], records: int = 3) -> bytes:
    """A batch whose manifest or records were changed and signed again with the carrier key."""
    device = laptop(records)
    manifest, bodies = device.manifest(), [record for _entry, record in device.log]
    change(manifest, bodies)
    return device.resign(manifest, bodies)


def test_resigning_what_was_not_changed_is_accepted() -> None:
    """Control for the tests below: the tool they tamper with makes valid batches."""
    assert len(check(_edit(lambda _manifest, _bodies: None))) == 3


@pytest.mark.parametrize("position", [0, 1, 2])
def test_the_carrier_key_cannot_drop_a_record(position: int) -> None:
    """Who seized a locked laptop may sign manifests, but leaving out an entry breaks the chain of the device's key."""

    def drop(manifest: dict[str, Any], bodies: list[bytes]) -> None:
        del manifest["entries"][position]
        del bodies[position]

    if position == 2:  # a shorter log is a valid log: only later exports and receipts show what was withheld
        assert len(check(_edit(drop))) == 2
    else:
        with pytest.raises(LogError):
            check(_edit(drop))


def test_the_carrier_key_cannot_reorder_insert_or_forge() -> None:
    """Swapped entries, a renumbered one, a forged head, a foreign signature: the log does not hold together."""

    def swap(manifest: dict[str, Any], bodies: list[bytes]) -> None:
        manifest["entries"][0], manifest["entries"][1] = manifest["entries"][1], manifest["entries"][0]
        bodies[0], bodies[1] = bodies[1], bodies[0]

    def renumber(manifest: dict[str, Any], _bodies: list[bytes]) -> None:
        for entry in manifest["entries"]:
            entry["seq"] += 1

    def forge_head(manifest: dict[str, Any], _bodies: list[bytes]) -> None:
        manifest["entries"][-1]["head"] = "00" * 32

    def forge_signature(manifest: dict[str, Any], _bodies: list[bytes]) -> None:
        manifest["entries"][-1]["signature"] = manifest["entries"][0]["signature"]

    def forge_previous(manifest: dict[str, Any], _bodies: list[bytes]) -> None:
        manifest["previous"] = "11" * 32

    for change in (swap, renumber, forge_head, forge_signature, forge_previous):
        with pytest.raises(LogError):
            check(_edit(change))


def test_a_record_of_another_device_is_refused() -> None:
    """A hijacked record: the header's device must be the signer, even when the signer logs and signs it properly."""
    victim, thief = laptop(1), laptop(1)
    thief.append(victim.log[0][1])
    with pytest.raises(BatchError, match="another device"):
        check(thief.batch())


def test_a_record_of_another_project_is_refused() -> None:
    """The header's project must be the log's."""
    device = laptop(0)
    device.seal(project=OTHER_PROJECT)
    with pytest.raises(BatchError, match="another project"):
        check(device.batch())


def test_what_is_no_record_is_refused() -> None:
    """A device that logs garbage is not listened to."""
    device = laptop(1)
    device.append(b"not a record")
    with pytest.raises(RecordFormatError):
        check(device.batch())


def test_a_batch_of_another_project_is_refused_by_name() -> None:
    """Both projects are named."""
    with pytest.raises(ForeignProjectError) as caught:
        check(laptop(1, project=OTHER_PROJECT).batch())
    assert OTHER_PROJECT[:8] in caught.value.message
    assert PROJECT[:8] in caught.value.message


def test_records_and_entries_must_agree() -> None:
    """A record missing from the frames, one too many, or in another order is refused."""
    for change in (list.pop, list.reverse, lambda bodies: bodies.append(b"more")):
        with pytest.raises(BatchError):
            check(_edit(lambda _manifest, bodies, change=change: change(bodies)))  # type: ignore[misc]


def test_a_manifest_signed_by_anybody_else_is_refused() -> None:
    """Another key's signature, or an additional one, does not do."""
    device, other = laptop(1), laptop(1)
    bodies = [device.log[0][1]]
    with pytest.raises(SignatureError):
        check(b"".join(write_container("batch", device.manifest(), bodies, other.carrier)))
    with pytest.raises(BatchError):
        check(b"".join(write_container("batch", device.manifest(), bodies, [device.carrier, other.carrier])))


def test_fields_missing_added_or_of_another_type_are_refused() -> None:
    """One spelling only: every field there, none unknown, none of another type."""
    for key in ("format", "format_version", "project", "card", "previous", "entries"):
        refuse(_edit(lambda manifest, _bodies, key=key: manifest.pop(key)))  # type: ignore[misc]
        refuse(_edit(lambda manifest, _bodies, key=key: manifest.update({key: 7})))  # type: ignore[misc]
    refuse(_edit(lambda manifest, _bodies: manifest.update({"name": "../../etc/passwd"})))


def test_a_declared_length_costs_nothing() -> None:
    """A manifest length of 4 GiB is refused before anything is read or allocated."""
    data = _SMALL
    with pytest.raises(ContainerError):
        check(data[:5] + b"\xff\xff\xff\xff" + data[9:])
    assert MAX_FRAME < 1 << 25


def test_another_version_says_so() -> None:
    """A file of a later format is refused for that reason, not as damage."""
    with pytest.raises(FormatVersionError, match="version 9 "):
        check(_SMALL[:4] + b"\x09" + _SMALL[5:])


def test_every_error_renders() -> None:
    """Each refusal has a sentence and an advice; neither is left with unfilled braces."""
    for data in (b"", _SMALL[:-1], _SMALL[:100] + b"x" + _SMALL[101:], laptop(1, project=OTHER_PROJECT).batch()):
        with pytest.raises(FieldsurveyError) as caught:
            check(data)
        assert caught.value.message
        assert caught.value.advice
        assert "{" not in caught.value.message + caught.value.advice
