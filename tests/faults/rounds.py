"""A laptop's days, each step acknowledged, and what must be found after each: read back through the program itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.custody import begin_again
from fieldsurvey.fieldwork.work import Work
from fieldsurvey.records.receipt import Level, Receipt, Role
from fieldsurvey.records.slots import FLOOR, open_slot
from fieldsurvey.vault import Vault, verify_vault
from tests.fieldwork.conftest import OTHER_WORDS, WORDS, SyntheticProject

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
CLOCK = FixedClock(NOW)


@dataclass(frozen=True)
class Found:
    """Everything that a laptop holds, as far as E01 can open it. Drafts: id -> digest of all that it holds."""

    head: int
    records: tuple[str, ...]
    drafts: frozenset[tuple[str, str]]
    people: tuple[str, ...]
    receipts: frozenset[tuple[str, int]]
    copied: frozenset[tuple[str, int]]
    former: tuple[tuple[int, int], ...]


NOTHING = None
"""Not joined."""


def look(vault: Vault) -> Found:
    """Read all of it through the program."""
    locked = vault.locked
    drafts = set()
    for draft_id in vault.drafts.ids():
        draft = vault.drafts.open(draft_id)
        parts = [draft.head, draft.snapshot, *draft.changes]
        drafts.add((draft_id, hashlib.sha256(b"".join(len(p).to_bytes(4, "big") + p for p in parts)).hexdigest()))
    return Found(
        head=locked.head().seq,
        records=tuple(hashlib.sha256(record).hexdigest() for _entry, record in locked.entries()),
        drafts=frozenset(drafts),
        people=tuple(person.person for person in vault.people.listed()),
        receipts=frozenset((str(receipt.level), receipt.up_to) for receipt in locked.receipts()),
        copied=frozenset((copy.place, copy.up_to) for copy in locked.copied()),
        former=tuple((log.number, sum(1 for _ in log.entries())) for log in locked.former_logs()),
    )


class CorruptError(Exception):
    """A laptop that does not open, or does not pass its own verification."""


def recovered(home: Path) -> Found | None:
    """What a laptop's folder gives when it is opened: NOTHING if it never joined. Raises CorruptError."""
    try:
        laptop = Laptop.open(home, CLOCK)
    except FieldsurveyError as error:
        if error.code == "vault.none":
            return NOTHING
        raise CorruptError(f"open: {error.code}") from error
    try:
        if laptop.project.model.version < laptop.locked.pin().version:
            raise CorruptError("the project is older than its pin")
        with laptop.unlock(WORDS).vault as vault:
            report = verify_vault(vault)
            if not report.whole:
                raise CorruptError(str(report.findings))
            return look(vault)
    except FieldsurveyError as error:
        raise CorruptError(error.code) from error
    finally:
        laptop.close()


def goes_on(home: Path) -> None:
    """After the fault a laptop that had joined works: one more interview is sealed, and everything verifies."""
    laptop = Laptop.open(home, CLOCK)
    session = laptop.unlock(WORDS)
    before = laptop.locked.head().seq
    work = session.start("synthetic")
    work.answer("/data/story", "after the fault")
    work.answer("/data/age", "40")
    assert work.finalise().seq == before + 1
    assert verify_vault(session.vault).whole
    session.close()
    laptop.close()


def remember_slots(patch: pytest.MonkeyPatch) -> None:
    """A slot that was opened with these words before opens without Argon2id: thousands of laptops are opened here."""
    patch.setattr("fieldsurvey.vault.vault.open_slot", lru_cache(maxsize=64)(open_slot))


class Days:
    """Takes the steps. `done(found)` is called after each that was acknowledged, with what must now be found."""

    def __init__(self, home: Path, project: SyntheticProject, done: Callable[[Found], None]) -> None:
        self.home = home
        self.project = project
        self._done = done
        self.laptop: Laptop
        self.session: Session

    def _say(self) -> None:
        self._done(look(self.session.vault))

    def join(self) -> None:
        """A new laptop, opened."""
        Laptop.join(
            self.home,
            self.project.publish(),
            device_name="Synthetic laptop",
            person="E01",
            passphrase=WORDS,
            clock=CLOCK,
            argon2=FLOOR,
        ).close()
        self._open()

    def _open(self) -> None:
        self.laptop = Laptop.open(self.home, CLOCK)
        self.session = self.laptop.unlock(WORDS)
        self._say()

    def reopen(self) -> None:
        """Lock, end, and open again."""
        self.session.close()
        self.laptop.close()
        self._open()

    def interview(self, name: str, answers: int) -> Work:
        """Start one and answer, step by step."""
        work = self.session.start("synthetic", language="es")
        self._say()
        for step in self._steps(work, name, answers):
            step()
            self._say()
        return work

    def _steps(self, work: Work, name: str, answers: int) -> Iterator[Callable[[], object]]:
        for n in range(answers):
            yield lambda n=n: work.answer("/data/story", f"{name} {n}")  # type: ignore[misc]
        yield lambda: work.answer("/data/age", "17")
        yield work.next
        yield lambda: work.set_language("en")
        yield lambda: work.set_note("/data/age", f"a note of {name}")
        yield lambda: work.add_repeat("/data/person")
        yield lambda: work.answer("/data/person[1]/first", name)
        yield lambda: work.remove_repeat("/data/person", 1)
        yield lambda: work.apply([{"answer": {"/data/minor": name}}, {"answer": {"/data/kind": "one"}}])

    def finalise(self, work: Work) -> None:
        """Seal it."""
        work.finalise()
        self._say()

    def receipt(self, level: Level) -> None:
        """Central has it all."""
        locked = self.laptop.locked
        head = locked.head()
        locked.take_receipt(
            Receipt(
                project=self.project.id,
                device=locked.device_card().device,
                up_to=head.seq,
                head=head.head.hex(),
                level=level,
                by=Role.CENTRAL,
                issued="2026-03-01T10:00:00Z",
            )
        )
        self._say()

    def new_vault(self) -> None:
        """The words are forgotten: a new log with a new key, the former one stays and exports."""
        self.session.close()
        begin_again(self.laptop, "E01", WORDS, FLOOR)
        self.laptop.close()
        self._open()

    def run(self, *, answers: int = 3, rounds: int = 1) -> None:
        """Join, interviews, a long answer, discarding, export, receipt, a newer project, a colleague, a new vault."""
        self.join()
        for n in range(rounds):
            self.finalise(self.interview(f"first {n}", answers))
            left = self.interview(f"second {n}", 1)
            left.answer("/data/story", "long " * 8_000)
            self._say()
            left.close()
            self._say()
            self.laptop.locked.mark_copied(self.laptop.locked.head().seq, f"stick {n}", NOW)
            self._say()
            self.receipt(Level.COMMITTED)
            self.laptop.update(self.project.publish())
            self._say()
            self.session.vault.people.add("E02", OTHER_WORDS, FLOOR)
            self._say()
            self.session.vault.people.remove("E02")
            self._say()
            gone = self.session.start("synthetic")
            self._say()
            gone.discard()
            self._say()
            self.reopen()
            again = self.session.resume(left.draft_id)
            for k in range(answers):
                again.answer("/data/age", str(20 + k))
                self._say()
            self.finalise(again)
            self.receipt(Level.BACKED_UP)
            self.new_vault()
            self.finalise(self.interview(f"third {n}", 1))
        self.session.close()
        self._say()
        self.laptop.close()
