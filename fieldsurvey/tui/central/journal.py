"""The sync log as people read it: one line each, filtered, and as a table for a spreadsheet. No widgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import visible
from fieldsurvey.tui.central.layout import tail
from fieldsurvey.tui.central.wording import at, short
from fieldsurvey.tui.choosing import fold
from sync.journal import Journal, Line, What

SHOWN: Final = 1_000
"""Lines that a list shows, the newest first; all of them can be saved."""
PLACE: Final = 22
"""Cells that a list gives to a place."""
PROBLEMS: Final = "problems"
KINDS: Mapping[What, str] = {
    "import": n_("import"),
    "export": n_("export"),
    "push": n_("push"),
    "receipt": n_("receipt"),
    "refusal": n_("REFUSED"),
    "erasure": n_("erasure"),
    "withdrawal": n_("withdrawal"),
    "return": n_("returned work"),
    "backup": n_("backup"),
    "project": n_("project"),
}
CODES: Mapping[str, str] = {
    "received": n_("held by a supervisor"),
    "committed": n_("held by central"),
    "backed_up": n_("held by central, backed up"),
    "purged": n_("backed up at central, removed here"),
    "refused.push_stopped": n_("stopped by somebody here"),
    "refused.stopped": n_("stopped by somebody here"),
}
"""What a line's code says where nothing was refused."""
REASONS: Mapping[str, str] = {
    "untrusted": n_("damaged, altered or foreign"),
    "storage": n_("a stick, a disk or the line failed"),
    "refused": n_("not allowed"),
    "input": n_("of no use as it is"),
    "receipt": n_("a receipt that does not hold"),
    "return": n_("returned work that does not hold"),
}
"""What a refusal's code begins with; the code stands beside it, for whoever is asked for help."""
_PLACES: Final = ("first", "last", "up_to", "confirmed", "version")
"""Counts that are positions of a log, or the number of a version."""


def problem(line: Line) -> bool:
    """Whether somebody should look at it."""
    return line.what == "refusal" or line.counts.get("refused", 0) > 0


def newest(journal: Journal, view: str = "", words: str = "") -> list[Line]:
    """The lines of a view (a `What`, PROBLEMS, "" for all) that contain every one of `words`; newest first."""
    wanted = fold(words).split()
    found = [line for line in journal.lines() if _in_view(line, view) and all(w in _text(line) for w in wanted)]
    return found[::-1]


def views(lines: Iterable[Line]) -> list[str]:
    """The views that are not empty: all, problems, then each kind that there is."""
    kinds = {line.what for line in lines}
    return ["", PROBLEMS, *(kind for kind in KINDS if kind in kinds)]


def view_name(view: str) -> str:
    """What a view is called."""
    if view == PROBLEMS:
        return _("problems")
    return next((_(name) for kind, name in KINDS.items() if kind == view), _("all"))


def log_head() -> tuple[str, ...]:
    """Over `log_cells`."""
    return (_("when"), _("what"), _("laptop"), _("place"), _("how many"))


def log_cells(line: Line, names: Mapping[str, str], *, place: int | None = PLACE) -> tuple[str, ...]:
    """A line as a row of the table; of the place the last `place` cells, None: all of it."""
    counts = line.counts
    parts = [counted(name, n) for name, n in counts.items() if n and name not in _PLACES]
    if "first" in counts and "last" in counts:
        parts.append(_("entries {first} to {last}").format(first=counts["first"], last=counts["last"]))
    if "up_to" in counts:
        parts.append(_("up to {up_to}").format(up_to=counts["up_to"]))
    if counts.get("confirmed"):
        parts.append(_("confirmed up to {up_to}").format(up_to=counts["confirmed"]))
    if "version" in counts:
        parts.append(_("version {version}").format(version=counts["version"]))
    if line.code:
        parts.append(why(line.code))
    said = ", ".join(parts)
    whose = visible(names.get(line.device, short(line.device))) if line.device else "–"
    return (
        at(line.at),
        _(KINDS[line.what]),
        whose,
        (tail(visible(line.place), place) if place else visible(line.place)) or "–",
        visible(said) or "–",
    )


def counted(name: str, n: int) -> str:
    """So many of something, as a line counts it; a name that is not ours stays as it is."""
    if name == "bytes":
        return f"{n + 1023 >> 10} KB"
    words = {
        "new": ngettext("{n} new", "{n} new", n),
        "refused": ngettext("{n} refused", "{n} refused", n),
        "present": ngettext("{n} there already", "{n} there already", n),
        "files": ngettext("{n} file", "{n} files", n),
        "records": ngettext("{n} record", "{n} records", n),
        "entries": ngettext("{n} entry", "{n} entries", n),
        "written": ngettext("{n} written", "{n} written", n),
        "left_out": ngettext("{n} damaged here and left out", "{n} damaged here and left out", n),
        "sent": ngettext("{n} sent", "{n} sent", n),
        "again": ngettext("{n} that central had lost", "{n} that central had lost", n),
        "receipts": ngettext("{n} receipt", "{n} receipts", n),
        "returns": ngettext("{n} returned", "{n} returned", n),
        "withdrawals": ngettext("{n} withdrawal", "{n} withdrawals", n),
        "merged": ngettext("{n} file merged", "{n} files merged", n),
        "batches": ngettext("{n} batch", "{n} batches", n),
        "taken": ngettext("{n} batch taken", "{n} batches taken", n),
        "at_central": ngettext("{n} at central already", "{n} at central already", n),
        "forgotten": ngettext("{n} let go of", "{n} let go of", n),
        "withdrawn": ngettext("{n} withdrawn", "{n} withdrawn", n),
    }
    return words[name].format(n=n) if name in words else f"{n} {name}"


def why(code: str) -> str:
    """A line's code in words."""
    if code in CODES:
        return _(CODES[code])
    said = REASONS.get(code.partition(".")[0])
    return f"{_(said)} ({code})" if said else code


def log_whole(line: Line, names: Mapping[str, str]) -> list[str]:
    """All of a line, nothing cut."""
    cells = log_cells(line, names, place=None)
    return [f"{head}: {cell}" for head, cell in zip(log_head(), cells, strict=True) if cell != "–"]


def _in_view(line: Line, view: str) -> bool:
    return not view or line.what == view or (view == PROBLEMS and problem(line))


def _text(line: Line) -> str:
    return fold(f"{at(line.at)} {line.at} {_(KINDS[line.what])} {line.place} {line.device} {line.code}")
