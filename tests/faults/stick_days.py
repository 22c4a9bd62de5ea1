"""Work with a stick that is killed: records leave, come to central, and what central says comes back."""

from __future__ import annotations

import io
from pathlib import Path

from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project.model import RoleKey
from fieldsurvey.project.signed import read_project as read
from fieldsurvey.records.receipt import Role, read_receipt
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.vault import verify_vault
from sync.batches import read_batch
from sync.central import Central
from sync.folder import collect, export_batches
from sync.importing import import_folder
from tests.faults.day import Day, Say
from tests.faults.rounds import CLOCK
from tests.fieldwork.conftest import WORDS
from tests.sync.dumps import dump

RECORDS = 5


class Exporting(Day):
    """Records go to a stick."""

    name = "export"

    def prepare(self, folder: Path) -> None:
        """With records."""
        super().prepare(folder)
        self.seal(folder, RECORDS)
        (folder / "stick").mkdir()

    def work(self, folder: Path, say: Say) -> None:
        """Locked, three batches."""
        laptop = Laptop.open(folder / "home", CLOCK)
        export_batches(laptop.locked, folder / "stick", clock=CLOCK, max_entries=2)
        say("exported")
        laptop.close()

    def wrong(self, folder: Path, said: list[str]) -> str:
        """What is said to be copied is there; exporting again goes on; every record is there once, no half file."""
        laptop = Laptop.open(folder / "home", CLOCK)
        held = [record for _entry, record in laptop.locked.entries()]
        copied = max((copy.up_to for copy in laptop.locked.copied()), default=0)
        if not set(range(1, copied + 1)) <= set(on_stick(folder / "stick")) or (said and copied != RECORDS):
            return f"said to be copied up to {copied}"
        export_batches(laptop.locked, folder / "stick", clock=CLOCK, max_entries=2)
        laptop.close()
        found = on_stick(folder / "stick")
        if [found.get(n + 1) for n in range(RECORDS)] != [[record] for record in held]:
            return "not every record once on the stick"
        left = [path.name for path in (folder / "stick").rglob("*.part")]
        return f"left {left}" if left else ""


def on_stick(stick: Path) -> dict[int, list[bytes]]:
    """Every record of every whole batch, by the number of its entry."""
    found: dict[int, list[bytes]] = {}
    for path in sorted((stick / "fieldsurvey" / "batches").glob("*.fsb")):
        for entry, _header, record in read_batch(io.BytesIO(path.read_bytes())).records():
            found.setdefault(entry.seq, []).append(record)
    return found


class Importing(Exporting):
    """A stick comes to central."""

    name = "import"

    def __init__(self) -> None:
        super().__init__()
        self.central = SigningKey.generate()
        self.project.roles = (RoleKey(role=Role.CENTRAL, label="central", public=self.central.public.bytes.hex()),)

    def prepare(self, folder: Path) -> None:
        """A stick with batches of an enrolled laptop; and what central looks like when nothing goes wrong."""
        super().prepare(folder)
        laptop = Laptop.open(folder / "home", CLOCK)
        self.project.enrol(laptop.locked.device_card())
        laptop.update(self.project.publish())
        self.signed = laptop.project
        export_batches(laptop.locked, folder / "stick", clock=CLOCK, max_entries=2)
        laptop.close()
        control = folder.parent / "control"
        control.mkdir()
        with Central.open(control / "central.db", clock=CLOCK) as central:
            import_folder(central, folder / "stick", self.signed, None)
        self.expected = self._dump(control)

    @staticmethod
    def _dump(folder: Path) -> object:
        return dump(folder / "central.db", "_sqlite_migrations", "sqlite_sequence")

    def work(self, folder: Path, say: Say) -> None:
        """Merge, confirm, offer the project."""
        with Central.open(folder / "central.db", clock=CLOCK) as central:
            import_folder(central, folder / "stick", self.signed, self.central)
            say("imported")

    def wrong(self, folder: Path, said: list[str]) -> str:
        """If it was said, all is there; importing again ends in the same central, and the laptop gets its receipt."""
        if said and self._dump(folder) != self.expected:
            return "said that it is imported, and it is not all there"
        with Central.open(folder / "central.db", clock=CLOCK) as central:
            report = import_folder(central, folder / "stick", self.signed, self.central)
        if self._dump(folder) != self.expected:
            return "another central than without the kill"
        if report.refused or report.stick_problem:
            return f"{report.refused} {report.stick_problem}"
        keys = self.signed.model.role_keys
        for path in (folder / "stick").rglob("*.fsr"):
            if read_receipt(path.read_bytes(), keys).up_to != RECORDS:
                return "a receipt says less"
        return ""


class Collecting(Importing):
    """A laptop takes what came back: receipts and the project."""

    name = "collect"

    def prepare(self, folder: Path) -> None:
        """A stick that was at central and has a newer project."""
        super().prepare(folder)
        self.signed = read(self.project.publish())
        with Central.open(folder / "central.db", clock=CLOCK) as central:
            import_folder(central, folder / "stick", self.signed, self.central)

    def work(self, folder: Path, say: Say) -> None:
        """Take it."""
        laptop = Laptop.open(folder / "home", CLOCK)
        collect(laptop, folder / "stick")
        say("collected")
        laptop.close()

    def wrong(self, folder: Path, said: list[str]) -> str:
        """A receipt is there or not, and after collecting again it is; the laptop opens with the newer project."""
        newest = self.signed.model.version
        for attempt in ("as it was left", "after collecting again"):
            session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
            if not verify_vault(session.vault).whole:
                return f"{attempt}: not whole"
            session.close()
            laptop = Laptop.open(folder / "home", CLOCK)
            done = laptop.project.model.version == newest and [r.up_to for r in laptop.locked.receipts()] == [RECORDS]
            if not done and (said or attempt != "as it was left"):
                return f"{attempt}: version {laptop.project.model.version}, {laptop.locked.receipts()}"
            collect(laptop, folder / "stick")
            laptop.close()
        return ""
