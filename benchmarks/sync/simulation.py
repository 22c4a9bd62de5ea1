"""`python -m benchmarks sync province|country`: laptops, days, sticks and lines that fail, and one central.

What happens is played by rule and seed; what travels is real: chains and signatures of devices, batches, receipts.
Only the records' insides are random bytes in the shape of a sealed record, for central opens none. Central runs in a
process of its own, so that its memory is its own. At the end every record that was made must be at central, once.
"""

from __future__ import annotations

import io
import multiprocessing
import random
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.project.model import Device, Project, Recipient, RoleKey
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import ID_BYTES, MAGIC, WRAP_BYTES, Header, body_length, record_hash
from fieldsurvey.records.log import LogEntry, next_entry, start_head
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey, SigningKey
from sync.batches import plan_batches, write_batch
from sync.central import Central

PROJECT: Final = secrets.token_hex(16)
ANSWERS: Final = 1_800  # bytes of a needs form's answers; sealed to two recipients that is 4.5 KB
_HEAD: Final = (
    "| records at central | merged in s | records/s since the line before | receipts s "
    "| files MiB | bytes a record | central's memory MiB |"
)
MARKS: Final = (1_000, 10_000, 50_000, 100_000, 200_000, 400_000, 600_000, 800_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Scene:
    """How many take part, and how often something goes wrong: shares of 1."""

    laptops: int
    days: int
    per_day: float
    records: int | None = None
    connected: float = 0.3
    """Laptops that have a line now and then; all others meet a carrier."""
    visit: float = 0.3
    line_breaks: float = 0.25
    stick_lost: float = 0.02
    stick_cut: float = 0.02
    twice: float = 0.1
    late: float = 0.1
    receipts_lost: float = 0.2


SCENES: Final = {
    "province": Scene(laptops=24, days=22, per_day=12),
    "country": Scene(laptops=24 * 24, days=400, per_day=12, records=1_000_000),
}


@dataclass
class Laptop:
    """A device's log. What central has confirmed is let go of, as a purge does."""

    number: int
    connected: bool
    key: SigningKey = field(default_factory=SigningKey.generate)
    carrier: SigningKey = field(default_factory=SigningKey.generate)
    kept: dict[int, tuple[LogEntry, bytes]] = field(default_factory=dict)
    last: LogEntry | None = None
    confirmed: int = 0
    confirmed_head: bytes = b""

    def __post_init__(self) -> None:
        self.card = DeviceCard.make(
            self.key,
            project=PROJECT,
            name=f"simulated {self.number}",
            carrier=self.carrier.public,
            recipient=RecipientPrivate.generate().public,
            created="2026-03-01T08:00:00Z",
        )
        self.confirmed_head = start_head(PROJECT, self.card.device)

    def device_card(self) -> DeviceCard:
        """As a vault gives it."""
        return self.card

    def head_at(self, seq: int) -> bytes:
        """As a vault gives it, from what was confirmed on."""
        return self.confirmed_head if seq == self.confirmed else self.kept[seq][0].head

    def entries(self, from_seq: int, to_seq: int) -> Iterator[tuple[LogEntry, bytes]]:
        """As a vault gives them."""
        return (self.kept[seq] for seq in range(from_seq, to_seq + 1))

    def interview(self, dice: random.Random) -> None:
        """One record more."""
        header = Header(project=PROJECT, device=self.card.device, case=dice.randbytes(16).hex()).to_bytes()
        ids = b"".join(sorted(dice.randbytes(ID_BYTES) for _ in range(2)))
        inside = dice.randbytes(2 * WRAP_BYTES + body_length(ANSWERS))
        blob = MAGIC + len(header).to_bytes(2, "big") + bytes([2]) + header + ids + inside
        self.last = next_entry(self.key, PROJECT, self.card.device, self.last, record_hash(blob))
        self.kept[self.last.seq] = (self.last, blob)

    def batches(self) -> list[bytes]:
        """What nobody has confirmed."""
        last = self.last.seq if self.last else 0
        plans = plan_batches(self, self.confirmed + 1, last) if last > self.confirmed else ()
        return [b"".join(write_batch(self, plan)) for plan in plans]

    def confirm(self, up_to: int, head: bytes) -> None:
        """A receipt came back."""
        if up_to > self.confirmed and self.kept[up_to][0].head == head:
            for seq in range(self.confirmed + 1, up_to + 1):
                del self.kept[seq]
            self.confirmed, self.confirmed_head = up_to, head


def enrolled(laptops: list[Laptop]) -> bytes:
    """The project in which all of them are."""
    return Project(
        id=PROJECT,
        name="simulated",
        version=1,
        issued="2026-03-01T08:00:00Z",
        expires="2028-03-01T08:00:00Z",
        root=RootKey.generate().public.bytes.hex(),
        recipients=(Recipient.of("operational", RecipientPrivate.generate().public),),
        roles=(RoleKey(role=Role.CENTRAL, label="central", public=SigningKey.generate().public.bytes.hex()),),
        devices=tuple(Device(id=one.card.device, name=one.card.name, card=one.card) for one in laptops),
    ).to_bytes()


def serve(place: str, pipe: Connection) -> None:
    """Central's process: merge what comes, answer with receipts, and say what it took."""
    with Central.open(Path(place)) as central:
        central.learn(Project.from_bytes(pipe.recv()))
        while (asked := pipe.recv()) is not None:
            if isinstance(asked, str):
                pipe.send(_look(central, place, asked))
                continue
            start = time.perf_counter()
            new = refused = 0
            for data in asked["batches"]:
                try:
                    new += central.merge(io.BytesIO(data)).new
                except FieldsurveyError:
                    refused += 1
            merged = time.perf_counter()
            tips = central.log(asked["device"]).tips
            took = merged - start, time.perf_counter() - merged
            pipe.send({"new": new, "refused": refused, "tips": tips, "merge": took[0], "receipts": took[1]})


def _look(central: Central, place: str, what: str) -> dict[str, Any]:
    start = time.perf_counter()
    found: dict[str, Any] = {"entries": central.store.counts().entries, "resident": _resident()}
    if what == "status":
        status = central.status()
        found["whole"] = sum(device.log.whole_to for device in status.devices)
        found["gaps"] = sum(len(device.log.gaps) + len(device.log.forks) for device in status.devices)
    elif what == "verify":
        found["sound"] = central.verify().sound
    found["seconds"] = time.perf_counter() - start
    found["bytes"] = sum(path.stat().st_size for path in Path(place).parent.iterdir())
    return found


def _resident() -> int:
    """MiB that this process holds in memory now."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) >> 10
    return 0


@dataclass
class Tally:
    """What happened, and the table as it grows."""

    made: int = 0
    merged: int = 0
    seconds: float = 0.0
    receipts: float = 0.0
    lines: list[str] = field(default_factory=list)
    since: tuple[int, float] = (0, 0.0)
    happened: dict[str, int] = field(default_factory=dict)

    def note(self, what: str) -> None:
        """One more of these."""
        self.happened[what] = self.happened.get(what, 0) + 1


class Play:
    """One run."""

    def __init__(self, scene: Scene, pipe: Connection, seed: int = 1) -> None:
        self.scene, self.pipe = scene, pipe
        self.dice = random.Random(seed)
        self.laptops = [Laptop(n, self.dice.random() < scene.connected) for n in range(scene.laptops)]
        self.under_way: list[tuple[int, Laptop, list[bytes]]] = []  # the day of arrival
        self.tally = Tally()

    def run(self) -> Tally:
        """Every day in turn; at the end everybody comes once more, and nothing fails."""
        self.pipe.send(enrolled(self.laptops))
        for day in range(self.scene.days):
            for laptop in self.laptops:
                for _ in range(self._how_many()):
                    laptop.interview(self.dice)
                    self.tally.made += 1
                self._evening(day, laptop)
            self._arrive(day)
            if self.scene.records and self.tally.made >= self.scene.records:
                break
        self._arrive(None)
        for laptop in self.laptops:
            self._deliver(laptop, laptop.batches(), calm=True)
        self._mark()
        return self.tally

    def _how_many(self) -> int:
        return max(0, round(self.dice.gauss(self.scene.per_day, self.scene.per_day / 3)))

    def _evening(self, day: int, laptop: Laptop) -> None:
        scene, dice = self.scene, self.dice
        if laptop.connected:
            if dice.random() < scene.line_breaks:
                self.tally.note("lines that broke")
            else:
                self._deliver(laptop, laptop.batches())
        elif dice.random() < scene.visit:
            if dice.random() < scene.stick_lost:
                self.tally.note("sticks lost")
                return
            batches = laptop.batches()
            if batches and dice.random() < scene.stick_cut:
                self.tally.note("files cut short")
                batches[-1] = batches[-1][: dice.randrange(1, len(batches[-1]))]
            days = dice.randrange(5, 15) if dice.random() < scene.late else dice.randrange(1, 4)
            self.under_way.append((day + days, laptop, batches))
            if dice.random() < scene.twice:
                self.tally.note("sticks brought twice")
                self.under_way.append((day + days + 1, laptop, batches))

    def _arrive(self, day: int | None) -> None:
        """Sticks of that day, in any order; None: all that are left."""
        here = [item for item in self.under_way if day is None or item[0] <= day]
        self.under_way = [item for item in self.under_way if item not in here]
        self.dice.shuffle(here)
        for _day, laptop, batches in here:
            self._deliver(laptop, batches)

    def _deliver(self, laptop: Laptop, batches: list[bytes], *, calm: bool = False) -> None:
        self.pipe.send({"device": laptop.card.device, "batches": batches})
        told = self.pipe.recv()
        tally = self.tally
        tally.merged += told["new"]
        tally.seconds += told["merge"]
        tally.receipts += told["receipts"]
        for _ in range(told["refused"]):
            tally.note("files refused")
        if calm or self.dice.random() >= self.scene.receipts_lost:
            for seq, head in told["tips"]:
                laptop.confirm(seq, head)
        else:
            tally.note("receipts lost")
        if any(tally.since[0] < mark <= tally.merged for mark in MARKS):
            self._mark()

    def _mark(self) -> None:
        tally = self.tally
        self.pipe.send("counts")
        told = self.pipe.recv()
        records, seconds = tally.merged - tally.since[0], tally.seconds - tally.since[1]
        tally.since = tally.merged, tally.seconds
        rate = records / seconds if seconds else 0
        tally.lines.append(
            f"| {tally.merged:,} | {tally.seconds:.1f} | {rate:,.0f} | {tally.receipts:.1f} "
            f"| {told['bytes'] / 2**20:,.0f} | {told['bytes'] / max(1, told['entries']):,.0f} | {told['resident']} |"
        )


def simulate(name: str, records: int | None = None) -> str:
    """A Markdown table, one line for each mark, and what went wrong on the way. Raises AssertionError for a loss."""
    scene = SCENES[name]
    if records:
        scene = Scene(laptops=scene.laptops, days=10_000, per_day=scene.per_day, records=records)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "central").mkdir()
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=serve, args=(str(Path(folder) / "central" / "central.db"), theirs))
        process.start()
        start = time.perf_counter()
        tally = Play(scene, ours).run()
        ours.send("status")
        status = ours.recv()
        ours.send("verify")
        verified = ours.recv()
        ours.send(None)
        process.join()
        assert status["entries"] == status["whole"] == tally.made, (status, tally.made)
        assert not status["gaps"]
        assert verified["sound"]
    happened = ", ".join(f"{what} {count}" for what, count in sorted(tally.happened.items()))
    return "\n".join(
        [
            f"{name}: {scene.laptops} laptops, {tally.made:,} records; {time.perf_counter() - start:,.0f} s in all",
            "",
            _HEAD,
            "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
            *tally.lines,
            "",
            f"On the way: {happened}. At the end every record is at central once, in unbroken logs.",
            f"`central status` {status['seconds']:.1f} s, `central verify` {verified['seconds']:.1f} s at the end.",
        ]
    )
