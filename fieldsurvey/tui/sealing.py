"""What is said once an interview is sealed. For the screen and `--plain`."""

from __future__ import annotations

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork.cards import SealedCard


def sealed_text(card: SealedCard) -> str:
    """The number of the record, and the withdrawal code: shown once, kept nowhere on this laptop."""
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
        lines += ["", _("It is shown once: this laptop does not keep it.")]
    return "\n".join(lines)
