"""A laptop unlocked by one person: the project's forms, that person's drafts, what was sealed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.errors import FieldsurveyError, render
from fieldsurvey.fieldwork.cards import DraftCard, FormCard, SealedCard
from fieldsurvey.fieldwork.consent import check_asked
from fieldsurvey.fieldwork.drafting import place_ref
from fieldsurvey.fieldwork.errors import ClosedError
from fieldsurvey.fieldwork.forms import FormShelf, offered_languages
from fieldsurvey.fieldwork.practice import MemoryDraft, PracticeWork
from fieldsurvey.fieldwork.quotas import Counted, counted, forget_counts
from fieldsurvey.fieldwork.returned import (
    ReturnedCard,
    ReturnsReport,
    open_returns,
    returned_card,
    take_left,
)
from fieldsurvey.fieldwork.saved import (
    AuditLog,
    FormKey,
    Head,
    Paradata,
    SavedChange,
    read_snapshot,
    replay,
    snapshot_bytes,
)
from fieldsurvey.fieldwork.standing import sealed_cards
from fieldsurvey.fieldwork.waiting import ReviewReport, WaitingCard, is_due, waiting_card
from fieldsurvey.fieldwork.withdrawals import Withdrawals, apply_all
from fieldsurvey.fieldwork.work import Work
from fieldsurvey.project.policy import Policy
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.recipients import RecipientPublic
from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.vault import Vault
from fieldsurvey.vault.attachments import sweep
from fieldsurvey.vault.returned import waiting_returns
from fieldsurvey.xforms.contract import Draft
from fieldsurvey.xforms.errors import NotReadyError

if TYPE_CHECKING:
    from fieldsurvey.xforms.contract import Form


class Session:
    """Until `close`. Ending the process is what clears keys and answers from memory."""

    def __init__(self, project: SignedProject, vault: Vault, shelf: FormShelf, clock: Clock) -> None:
        self.project = project
        self.vault = vault
        self.clock = clock
        vault.locked.today = lambda: clock.now().date()
        self.practice: dict[str, MemoryDraft] = {}
        self.at_unlock = ReviewReport()
        self.returns = ReturnsReport()
        self._shelf = shelf
        self._open: dict[str, Work] = {}
        self._closed = False

    @property
    def person(self) -> str:
        """The enumerator's code, from the slot that opened."""
        return self.vault.person

    @property
    def policy(self) -> Policy:
        """The project's."""
        return self.project.model.policy

    def recipients(self, day: date | None = None) -> list[RecipientPublic]:
        """To whom an interview with that fieldwork date (today's without one) is sealed: as the signed project says.

        Empty when nobody at the HMU could open it: then nothing may be sealed.
        """
        return list(self.project.recipients_for(day or self.clock.now().date()))

    def forms(self) -> list[FormCard]:
        """The project's forms, in its order."""
        return [FormCard(form.id, form.version, form.title, form.hash) for form in self.project.model.current_forms]

    def form(self, form_id: str) -> Form:
        """A form, loaded (once). Raises NoSuchFormError."""
        return self._shelf.current(form_id)[1]

    def form_exactly(self, key: FormKey) -> Form:
        """A form of that very version, loaded (once). Raises FormGoneError."""
        return self._shelf.exactly(key)

    def languages(self, form_id: str) -> tuple[str, ...]:
        """Those in which the policy lets a form be asked; its default language when the policy names none it has."""
        return offered_languages(self.form(form_id), self.policy)

    def drafts(self) -> list[DraftCard]:
        """This person's unfinished interviews, the last saved first. Raises VaultDamagedError."""
        cards = [
            _draft_card(draft_id, head, last)
            for draft_id, head, last in self._listed()
            if not head.completed and head.returned is None
        ]
        return sorted(cards, key=lambda card: card.saved, reverse=True)

    def returned(self) -> list[ReturnedCard]:
        """This person's records that the HMU sent back, the oldest interview first. Raises VaultDamagedError."""
        cards = [
            returned_card(draft_id, head, head.returned, last)
            for draft_id, head, last in self._listed()
            if head.returned is not None
        ]
        return sorted(cards, key=lambda card: card.started)

    def open_returned(self) -> ReturnsReport:
        """Open what was returned to this person and waits; what came of it is in `returns` too.

        Called when the laptop is unlocked, and after a stick was read. Drafts of withdrawn cases are erased.
        """
        self._check_open()
        erased = 0
        for draft_id, head, _ in list(self._listed()):
            if head.returned is not None and draft_id not in self._open and self.is_withdrawn(head.returned.withdrawal):
                self.discard(draft_id)
                erased += 1
        report = open_returns(self)
        self.returns = replace(report, withdrawn=report.withdrawn + erased)
        return self.returns

    def refresh_returned(self) -> ReturnsReport:
        """`open_returned` where something came since, as with a stick; `returns` otherwise."""
        known = self.returns.others + len(self.returns.left) + len(self.returns.failed)
        return self.returns if waiting_returns(self.vault.locked) == known else self.open_returned()

    def take_returned(self, digest: str) -> str:
        """Take over returned work of somebody who has left (see `returns.left`); the draft's id.

        Raises ReturnGoneError, ReturnFormGoneError, UntrustedError, StorageError.
        """
        self._check_open()
        draft_id = take_left(self, digest)
        left = tuple(one for one in self.returns.left if one.digest != digest)
        self.returns = replace(self.returns, left=left)
        return draft_id

    def practice_drafts(self) -> list[DraftCard]:
        """Practice interviews that are not completed, the oldest first."""
        return [
            _draft_card(draft.draft_id, Head.from_bytes(draft.head), _last_of(draft))
            for draft in self.practice.values()
        ]

    def waiting(self) -> list[WaitingCard]:
        """This person's completed interviews that wait for the evening review, the oldest first."""
        hours = self.policy.review_window_hours
        found = [waiting_card(draft_id, head, hours) for draft_id, head, _ in self._listed() if head.completed]
        return sorted(found, key=lambda card: card.completed)

    def seal_waiting(self, *, everything: bool = False) -> ReviewReport:
        """Seal what waits and whose window has ended; `everything`: all that waits. Erase what was withdrawn.

        Called when the laptop is unlocked, and now and then after. One that is open on the screen waits until it is
        closed. An interview that was left unfinished while it was mended is sealed as it was completed.
        """
        self._check_open()
        hours, now, signed = self.policy.review_window_hours, self.clock.now(), self.vault.locked.signed_time()
        sealed: list[SealedCard] = []
        failed = []
        withdrawn = 0
        for draft_id, head, _ in list(self._listed()):
            if not head.completed or draft_id in self._open:
                continue
            try:
                if self.withdrawn(WithdrawalCode.parse(head.withdrawal)):
                    self.discard(draft_id)
                    withdrawn += 1
                elif everything or is_due(head, hours, now, signed):
                    sealed.append(self._seal(draft_id))
            except FieldsurveyError as error:
                failed.append((head.title, render(error)))
        return ReviewReport(tuple(sealed), withdrawn, tuple(failed))

    def seal_at_unlock(self) -> None:
        """`seal_waiting`, with what came of it in `at_unlock`; nothing that goes wrong keeps the person out."""
        try:
            apply_all(self.vault.locked)
            sweep(self.vault)
            self.at_unlock = self.seal_waiting()
        except FieldsurveyError as error:
            self.at_unlock = ReviewReport(failed=((self.project.model.name, render(error)),))
        try:
            self.open_returned()
            forget_counts(self.vault, self.project.model.plan, self.clock.now().date())
        except FieldsurveyError as error:
            self.returns = ReturnsReport(failed=((self.project.model.name, render(error)),))

    def withdrawn(self, code: WithdrawalCode) -> bool:
        """Whether a withdrawal with this code was entered on, or came to, this laptop."""
        return self.is_withdrawn(code.tag(self.vault.project))

    def is_withdrawn(self, tag: str | None) -> bool:
        """Whether the case of this tag is withdrawn here; one without a tag cannot be."""
        return tag is not None and Withdrawals(self.vault.locked.path.parent).holds(tag)

    def sealed(self, limit: int = 200) -> list[SealedCard]:
        """The last sealed records of this laptop, newest first, whoever sealed them."""
        return sealed_cards(self.vault.locked, limit)

    def counted(self) -> Counted | None:
        """How far the quotas of today's round are, as far as cases were sealed on this laptop; None without a round."""
        today = self.project.model.plan.round_on(self.clock.now().date().isoformat())
        return counted(self.vault, today) if today is not None else None

    def start(self, form_id: str, language: str | None = None, *, practice: bool = False) -> Work:
        """A new interview; its draft is durable when this returns.

        Raises NoSuchFormError, ConsentNotAskedError, StorageError.

        `practice`: one that is kept in memory only, and can neither be sealed nor exported.
        """
        self._check_open()
        key, form = self._shelf.current(form_id)
        listed = self.project.model.form(form_id)
        check_asked(form, listed is None or listed.about_people, self.policy.consent_forms)
        offered = offered_languages(form, self.policy)
        if language is None and form.default_language not in offered:
            language = offered[0]
        audit = AuditLog()
        interview = form.start(
            now=self.clock.now, seed=secrets.randbits(31), language=language, metadata=self.metadata(),
            audit=audit, monotonic=self.clock.monotonic,
        )  # fmt: skip
        now = self.clock.now().isoformat("T", "seconds")
        paradata = Paradata()
        head = Head(
            form=key,
            title=form.title,
            started=now,
            saved=now,
            place=place_ref(interview.current),
            case=secrets.token_hex(16),
        )
        snapshot = snapshot_bytes(interview.draft().data, paradata)
        if practice:
            rehearsed = MemoryDraft(head.to_bytes(), snapshot)
            self.practice[rehearsed.draft_id] = rehearsed
            return self._keep(PracticeWork(self, rehearsed, form, interview, head=head, paradata=paradata, audit=audit))
        draft = self.vault.drafts.create(key.tag(), head.to_bytes(), snapshot)
        return self._keep(Work(self, draft, form, interview, head=head, paradata=paradata, audit=audit))

    def resume(self, draft_id: str) -> Work:
        """Go on with a draft at the exact place. Raises NoSuchDraftError, FormGoneError, VaultDamagedError.

        In one that is completed, time stands still at that moment.
        """
        self._check_open()
        if draft_id in self._open:
            return self._open[draft_id]
        return self._resume(draft_id)

    def _resume(self, draft_id: str, *, as_completed: bool = False) -> Work:
        """`as_completed`: without what was changed since."""
        rehearsed = self.practice.get(draft_id)
        draft = rehearsed or self.vault.drafts.open(draft_id)
        head = Head.from_bytes(draft.head)
        data, paradata = read_snapshot(draft.snapshot)
        changes = [] if as_completed else [SavedChange.from_bytes(change) for change in draft.changes]
        replay(paradata, changes)
        paradata.resumed += 1
        form = self._shelf.exactly(head.form)
        audit = AuditLog()
        interview = form.resume(
            Draft(head.form.id, head.form.version, head.form.hash, data),
            [change.engine for change in changes],
            now=self._time_in(head),
            metadata=self.metadata(),
            audit=audit,
            monotonic=self.clock.monotonic,
        )
        if rehearsed is not None:
            return self._keep(PracticeWork(self, rehearsed, form, interview, head=head, paradata=paradata, audit=audit))
        draft.snapshot, draft.changes = b"", []
        return self._keep(Work(self, draft, form, interview, head=head, paradata=paradata, audit=audit))

    def _seal(self, draft_id: str) -> SealedCard:
        work = self._resume(draft_id)
        try:
            return work.finalise()
        except NotReadyError:
            self.forget(work)
            return self._resume(draft_id, as_completed=True).finalise()
        finally:
            self._open.pop(draft_id, None)

    def discard(self, draft_id: str) -> None:
        """Delete a draft for good. Raises NoSuchDraftError, StorageError."""
        self._check_open()
        if self.practice.pop(draft_id, None) is None:
            self.vault.discard(draft_id)
            sweep(self.vault)
        self._open.pop(draft_id, None)

    def forget(self, work: Work) -> None:
        """Called by a work that ended."""
        self._open.pop(work.draft_id, None)

    def close(self) -> None:
        """Close open work and the vault. Raises StorageError when something is not yet durable, and stays open."""
        for work in list(self._open.values()):
            work.close()
        self.practice.clear()
        if not self._closed:
            self._closed = True
            self.vault.close()

    def wipe_practice(self) -> int:
        """Forget every practice interview; how many there were."""
        for draft_id in list(self.practice):
            self._open.pop(draft_id, None)
        count = len(self.practice)
        self.practice.clear()
        return count

    def _listed(self) -> Iterator[tuple[str, Head, SavedChange | None]]:
        for listed in self.vault.drafts.listed():
            last = SavedChange.from_bytes(listed.last_change) if listed.last_change is not None else None
            yield listed.draft_id, Head.from_bytes(listed.head), last

    def _time_in(self, head: Head) -> Callable[[], datetime]:
        if head.returned is not None:
            return still(head.returned.finished)
        return still(head.completed) if head.completed else self.clock.now

    def _keep(self, work: Work) -> Work:
        self._open[work.draft_id] = work
        return work

    def metadata(self) -> dict[str, str]:
        """What the engine is told of the device and the person."""
        return {"deviceid": self.vault.device, "username": self.person}

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError


def still(at: str) -> Callable[[], datetime]:
    """A clock that stands at that instant."""
    moment = datetime.fromisoformat(at)
    return lambda: moment


def _draft_card(draft_id: str, head: Head, last: SavedChange | None) -> DraftCard:
    return DraftCard(
        draft_id=draft_id,
        form_id=head.form.id,
        version=head.form.version,
        title=head.title,
        started=head.started,
        saved=last.at if last else head.saved,
        place=last.place if last else head.place,
    )


def _last_of(draft: MemoryDraft) -> SavedChange | None:
    return SavedChange.from_bytes(draft.changes[-1]) if draft.changes else None
