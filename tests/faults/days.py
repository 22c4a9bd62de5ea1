"""Work that is killed: prepare, do, look at what was left and finish it. See `killing`."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from pathlib import Path

from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project.model import RoleKey
from fieldsurvey.project.signed import read_project as read
from fieldsurvey.records.attachments import open_parts
from fieldsurvey.records.envelope import open_record, read_header, record_hash
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.receipt import Role, read_receipt
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.slots import FLOOR, open_slot
from fieldsurvey.vault import vault as vault_module
from fieldsurvey.vault import verify_vault
from fieldsurvey.vault.errors import NoVaultError
from sync.batches import read_batch
from sync.central import Central
from sync.folder import collect, export_batches
from sync.importing import import_folder
from tests.faults.rounds import CLOCK
from tests.fieldwork.conftest import WORDS, SyntheticProject
from tests.fieldwork.pictures import jpeg
from tests.fieldwork.test_attachments import _FORM as FORM_WITH_PICTURES
from tests.sync.dumps import dump

Say = Callable[[str], None]
RECORDS = 5


class Day:
    """One kind of work. Every method gets the folder in which it happens."""

    name = ""

    def __init__(self) -> None:
        # Children are forks: what this process opened once, they open without Argon2id.
        vault_module.open_slot = functools.lru_cache(maxsize=8)(open_slot)  # type: ignore[attr-defined]
        self.project = SyntheticProject()

    def prepare(self, folder: Path) -> None:
        """What is there before the work: a laptop that joined."""
        home = folder / "home"
        Laptop.join(
            home,
            self.project.publish(),
            device_name="Synthetic laptop",
            person="E01",
            passphrase=WORDS,
            clock=CLOCK,
            argon2=FLOOR,
        ).close()
        with Laptop.open(home, CLOCK).unlock(WORDS).vault:
            pass

    def work(self, folder: Path, say: Say) -> None:
        """What is killed; says what it has acknowledged."""
        raise NotImplementedError

    def wrong(self, folder: Path, said: list[str]) -> str:
        """What is lost or twice, now and after the work was done again; "" if nothing is."""
        raise NotImplementedError

    def seal(self, folder: Path, count: int) -> None:
        """Some sealed records."""
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        for n in range(count):
            work = session.start("synthetic")
            work.answer("/data/story", f"record {n}")
            work.answer("/data/age", "30")
            work.finalise()
        session.close()


class Answering(Day):
    """Five answers, each acknowledged."""

    name = "answer"

    def prepare(self, folder: Path) -> None:
        """With a draft."""
        super().prepare(folder)
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        session.start("synthetic").answer("/data/story", "0")
        session.close()

    def work(self, folder: Path, say: Say) -> None:
        """Resume and answer."""
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        work = session.resume(session.drafts()[0].draft_id)
        for n in range(1, 6):
            work.answer("/data/story", str(n))
            say(str(n))
        work.close()
        session.close()

    def wrong(self, folder: Path, said: list[str]) -> str:
        """The last answer said, or the next."""
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        if not verify_vault(session.vault).whole:
            return "not whole"
        cards = session.drafts()
        found = [session.resume(card.draft_id).interview.question("/data/story").value for card in cards]
        session.close()
        last = int(said[-1]) if said else 0
        return "" if found in ([str(last)], [str(last + 1)]) else f"said {last}, found {found}"


class Finalising(Day):
    """A draft becomes a record."""

    name = "finalise"
    early = False

    def prepare(self, folder: Path) -> None:
        """With a finished draft, and one record before it."""
        super().prepare(folder)
        self.seal(folder, 1)
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        work = session.start("synthetic")
        work.answer("/data/story", "to be sealed")
        work.answer("/data/age", "41")
        session.close()

    def work(self, folder: Path, say: Say) -> None:
        """Seal it."""
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        work = session.resume(session.drafts()[0].draft_id)
        if self.early:
            say("sealed")
        work.finalise()
        say("sealed")
        session.close()

    def wrong(self, folder: Path, said: list[str]) -> str:
        """Either a draft or a record, never both, never none; sealed if it was said; then sealed once."""
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        if not verify_vault(session.vault).whole:
            return "not whole"
        sealed = session.vault.locked.head().seq - 1
        drafts = session.drafts()
        if sealed + len(drafts) != 1:
            return f"{sealed} records, {len(drafts)} drafts"
        if said and not sealed:
            return "said that it is sealed, and it is not"
        for card in drafts:
            session.resume(card.draft_id).finalise()
        stories = [
            Payload.from_bytes(open_record(record, self.project.operational).payload).instance
            for _entry, record in session.vault.locked.entries()
        ]
        session.close()
        once = [story.count("to be sealed") for story in stories] == [0, 1]
        return "" if once else "not sealed once"


class Attaching(Day):
    """A picture is attached, and sealed in parts before its record."""

    name = "attach"

    def __init__(self) -> None:
        super().__init__()
        self.project.add_form(FORM_WITH_PICTURES, "place", "1")
        self.project.forms[-1][1]["about_people"] = False

    def prepare(self, folder: Path) -> None:
        """With a draft and a picture on a stick."""
        super().prepare(folder)
        (folder / "picture.jpg").write_bytes(jpeg(6))
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        work = session.start("place")
        work.answer("/data/what", "a well")
        work.attach("/data/front", folder / "picture.jpg")
        name = work.interview.question("/data/front").value
        assert name
        self.picture = b"".join(work.attached(name))
        work.answer("/data/front", None)
        session.close()
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)  # what no answer names goes
        session.close()

    def work(self, folder: Path, say: Say) -> None:
        """Attach it and seal."""
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        work = session.resume(session.drafts()[0].draft_id)
        work.attach("/data/front", folder / "picture.jpg")
        say("attached")
        work.finalise()
        say("sealed")
        session.close()

    def wrong(self, folder: Path, said: list[str]) -> str:
        """A draft, with its picture if that was said, or the parts and the record, once; nothing in the clear."""
        stretch = self.picture[len(self.picture) // 2 :][:64]
        clear = [p.name for p in (folder / "home").rglob("*") if p.is_file() and stretch in p.read_bytes()]
        if clear:
            return f"in the clear: {clear}"
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        if not verify_vault(session.vault).whole:
            return "not whole"
        drafts = session.drafts()
        if ("sealed" in said and drafts) or len(drafts) > 1:
            return f"{said}, and {len(drafts)} drafts"
        for card in drafts:
            work = session.resume(card.draft_id)
            name = work.interview.question("/data/front").value
            if name is None and "attached" in said:
                return "said that it is attached, and it is not"
            if name is None:
                work.attach("/data/front", folder / "picture.jpg")
            elif b"".join(work.attached(name)) != self.picture:
                return "another picture"
            work.finalise()
        session.close()
        left = [p.name for p in (folder / "home").rglob("*") if p.is_file() and "attachments" in p.parts]
        return f"left {left}" if left else self._sealed_once(folder)

    def _sealed_once(self, folder: Path) -> str:
        laptop = Laptop.open(folder / "home", CLOCK)
        rows = [record for _entry, record in laptop.locked.entries()]
        laptop.close()
        held = {record_hash(record): record for record in rows}
        kinds = [read_header(record).kind for record in rows]
        if kinds.count("record") != 1 or kinds[-1] != "record":
            return f"sealed {kinds}"
        opened = open_record(rows[-1], self.project.operational)
        (attachment,) = Payload.from_bytes(opened.payload).attachments
        found = b"".join(open_parts(attachment, opened.header, held.get, self.project.operational))
        return "" if found == self.picture and len(rows) == 1 + len(attachment.parts) else "not the picture, once"


class SaysTooEarly(Finalising):
    """Control: acknowledges before it is durable."""

    name = "control"
    early = True


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


class Joining(Day):
    """A laptop joins."""

    name = "join"

    def prepare(self, folder: Path) -> None:
        """Only the project's file."""
        (folder / "project.fsp").write_bytes(self.project.publish())

    def work(self, folder: Path, say: Say) -> None:
        """Join."""
        self._join(folder)
        say("joined")

    def _join(self, folder: Path) -> None:
        data = (folder / "project.fsp").read_bytes()
        Laptop.join(
            folder / "home", data, device_name="Synthetic", person="E01", passphrase=WORDS, clock=CLOCK, argon2=FLOOR
        ).close()

    def wrong(self, folder: Path, said: list[str]) -> str:
        """It joined, or joining again works."""
        try:
            Laptop.open(folder / "home", CLOCK).unlock(WORDS).close()
        except NoVaultError:
            if said:
                return "said that it joined, and it did not"
            self._join(folder)
            Laptop.open(folder / "home", CLOCK).unlock(WORDS).close()
        return ""


DAYS: dict[str, type[Day]] = {
    day.name: day for day in (Answering, Finalising, Attaching, SaysTooEarly, Exporting, Importing, Collecting, Joining)
}
