"""A supervisor's laptop at work while it is killed, or its sticks fail. See `days`; all laptops here are synthetic."""

from __future__ import annotations

import io
from pathlib import Path

from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Level, Receipt, Role, read_receipt, write_receipt
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.batches import read_batch
from sync.carrying import hand_on, take_stick
from sync.relay import Relay
from tests.faults.day import Day, Say
from tests.faults.days import DAYS
from tests.faults.rounds import CLOCK
from tests.sync.laptops import PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import SyntheticProject


class Taking(Day):
    """A stick with the batches of three laptops comes to a supervisor; one of them is at central already."""

    name = "take"

    def __init__(self) -> None:
        self.signer = SyntheticProject(PROJECT)
        self.laptops = [laptop(3), laptop(2), laptop(2)]
        self.code = WithdrawalCode.generate()

    @property
    def at_central(self) -> SyntheticLaptop:
        """Whose receipt comes with the stick."""
        return self.laptops[2]

    def prepare(self, folder: Path) -> None:
        """A relay that holds what central has meanwhile, and a stick."""
        home = folder / "relay home"
        home.mkdir(parents=True)
        (home / "given.key").write_bytes(role_key_bytes(PROJECT, Role.SUPERVISOR, self.signer.supervisor))
        relay = Relay.set_up(home, home / "given.key", self.signer.publish().data, CLOCK)
        early = folder / "early"
        self.lay(early, self.at_central)
        take_stick(relay, early)
        (folder / "road").mkdir()
        for one in self.laptops[:2]:
            self.lay(folder / "stick", one)
        receipt = Receipt(
            project=PROJECT,
            device=self.at_central.device,
            up_to=2,
            head=self.at_central.head_at(2).hex(),
            level=Level.COMMITTED,
            by=Role.CENTRAL,
            issued="2026-03-02T10:00:00Z",
        )
        receipts = folder / "stick" / "fieldsurvey" / "receipts"
        receipts.mkdir()
        (receipts / "any.fsr").write_bytes(write_receipt(receipt, self.signer.central))

    @staticmethod
    def lay(stick: Path, one: SyntheticLaptop) -> None:
        """Its batches, two entries each."""
        folder = stick / "fieldsurvey" / "batches"
        folder.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(one.batches(max_entries=2)):
            (folder / f"{one.device[:12]}-{number}.fsb").write_bytes(data)

    def work(self, folder: Path, say: Say) -> None:
        """Take it."""
        report = take_stick(Relay.open(folder / "relay home", CLOCK), folder / "stick")
        if not report.having("refused"):
            say("taken")
        for receipt in report.receipts:
            say(f"{receipt.device} {receipt.up_to}")

    def wrong(self, folder: Path, said: list[str]) -> str:
        """What was vouched for is here, whole; doing it again ends with everything taken, once, and vouched for."""
        held = self._held(folder)
        for words in said:
            if words != "taken" and held.get(words.split()[0], 0) < int(words.split()[1]):
                return f"said {words}, held {held}"
        if self._vouched(folder / "stick", held):
            return "a receipt on the stick for what is not here"
        relay = Relay.open(folder / "relay home", CLOCK)
        take_stick(relay, folder / "stick")
        held = self._held(folder)
        if held != {one.device: len(one.log) for one in self.laptops[:2]}:
            return f"held {held}"
        left = [path.name for path in relay.folder.rglob("*") if path.suffix == ".part" or path.name == "incoming"]
        found = {path.name for path in (folder / "stick" / "fieldsurvey" / "receipts").glob("supervisor-*")}
        return f"left {left}" if left else "" if len(found) == 2 else f"receipts {found}"

    def _held(self, folder: Path) -> dict[str, int]:
        """Device -> up to which entry whole batches reach without a gap, after a fresh start."""
        found: dict[str, int] = {}
        for one in Relay.open(folder / "relay home", CLOCK).offers():
            if one.first == found.get(one.device, 0) + 1:
                found[one.device] = one.last
        return found

    def _vouched(self, stick: Path, held: dict[str, int]) -> bool:
        keys = [(Role.SUPERVISOR, self.signer.supervisor.public)]
        for path in (stick / "fieldsurvey" / "receipts").glob("supervisor-*.fsr"):
            receipt = read_receipt(path.read_bytes(), keys)
            if held.get(receipt.device, 0) < receipt.up_to:
                return True
        return False


class Handing(Taking):
    """All that is carried goes on to another stick; a batch in which somebody withdrew waits for that."""

    name = "hand"

    def prepare(self, folder: Path) -> None:
        """Everything was taken; then somebody of the first laptop took an interview back."""
        self.laptops[0].seal(withdrawal=self.code.tag(PROJECT))
        super().prepare(folder)
        take_stick(Relay.open(folder / "relay home", CLOCK), folder / "stick")
        stone = Tombstone(project=PROJECT, code=self.code.raw, requested="2026-03-01")
        Withdrawals(folder / "relay home").enter(stone)

    def work(self, folder: Path, say: Say) -> None:
        """Hand it on."""
        hand_on(Relay.open(folder / "relay home", CLOCK), folder / "road")
        say("handed")

    def wrong(self, folder: Path, said: list[str]) -> str:
        """If it was said, all is on the stick, whole; handing on again completes it. What was withdrawn goes from here,
        and not before the others in its batch are on the stick.
        """
        wanted = {(self.laptops[0].device, 1, 2), (self.laptops[0].device, 3, 4), (self.laptops[1].device, 1, 2)}
        if said and self._on(folder / "road") != wanted:
            return f"said, and there is {self._on(folder / 'road')}"
        relay = Relay.open(folder / "relay home", CLOCK)
        hand_on(relay, folder / "road")
        if self._on(folder / "road") != wanted:
            return f"there is {self._on(folder / 'road')}"
        record = self.laptops[0].log[3][1]
        if any(record in path.read_bytes() for path in (folder / "relay home").rglob("*") if path.is_file()):
            return "the withdrawn record is still there"
        left = [path.name for path in (folder / "road").rglob("*.part")]
        return f"left {left}" if left else ""

    @staticmethod
    def _on(stick: Path) -> set[tuple[str, int, int]]:
        """Every whole batch; what is named as one must be one."""
        found = set()
        for path in (stick / "fieldsurvey" / "batches").glob("*.fsb"):
            batch = read_batch(io.BytesIO(path.read_bytes()))
            batch.verify()
            found.add((batch.device, batch.first, batch.last))
        return found


ALL: dict[str, type[Day]] = {**DAYS, **{day.name: day for day in (Taking, Handing)}}
"""Those of `days`, and these."""
