"""What is asked before an interview ends, and said once it has. For the screen and `--plain`."""

from __future__ import annotations

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork.cards import SealedCard
from fieldsurvey.fieldwork.practice import PracticeCard
from fieldsurvey.fieldwork.waiting import WaitingCard
from fieldsurvey.tui.ports import SealableWork
from fieldsurvey.tui.standing import when


def before_ending(work: SealableWork, review_hours: int) -> tuple[str, str, str]:
    """Title, what will happen, and the word for yes. `review_hours`: the policy's window; 0 seals at once."""
    if work.practice:
        text = _("This was practice: it is kept nowhere, and nobody will ever read it.")
        return _("End this practice interview?"), text, _("End it")
    if review_hours and not work.completed:
        text = _(
            "It waits, encrypted, for the evening review: until then you can mend slips of yours. It is sealed after"
            " {hours} hours at the latest, at once where its most delicate questions were asked."
        ).format(hours=review_hours)
        return _("Is this interview complete?"), text, _("It is complete")
    text = _("Sealed, only the HMU can read it: not this laptop, not you. Nothing can be changed after.")
    return _("Seal this interview?"), text, _("Seal it")


def ended_title(card: SealedCard | WaitingCard | PracticeCard) -> str:
    """What became of it, in a word or two."""
    if isinstance(card, PracticeCard):
        return _("Practice ended")
    return _("Complete") if isinstance(card, WaitingCard) else _("Sealed")


def ended_text(card: SealedCard | WaitingCard | PracticeCard) -> str:
    """The number of the record, or until when it waits; and the withdrawal code, which is shown once."""
    if isinstance(card, PracticeCard):
        return _("It was complete, and is gone: nothing of it was stored.")
    if isinstance(card, WaitingCard):
        lines = [_("It waits for the evening review and is sealed by {when}.").format(when=when(card.seal_by))]
    else:
        lines = [_("Record {seq} is sealed. Only the HMU can read it.").format(seq=card.seq)]
    if card.withdrawal_code:
        lines += [
            "",
            _("If the person wants a slip to withdraw later, write this code on it, and nothing else:"),
            "",
            f"    {card.withdrawal_code}",
        ]
        if card.withdrawal_words:
            lines += [_("or in words:"), f"    {card.withdrawal_words}"]
        once = _("It is shown once: this laptop does not keep it.")
        if isinstance(card, WaitingCard):
            once = _("It is shown once: it stays inside the encrypted interview, and goes when that is sealed.")
        lines += ["", once]
    return "\n".join(lines)
