"""Pictures of an interview: cleaned, never in the clear on the disk, sealed with the record or not at all."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.attachments import AttachmentRefusedError
from fieldsurvey.fieldwork.custody import retire
from fieldsurvey.fieldwork.returned import TakenReturn, take_return
from fieldsurvey.fieldwork.stripping import CannotStripError
from fieldsurvey.fieldwork.withdrawals import withdraw
from fieldsurvey.records.attachments import PART_BYTES, open_parts, unnamed
from fieldsurvey.records.envelope import Header, open_record, read_header, record_hash
from fieldsurvey.records.payload import Attachment, Payload
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault import attachments as vault_attachments
from fieldsurvey.vault import verify_vault
from fieldsurvey.vault.errors import NotOurRecordError, VaultDamagedError
from tests.fieldwork.conftest import NOW, WORDS, SyntheticProject, join
from tests.fieldwork.forms import PICTURES
from tests.fieldwork.pictures import CANARY, drawing, jpeg, png, webp
from tests.fieldwork.returning import returned, with_hmu
from tests.fieldwork.test_stripping import long_jpeg


@pytest.fixture
def project() -> SyntheticProject:
    """With a form that asks for pictures of a place."""
    made = SyntheticProject()
    made.add_form(PICTURES, "place", "1")
    made.forms[-1][1]["about_people"] = False
    return made


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "IMG_20260301_090000.jpg"
    path.write_bytes(jpeg(6))
    return path


def _opened(laptop: Laptop, project: SyntheticProject) -> tuple[Header, Payload, dict[bytes, bytes]]:
    """The last record, and what lies in the log before it, by hash."""
    rows = [record for _, record in laptop.locked.entries()]
    held = {record_hash(record): record for record in rows[:-1]}
    opened = open_record(rows[-1], project.operational)
    return opened.header, Payload.from_bytes(opened.payload), held


def _bytes(project: SyntheticProject, header: Header, attachment: Attachment, held: dict[bytes, bytes]) -> bytes:
    return b"".join(open_parts(attachment, header, held.get, project.operational))


def _search(home: Path, *needles: bytes) -> list[str]:
    return [
        str(path.relative_to(home))
        for path in home.rglob("*")
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]


def test_a_picture_is_sealed_with_its_record_and_opens_at_the_hmu(
    session: Session, laptop: Laptop, project: SyntheticProject, picture: Path, tmp_path: Path
) -> None:
    """Parts come before the record, which names them; what opens is the picture without its metadata."""
    work = session.start("place")
    work.attach("/data/front", picture)
    name = work.interview.question("/data/front").value
    assert name is not None
    assert name.endswith(".jpg")
    assert "IMG" not in name
    (tmp_path / "back.png").write_bytes(png())
    work.attach("/data/back", tmp_path / "back.png")
    work.finalise()
    header, payload, held = _opened(laptop, project)
    assert [a.media_type for a in payload.attachments] == ["image/jpeg", "image/png"]
    assert {name} < {a.name for a in payload.attachments}
    for attachment in payload.attachments:
        found = _bytes(project, header, attachment, held)
        assert CANARY not in found
        assert Image.open(io.BytesIO(found)).size == drawing().size
        assert f">{attachment.name}<" in payload.instance
    kinds = [read_header(record).kind for _, record in laptop.locked.entries()]
    assert kinds == ["attachment", "attachment", "record"]
    assert {read_header(blob).withdrawal for blob in held.values()} == {header.withdrawal}
    assert unnamed(payload.attachments, held) == []
    assert [card.seq for card in session.sealed()] == [3]  # parts are no interviews of their own
    assert verify_vault(session.vault).whole


def test_no_byte_of_a_picture_lies_on_the_disk_in_the_clear(session: Session, picture: Path, tmp_path: Path) -> None:
    """Not its metadata, not its scan, not its old name: while it is a draft, and after. Control: a planted copy."""
    home = tmp_path / "home"
    needles = (CANARY, picture.name.encode(), jpeg(6)[-200:-150])
    work = session.start("place")
    work.attach("/data/front", picture)
    assert len(list((home / "attachments").rglob("*"))) == 2
    assert _search(home, *needles) == []
    work.close()
    assert _search(home, *needles) == []
    (home / "attachments" / "planted").write_bytes(picture.read_bytes())
    assert _search(home, *needles) == ["attachments/planted"]
    (home / "attachments" / "planted").unlink()
    session.resume(session.drafts()[0].draft_id).finalise()
    assert _search(home, *needles) == []
    assert list((home / "attachments").rglob("*")) == []


def test_a_draft_keeps_its_pictures_until_it_is_sealed(
    session: Session, laptop: Laptop, project: SyntheticProject, picture: Path
) -> None:
    """Closed, locked, unlocked, taken up again: it can be looked at and is sealed."""
    work = session.start("place")
    work.attach("/data/front", picture)
    for _ in range(40):  # enough for a snapshot at the end
        work.next()
        work.previous()
    work.close()
    session.close()
    again = laptop.unlock(WORDS)
    work = again.resume(again.drafts()[0].draft_id)
    name = work.interview.question("/data/front").value
    assert name is not None
    shown = b"".join(work.attached(name))
    assert Image.open(io.BytesIO(shown)).size == drawing().size
    work.finalise()
    header, payload, held = _opened(laptop, project)
    assert _bytes(project, header, payload.attachments[0], held) == shown
    again.close()


def test_only_the_pictures_that_are_answers_at_the_end_are_sealed(
    session: Session, laptop: Laptop, project: SyntheticProject, picture: Path, tmp_path: Path
) -> None:
    """One replaced, one cleared, one whose question does not apply any more: none of them goes along."""
    (tmp_path / "second").write_bytes(webp())
    work = session.start("place")
    work.attach("/data/front", picture)
    work.attach("/data/front", tmp_path / "second")
    work.attach("/data/back", picture)
    work.answer("/data/what", "none")
    work.finalise()
    _, payload, held = _opened(laptop, project)
    assert [a.media_type for a in payload.attachments] == ["image/webp"]
    assert len(held) == 1


def test_discarding_deletes_the_files(session: Session, picture: Path, tmp_path: Path) -> None:
    """From the open interview and from the list."""
    for discard in (lambda work: work.discard(), lambda work: session.discard(work.draft_id)):
        work = session.start("place")
        work.attach("/data/front", picture)
        discard(work)
        assert list((tmp_path / "home" / "attachments").rglob("*")) == []


def test_what_a_crash_left_behind_goes_at_the_next_unlock(
    session: Session, laptop: Laptop, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files whose draft is gone; a living draft, of whomever, keeps its own."""
    work = session.start("place")
    work.attach("/data/front", picture)
    kept = session.start("place")
    kept.attach("/data/front", picture)
    monkeypatch.setattr(vault_attachments.DraftFiles, "clear", lambda _: None)
    work.finalise()
    folders = {path.name for path in (tmp_path / "home" / "attachments").iterdir()}
    assert folders == {work.draft_id, kept.draft_id}
    session.close()
    laptop.unlock(WORDS).close()
    assert [path.name for path in (tmp_path / "home" / "attachments").iterdir()] == [kept.draft_id]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_sealing_is_all_or_nothing(
    session: Session,
    laptop: Laptop,
    picture: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    """A disk full before any of the entries: no part is in the log, the draft and its pictures are; then again."""
    (tmp_path / "back").write_bytes(png())
    work = session.start("place")
    work.attach("/data/front", picture)
    work.attach("/data/back", tmp_path / "back")
    real, calls = type(laptop.locked).append, []

    def full(*arguments: object) -> None:
        calls.append(1)
        if len(calls) > after:
            raise NoSpaceError(place="disk")
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(type(laptop.locked), "append", full)
    with pytest.raises(StorageError):
        work.finalise()
    assert laptop.locked.head().seq == 0
    assert len(session.drafts()) == 1
    monkeypatch.undo()
    assert work.finalise().seq == 3
    assert verify_vault(session.vault).whole


def test_a_source_that_fails_leaves_nothing(session: Session, picture: Path, tmp_path: Path) -> None:
    """Damaged, of another kind, or not there: no file, no answer, and the reason."""
    picture.write_bytes(picture.read_bytes()[:900])
    (tmp_path / "notes.txt").write_bytes(b"a text")
    work = session.start("place")
    for source in (picture, tmp_path / "notes.txt", tmp_path / "gone.jpg", tmp_path):
        with pytest.raises(CannotStripError):
            work.attach("/data/front", source)
    assert work.interview.question("/data/front").value is None
    assert [path for path in (tmp_path / "home" / "attachments").rglob("*") if path.is_file()] == []


def test_pictures_are_refused_where_they_could_give_people_away(
    project: SyntheticProject, clock: FixedClock, tmp_path: Path, picture: Path
) -> None:
    """In a form about people; control: with the override in the signed project they are taken."""
    for allowed in ((), ("photo",)):
        fields = project.forms[-1][1]
        fields.update(about_people=True, allowed=allowed)
        laptop = join(tmp_path / f"home{len(allowed)}", project, clock)
        session = laptop.unlock(WORDS)
        work = session.start("place")
        assert work.takes_file("/data/front") is bool(allowed)
        if allowed:
            assert work.attach("/data/front", picture)
        else:
            with pytest.raises(AttachmentRefusedError):
                work.attach("/data/front", picture)
        session.close()
        laptop.close()


def test_questions_that_take_no_picture_refuse_it(session: Session, picture: Path) -> None:
    """A text, a question that does not apply, and practice, which is kept nowhere."""
    work = session.start("place")
    with pytest.raises(AttachmentRefusedError):
        work.attach("/data/what", picture)
    work.answer("/data/what", "none")
    with pytest.raises(AttachmentRefusedError):
        work.attach("/data/back", picture)
    rehearsal = session.start("place", practice=True)
    with pytest.raises(AttachmentRefusedError):
        rehearsal.attach("/data/front", picture)


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "another"])
def test_a_damaged_file_is_told_and_nothing_is_sealed(
    session: Session, laptop: Laptop, picture: Path, tmp_path: Path, damage: str
) -> None:
    """The draft stays as it is; without the picture it can be sealed."""
    work = session.start("place")
    work.attach("/data/front", picture)
    work.attach("/data/back", picture)
    files = sorted((tmp_path / "home" / "attachments" / work.draft_id).iterdir())
    data = files[0].read_bytes()
    if damage == "gone":
        files[0].unlink()
    elif damage == "another":
        files[0].write_bytes(files[1].read_bytes())
    else:
        files[0].write_bytes(data[:-1] if damage == "cut" else data[:99] + bytes([data[99] ^ 1]) + data[100:])
    with pytest.raises(VaultDamagedError):
        work.finalise()
    assert laptop.locked.head().seq == 0
    for ref in ("/data/front", "/data/back"):
        work.answer(ref, None)
    assert work.finalise().seq == 1


def test_the_vault_takes_only_parts_and_records_of_its_own(session: Session, laptop: Laptop) -> None:
    """A record where a part belongs, a part where the record belongs, and what is neither: refused, nothing moves."""
    work = session.start("place")
    record = b"not a record"
    with pytest.raises(NotOurRecordError):
        vault_attachments.finalise_with_parts(session.vault, work.draft_id, [record], lambda _: record)
    with pytest.raises(NotOurRecordError):
        vault_attachments.finalise_with_parts(session.vault, work.draft_id, [], lambda _: record)
    assert laptop.locked.head().seq == 0
    assert len(session.drafts()) == 1


def test_fifty_megabytes_are_attached_and_sealed_in_bounded_memory(
    session: Session, laptop: Laptop, project: SyntheticProject, tmp_path: Path
) -> None:
    """From the file to the log a few parts are in memory at most; the record's parts give the whole back."""
    size = 50_000_000
    source = tmp_path / "long.jpg"
    with source.open("wb") as out, long_jpeg(size) as stream:
        while piece := stream.read(1 << 20):
            out.write(piece)
    work = session.start("place")
    tracemalloc.start()
    work.attach("/data/front", source)
    attached = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    work.finalise()
    sealed = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert attached < 4 << 20
    assert sealed < 10 * PART_BYTES
    header, payload, held = _opened(laptop, project)
    (attachment,) = payload.attachments
    assert attachment.size > size
    assert len(attachment.parts) == -(-attachment.size // PART_BYTES) == len(held)
    assert sum(map(len, open_parts(attachment, header, held.get, project.operational))) == attachment.size


def test_a_withdrawal_erases_the_pictures_with_the_record(session: Session, laptop: Laptop, picture: Path) -> None:
    """The parts carry the case's tag: with the code, their bodies go too, and the entries stay."""
    work = session.start("place")
    work.attach("/data/front", picture)
    card = work.finalise()
    assert card.withdrawal_code is not None
    erased = withdraw(laptop.locked, WithdrawalCode.parse(card.withdrawal_code), NOW.date())
    assert erased.bodies == 2
    assert list(laptop.locked.entries()) == []
    assert laptop.locked.head().seq == 2


def test_a_retired_laptop_keeps_no_picture(session: Session, laptop: Laptop, picture: Path, tmp_path: Path) -> None:
    """Not even encrypted ones, whose keys went with the drafts."""
    session.start("place").attach("/data/front", picture)
    session.close()
    retire(laptop, force=True, typed_name="Synthetic laptop")
    assert not (tmp_path / "home" / "attachments").exists()


def test_pictures_of_returned_work_are_carried_on_or_replaced(
    laptop: Laptop, project: SyntheticProject, picture: Path, tmp_path: Path
) -> None:
    """Mended elsewhere, the next revision names the same parts, which open at the HMU; a new picture takes a place."""
    with_hmu(project)
    laptop.update(project.publish())
    session = laptop.unlock(WORDS)
    work = session.start("place")
    work.answer("/data/what", "a place")
    work.attach("/data/front", picture)
    work.attach("/data/back", picture)
    work.finalise()
    _, before, held = _opened(laptop, project)
    data = returned(laptop, project, laptop.locked.head().seq, {"/data/back": "Another one?"})
    assert isinstance(take_return(laptop.locked, data, laptop.project), TakenReturn)
    session.open_returned()
    work = session.resume(session.returned()[0].draft_id)
    other = tmp_path / "other.jpg"
    other.write_bytes(jpeg(3))
    work.attach("/data/back", other)
    work.finalise()
    header, after, held = _opened(laptop, project)
    assert header.revision == 2
    assert after.attachments[0] == before.attachments[0]
    assert len(after.attachments) == 2
    assert after.attachments[1].name not in {one.name for one in before.attachments}
    for one in after.attachments:
        assert len(_bytes(project, header, one, held)) == one.size
    session.close()
    assert verify_vault(laptop.locked.unlock(WORDS)).whole
