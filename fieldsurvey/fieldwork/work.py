"""One interview at work: every change is encrypted and durable before the method that made it returns.

It does not know any form or screen, and does not decide who may read a record: the project's recipients do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from fieldsurvey.base.errors import StorageError
from fieldsurvey.fieldwork.attachments import Attachments, check_attachable, refusal
from fieldsurvey.fieldwork.cards import SealedCard, State
from fieldsurvey.fieldwork.consent import asked_by, consents, heard, is_kept
from fieldsurvey.fieldwork.drafting import blocked, place_ref
from fieldsurvey.fieldwork.errors import ClosedError, TooLongError
from fieldsurvey.fieldwork.quotas import count_of
from fieldsurvey.fieldwork.revisions import carried, code_of, header_of
from fieldsurvey.fieldwork.saved import AuditLog, Head, Paradata, SavedChange, plain_text, snapshot_bytes
from fieldsurvey.fieldwork.sealing_day import fieldwork_day
from fieldsurvey.fieldwork.waiting import WaitingCard, sealed_at_once, waiting_card
from fieldsurvey.fieldwork.withdrawals import WithdrawnError
from fieldsurvey.records.envelope import MAX_PAYLOAD, seal
from fieldsurvey.records.errors import NoRecipientError
from fieldsurvey.records.payload import Attachment, Consent, FormRef, Payload
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault.attachments import finalise_with_parts

if TYPE_CHECKING:
    from pathlib import Path

    from fieldsurvey.fieldwork.attachments import Held
    from fieldsurvey.fieldwork.drafting import DraftLike
    from fieldsurvey.fieldwork.practice import PracticeCard
    from fieldsurvey.fieldwork.saved import Correction
    from fieldsurvey.fieldwork.session import Session
    from fieldsurvey.project.model import ProjectForm
    from fieldsurvey.records.envelope import Header
    from fieldsurvey.records.log import LogEntry
    from fieldsurvey.xforms.contract import Change, Form, Instance, Interview, Place
    from fieldsurvey.xforms.live.interview import LiveInterview
    from fieldsurvey.xforms.steps import StepRun

T = TypeVar("T")

_SNAPSHOT_AFTER: Final = 1000
"""Changes: an interview that is never closed is snapshotted this often, so that taking it up again stays quick."""
_TIDY_AFTER: Final = 32
"""Changes: fewer are left to be replayed when the interview is closed."""


class Work:
    """A draft and its live interview. `interview` may be read freely; change it only through these methods."""

    practice: ClassVar[bool] = False
    """Whether it is kept nowhere; every screen says so."""

    def __init__(
        self, session: Session, draft: DraftLike, form: Form, interview: Interview, *, head: Head, paradata: Paradata,
        audit: AuditLog,
    ) -> None:  # fmt: skip
        self.interview = interview
        self._form = form
        self._session = session
        self._draft = draft
        self._head = head
        self._paradata = paradata
        self._audit = audit
        self._seconds_before = paradata.seconds
        self._opened = session.clock.monotonic()
        self._mark = interview.mark()
        self._unsaved_reasons: dict[str, str] = {}
        self._asked = asked_by(form)
        self._attachments = Attachments(session.vault.locked.path.parent, draft.draft_id, paradata.files)
        self._unsaved_files: dict[str, Held] = {}
        self._closed = False

    @property
    def draft_id(self) -> str:
        """32 hexadecimal digits."""
        return self._draft.draft_id

    @property
    def title(self) -> str:
        """The form's."""
        return self._head.title

    @property
    def form_id(self) -> str:
        """The form's."""
        return self._head.form.id

    @property
    def completed(self) -> bool:
        """Whether it was completed and waits for the evening review; changes now mend slips."""
        return bool(self._head.completed)

    @property
    def returned(self) -> Correction | None:
        """What the HMU says to it, where it is a record that came back."""
        return self._head.returned

    @property
    def saved(self) -> bool:
        """Whether everything that was done is durable; False after a save failed, until one succeeds."""
        return self.interview.mark() == self._mark

    def answer(self, ref: str, value: str | None) -> list[Change]:
        """As `Interview.answer`; durable on return. Raises also StorageError: see `save`."""
        return self._do(lambda: self.interview.answer(ref, value))

    def next(self) -> Place:
        """As `Interview.next`."""
        return self._do(self.interview.next)

    def previous(self) -> Place:
        """As `Interview.previous`."""
        return self._do(self.interview.previous)

    def go_to(self, ref: str) -> Place:
        """As `Interview.go_to`."""
        return self._do(lambda: self.interview.go_to(ref))

    def add_repeat(self, ref: str) -> str:
        """As `Interview.add_repeat`."""
        return self._do(lambda: self.interview.add_repeat(ref))

    def remove_repeat(self, ref: str, position: int) -> list[Change]:
        """As `Interview.remove_repeat`."""
        return self._do(lambda: self.interview.remove_repeat(ref, position))

    def set_language(self, language: str) -> None:
        """As `Interview.set_language`."""
        self._do(lambda: self.interview.set_language(language))

    def set_note(self, ref: str, text: str) -> None:
        """As `Interview.set_note`."""
        self._do(lambda: self.interview.set_note(ref, text))

    def accept_warning(self, ref: str, reason: str) -> None:
        """As `Interview.accept_warning`; the reason is sealed with the record."""

        def accept() -> None:
            self.interview.accept_warning(ref, reason)
            self._unsaved_reasons[ref] = reason

        self._do(accept)

    def attach(self, ref: str, source: Path) -> list[Change]:
        """Answer `ref` with a picture: cleaned of what it says besides, and encrypted. The file given stays.

        Raises AttachmentRefusedError, CannotStripError, StorageError; then nothing is kept.
        """
        self._check_open()
        check_attachable(self.interview.question(ref), self._listed(), practice=self.practice)
        name, held = self._attachments.keep(source)
        self._unsaved_files[name] = held
        return self._do(lambda: self.interview.answer(ref, name))

    def takes_file(self, ref: str) -> bool:
        """Whether `attach` would take a picture for this question."""
        return refusal(self.interview.question(ref), self._listed(), practice=self.practice) is None

    def _listed(self) -> ProjectForm | None:
        return self._session.project.model.form_of_hash(self._head.form.hash)

    def attached(self, name: str) -> Iterator[bytes]:
        """A picture that an answer names, as it will be sealed, in pieces. Raises KeyError, VaultDamagedError."""
        return self._attachments.read(name)

    def apply(self, steps: Sequence[Mapping[str, Any]]) -> StepRun:
        """Take many steps (see `xforms.steps`) in one durable transaction; what was refused is in the run's failures.

        Raises StepsError for what is not a step; the steps before it are then saved.
        """
        from fieldsurvey.xforms.steps import run_steps  # start-up: the engine loads with the first form

        self._check_open()
        try:
            return run_steps(cast("LiveInterview", self.interview), list(steps))
        finally:
            self.save()

    def save(self) -> None:
        """Make durable what is not yet: after a StorageError, call it again once there is room.

        Raises StorageError; then everything is still in the open interview, and `saved` is False.
        """
        mark = self.interview.mark()
        if mark == self._mark:
            return
        now = self._now()
        seconds = self._seconds()
        said = heard(self._asked, self.interview, self._paradata.consent, now)
        change = SavedChange(
            engine=self.interview.changes_since(self._mark),
            at=now,
            place=place_ref(self.interview.current),
            seconds=seconds,
            resumed=self._paradata.resumed,
            reasons=dict(self._unsaved_reasons),
            consent=said,
            files=dict(self._unsaved_files),
            audit=list(self._audit.unsaved),
        )
        self._draft.append(change.to_bytes())
        self._mark = mark
        self._paradata.seconds = seconds
        self._paradata.saves += 1
        self._paradata.reasons.update(self._unsaved_reasons)
        self._paradata.consent.update(said)
        self._paradata.files.update(self._unsaved_files)
        self._paradata.audit.extend(self._audit.unsaved)
        self._audit.unsaved.clear()
        self._unsaved_reasons.clear()
        self._unsaved_files.clear()
        if self._draft.changes_since_snapshot >= _SNAPSHOT_AFTER:
            self._snapshot()

    def complete(self) -> SealedCard | WaitingCard | PracticeCard:
        """End the interview. It is sealed now, or waits for the evening review where the policy gives it time for that.

        Raises what `finalise` raises; then the draft is as it was.
        """
        self._check_open()
        hours = self._session.policy.review_window_hours
        if self.completed or not hours or self.returned is not None:  # nobody is waited for: it was looked over already
            return self.finalise()
        self.save()
        self._end()
        if sealed_at_once(self._form, self.interview):
            return self.finalise()
        self.save()
        code = WithdrawalCode.generate()  # now, while the person is here to take it along
        head = replace(self._current_head(), completed=self._now(), withdrawal=code.text)
        self._draft.rebase(head.to_bytes(), snapshot_bytes(self.interview.draft().data, self._paradata), keep=True)
        self._closed = True
        self._session.forget(self)
        card = waiting_card(self.draft_id, head, hours)
        if not self._consented()[1]:
            return card  # nothing is kept that could be withdrawn
        return replace(card, withdrawal_code=code.text, withdrawal_words=code.words)

    def finalise(self) -> SealedCard:
        """Seal the interview to the project's recipients, append it to the log and delete the draft.

        Raises NotReadyError with the problems that block, NoRecipientError or another RefusedError when it cannot be
        sealed, StorageError; then the draft is as it was. Raises WithdrawnError, and erases it, when the person has
        withdrawn meanwhile.
        """
        self._check_open()
        self.save()
        session = self._session
        code = code_of(self._head)
        header = header_of(session, self._head, code)
        if session.is_withdrawn(header.withdrawal):
            self.discard()
            raise WithdrawnError
        instance = self._end()
        new = code if self._consented()[1] and not self._head.withdrawal else None
        entry, size = self._seal(header, instance.xml.decode("utf-8"))
        self._closed = True
        session.forget(self)
        return SealedCard(
            seq=entry.seq,
            case=header.case,
            revision=header.revision,
            size=size,
            state=State.SEALED,
            withdrawal_code=new.text if new else None,
            withdrawal_words=new.words if new else None,
        )

    def _seal(self, header: Header, xml: str) -> tuple[LogEntry, int]:
        """Its entry, and the record's bytes. What it takes along is sealed before it, in the same transaction."""
        session = self._session
        recipients = session.recipients(fieldwork_day(xml, session.clock.now()))
        done: list[Attachment] = []
        size = 0

        def record(_parts: object = None) -> bytes:
            nonlocal size
            payload = self._payload(xml, (*carried(self._head, xml, names), *done)).to_bytes()
            if len(payload) > MAX_PAYLOAD:
                raise TooLongError(size=len(payload) >> 20, limit=MAX_PAYLOAD >> 20)
            sealed = seal(header, payload, recipients)
            size = len(sealed)
            return sealed

        plan, today = session.project.model.plan, session.clock.now().date()
        count = count_of(self._form, xml.encode("utf-8"), plan, header.withdrawal, today).to_bytes()
        names = self._attachments.named_in(xml)
        if not names:
            entry = session.vault.finalise(self.draft_id, record(), count=count)
        else:
            part = header.model_copy(update={"kind": "attachment"})
            parts = self._attachments.sealed(names, part, recipients, done)
            entry = finalise_with_parts(session.vault, self.draft_id, parts, record, count=count)
        self._attachments.clear()
        return entry, size

    def _end(self) -> Instance:
        """What the interview must be before it is completed or sealed. Raises NotReadyError, NoRecipientError."""
        if not self._session.recipients():
            raise NoRecipientError(count=0)
        return self.interview.finalise()

    def discard(self) -> None:
        """Delete the draft for good. Raises StorageError; then it is as it was."""
        self._check_open()
        self._session.vault.discard(self.draft_id)
        self._attachments.clear()
        self._closed = True
        self._session.forget(self)

    def close(self) -> None:
        """Leave the interview for later. Raises StorageError only when something is not yet durable."""
        if self._closed:
            return
        self.save()
        if self._draft.changes_since_snapshot >= _TIDY_AFTER:
            self._snapshot()
        if self.completed and sealed_at_once(self._form, self.interview) and not blocked(self.interview):
            self.finalise()
            return
        self._closed = True
        self._session.forget(self)

    def _do(self, change: Callable[[], T]) -> T:
        self._check_open()
        result = change()
        self.save()
        return result

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError

    def _current_head(self) -> Head:
        return replace(self._head, saved=self._now(), place=place_ref(self.interview.current))

    def _snapshot(self) -> None:
        if self.completed and blocked(self.interview):
            return  # the snapshot stays as it was completed: what is sealed if nobody finishes the mending
        head = self._current_head()
        try:
            self._draft.rebase(head.to_bytes(), snapshot_bytes(self.interview.draft().data, self._paradata))
        except StorageError:  # the changes are durable already: a snapshot only makes the next start quicker
            return

    def _payload(self, xml: str, attachments: tuple[Attachment, ...]) -> Payload:
        form = self._head.form
        consented, kept = self._consented()
        notes = {item.ref: plain_text(self.interview.note(item.ref)) for item in self.interview.outline() if item.note}
        paradata = self._paradata.told(self._seconds(), self._audit.unsaved)
        return Payload(
            form=FormRef(id=form.id, version=form.version, hash=form.hash),
            instance=xml,
            person=self._session.person,
            language=self.interview.language,
            started=self._head.started,
            finished=self._head.completed or self._now(),
            mode=self._head.returned.mode if self._head.returned else "screen",
            consent=consented,
            attachments=attachments,
            notes=notes if kept else {},
            reasons=self._standing_reasons() if kept else {},
            paradata=paradata if kept else {},
        )

    def _consented(self) -> tuple[tuple[Consent, ...], bool]:
        """What was consented to, and whether more than the count may be kept."""
        before = self._paradata.consent
        said = {**before, **heard(self._asked, self.interview, before, self._now())}
        consented = consents(self._asked, self.interview, said)
        return consented, is_kept(self._asked, consented, self._session.policy.consent_forms)

    def _standing_reasons(self) -> dict[str, str]:
        """Reasons whose warning still stands: an answer that changed since, or a removed row, takes it along."""
        standing = {v.ref for v in self.interview.problems() if v.accepted}
        return {ref: plain_text(reason) for ref, reason in self._paradata.reasons.items() if ref in standing}

    def _seconds(self) -> int:
        return self._seconds_before + int(self._session.clock.monotonic() - self._opened)

    def _now(self) -> str:
        return self._session.clock.now().isoformat("T", "seconds")
