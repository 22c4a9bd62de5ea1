"""Laptops and the relay on a line to central: what the model learns from each answer, what must be true of a push."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from fieldsurvey.base.canonical import canonical
from fieldsurvey.records.container import open_container
from fieldsurvey.records.receipt import Receipt
from sync.folder import at_central
from sync.http.errors import LineError, NotAdmittedError, NotConfirmedError, ServerAnswerError
from sync.http.pushing import Patience, push
from sync.http.relaying import push_relay
from tests.sync.machine import kit
from tests.sync.machine.laptops import FieldLaptop
from tests.sync.machine.lines import Journey, Plan, Said, connecting
from tests.sync.machine.model import Entry, Genuine
from tests.sync.machine.world import MAX_SEALED, World, reached

EVENTS: Final = frozenset(
    {"push", "relay", "stick", "export", "withdraw", "lose disk", "back up", "time", "enrol", "seal"}
)
OFFERS: Final = frozenset({"/v1/batches", "/v1/batches/whole"})
_TRIES: Final = 3


@lru_cache(maxsize=5_000)
def _receipt(data: bytes) -> Receipt:
    return Receipt.from_bytes(canonical(open_container(data, "receipt").manifest))


class Online(World):
    """What the rules of a line are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.packs: dict[str, bytes] = {}

    def _push(self, one: FieldLaptop, plan: Plan, entries: int = 2) -> bool:
        """A laptop sends what is not confirmed, on a line on which this happens; whether it all went through."""
        confirmed = {log.device_card().device: at_central(log) for log in one.log.logs()}
        stored: set[str] = set()
        sent: set[bytes] = set()
        sealed = len(self.model.sealed)
        before = one.log.pin()

        def heard(said: Said) -> None:
            self._heard(said, self.standings[one.number] == 0)
            self._check_once(one, said, stored)
            if said.path in OFFERS:
                entries = self._offered(said).entries
                below = [entry for entry in entries if entry.seq <= confirmed[entry.device]]
                assert not below or self.restored, "what was confirmed came again, and central never lost its disk"
                reached["line asked again"] += len(below)
                again = sent & {entry.head for entry in entries}
                assert not again or one.number in self.split or self.restored, "a batch that was answered came again"
                sent.update(entry.head for entry in entries if said.status == 200 and said.arrived)

        journey = Journey(plan, lambda event: self._meanwhile(one, *event), heard)

        def send() -> None:
            report = push(
                one.laptop,
                connect=connecting(self.centre, journey, one.clock.monotonic),
                patience=Patience(_TRIES, lambda _seconds: None),
                max_entries=entries,
            )
            whole = report.confirmed or len(self.model.sealed) > sealed or self.restored
            assert whole, "a push ended, and not all of it is confirmed"

        smooth = self._over(journey, send, one.number)
        self._check_taken(one, before)
        self._check_erased()
        if smooth and not EVENTS.intersection(journey.happened):
            there = {tag for tag, _day in self.centre.withdrawn()}
            assert one.knows_withdrawals() == there, "a push went through, and who was to know of a withdrawal does not"
        return smooth

    def _push_relay(self, plan: Plan) -> None:
        """The relay sends what it holds."""
        held = set(self.supervisor.held())
        stored: set[str] = set()

        def heard(said: Said) -> None:
            self._heard(said, True)
            self._check_once(None, said, stored)

        journey = Journey(plan, lambda event: self._meanwhile(None, *event), heard)

        def send() -> None:
            push_relay(
                self.supervisor.relay,
                connect=connecting(self.centre, journey, self.supervisor.clock.monotonic),
                patience=Patience(_TRIES, lambda _seconds: None),
            )

        self._over(journey, send, None)
        self._said(self.supervisor.relay.receipts())
        self._check_relay()
        self._check_forgotten(held - set(self.supervisor.held()))
        self._check_erased()
        self.dirty = True

    def _over(self, journey: Journey, send: Callable[[], None], number: int | None) -> bool:
        """A push ends well, or says why not, and for a reason."""
        done = False
        try:
            send()
            done = True
        except LineError:
            assert journey.broke, "the line broke, it is said, and nothing happened to it"
        except NotAdmittedError:
            assert number is not None, "a relay was not admitted"
            assert journey.turned_away, "an enrolled laptop was not admitted"
            reached["line turned away"] += 1
        except ServerAnswerError:
            assert journey.stale > 1, "a whole answer could not be used"
        except NotConfirmedError:
            assert self.restored, "all was sent and central proves nothing"
            reached["line not confirmed"] += 1
        else:
            reached["line went through"] += 1
            reached["line resumed"] += journey.broke
        for what in set(journey.happened):
            reached[f"line {what}"] += 1
        return done

    def _heard(self, said: Said, enrolled: bool) -> None:
        """The server answered, whether the sender learns of it or not."""
        if said.method == "PUT":
            self.packs[hashlib.sha256(said.body).hexdigest()] = said.body
        if said.path == "/v1/hello":
            assert said.status == 200, said
            return
        assert (said.status == 403) == (not enrolled), f"who may ask: {said}"
        assert said.status in {200, 201, 202, 401, 403}, f"{said.method} {said.path}: {said.status} {said.answer!r}"
        if said.path in OFFERS and said.status == 200:
            self._merged(said)
        if said.path in {*OFFERS, "/v1/heads"} and said.status == 200:
            answer = json.loads(said.answer)
            files = [*answer.get("receipts", ()), *(file for log in answer.get("logs", ()) for file in log["receipts"])]
            self._issued(_receipt(bytes.fromhex(file)) for file in files)

    def _merged(self, said: Said) -> None:
        """Central says that it holds a batch: with its bytes, or because it has everything in it from elsewhere."""
        batch = self._offered(said)
        held = self.model.held
        known = all(
            entry.head in held.entries and (entry.record_hash in held.bodies or entry.record_hash in batch.erased)
            for entry in batch.entries
        )
        assert not known or not json.loads(said.answer).get("new"), "what was held is new once more"
        reached["line present"] += known
        if batch.data:
            self.model.wrote(batch)
            held.take(batch)
        else:
            assert known, "central never got this batch, and says that it holds it"

    def _offered(self, said: Said) -> Genuine:
        """The batch that a laptop or a relay offers; without bytes where not all of them went over the line."""
        data = said.body
        if said.path == "/v1/batches":
            size = 4 + int.from_bytes(data[:4], "big")
            names = [data[at : at + 32].hex() for at in range(size, len(data), 32)]
            there = all(name in self.packs for name in names)
            head = data[4:size]
            data = head + b"".join(self.packs[name] for name in names) if there else b""
        entries: list[Entry] = []
        erased = set()
        for one in open_container(data or head, "batch").manifest["entries"]:
            entry = self.model.sealed[bytes.fromhex(one["head"])]
            assert (entry.seq, entry.record_hash.hex()) == (one["seq"], one["record"]), "an entry that nobody made"
            entries.append(entry)
            if one.get("erased"):
                erased.add(entry.record_hash)
        return Genuine(data, tuple(entries), frozenset(erased))

    def _check_once(self, one: FieldLaptop | None, said: Said, stored: set[str]) -> None:
        """In one push, a pack that the server confirmed does not come again, unless it asks for it."""
        if said.method == "PUT" and said.arrived:
            name = said.path.rpartition("/")[2]
            assert name not in stored or (one and one.number in self.split), "a pack that was confirmed came again"
            if said.status in {200, 201}:
                stored.add(name)
        if said.path == "/v1/batches" and said.status in {200, 202}:
            stored.difference_update(json.loads(said.answer).get("missing", stored) if said.status == 202 else stored)

    def _check_forgotten(self, gone: set[bytes]) -> None:
        """A relay lets go of what central vouched for, of what was withdrawn, and of what it holds in another file."""
        self.supervisor.check_gone(self.model, gone)
        reached["line forgotten"] += len(gone)

    def _meanwhile(self, one: FieldLaptop | None, event: str, number: int) -> None:
        """Between two requests of a push."""
        reached["line meanwhile"] += 1
        other = self._laptop(number)
        plan: Plan = {number % 7: "cut"} if number % 2 else {}
        if event == "push" and other is not one:
            self._push(other, plan)
            reached["line interleaved"] += 1
        elif event == "relay" and one is not None:
            self._push_relay(plan)
        elif event in {"stick", "export"}:
            if event == "export":
                self._export(one or other, self._stick(0))
            self._bring(self._stick(0))
        elif event == "withdraw":
            if number % 2:
                self.centre.withdraw(kit.tombstone(number % 3))
            else:
                other.withdraw(number % 3)
        elif event == "lose disk" and self.model.backup is not None:
            self._lose_disk()
            reached["line restored"] += 1
        elif event == "back up":
            self._back_up()
        elif event == "time":
            self.time.move(1)
        elif event == "enrol":
            self._change_project([None if number == slot else 0 for slot in range(kit.LAPTOPS)])
        elif event == "seal" and len(self.model.sealed) < MAX_SEALED:
            self._seal(one or other, (None,))


__all__ = ["EVENTS", "Online"]
