"""Work that the HMU returned, on a laptop: taken while it is locked, opened when its enumerator unlocks.

    take_return(log, data, project)   a file, from a stick or the server: kept as it came, or ignored with a reason
    open_returns(session)             drafts of the next revision, for the person who unlocked

A file is sealed to the laptop, so that only an unlocked one opens it. The draft is of the same case and withdrawal tag,
its parent is the record that came back, and its answers, notes, reasons and consent are that record's. It belongs to
the person who made the record; to anybody here who takes it where that person has left.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from fieldsurvey.base.errors import RefusedError, Rendered, UntrustedError, render
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork.consent import Said, asked_by
from fieldsurvey.fieldwork.saved import Correction, FormKey, Head, Paradata, SavedChange, snapshot_bytes
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.returned import MAX_BYTES, ReturnedWork, SealedReturn, open_return, read_return
from fieldsurvey.vault.returned import (
    becomes_draft,
    drop_return,
    has_room,
    keep_return,
    logged,
    sealed_return,
    stored_returns,
)
from fieldsurvey.xforms.contract import ViolationKind
from fieldsurvey.xforms.errors import FormError, NoSuchRefError

if TYPE_CHECKING:
    from fieldsurvey.fieldwork.session import Session
    from fieldsurvey.records.payload import Payload
    from fieldsurvey.vault import SealedLog
    from fieldsurvey.xforms.contract import Form, Interview

Ignored = Literal["other", "forged", "known", "older", "history", "withdrawn", "full"]
"""Why a file changed nothing. other: another laptop's, which is usual on a shared stick. forged: its shape or signature
does not hold. known: it came before. older: its case was returned or sealed again since. history: it speaks of a record
that this laptop's log does not have (a new vault, a restored backup). withdrawn: the person took the case back. full:
as many wait as may."""
WARNED: Final = frozenset({"forged", "history", "full"})
"""Those that somebody should hear of."""


class ReturnFormGoneError(RefusedError):
    """Returned work whose form version the project no longer carries."""

    code = "fieldwork.return_form_gone"
    template = "Work came back that was made with {form}, version {version}, which this project no longer carries."
    hint = "It waits on this laptop, sealed. Ask the steward for a project file with that version, and unlock again."


class ReturnBeforeError(RefusedError):
    """Sealed to keys that this laptop had before it began a new log."""

    code = "fieldwork.return_before"
    template = "Work came back for this laptop as it was before its new log: nobody can open it any more."
    hint = "It was removed from here; the record at central stays as it was. Tell the HMU."


class ReturnGoneError(RefusedError):
    """Returned work that does not wait here any more."""

    code = "fieldwork.return_gone"
    template = "This returned work does not wait here any more."
    hint = "Nothing was changed. Somebody opened it meanwhile, or the person withdrew the interview."


@dataclass(frozen=True, slots=True)
class IgnoredReturn:
    """A file that changed nothing, with the reason in the user's language. `name`: of the file, where it had one."""

    kind: Ignored
    reason: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class TakenReturn:
    """A file that waits now. `case`: 32 hexadecimal digits; `revision`: the one that came back."""

    case: str
    revision: int


@dataclass(frozen=True, slots=True)
class ReturnedCard:
    """A returned record that is a draft of the person who unlocked. `comments`: how many questions have one.

    `started`, `saved`: ISO 8601; `general`: what the HMU says to the whole. `revision`: the one that this makes.
    """

    draft_id: str
    form_id: str
    version: str
    title: str
    started: str
    saved: str
    comments: int
    revision: int
    general: str = ""


@dataclass(frozen=True, slots=True)
class LeftReturn:
    """One whose enumerator has left: `Session.take_returned(digest)` makes it the draft of whoever unlocked."""

    digest: str
    person: str
    title: str
    started: str
    comments: int


@dataclass(frozen=True, slots=True)
class ReturnsReport:
    """What became of returned work at unlocking: drafts made, those for others here, those of people who have left,
    (title, why) not opened, and how many were erased because the person withdrew.
    """

    opened: int = 0
    others: int = 0
    left: tuple[LeftReturn, ...] = ()
    failed: tuple[tuple[str, Rendered], ...] = ()
    withdrawn: int = 0


def returned_card(draft_id: str, head: Head, said: Correction, last: SavedChange | None) -> ReturnedCard:
    """As lists show it."""
    return ReturnedCard(
        draft_id=draft_id,
        form_id=head.form.id,
        version=head.form.version,
        title=head.title,
        started=head.started,
        saved=last.at if last else head.saved,
        comments=len(said.comments),
        revision=said.revision + 1,
        general=said.general,
    )


def take_return(log: SealedLog, data: bytes, project: SignedProject) -> TakenReturn | IgnoredReturn:
    """Keep a returned file until its enumerator unlocks; works while locked. Raises StorageError.

    Nothing is opened: what it must be is in its signed manifest. `project`: the one that this laptop trusts.
    """
    try:
        sealed = read_return(data[: MAX_BYTES + 1], project.model.role_keys)
    except UntrustedError as error:
        return IgnoredReturn("forged", error.message)
    manifest = sealed.manifest
    card = log.device_card()
    former = {one.device_card().device for one in log.former_logs()}
    if manifest.project != card.project or manifest.device not in {card.device, *former}:
        return IgnoredReturn("other", _("It is for another laptop."))
    if manifest.withdrawal and Withdrawals(log.path.parent).holds(manifest.withdrawal):
        return IgnoredReturn("withdrawn", _("The person withdrew this interview."))
    if manifest.device != card.device or not logged(log, bytes.fromhex(manifest.record)):
        text = _("It speaks of a record that this laptop did not make, or made before it began a new log.")
        return IgnoredReturn("history", text)
    if (known := _already(log, sealed)) is not None:
        return known
    if not has_room(log, len(data)):
        return IgnoredReturn("full", _("Too much returned work waits here: unlock, mend it and seal it first."))
    keep_return(log, sealed)
    return TakenReturn(manifest.case, manifest.revision)


def _already(log: SealedLog, sealed: SealedReturn) -> IgnoredReturn | None:
    manifest = sealed.manifest
    for one in stored_returns(log):
        if one.digest == sealed.digest:
            return IgnoredReturn("known", _("It came before."))
        newer = one.revision > manifest.revision
        if one.case == manifest.case and (newer or (one.revision == manifest.revision and one.state != "gone")):
            return IgnoredReturn("older", _("That interview was returned already, or sealed again since."))
    return None


def open_returns(session: Session) -> ReturnsReport:
    """Make drafts of what waits for the person who unlocked; what cannot be opened stays, with the reason.

    Raises StorageError, VaultDamagedError.
    """
    opened = others = withdrawn = 0
    left: list[LeftReturn] = []
    failed: list[tuple[str, Rendered]] = []
    for one in stored_returns(session.vault.locked):
        if one.state != "waiting":
            continue
        try:
            sealed, work = _read(session, one.digest)
            if _is_withdrawn(session, sealed.manifest.withdrawal):
                drop_return(session.vault.locked, one.digest)
                withdrawn += 1
            elif work.record.person == session.person:
                _begin(session, sealed, work)
                opened += 1
            elif _is_here(session, work.record.person):
                others += 1
            else:
                left.append(_left(session, sealed, work))
        except (RefusedError, UntrustedError, FormError) as error:
            failed.append((_("returned work"), render(error)))
    return ReturnsReport(opened, others, tuple(left), tuple(failed), withdrawn)


def take_left(session: Session, digest: str) -> str:
    """Make the draft of one whose enumerator has left; its id. Raises ReturnGoneError, ReturnFormGoneError,
    UntrustedError, StorageError.
    """
    sealed, work = _read(session, bytes.fromhex(digest))
    if _is_withdrawn(session, sealed.manifest.withdrawal) or _is_here(session, work.record.person):
        raise ReturnGoneError
    return _begin(session, sealed, work)


def _read(session: Session, digest: bytes) -> tuple[SealedReturn, ReturnedWork]:
    """The file is verified again: the project may have retired the key that signed it."""
    data = sealed_return(session.vault.locked, digest)
    if data is None:
        raise ReturnGoneError
    sealed = read_return(data, session.project.model.role_keys)
    if sealed.manifest.device != session.vault.device:
        drop_return(session.vault.locked, digest)
        raise ReturnBeforeError
    return sealed, open_return(sealed, session.vault.recipient)


def _is_withdrawn(session: Session, tag: str | None) -> bool:
    return tag is not None and Withdrawals(session.vault.locked.path.parent).holds(tag)


def _is_here(session: Session, person: str) -> bool:
    """Whether that person can unlock this laptop and has not left the project."""
    listed = session.project.model.person(person)
    if listed is not None and listed.left is not None:
        return False
    return any(one.person == person for one in session.vault.people.listed())


def _left(session: Session, sealed: SealedReturn, work: ReturnedWork) -> LeftReturn:
    record = work.record
    listed = session.project.model.form_of_hash(record.form.hash)
    title = listed.title if listed is not None else record.form.id
    return LeftReturn(sealed.digest.hex(), record.person, title, record.started, len(work.comments))


def _begin(session: Session, sealed: SealedReturn, work: ReturnedWork) -> str:
    record, manifest = work.record, sealed.manifest
    if session.project.form_bytes_of(record.form.hash) is None:
        raise ReturnFormGoneError(form=record.form.id, version=record.form.version)
    key = FormKey(record.form.id, record.form.version, record.form.hash)
    form = session.form_exactly(key)
    interview, place = _resumed(session, form, work)
    head = Head(
        form=key,
        title=form.title,
        started=record.started,
        saved=session.clock.now().isoformat("T", "seconds"),
        place=place,
        case=manifest.case,
        returned=Correction(
            revision=manifest.revision,
            record=manifest.record,
            withdrawal=manifest.withdrawal,
            finished=record.finished,
            mode="paper" if record.mode == "paper" else "screen",
            issued=work.issued,
            general=work.general,
            comments=tuple((one.ref, one.text) for one in work.comments),
            attachments=tuple(one.model_dump(mode="json") for one in record.attachments),
        ),
    )
    paradata = Paradata(reasons=dict(record.reasons), consent=_consented(form, interview, record))
    snapshot = snapshot_bytes(interview.draft().data, paradata)
    try:
        also = becomes_draft(sealed.digest)
        draft = session.vault.drafts.create(key.tag(), head.to_bytes(), snapshot, also=also)
    except LookupError:
        raise ReturnGoneError from None
    session.vault.locked.store.tidy()
    return draft.draft_id


def _resumed(session: Session, form: Form, work: ReturnedWork) -> tuple[Interview, str]:
    """The record as it was when it was finished, at the first question with a comment."""
    record = work.record
    finished = datetime.fromisoformat(record.finished)
    interview = form.resume_instance(
        record.instance.encode("utf-8"),
        now=lambda: finished,
        language=record.language,
        metadata=session.metadata(),
    )
    asked = {item.ref for item in interview.outline() if item.kind == "question"}
    for ref, text in record.notes.items():
        with suppress(NoSuchRefError):
            interview.set_note(ref, text)
    for ref, reason in record.reasons.items():
        if ref in asked and _warned(interview, ref):
            interview.accept_warning(ref, reason)
    first = next((comment.ref for comment in work.comments if comment.ref in asked), None)
    if first is not None:
        interview.go_to(first)
    return interview, getattr(interview.current, "ref", "")


def _warned(interview: Interview, ref: str) -> bool:
    violation = interview.question(ref).violation
    return violation is not None and violation.kind is ViolationKind.WARNING


def _consented(form: Form, interview: Interview, record: Payload) -> dict[str, Said]:
    """What was said to each question of consent, when, and in which language: an answer that stands keeps them."""
    given = {consent.purpose: consent for consent in record.consent}
    return {
        asked.ref: (interview.question(asked.ref).value or "", found.at, found.language)
        for asked in asked_by(form)
        if (found := given.get(asked.purpose)) is not None
    }
