"""Work that is killed: prepare, do, look at what was left and finish it. See `killing`."""

from __future__ import annotations

from pathlib import Path

from fieldsurvey.fieldwork import Laptop
from fieldsurvey.records.attachments import open_parts
from fieldsurvey.records.envelope import open_record, read_header, record_hash
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import verify_vault
from fieldsurvey.vault.errors import NoVaultError
from tests.faults.day import Day, Say
from tests.faults.rounds import CLOCK
from tests.faults.stick_days import Collecting, Exporting, Importing
from tests.fieldwork.conftest import WORDS
from tests.fieldwork.forms import PICTURES
from tests.fieldwork.pictures import jpeg


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
        self.project.add_form(PICTURES, "place", "1")
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
