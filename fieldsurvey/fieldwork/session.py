"""A laptop unlocked by one person: the project's forms, that person's drafts, what was sealed."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from fieldsurvey.base.clock import Clock
from fieldsurvey.fieldwork.cards import DraftCard, FormCard, SealedCard
from fieldsurvey.fieldwork.errors import ClosedError
from fieldsurvey.fieldwork.forms import FormShelf
from fieldsurvey.fieldwork.saved import Head, Paradata, SavedChange, read_snapshot, replay, snapshot_bytes
from fieldsurvey.fieldwork.standing import sealed_cards
from fieldsurvey.fieldwork.work import Work, place_ref
from fieldsurvey.project.policy import Policy
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.recipients import RecipientPublic
from fieldsurvey.vault import Vault
from fieldsurvey.xforms.contract import Draft

if TYPE_CHECKING:
    from fieldsurvey.xforms.contract import Form


class Session:
    """Until `close`. Ending the process is what clears keys and answers from memory."""

    def __init__(self, project: SignedProject, vault: Vault, shelf: FormShelf, clock: Clock) -> None:
        self.project = project
        self.vault = vault
        self.clock = clock
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

    def recipients(self) -> list[RecipientPublic]:
        """To whom records are sealed: from the signed project, never from elsewhere."""
        return list(self.project.model.recipient_keys)

    def forms(self) -> list[FormCard]:
        """The project's forms, in its order."""
        return [FormCard(form.id, form.version, form.title, form.hash) for form in self.project.model.current_forms]

    def form(self, form_id: str) -> Form:
        """A form, loaded (once). Raises NoSuchFormError."""
        return self._shelf.current(form_id)[1]

    def drafts(self) -> list[DraftCard]:
        """This person's unfinished interviews, the last saved first. Raises VaultDamagedError."""
        cards = []
        for listed in self.vault.drafts.listed():
            head = Head.from_bytes(listed.head)
            last = SavedChange.from_bytes(listed.last_change) if listed.last_change is not None else None
            cards.append(
                DraftCard(
                    draft_id=listed.draft_id,
                    form_id=head.form.id,
                    version=head.form.version,
                    title=head.title,
                    started=head.started,
                    saved=last.at if last else head.saved,
                    place=last.place if last else head.place,
                )
            )
        return sorted(cards, key=lambda card: card.saved, reverse=True)

    def sealed(self, limit: int = 200) -> list[SealedCard]:
        """The last sealed records of this laptop, newest first, whoever sealed them."""
        return sealed_cards(self.vault.locked, limit)

    def start(self, form_id: str, language: str | None = None) -> Work:
        """A new interview; its draft is durable when this returns. Raises NoSuchFormError, StorageError."""
        self._check_open()
        key, form = self._shelf.current(form_id)
        interview = form.start(
            now=self.clock.now, seed=secrets.randbits(31), language=language, metadata=self._metadata()
        )
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
        draft = self.vault.drafts.create(key.tag(), head.to_bytes(), snapshot_bytes(interview.draft().data, paradata))
        return self._keep(Work(self, draft, interview, head, paradata))

    def resume(self, draft_id: str) -> Work:
        """Go on with a draft at the exact place. Raises NoSuchDraftError, FormGoneError, VaultDamagedError."""
        self._check_open()
        if draft_id in self._open:
            return self._open[draft_id]
        draft = self.vault.drafts.open(draft_id)
        head = Head.from_bytes(draft.head)
        data, paradata = read_snapshot(draft.snapshot)
        changes = [SavedChange.from_bytes(change) for change in draft.changes]
        replay(paradata, changes)
        paradata.resumed += 1
        interview = self._shelf.exactly(head.form).resume(
            Draft(head.form.id, head.form.version, head.form.hash, data),
            [change.engine for change in changes],
            now=self.clock.now,
            metadata=self._metadata(),
        )
        draft.snapshot, draft.changes = b"", []
        return self._keep(Work(self, draft, interview, head, paradata))

    def discard(self, draft_id: str) -> None:
        """Delete a draft for good. Raises NoSuchDraftError, StorageError."""
        self._check_open()
        self.vault.discard(draft_id)
        self._open.pop(draft_id, None)

    def forget(self, work: Work) -> None:
        """Called by a work that ended."""
        self._open.pop(work.draft_id, None)

    def close(self) -> None:
        """Close open work and the vault. Raises StorageError when something is not yet durable, and stays open."""
        for work in list(self._open.values()):
            work.close()
        if not self._closed:
            self._closed = True
            self.vault.close()

    def _keep(self, work: Work) -> Work:
        self._open[work.draft_id] = work
        return work

    def _metadata(self) -> dict[str, str]:
        return {"deviceid": self.vault.device, "username": self.person}

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError
