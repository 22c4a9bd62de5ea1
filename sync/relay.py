"""A supervisor's laptop that carries other laptops' batches: takes them whole, vouches for them, forgets them.

    HOME/relay/supervisor.key    signs `received` receipts and requests to a server; opens nothing
    HOME/relay/project.fsp       the project that is trusted; only a newer one of the same root takes its place
    HOME/relay/batches/          see `holding`
    HOME/relay/receipts/         see `proofs`
    HOME/relay/returned/         see `passing_back`

It holds sealed records and cannot read one. A batch is forgotten when central's signed receipt shows that central holds
this very history up to its end. One that holds a record which a withdrawal names is erased: at once where everything
else in it is at central or in another batch here; else when it was handed on, on the policy's last day at the latest,
for its laptop may be lost. How sticks come and go is `carrying`'s business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from datetime import UTC, date
from pathlib import Path
from typing import Final

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import StorageError, UntrustedError
from fieldsurvey.base.files import private_folder, write_atomic
from fieldsurvey.base.process_lock import ProcessLock
from fieldsurvey.fieldwork.erasures import Reports, Trust
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.keys import MAX_KEY_FILE, SUPERVISOR, read_role_key
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.records.erased import Place
from fieldsurvey.records.log import start_head
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.records.signing import SigningKey
from sync.batches import Batch
from sync.errors import NoRelayError, NotSupervisorsKeyError, RelayBusyError
from sync.holding import Chain, Held, Holding, NamedRecord, Outcome
from sync.merge import Position
from sync.passing_back import PassingBack
from sync.proofs import Proofs, down_from, left_out
from sync.waiting import Found, Waiting, known_as, read_found, waits_until, write_found
from sync.withdrawals import tags_withdrawn

FOLDER: Final = "relay"
PROJECT: Final = "project.fsp"
RETURNED: Final = "returned"
_APPLIED: Final = "withdrawn"
_SENDING: Final = "sending"


class Relay:
    """See above. Whoever changes it does so inside `alone`."""

    def __init__(self, home: Path, project: SignedProject, key: SigningKey, clock: Clock | None = None) -> None:
        self.home = home
        self.project = project
        self.key = key
        self.clock: Clock = clock or SystemClock()
        self.holding = Holding(self.folder / "batches", project.model)
        self.proofs = Proofs(self.folder / "receipts", project.model)
        self.returned = PassingBack(self.folder / RETURNED, project.model)
        self._over: dict[str, dict[Position, Position]] = defaultdict(dict)
        """Over the batches that were not kept, or let go of, for central has them: see `down_from`."""

    @classmethod
    def set_up(cls, home: Path, key_file: Path, project: bytes, clock: Clock | None = None) -> Relay:
        """Make this laptop a relay, or give it a new key. The project must name the key as a supervisor's.

        What is trusted here already stands, unless `project` is a newer version of it. Raises NotSupervisorsKeyError,
        UntrustedError, ForeignRootError, StorageError; then everything is as it was.
        """
        held = read_role_key(key_file)
        stored = home / FOLDER / PROJECT
        signed = read_project(project)
        if stored.exists():
            known = read_project(stored)
            signed = read_project(project, pinned=known.root_fingerprint)
            signed = max(known, signed, key=lambda one: one.model.version)
        if held.project != signed.model.id or (Role.SUPERVISOR, held.key.public) not in signed.model.role_keys:
            raise NotSupervisorsKeyError(project=signed.model.name)
        private_folder(stored.parent)
        write_atomic(stored, signed.data, private=True)
        with key_file.open("rb") as handle:
            write_atomic(stored.with_name(SUPERVISOR), handle.read(MAX_KEY_FILE), private=True)
        return cls(home, signed, held.key, clock)

    @classmethod
    def open(cls, home: Path, clock: Clock | None = None) -> Relay:
        """The relay as it is. Raises NoRelayError, NotSupervisorsKeyError, UntrustedError, StorageError."""
        folder = home / FOLDER
        if not (folder / SUPERVISOR).exists() or not (folder / PROJECT).exists():
            raise NoRelayError(place=str(home))
        project = read_project(folder / PROJECT)
        held = read_role_key(folder / SUPERVISOR)
        if held.project != project.model.id:
            raise NotSupervisorsKeyError(project=project.model.name)
        relay = cls(home, project, held.key, clock)
        relay.require_key()
        return relay

    def require_key(self) -> None:
        """Raises NotSupervisorsKeyError once the project no longer names its key: what it signs is not believed."""
        if (Role.SUPERVISOR, self.key.public) not in self.project.model.role_keys:
            raise NotSupervisorsKeyError(project=self.project.model.name)

    @property
    def folder(self) -> Path:
        """Where all of it lies."""
        return self.home / FOLDER

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes it meanwhile. Raises RelayBusyError, StorageError."""
        private_folder(self.folder)
        lock = ProcessLock(self.folder / "lock")
        if not lock.acquire():
            raise RelayBusyError(holder=lock.holder())
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """A push is under way: nobody erases meanwhile what is due today, until it has ended, in any way.

        For one process at a time. Raises RelayBusyError, StorageError.
        """
        lock = ProcessLock(self.folder / _SENDING)
        with self.alone():  # nobody asks just now, see `_is_sending`
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _is_sending(self) -> bool:
        lock = ProcessLock(self.folder / _SENDING)
        try:
            return not lock.acquire()
        finally:
            lock.release()

    def update(self, data: bytes) -> bool:
        """Trust a newer version of the same project; whether it was newer.

        Raises what `read_project` refuses (another root, an older version), StorageError.
        """
        version = self.project.model.version
        found = read_project(data, pinned=self.project.root_fingerprint, at_least_version=version)
        if found.model.version == version:
            return False
        write_atomic(self.folder / PROJECT, data, private=True)
        self.project = found
        self.holding = Holding(self.folder / "batches", found.model)
        self.proofs = Proofs(self.folder / "receipts", found.model)
        self.returned = PassingBack(self.folder / RETURNED, found.model)
        return True

    # -- what is held, and vouched for

    def offers(self) -> Iterator[Held]:
        """Every batch, each read to its end just before: what is handed out is whole. For a push as for a stick.

        What waits comes first, what goes soonest before all.
        """
        days = {one.held.manifest: one.until for one in self.waiting()}
        return self.holding.verified(lambda held: days.get(held.manifest, date.max))

    def take(self, path: Path, size: int, tags: AbstractSet[str]) -> tuple[Outcome, Batch]:
        """Copy a batch file here, whole or not at all; `tags`: see `tags`.

        Raises what `read_batch` and `Batch.records` raise, RelayFullError, StorageError.
        """
        waiting = read_found(self.folder / _APPLIED)[0].named.keys()
        return self.holding.take(path, size, tags, self._at_central, waiting=waiting)

    def take_receipt(self, data: bytes) -> Receipt | None:
        """Keep a receipt of central's, for laptops and as proof; None where it says nothing new, or is no central's.

        Raises what `read_receipt` raises, StorageError.
        """
        return self.proofs.keep(data)

    def receipts(self) -> list[Receipt]:
        """What is here, as `received`: one for each unbroken history that begins at a log's start, or where central's
        receipt ends. A stretch whose beginning is nobody's is not vouched for.
        """
        found = []
        for device in sorted({held.device for held in self.holding.batches()}):
            links = self.holding.links(device)
            starts = {(0, start_head(self.project.model.id, device)), *self.proofs.ends(device)}
            whole = set(starts)
            for seq, head in sorted(links):
                if (seq - 1, links[seq, head]) in whole:
                    whole.add((seq, head))
            followed = {(seq - 1, previous) for (seq, _head), previous in links.items()}
            for seq, head in sorted(whole - starts - followed):
                found.append(self._received(device, seq, head))
        return found

    def forget(self) -> tuple[Held, ...]:
        """Let go of every batch that central's receipts show to be there; which. Raises StorageError."""
        gone = []
        for device in sorted({held.device for held in self.holding.batches()}):
            ends = self.proofs.ends(device)
            if not ends:
                continue
            links = self.holding.links(device)
            safe = down_from(ends, links, self._over[device])
            gone += [
                held
                for held in self.holding.of(device)
                if (held.last, held.end) in safe and self._with_records(held, links)
            ]
        for held in gone:
            with suppress(UntrustedError, StorageError):  # it proves no less without
                self._note_over(self.holding.manifest(held))
            self.holding.remove(held)
        self.holding.forget_damaged(lambda one: any(one.last <= seq for seq, _head in self.proofs.ends(one.device)))
        return tuple(gone)

    # -- withdrawals and returned work

    def tags(self) -> frozenset[str]:
        """Of every withdrawal that is known here."""
        return tags_withdrawn(self.home, self.project.model.id)

    def erase(self, handed: AbstractSet[bytes] = frozenset(), *, deliver: bool = False) -> tuple[Held, ...]:
        """Delete every batch with a record that a withdrawal names, but those that wait; which. Raises StorageError.

        `handed`: manifests of what has just been handed on, which need not wait. `deliver`: what is due today is about
        to be handed on, and waits for that, as it does while a push is under way. A case is reported when nothing of it
        is here any more. Done again wherever it was cut off: what was found is noted first, what was done last.
        """
        tags = self.tags()
        note = self.folder / _APPLIED
        found, of = read_found(note)
        if not tags or (of == known_as(tags) and not found.named):
            return ()
        told = found.tags(found.named.keys())
        if of != known_as(tags):
            told = set(tags)
            found = Found(found.only(tags).named | self._named_by(tags))
            private_folder(self.folder)
            write_found(note, found, of)  # not done yet: cut off here, every batch is looked at again
        days = self._days(found, deliver=deliver or self._is_sending())
        committed: dict[str, set[Position]] = {}
        gone = []
        for held in self.holding.batches():
            records = found.named.get(held.manifest.hex())
            if not records:
                continue
            if held.manifest.hex() in days and held.manifest not in handed:
                only = self._only_in(held, records, found)
                if only and held.device not in committed:
                    committed[held.device] = self._committed(held.device)
                if only is None or (only and only - committed[held.device]):
                    continue
            self.holding.remove(held)
            gone.append(held)
        if any(self.holding.keeps(manifest) for manifest in found.named.keys() - days.keys()):
            self.holding.set_unread_aside()  # its days are over, and it cannot be read just now
        waits = found.tags({manifest for manifest in found.named if self.holding.keeps(manifest)})
        counts = found.counts()
        self._report({tag: counts[tag] for tag in told - waits})
        write_found(note, found.only(waits), known_as(tags))
        return tuple(gone)

    @property
    def noted(self) -> bool:
        """Whether something of a withdrawn case was still here when `erase` was last called, or it was cut off."""
        found, of = read_found(self.folder / _APPLIED)
        tags = self.tags()
        return bool(found.named) or bool(tags and of != known_as(tags))

    def waiting(self) -> tuple[Waiting, ...]:
        """The batches that a withdrawal names and that may wait to be handed on, each with the day on which it goes.

        As found when `erase` was last called. What is not among them any more, and still here, the next call erases.
        """
        found, _of = read_found(self.folder / _APPLIED)
        days = self._days(found, deliver=True) if found.named else {}
        return tuple(
            Waiting(held, days[held.manifest.hex()])
            for held in (self.holding.batches() if days else ())
            if held.manifest.hex() in days
        )

    def _days(self, found: Found, *, deliver: bool) -> dict[str, date]:
        """The manifests of batches that may wait, each with the day on which it goes."""
        model = self.project.model
        stones = Withdrawals(self.home).of(model.id)
        today = self.clock.now().date()
        days = {
            key: waits_until(records, stones, model, today, deliver=deliver) for key, records in found.named.items()
        }
        return {key: day for key, day in days.items() if day is not None}

    def _named_by(self, tags: AbstractSet[str]) -> dict[str, tuple[NamedRecord, ...]]:
        """Look at every batch. What is damaged is set aside, and returned work of these cases goes."""
        found, damaged = self.holding.named_by(tags)
        self.holding.set_unread_aside()  # it may be of somebody who withdrew, and is of no use
        for held in damaged:
            self.holding.set_aside(held)
        self.returned.forget(tags)
        return {held.manifest.hex(): records for held, records in found.items()}

    def _only_in(self, held: Held, records: Iterable[NamedRecord], found: Found) -> set[Position] | None:
        """The entries of a batch, but these, whose records are in no other one here that stays; None: it cannot be read
        now, so nobody knows. Only what lies beside it in its log is looked at.
        """
        withdrawn = {one.seq for one in records}
        only: set[Position] | None = None
        others: set[Position] = set()
        for one, batch in self.holding.manifests(held.device, held.first, held.last):
            if one.manifest == held.manifest:
                only = {place for place in batch.brought if place[0] not in withdrawn}
            elif one.manifest.hex() not in found.named:
                others.update(batch.brought)
        return None if only is None else only - others

    def _report(self, counts: dict[str, int]) -> None:
        model = self.project.model
        if counts:
            reports = Reports(self.home, Trust.of(model))
            reports.write(Place.RELAY, self.key, model.id, counts, self.clock.now(), total=True)

    def _note_over(self, batch: Batch) -> None:
        self._over[batch.device][batch.last, batch.entries[-1].head] = (batch.first - 1, batch.previous)

    def _line(self, receipt: Receipt, links: Chain) -> set[Position]:
        """What one receipt of central's speaks of."""
        return down_from({(receipt.up_to, bytes.fromhex(receipt.head))}, links, self._over[receipt.device])

    def _with_records(self, held: Held, links: Chain) -> bool:
        """Whether central has the records of that batch too, and not only its entries.

        A stranger with a copy of a laptop's carrier key may have told central that the laptop erased them: then they
        are still to be handed on.
        """
        known = self.proofs.of(held.device)
        if not any(receipt.absent for receipt in known):
            return True
        end = held.last, held.end
        return any(not left_out(receipt, held) and end in self._line(receipt, links) for receipt in known)

    def _committed(self, device: str) -> set[Position]:
        """The entries of a device that central holds with their records, by its receipts."""
        receipts = self.proofs.of(device)
        links = self.holding.links(device) if receipts else {}
        found: set[Position] = set()
        for receipt in receipts:
            line = self._line(receipt, links)
            found |= {place for place in line if not any(first <= place[0] <= last for first, last in receipt.absent)}
        return found

    def _at_central(self, batch: Batch) -> bool:
        ends = self.proofs.ends(batch.device)
        if not ends:
            return False
        links = {(link.seq, link.head): link.previous for link in batch.links()}
        links.update(self.holding.links(batch.device))
        known = down_from(ends, links, self._over[batch.device])
        if (batch.last, batch.entries[-1].head) not in known:
            return False
        if not self._with_records(Held.of(batch, Path(), 0), links):
            return False
        self._note_over(batch)  # it is not kept, and may be the missing link
        return True

    def _received(self, device: str, seq: int, head: bytes) -> Receipt:
        return Receipt(
            project=self.project.model.id,
            device=device,
            up_to=seq,
            head=head.hex(),
            level=Level.RECEIVED,
            by=Role.SUPERVISOR,
            issued=self.clock.now().astimezone(UTC).isoformat("T", "seconds"),
        )
