"""Which revision of which case an interview becomes: the first of a new one, or the next of one that came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldsurvey.records.envelope import Header
from fieldsurvey.records.payload import Attachment
from fieldsurvey.records.withdrawal import WithdrawalCode

if TYPE_CHECKING:
    from collections.abc import Collection

    from fieldsurvey.fieldwork.saved import Head
    from fieldsurvey.fieldwork.session import Session


def code_of(head: Head) -> WithdrawalCode | None:
    """The withdrawal code of an interview that is about to be sealed: the one that the person was given when it was
    completed, else a new one; None for returned work, whose person has had theirs for long: only its tag is known.
    """
    if head.returned is not None:
        return None
    return WithdrawalCode.parse(head.withdrawal) if head.withdrawal else WithdrawalCode.generate()


def header_of(session: Session, head: Head, code: WithdrawalCode | None) -> Header:
    """The header of the record that the interview becomes."""
    project, device = session.vault.project, session.vault.device
    came = head.returned
    if came is None:
        return Header(project=project, device=device, case=head.case, withdrawal=code.tag(project) if code else None)
    return Header(
        project=project,
        device=device,
        case=head.case,
        revision=came.revision + 1,
        parent=came.record,
        withdrawal=came.withdrawal,
    )


def carried(head: Head, xml: str, new: Collection[str]) -> tuple[Attachment, ...]:
    """The files of the revision before that the answers still name; their parts are at central already."""
    if head.returned is None:
        return ()
    held = (Attachment.model_validate(one) for one in head.returned.attachments)
    return tuple(one for one in held if one.name not in new and f">{one.name}<" in xml)
