"""The HMU of the synthetic project, as far as a laptop hears of it: it returns a record with comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.cards import SealedCard
from fieldsurvey.fieldwork.returned import IgnoredReturn, TakenReturn, take_return
from fieldsurvey.project.model import RoleKey
from fieldsurvey.records.envelope import open_record, record_hash
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.returned import Comment, ReturnedWork, ReturnManifest, write_return
from fieldsurvey.records.signing import SigningKey
from tests.fieldwork.conftest import SyntheticProject

HMU = SigningKey(bytes(range(32)))


STORY = {"/data/story": "Which one?"}


def with_hmu(project: SyntheticProject) -> SyntheticProject:
    """Name the HMU's role key in the versions to come."""
    project.roles = (RoleKey(role=Role.HMU, label="HMU", public=HMU.public.bytes.hex()),)
    return project


def payload_of(laptop: Laptop, project: SyntheticProject, seq: int) -> Payload:
    """What a record of the laptop's log says to the HMU."""
    [(_, record)] = laptop.locked.entries(seq, seq)
    return Payload.from_bytes(open_record(record, project.operational).payload)


def returned(
    laptop: Laptop,
    project: SyntheticProject,
    seq: int = 1,
    comments: Mapping[str, str] = STORY,
    *,
    general: str = "",
    signer: SigningKey = HMU,
    id_of_project: str = "",
    **changes: Any,
) -> bytes:
    """The file with which record `seq` comes back; `changes` to what its manifest says, or to its `payload`."""
    [(_, record)] = laptop.locked.entries(seq, seq)
    opened = open_record(record, project.operational)
    header = opened.header
    payload = Payload.from_bytes(opened.payload).model_copy(update={"paradata": {}, **changes.pop("payload", {})})
    manifest = ReturnManifest(
        project=id_of_project or header.project,
        device=header.device,
        case=header.case,
        revision=header.revision,
        record=record_hash(record).hex(),
        withdrawal=header.withdrawal,
    )
    work = ReturnedWork(
        issued="2026-03-02T10:00:00Z",
        record=payload,
        comments=tuple(Comment(ref=ref, text=text) for ref, text in comments.items()),
        general=general,
    )
    recipient = laptop.locked.device_card().recipient
    return write_return(manifest.model_copy(update=changes), work, recipient, signer)


def seal_one(session: Session, story: str = "told") -> SealedCard:
    """An interview with a note, an accepted warning and a row."""
    work = session.start("synthetic")
    work.answer("/data/story", story)
    work.answer("/data/age", "101")
    work.accept_warning("/data/age", "checked")
    work.set_note("/data/story", "noted")
    work.answer(work.add_repeat("/data/person") + "/first", "one row")
    return work.finalise()


def take(laptop: Laptop, data: bytes) -> TakenReturn | IgnoredReturn:
    """What the locked laptop makes of a file of returned work."""
    return take_return(laptop.locked, data, laptop.project)


def ignored(laptop: Laptop, data: bytes) -> str:
    """The kind of reason for which it is ignored; there must be words for it."""
    found = take(laptop, data)
    assert isinstance(found, IgnoredReturn)
    assert found.reason
    return found.kind
