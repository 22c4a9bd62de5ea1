"""Batches that nobody wrote like that: damaged on the road, put together from two, edited and signed anew.

Every kind is a function of a random source and of a stock of genuine batches. What is edited and signed anew is signed
with the laptop's own carrier key, which lies in the clear on a seized laptop: its log must still hold.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fieldsurvey.base.canonical import canonical
from fieldsurvey.records.container import MAGIC, PREFIX_BYTES, label_of
from fieldsurvey.records.signing import KEY_ID_BYTES, SIGNATURE_BYTES, SigningKey
from tests.records.mutants import mutants
from tests.sync.laptops import SyntheticLaptop

_SIGNED: Final = KEY_ID_BYTES + SIGNATURE_BYTES[1]
FOREIGN: Final = SigningKey(bytes([7]) * 32)
NUMBERS: Final[tuple[Any, ...]] = (
    0,
    -1,
    2**31,
    2**53 - 1,
    2**53,
    2**63,
    2**64,
    10**400,
    1.5,
    1e308,
    True,
    None,
    "1",
    [],
    {},
)
Random = random.Random


@dataclass(frozen=True)
class Genuine:
    """A batch as its laptop wrote it, and its parts: prefix, manifest, signature, frames."""

    laptop: SyntheticLaptop
    data: bytes

    @property
    def manifest_bytes(self) -> bytes:
        """What is signed."""
        return self.data[PREFIX_BYTES : PREFIX_BYTES + int.from_bytes(self.data[5:9], "big")]

    @property
    def manifest(self) -> dict[str, Any]:
        """The same, to be edited: a copy of its own."""
        found: dict[str, Any] = json.loads(self.manifest_bytes)
        return found

    @property
    def signature(self) -> bytes:
        """Key id and signature."""
        at = PREFIX_BYTES + len(self.manifest_bytes)
        return self.data[at : at + _SIGNED]

    @property
    def frames(self) -> bytes:
        """The records, end to end."""
        return self.data[PREFIX_BYTES + len(self.manifest_bytes) + _SIGNED :]

    @property
    def records(self) -> list[bytes]:
        """One by one."""
        found, at = [], 0
        for _address, size in self.manifest["frames"]:
            found.append(self.frames[at : at + size])
            at += size
        return found


def put_together(manifest: bytes, signature: bytes, frames: bytes) -> bytes:
    """A file of these parts."""
    return MAGIC + len(manifest).to_bytes(4, "big") + b"\x01" + manifest + signature + frames


def signed(manifest: Any, frames: bytes, key: SigningKey) -> bytes:
    """A file whose manifest this key signed, whatever it says."""
    data = manifest if isinstance(manifest, bytes) else _json(manifest)
    return put_together(data, key.public.id + key.sign(label_of("batch"), data), frames)


def _json(manifest: Any) -> bytes:
    """Canonical where that can say it, else plain."""
    try:
        return canonical(manifest)
    except (TypeError, ValueError, OverflowError):
        return json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()


Stock = list[Genuine]
Kind = Callable[[Random, Stock], bytes]


def damaged(rng: Random, stock: Stock) -> bytes:
    """Bits, runs, insertions, repeats, lengths: anywhere."""
    return next(mutants(rng.choice(stock).data, 1, rng.randrange(1 << 30)))


def flipped(rng: Random, stock: Stock) -> bytes:
    """One bit: of the prefix, the manifest, the signature or a record, each as often."""
    one = rng.choice(stock)
    ends = [0, PREFIX_BYTES, PREFIX_BYTES + len(one.manifest_bytes), len(one.data) - len(one.frames), len(one.data)]
    part = rng.randrange(4)
    at = rng.randrange(ends[part], ends[part + 1])
    return one.data[:at] + bytes([one.data[at] ^ 1 << rng.randrange(8)]) + one.data[at + 1 :]


def cut(rng: Random, stock: Stock) -> bytes:
    """Ends early, often at a seam."""
    one = rng.choice(stock)
    seams = [PREFIX_BYTES, len(one.data) - len(one.frames), len(one.data) - len(one.records[-1]), len(one.data) - 1]
    return one.data[: rng.choice([*seams, rng.randrange(len(one.data))])]


def spliced(rng: Random, stock: Stock) -> bytes:
    """The beginning of one and the end of another, at any places."""
    one, two = rng.sample(stock, 2)
    return one.data[: rng.randrange(1, len(one.data))] + two.data[rng.randrange(len(two.data)) :]


def parts_of_two(rng: Random, stock: Stock) -> bytes:
    """Whole parts of two batches: one's manifest, the other's signature or records."""
    one, two = rng.sample(stock, 2)
    parts = [(one, two)[rng.randrange(2)] for _ in range(3)]
    return put_together(parts[0].manifest_bytes, parts[1].signature, parts[2].frames)


def frames_swapped(rng: Random, stock: Stock) -> bytes:
    """The same manifest, its records in another order, one of them twice, or one missing."""
    one = rng.choice([item for item in stock if len(item.records) > 1])
    records = one.records
    how = rng.randrange(3)
    if how == 0:
        records = records[1:] + records[:1]
    elif how == 1:
        records.append(rng.choice(records))
    else:
        records.pop(rng.randrange(len(records)))
    return put_together(one.manifest_bytes, one.signature, b"".join(records))


def signed_by_another(rng: Random, stock: Stock) -> bytes:
    """Nothing is edited, but another key signed it: a stranger's, another laptop's, the log's own."""
    one, two = rng.sample(stock, 2)
    key = rng.choice([FOREIGN, one.laptop.key, two.laptop.carrier if two.laptop is not one.laptop else FOREIGN])
    made = signed(one.manifest_bytes, one.frames, key)
    if rng.randrange(2):
        at = PREFIX_BYTES + len(one.manifest_bytes)
        made = made[:at] + one.laptop.carrier.public.id + made[at + KEY_ID_BYTES :]
    return made


def run_together(rng: Random, stock: Stock) -> bytes:
    """Two files, or one twice, one behind the other."""
    one, two = rng.choice(stock), rng.choice(stock)
    return one.data + rng.choice([two.data, two.frames, b"\0", b"\0" * 4096, two.data[:PREFIX_BYTES]])


def oversized(rng: Random, stock: Stock) -> bytes:
    """Numbers that are too large, negative or no numbers; lengths that promise gigabytes; depth without end."""
    one = rng.choice(stock)
    how = rng.randrange(6)
    if how == 0:
        return one.data[:5] + rng.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"]) + one.data[9:]
    if how == 1:
        return one.data[:9] + bytes([rng.choice([0, 5, 255])]) + one.data[10:]
    if how == 2:
        deep = b"[" * 10_000 + b"]" * 10_000
        return signed(b'{"content":' + deep + b',"frames":[],"kind":"batch"}', one.frames, one.laptop.carrier)
    manifest = one.manifest
    number = rng.choice(NUMBERS)
    if how == 3:
        rng.choice(manifest["frames"])[1] = number
    elif how == 4:
        rng.choice(manifest["content"]["entries"])["seq"] = number
    else:
        manifest["content"]["format_version"] = number if number is not True else 99
    return signed(manifest, one.frames, one.laptop.carrier)


def _drop(content: dict[str, Any], rng: Random) -> None:
    """An entry in the middle, or the first, goes; what follows it stays."""
    content["entries"].pop(rng.randrange(len(content["entries"]) - 1))


def _swap(content: dict[str, Any], rng: Random) -> None:
    entries = content["entries"]
    entries[0], entries[-1] = entries[-1], entries[0]


def _twice(content: dict[str, Any], rng: Random) -> None:
    entries = content["entries"]
    entries.insert(rng.randrange(len(entries)), copy.deepcopy(rng.choice(entries)))


def _shift(content: dict[str, Any], rng: Random) -> None:
    """All positions move, or one does."""
    by = rng.choice([-1, 1, 100])
    entries = content["entries"]
    for entry in entries if rng.randrange(2) else [rng.choice(entries)]:
        entry["seq"] += by


def _hash(content: dict[str, Any], rng: Random) -> None:
    """A head, a record's hash, or the head before the first is another."""
    other = rng.randbytes(32).hex()
    field = rng.choice(["head", "record", "previous"])
    (content if field == "previous" else rng.choice(content["entries"]))[field] = other


def _signature(content: dict[str, Any], rng: Random) -> None:
    """The last entry carries an earlier one's signature, or none that holds."""
    entries = content["entries"]
    entries[-1]["signature"] = rng.choice([entries[0]["signature"], "01" + rng.randbytes(64).hex()])


def _project(content: dict[str, Any], rng: Random) -> None:
    content["project"] = rng.randbytes(16).hex()


def _card(content: dict[str, Any], rng: Random) -> None:
    """The card's keys, id or name are others'; its own signature no longer holds."""
    field = rng.choice(["device", "name", "created", "sign", "carrier", "project", "signature"])
    value = content["card"][field]
    content["card"][field] = value[:-1] + ("0" if value[-1] != "0" else "1")


def _field(content: dict[str, Any], rng: Random) -> None:
    """A field too many, one too few."""
    holder = rng.choice([content, content["card"], rng.choice(content["entries"])])
    if rng.randrange(2):
        holder["more"] = 1
    else:
        holder.pop(rng.choice(sorted(holder)))


def _erased(content: dict[str, Any], rng: Random) -> None:
    """It says that a record was erased, and brings it; or names version 2 without need."""
    content["format_version"] = 2
    for entry in content["entries"]:
        entry["erased"] = False
    if rng.randrange(2):
        rng.choice(content["entries"])["erased"] = True


EDITS: Final = (_drop, _swap, _twice, _shift, _hash, _signature, _project, _card, _field, _erased)


def edited(rng: Random, stock: Stock) -> bytes:
    """Its own laptop's carrier key signs a manifest whose chain, card or fields are wrong; its records may agree."""
    one = rng.choice(
        [item for item in stock if len(item.records) > 1 and item.manifest["content"]["format_version"] == 1]
    )
    manifest = one.manifest
    rng.choice(EDITS)(manifest["content"], rng)
    frames = one.frames
    if rng.randrange(2):  # frames and entries agree again
        by_hash = dict(zip([row[0] for row in one.manifest["frames"]], one.records, strict=True))
        wanted = [str(entry.get("record")) for entry in manifest["content"].get("entries", [])]
        records = [by_hash.get(value, one.records[0]) for value in wanted]
        manifest["frames"] = [[value, len(record)] for value, record in zip(wanted, records, strict=True)]
        frames = b"".join(records)
    return signed(manifest, frames, one.laptop.carrier)


def of_another(rng: Random, stock: Stock) -> bytes:
    """One laptop's card and carrier key over another's log: to be taken for its author."""
    one, two = rng.sample(stock, 2)
    while two.laptop is one.laptop:
        one, two = rng.sample(stock, 2)
    manifest = two.manifest
    manifest["content"]["card"] = one.manifest["content"]["card"]
    return signed(manifest, two.frames, one.laptop.carrier)


def nothing_like_it(rng: Random, stock: Stock) -> bytes:
    """Noise, with and without our magic; nothing at all."""
    noise = rng.randbytes(rng.choice([0, 1, 9, 10, 200, 5000]))
    return rng.choice([b"", MAGIC, MAGIC + (200).to_bytes(4, "big") + b"\x01"]) + noise


KINDS: Final[tuple[Kind, ...]] = (
    damaged,
    flipped,
    cut,
    spliced,
    parts_of_two,
    frames_swapped,
    signed_by_another,
    run_together,
    oversized,
    edited,
    edited,
    of_another,
    nothing_like_it,
)


def mutated(stock: Stock, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` files, each with the name of its kind; none is one of the genuine ones."""
    rng = random.Random(seed)
    genuine = {item.data for item in stock}
    made = 0
    while made < count:
        kind = KINDS[made % len(KINDS)]
        data = kind(rng, stock)
        if data not in genuine:
            made += 1
            yield kind.__name__, data
