"""An enumerator's work on a laptop: the screens, --plain, demo and simulate use this and nothing below it.

    laptop = Laptop.join(home, project_bytes, device_name=, person=, passphrase=, clock=), or Laptop.open(home, clock)
    session = laptop.unlock(passphrase)    .person .policy .forms() .form(id) .drafts() .sealed() .start(id) .resume(id)
    work = session.start(form_id)          .interview .draft_id .answer(ref, value) .next() … .complete() .discard()
    session.waiting() .seal_waiting(everything=False)   the evening review; .start(id, practice=True) keeps nothing

Whatever a method of `Work` changes is encrypted and durable before it returns. The engine loads with
the first form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldsurvey.base.later import later

if TYPE_CHECKING:
    from fieldsurvey.fieldwork.cards import DeviceStatus, DraftCard, FormCard, SealedCard, State
    from fieldsurvey.fieldwork.laptop import Laptop
    from fieldsurvey.fieldwork.session import Session
    from fieldsurvey.fieldwork.work import Work

__all__ = ["DeviceStatus", "DraftCard", "FormCard", "Laptop", "SealedCard", "Session", "State", "Work"]

# A server at central uses the folders of withdrawals and of reports of erasure alone: it loads no laptop with them.
_WHERE = {
    **dict.fromkeys(("DeviceStatus", "DraftCard", "FormCard", "SealedCard", "State"), "fieldsurvey.fieldwork.cards"),
    "Laptop": "fieldsurvey.fieldwork.laptop",
    "Session": "fieldsurvey.fieldwork.session",
    "Work": "fieldsurvey.fieldwork.work",
}

__getattr__ = later(__name__, _WHERE)
