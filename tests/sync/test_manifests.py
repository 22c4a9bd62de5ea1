"""The reader for the many entries of a manifest takes exactly what the strict one takes, and says the same of it."""

from __future__ import annotations

import copy
import io
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.records.container import MAGIC, label_of, open_container
from sync import manifests
from sync.batches import Batch, read_batch
from tests.sync.laptops import PROJECT, SyntheticLaptop, laptop

_DEVICE = laptop(4)
_ERASED = laptop(4)
_ERASED.erase(2)
_LONG = laptop(12)


def _whole(device: SyntheticLaptop, *stretch: int) -> tuple[SyntheticLaptop, dict[str, Any]]:
    data = open_container(io.BytesIO(device.batch(*stretch)), "batch").manifest_bytes
    return device, json.loads(data)


_GENUINE = {
    "version 1": _whole(_DEVICE),
    "from the middle": _whole(_DEVICE, 2, 3),
    "version 2": _whole(_ERASED),
    "long": _whole(_LONG),
}
_BYTES = st.sampled_from([b"", b" ", b"A", b"0", b"\xff", b'"', b"}", b"],", b"\n"])
_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.0, 2**53, 10**15, "", "A" * 64, "a" * 64, "0" * 63, '"' * 64, "],[", "é", [], {}, [[]]]
)


def said(batch: Batch) -> tuple[Any, ...]:
    """All that a batch says before its records are read."""
    table = batch._container.table
    return batch.card, batch.previous, batch.entries, batch.erased, batch.manifest_hash, table


def outcome(data: bytes, *, quickly: bool) -> Any:
    """What a reader finds, or how it refuses."""
    with pytest.MonkeyPatch.context() as patched:
        if not quickly:
            patched.setattr(manifests, "_quickly", lambda _kind, _data: None)
        try:
            return said(read_batch(io.BytesIO(data), PROJECT))
        except FieldsurveyError as error:
            return error.code, error.message


def _head(device: SyntheticLaptop, manifest: bytes) -> bytes:
    """A batch as far as its signature: whoever has the carrier key of a seized laptop signs what he likes."""
    signature = device.carrier.public.id + device.carrier.sign(label_of("batch"), manifest)
    return MAGIC + len(manifest).to_bytes(4, "big") + b"\x01" + manifest + signature


@st.composite
def _manifests(draw: st.DrawFn) -> tuple[SyntheticLaptop, bytes]:
    """Genuine ones, or with a part that is odd, gone, doubled, moved or added, or with other bytes somewhere."""
    device, genuine = _GENUINE[draw(st.sampled_from(sorted(_GENUINE)))]
    whole = copy.deepcopy(genuine)
    entries, frames = whole["content"]["entries"], whole["frames"]
    at = draw(st.integers(0, len(frames) - 1))
    name = draw(st.sampled_from(sorted(entries[at])))
    change = draw(st.sampled_from(["none", "odd", "gone", "twice", "moved", "added", "top", "bytes", "bytes", "frame"]))
    if change == "odd":
        entries[at][name] = draw(_ODD)
    elif change == "gone":
        draw(st.sampled_from([lambda: entries.pop(at), lambda: entries[at].pop(name), lambda: frames.pop(at)]))()
    elif change == "twice":
        entries.insert(draw(st.integers(0, len(entries))), dict(entries[at]))
    elif change == "moved":
        which = draw(st.sampled_from([entries, frames]))
        which.insert(0, which.pop(at))
    elif change == "added":
        place = draw(st.sampled_from([entries[at], whole["content"], whole["content"]["card"], whole]))
        place[draw(st.sampled_from(["entries", "frames", "zz"]))] = draw(_ODD)
    elif change == "top":
        whole["content"][draw(st.sampled_from(sorted(whole["content"])))] = draw(_ODD)
    elif change == "frame":
        frames[at][draw(st.integers(0, 1))] = draw(_ODD)
    data = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    if change == "bytes":
        where = draw(st.integers(0, len(data) - 1))
        data = data[:where] + draw(_BYTES) + data[where + draw(st.integers(0, 3)) :]
    return device, data


def _differs(case: tuple[SyntheticLaptop, bytes]) -> bool:
    data = _head(*case)
    return bool(outcome(data, quickly=True) != outcome(data, quickly=False))


@settings(max_examples=200, deadline=None)
@given(_manifests())
def test_both_readers_agree_on_any_manifest(case: tuple[SyntheticLaptop, bytes]) -> None:
    """All that it says is the same, or it is refused in the same words; signed by the carrier key each time."""
    assert not _differs(case)


@pytest.mark.parametrize("kind", ["version 1", "from the middle", "long"])
def test_what_is_valid_is_read_quickly(kind: str) -> None:
    """The spelling that is looked for is the one that is written; a batch with an erased record goes the long way."""
    device, whole = _GENUINE[kind]
    assert manifests._quickly("batch", canonical(whole)) is not None
    assert manifests._quickly("batch", canonical(_GENUINE["version 2"][1])) is None
    assert len(outcome(_head(device, canonical(whole)), quickly=True)[2]) == len(whole["frames"])


@pytest.mark.parametrize(
    ("name", "looser", "old", "new"),
    [
        ("_HEXADECIMAL", b"0123456789abcdefABCDEF", rb'("seq":2,"signature":")01', rb"\g<1>0A"),
        ("_ENTRY", (rb"[1-9]", rb"[0-9]"), rb'"seq":2', rb'"seq":02'),
        ("_FRAME", (rb"\],", rb"\][ ,]"), rb"\],\[", rb"] ["),
    ],
)
def test_a_reader_that_is_looser_is_noticed(
    name: str, looser: Any, old: bytes, new: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control for the comparison above: capitals, a number with a nought before it, no comma between two frames."""
    device, whole = _GENUINE["version 1"]
    planted = re.sub(old, new, canonical(whole), count=1)
    assert not _differs((device, planted))
    plain = getattr(manifests, name)
    value = looser if isinstance(looser, bytes) else re.compile(plain.pattern.replace(*looser), re.DOTALL)
    monkeypatch.setattr(manifests, name, value)
    assert _differs((device, planted))
