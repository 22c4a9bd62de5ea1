"""What the rules move: laptops, sticks, a relay, central, what the model knows of them; and what must be true."""

from __future__ import annotations

import io
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Final, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, invariant

from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.receipt import Receipt
from fieldsurvey.vault import Pin
from sync.carrying import RelayFile
from sync.central import Central
from sync.importing import FileReport
from tests.sync.current import records
from tests.sync.machine import carriers, kit, returning
from tests.sync.machine.centre import Centre, Database
from tests.sync.machine.kit import LAPTOPS, TAGS, Standing
from tests.sync.machine.laptops import FieldLaptop, Time, WrongClock
from tests.sync.machine.model import Entry, Genuine, Model, check_cases, check_log, gone_devices
from tests.sync.machine.relays import FieldRelay

MAX_COPIES: Final = 5
MAX_SEALED: Final = 24
STICKS: Final = 2
CLOCKS: Final = (0, -3650, 3650, -1, 400)

reached: Counter[str] = Counter()
"""How often something rare was reached in all runs of this process: a machine that never gets there proves nothing."""


File = TypeVar("File", FileReport, RelayFile)


def _of_batches(files: Sequence[File]) -> list[File]:
    """Of what is said of a stick, what is about batches; of other files only those that are refused are named."""
    others = [file for file in files if "/" in file.name]
    assert all(file.outcome == "refused" for file in others), others
    return [file for file in files if file not in others]


class World(RuleBasedStateMachine):
    """Everything there is, and the invariants. The rules are in fieldwork.py.

    `database`: where central is kept, but for the one that it is compared with at the end: that one is a file.
    """

    database: ClassVar[Database | None] = None

    def __init__(self) -> None:
        super().__init__()
        reached["runs"] += 1
        self.folder = kit.folder()
        self.time = Time(kit.BEGIN)
        self.version = 1
        self.standings: list[Standing] = [0, 0, None]
        self.model = Model()
        self.cases = self.copies = 0
        self.dirty = self.restored = False
        self.laptops: list[FieldLaptop] = []
        self.split: set[int] = set()
        self.centre = Centre.begin(self.folder / "central", WrongClock(self.time), lambda: self.project, self.database)
        self.supervisor = FieldRelay(self.folder / "supervisor", WrongClock(self.time), self.project)
        self.relayed: set[bytes] = set()
        for number in range(LAPTOPS):
            self._join(number)

    @property
    def project(self) -> SignedProject:
        """The newest version."""
        return kit.project(self.version, tuple(self.standings))

    def _join(self, number: int) -> None:
        made = FieldLaptop.first(number, self._place("home"), self.time, self.project)
        self.laptops.append(made)
        self._seal(made, (None, number))

    def _place(self, name: str) -> Path:
        self.copies += 1
        return self.folder / f"{name}{self.copies}"

    def _stick(self, number: int) -> Path:
        place = self.folder / f"stick{number}"
        place.mkdir(exist_ok=True)
        return place

    def _laptop(self, number: int) -> FieldLaptop:
        return self.laptops[number % len(self.laptops)]

    def _note(self, laptop: FieldLaptop) -> None:
        """The model learns what this laptop has sealed."""
        before: dict[str, bytes] = {}
        for device, entry, record in laptop.rows():
            previous = before.get(device, kit.start(device))
            before[device] = entry.head
            if entry.head not in self.model.sealed and record is not None:
                self.model.seen(Entry(device, entry.seq, entry.head, previous, entry.record_hash), record)

    def _seal(self, one: FieldLaptop, tags: Sequence[int | None]) -> None:
        for tag in tags:
            self.cases += 1
            one.seal(kit.sealed(one.device, kit.case_id(self.cases), tag=None if tag is None else TAGS[tag]))
        self._note(one)

    def _pick(self, one: FieldLaptop, of: int) -> Entry:
        """A record to revise: mostly of the laptop's own."""
        every = list(self.model.sealed.values())
        if of % 3:
            every = [entry for entry in every if entry.device == one.device] or every
        return every[of % len(every)]

    def _revise(self, one: FieldLaptop, entry: Entry, *, keeps_tag: bool) -> None:
        known = self.model.headers[entry.record_hash]
        parent = entry.record_hash.hex()
        before = sum(header.parent == parent for header in self.model.headers.values())
        tag = known.tag if keeps_tag else None
        one.seal(kit.sealed(one.device, known.case, known.revision + 1, parent, tag, before))
        self._note(one)

    def _export(self, one: FieldLaptop, stick: Path, entries: int = 100, *, everything: bool = False) -> None:
        report = one.export(stick, entries=entries, everything=everything)
        if len(one.copies) < 2:
            one.copies.append(one.copy_to(self._place("copy")))
        lying: dict[str, dict[int, tuple[Entry, bool]]] = {}
        before: dict[str, bytes] = {}
        for device, entry, record in one.rows():
            previous = before.get(device, kit.start(device))
            before[device] = entry.head
            made = Entry(device, entry.seq, entry.head, previous, entry.record_hash)
            lying.setdefault(device[:12], {})[entry.seq] = (made, record is not None)
        for file in report.files:
            mine = lying[file.name[:12]] if file.written else {}
            if file.written:
                part = [mine[seq] for seq in range(file.first, file.last + 1)]
                erased = frozenset(entry.record_hash for entry, kept in part if not kept)
                data = (stick / "fieldsurvey" / "batches" / file.name).read_bytes()
                self.model.wrote(Genuine(data, tuple(entry for entry, _ in part), erased))
        self._check_copied(stick, [entry for log in lying.values() for entry, kept in log.values() if kept], everything)

    def _check_copied(self, stick: Path, kept: list[Entry], everything: bool) -> None:
        """Asked for everything, a laptop's every record lies on the stick, in batches that are whole."""
        if everything:
            there: set[bytes] = set()
            for path in carriers.batches(stick):
                found = self.model.find(path.read_bytes())
                there |= {entry.head for entry in found.entries} if found and path.suffix != ".part" else set()
            assert {entry.head for entry in kept} <= there, "a record was not copied"

    def _collect(self, one: FieldLaptop, stick: Path) -> None:
        if not (stick / "fieldsurvey").is_dir():
            return
        before = one.log.pin()
        one.collect(stick)
        self._check_taken(one, before)

    def _check_taken(self, one: FieldLaptop, before: Pin) -> None:
        """What a laptop believes now, whatever it was told."""
        after = one.log.pin()
        assert after.root == before.root, "a laptop follows a foreign root"
        assert before.version <= after.version <= self.version, "a laptop follows a project that nobody published"
        for log in one.log.logs():
            for receipt in log.receipts():
                said = (receipt.device, receipt.up_to, receipt.head, receipt.level.value)
                assert said in self.model.issued, "a receipt that nobody gave was believed"
        self.dirty = True

    def _relay_takes(self, stick: Path) -> None:
        if not (stick / "fieldsurvey").is_dir():
            return
        found = {path.name: path.read_bytes() for path in carriers.batches(stick)}
        held = set(self.supervisor.held())
        report = self.supervisor.take(stick)
        self.supervisor.check_gone(self.model, held - set(self.supervisor.held()))
        for file in _of_batches(report.files):
            batch = None if file.name.endswith(".part") else self.model.find(found[file.name])
            assert (file.outcome in {"taken", "present", "committed", "withdrawn"}) == (batch is not None), file
            reached[f"relay {file.outcome}"] += 1
            if file.outcome == "taken" and batch:
                self.relayed |= {entry.head for entry in batch.entries}
        self._said(report.receipts)
        self._check_relay()

    def _check_relay(self) -> None:
        reached["relay waiting"] += self.supervisor.check_held(self.model)

    def _withdraw_at_relay(self, code: int) -> None:
        held = set(self.supervisor.held())
        self.supervisor.withdraw(kit.tombstone(code))
        self._check_relay()
        self.supervisor.check_gone(self.model, held - set(self.supervisor.held()))

    def _look_at_relay(self) -> None:
        self.supervisor.look()
        self._check_relay()

    def _said(self, receipts: Iterable[Receipt]) -> None:
        """A relay speaks only of what it was given, or of what central vouched for."""
        for receipt in receipts:
            assert receipt.level == "received", "a relay promised more than it may"
            at: Entry | None = self.model.sealed[bytes.fromhex(receipt.head)]
            assert at is not None
            assert at.seq == receipt.up_to, "a relay's receipt for another position"
            while at is not None and not self._central_vouched(at):
                assert at.head in self.relayed, "a relay's receipt over what it was never given"
                at = self.model.sealed.get(at.previous)
            self.model.issued.add((receipt.device, receipt.up_to, receipt.head, receipt.level.value))
            reached["receipt received"] += 1

    def _central_vouched(self, entry: Entry) -> bool:
        said = {(entry.device, entry.seq, entry.head.hex(), level) for level in ("committed", "backed_up")}
        return bool(said & self.model.issued)

    def _bring(self, stick: Path, *, answers: bool = True) -> None:
        if not (stick / "fieldsurvey").is_dir():
            return
        found = {path.name: path.read_bytes() for path in carriers.batches(stick)}
        report = self.centre.take(stick, self.project, answers=answers)
        files = _of_batches(report.files)
        for file in files:
            batch = None if file.name.endswith(".part") else self.model.find(found[file.name])
            accepted = file.outcome in {"merged", "present"}
            assert accepted == (batch is not None), f"{file.name}: {file.outcome} {file.reason}"
            reached["refused"] += not accepted
            if batch:
                self.model.held.take(batch)
        assert {file.name for file in files} == set(found), "a file without a word"
        self._issued(report.receipts)
        self._check_erased()
        self.dirty = True

    def _check_erased(self) -> None:
        """What was taken back is not held any more."""
        withdrawn = {tag for tag, _day in self.centre.withdrawn()}
        for value in self.model.held.bodies:
            if self.model.tag(value) in withdrawn:
                assert self.centre.central.store.body(value) is None, "a withdrawn record was not erased"
                reached["erased"] += 1
        assert not self.centre.central.erase(), "what belongs to a withdrawn case was not erased"

    def _issued(self, receipts: Iterable[Receipt]) -> None:
        """Central vouches for nothing that it does not hold."""
        for receipt in receipts:
            self.model.issued.add((receipt.device, receipt.up_to, receipt.head, receipt.level.value))
            held = self.model.held if receipt.level == "committed" else self.model.backup
            assert held is not None, "a backup that nobody made"
            entry = held.entries.get(bytes.fromhex(receipt.head))
            assert entry is not None, "a receipt for what is not held"
            assert entry.seq == receipt.up_to, "a receipt for another position"
            while entry.seq > 1:
                assert entry.previous in held.entries, "a receipt over a gap"
                entry = held.entries[entry.previous]
            reached[f"receipt {receipt.level.value}"] += 1

    def _back_up(self) -> None:
        self.centre.back_up()
        self.model.backup = self.model.held.copy()

    def _lose_disk(self) -> None:
        assert self.model.backup is not None
        self.centre.restore()
        self.model.held = self.model.backup.copy()
        self.restored = self.dirty = True
        reached["restored"] += 1

    def _change_project(self, standings: list[Standing]) -> None:
        if self.version < 4:
            self.version += 1
            self.standings = standings
            self.centre.central.learn(self.project.model)
            self.dirty = True

    @invariant()
    def holds(self) -> None:
        """After whatever changed central or what a laptop keeps."""
        if self.dirty:
            self.dirty = False
            self._check_central(self.centre.central)
            self._check_laptops()

    def _check_central(self, central: Central) -> None:
        model = self.model
        senders = central.store.senders()
        entries = {entry.head: entry for device in senders for entry in central.store.entries(device)}
        absent = {entry.head for device in senders for entry in central.store.absent(device)}
        assert entries.keys() == self._with_body(), "central holds other entries than it was given"
        assert entries.keys() | absent == model.held.entries.keys(), (
            "central knows of other entries than it was told of"
        )
        for head, entry in entries.items():
            expected = model.held.entries[head]
            assert (entry.device, entry.seq, entry.previous, entry.record_hash) == (
                *expected[:2],
                *expected[3:],
            ), "an entry was altered"
        withdrawn = {tag for tag, _day in self.centre.withdrawn()}
        for entry in entries.values():
            if central.store.body(entry.record_hash) is None:
                assert self._taken_back(entry.record_hash, withdrawn), "a body was lost"
        for device in model.held.devices():
            view = central.log(device)
            check_log(model, device, view)
            reached["forked"] += bool(view.forks)
            reached["gap"] += bool(view.gaps)
        standings = {kit.template(number).card.device: self.standings[number] for number in range(LAPTOPS)}
        returning.check_pending(central, model.held, model, withdrawn)
        check_cases(model, list(central.cases()), standings, withdrawn)
        current = {entry.record_hash for entry, _body in records(central)}
        assert not {value for value in current if model.tag(value) in withdrawn}, "a withdrawn record is given out"
        audit = central.verify()
        assert audit.sound, str(audit.problems)

    def _with_body(self) -> set[bytes]:
        return {head for head, entry in self.model.held.entries.items() if entry.record_hash in self.model.held.bodies}

    def _taken_back(self, record_hash: bytes, withdrawn: set[str]) -> bool:
        """By its own tag, or with the part of its case that its device logged or built upon: nobody may hold it."""
        case, held = self.model.headers[record_hash].case, self.model.held.bodies
        part = {value: known for value, known in self.model.headers.items() if known.case == case and value in held}
        gone = gone_devices(list(part.values()), {value.hex(): known for value, known in part.items()}, withdrawn)
        return self.model.tag(record_hash) in withdrawn or self.model.headers[record_hash].device in gone

    def _check_laptops(self) -> None:
        """What a laptop let go of is held by central and by its newest backup, or somebody took it back."""
        for one in self.laptops:
            told = one.knows_withdrawals()
            for _device, entry, record in one.rows():
                if record is not None or self.model.tag(entry.record_hash) in told:
                    continue
                reached["purged"] += 1
                self._check_safe(entry.record_hash)

    def _check_safe(self, record_hash: bytes) -> None:
        """Of a record that its laptop no longer has, for a reason other than a withdrawal."""
        if self._taken_back(record_hash, {tag for tag, _day in self.centre.withdrawn()}):
            return
        assert self.model.backup is not None, "purged before any backup"
        assert record_hash in self.model.backup.bodies, "purged, and not in the newest backup"
        assert self.centre.central.store.body(record_hash) is not None, "purged, and central does not have it"

    def teardown(self) -> None:
        """At last everybody exports; then another central that gets the same in another order is in the same state."""
        try:
            self._settle()
            self._check_one_state()
        finally:
            self.centre.close()
            for one in self.laptops:
                one.close()
            shutil.rmtree(self.folder)

    def _settle(self) -> None:
        """A stick that nothing happens to goes around: every record that a laptop still has reaches central."""
        stick = self._stick(STICKS)
        for one in self.laptops:
            self._export(one, stick, everything=self.restored)
        self._bring(stick)
        told = {tag for tag, _day in self.centre.withdrawn()}
        for one in self.laptops:
            for _device, entry, record in one.rows():
                arrived = record is None or entry.record_hash in self.model.held.bodies
                assert arrived or self._taken_back(entry.record_hash, told), "a record never arrived"
        self.holds()

    def _check_one_state(self) -> None:
        central = self.centre.central
        other = Centre.begin(self.folder / "other", self.centre.clock, lambda: kit.project(1, (0, 0, None)))
        try:
            stones = list(central.store.tombstones())
            batches = sorted(self.model.held.fed.items())
            for number, (_name, data) in enumerate(batches):
                other.central.merge(io.BytesIO(data))
                if number == len(batches) // 2:
                    other.tell(stones)
            other.tell(stones)
            other.central.learn(self.project.model)
            for one in (central, other.central):
                one.erase()
            assert other.central.digest() == central.digest(), "another order, another digest"
            assert list(other.central.cases()) == list(central.cases()), "another order, other cases"
            assert list(records(other.central)) == list(records(central)), "another order, other records"
            for value in self.model.held.bodies:
                assert other.central.store.body(value) == central.store.body(value), "another order, another erasure"
            for device in self.model.held.devices():
                mine, theirs = (
                    {(receipt.up_to, receipt.head) for receipt in one.receipts(device) if receipt.level == "committed"}
                    for one in (central, other.central)
                )
                assert mine == theirs, "another order, other receipts"
        finally:
            other.close()
