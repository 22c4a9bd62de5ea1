"""Which records of a round could not be opened or read, in words: whose, where in its log, why. Never their content."""

from __future__ import annotations

from collections.abc import Sequence

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import filled
from fieldsurvey.needs.opened.dataset import LeftOut

SHOWN = 40
"""Lines; `--json` has all of them."""
_REASONS = {
    "lost": n_("central has lost it"),
    "altered": n_("it was altered after sealing, or is damaged"),
    "malformed": n_("it is no well-formed record"),
    "not_a_recipient": n_("it is not sealed to the HMU's key"),
    "foreign_project": n_("it is of another project"),
    "unsigned": n_("its laptop signed no such entry: somebody else put it into central's database"),
    "not_enrolled": n_("its laptop does not count in the signed project at hand"),
    "header": n_("it is not what its log says"),
    "payload": n_("what was sealed is no interview"),
    "form": n_("its form cannot be loaded"),
    "instance": n_("its answers are not those of its form"),
}


def left_out_lines(left: Sequence[LeftOut]) -> list[str]:
    """A line each, and what can be done."""
    if not left:
        return []
    text = _("  {laptop} ({device}), entry {seq}: {reason}")
    lines = [
        filled(text, laptop=one.name, device=one.device[:8], seq=one.seq, reason=_(_REASONS[one.reason]))
        for one in left[:SHOWN]
    ]
    if (more := len(left) - SHOWN) > 0:
        lines.append(ngettext("  and {n} more: --json", "  and {n} more: --json", more).format(n=more))
    return [*lines, _("Central keeps them. Where one is lost or damaged, ask that laptop to export everything again.")]
