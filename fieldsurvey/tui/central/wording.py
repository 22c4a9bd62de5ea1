"""Laptops, cases and returned work in words, for the screens and `--plain`. A sign goes with every colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import visible
from fieldsurvey.project.model import Person
from fieldsurvey.records.receipt import Level
from fieldsurvey.tui.central.cases import LISTED, CaseList, CaseRow, Kind, Part
from fieldsurvey.tui.central.overview import DeviceDetail, DeviceRow, Overview, Trouble
from fieldsurvey.tui.central.returned import ReturnRow, ReturnState
from fieldsurvey.tui.standing import moment
from fieldsurvey.tui.withdrawing import backup_to_go_line, overdue_lines

STANDINGS: Mapping[str, str] = {
    "enrolled": n_("enrolled"),
    "quarantined": n_("not enrolled"),
    "revoked": n_("revoked"),
}
KINDS: Mapping[Kind, str] = {
    Kind.CONTESTED: n_("begun by two laptops"),
    Kind.CONFLICT: n_("conflict"),
    Kind.PROPOSAL: n_("proposal"),
    Kind.MISSING: n_("original missing"),
}
WHAT_TO_DO: Mapping[Kind, str] = {
    Kind.CONTESTED: n_("Two laptops say that they began this case. Tell the HMU: it can see what each holds."),
    Kind.CONFLICT: n_("Neither revision follows the other. Both are kept; the HMU decides which counts."),
    Kind.PROPOSAL: n_("Another laptop's correction. It counts only when the HMU takes it."),
    Kind.MISSING: n_("The first revision has not come: look at that laptop's gaps, and bring its stick."),
}
PARTS: Mapping[Part, str] = {
    Part.CURRENT: n_("counts now"),
    Part.CONCURRENT: n_("in conflict"),
    Part.PROPOSAL: n_("proposed"),
    Part.SUPERSEDED: n_("replaced"),
    Part.WITHDRAWN: n_("withdrawn"),
}
RETURNS: Mapping[ReturnState, str] = {
    ReturnState.PENDING: n_("pending"),
    ReturnState.BACK: n_("come back"),
    ReturnState.WITHDRAWN: n_("withdrawn"),
}
ROLES: Mapping[str, str] = {
    "enumerator": n_("enumerator"),
    "supervisor": n_("supervisor"),
    "hmu": n_("HMU"),
    "steward": n_("steward"),
}


def short(device: str) -> str:
    """What a device's or a case's id is called in a line."""
    return device[:8]


def at(iso: str) -> str:
    """When, on this machine's clock."""
    return moment(iso)


def ranges(spans: Sequence[tuple[int, int]], most: int = 6) -> str:
    """`4–6, 9`; after `most` of them how many more."""
    shown = ", ".join(f"{first}–{last}" if first < last else str(first) for first, last in spans[:most])
    more = len(spans) - most
    return f"{shown} " + _("and {count} more").format(count=more) if more > 0 else shown


# -- laptops


def device_head() -> tuple[str, ...]:
    """Over `device_cells`."""
    return (_("Laptop"), _("standing"), _("sent"), _("whole to"), _("to look at"), _("last seen"))


def device_cells(row: DeviceRow) -> tuple[str, ...]:
    """A laptop as a line of the table."""
    seen = at(row.seen) if row.seen else "–"
    return (visible(row.name), _(STANDINGS[row.standing]), str(row.entries), str(row.whole_to), marks(row) or "–", seen)


def marks(row: DeviceRow) -> str:
    """What is wrong with it, in a word or two."""
    found = {
        Trouble.FORK: _("FORK"),
        Trouble.GAP: ngettext("{count} missing", "{count} missing", row.absent).format(count=row.absent),
        Trouble.STRANGER: _("kept aside"),
        Trouble.ASIDE: _("{count} aside").format(count=row.aside),
        Trouble.SILENT: _("nothing yet"),
    }
    return ", ".join(found[trouble] for trouble in row.troubles)


def device_line(row: DeviceRow) -> str:
    """The same, read aloud."""
    return " ".join([_device(row), *(f"{text} {advice}" for text, advice in trouble_words(row))])


def _device(row: DeviceRow) -> str:
    text = _("{name} ({id}), {standing}: {entries} sent, whole up to {whole}.")
    line = text.format(
        name=visible(row.name),
        id=short(row.device),
        standing=_(STANDINGS[row.standing]),
        entries=row.entries,
        whole=row.whole_to,
    )
    return f"{line} " + _("Last seen {when}.").format(when=at(row.seen)) if row.seen else line


def device_said(row: DeviceRow) -> str:
    """The same without what to do about it, and what is wrong in words; for the line below the table."""
    return " ".join([_device(row), *(text for text, _advice in trouble_words(row))])


def trouble_words(row: DeviceRow) -> list[tuple[str, str]]:
    """(what, what to do about it), the gravest first."""
    found = {
        Trouble.FORK: (
            _("FORK at {forks}: two histories.").format(forks=", ".join(map(str, row.forks[:6]))),
            _(
                "This laptop was cloned or restored from a copy. Both histories are kept; ask who has it, and make a"
                " new vault on it (fieldsurvey device new-vault)."
            ),
        ),
        Trouble.GAP: (
            _("GAP: {gaps} have not arrived.").format(gaps=ranges(row.gaps)),
            _("Bring the stick that they are on, or copy again from the laptop: it still has them."),
        ),
        Trouble.STRANGER: (
            _("Not enrolled: what it sent is kept aside and does not count yet."),
            _("If it is one of ours, the steward enrols its card; then it counts at once."),
        ),
        Trouble.ASIDE: (
            _("Revoked: {count} sent after that are kept aside.").format(count=row.aside),
            _("They never count. If it was revoked by mistake, speak with the steward."),
        ),
        Trouble.SILENT: (
            _("Enrolled, and nothing came from it yet."),
            _("Ask its enumerator to copy to a stick."),
        ),
    }
    return [found[trouble] for trouble in row.troubles]


def detail_lines(found: DeviceDetail, people: Sequence[Person]) -> list[tuple[str, str]]:
    """(label, text) for everything known of a laptop."""
    row = found.row
    lines = [
        (_("Standing"), _(STANDINGS[row.standing])),
        (_("Number"), row.device),
        (_("Sent"), _sent(row)),
        (_("Whole up to"), str(row.whole_to)),
        (_("Last seen"), at(row.seen) if row.seen else _("never")),
        (_("Receipts"), _receipts(found)),
    ]
    if found.created:
        lines.append((_("Joined"), at(found.created)))
    if found.parent is not None:
        text = _("the log of {device} after entry {seq} (new vault or restored backup)")
        lines.append((_("Goes on from"), text.format(device=short(found.parent.device), seq=found.parent.seq)))
    lines.append((_("People"), people_words(people)))
    lines += [
        (_("Batch"), f"{at(batch.seen)}   " + _("entries {first} to {last}").format(first=batch.first, last=batch.last))
        for batch in found.recent
    ]
    return lines


def _sent(row: DeviceRow) -> str:
    text = ngettext("{count} entry", "{count} entries", row.entries).format(count=row.entries)
    return f"{text}, " + _("the last is number {last}").format(last=row.last) if row.entries else text


def _receipts(found: DeviceDetail) -> str:
    if not found.receipts:
        return _("none yet")
    backed_up = found.up_to(Level.BACKED_UP)
    text = _("held up to {held}, in a backup up to {backed_up}") if backed_up else _("held up to {held}, in no backup")
    return text.format(held=found.up_to(Level.COMMITTED), backed_up=backed_up)


def people_words(people: Sequence[Person]) -> str:
    """Who could be working on it: which of them did is inside the sealed records."""
    here = [person for person in people if person.left is None]
    if not here:
        return _("the project names nobody yet")
    names = ", ".join(f"{person.code} {visible(person.label)} ({_(ROLES[person.role])})" for person in here)
    return _("sealed inside the records; in the project: {names}").format(names=names)


# -- central


def summary(found: Overview) -> str:
    """One line."""
    counts, cases = found.counts, found.cases
    parts = [
        ngettext("{count} laptop", "{count} laptops", len(found.devices)).format(count=len(found.devices)),
        ngettext("{count} record", "{count} records", counts.bodies).format(count=counts.bodies),
        ngettext("{count} case counts", "{count} cases count", cases.current).format(count=cases.current),
    ]
    if cases.withdrawn:
        parts.append(_("{count} withdrawn").format(count=cases.withdrawn))
    return " · ".join(parts)


def alerts(found: Overview, *, backup_key: str = "", cases_key: str = "") -> list[tuple[bool, str]]:
    """(loud, sentence) for what somebody should do now; loud stands in bold. Keys are named where they are given."""
    lines: list[tuple[bool, str]] = []
    if found.backup_due:
        said = (
            _("NOBODY BACKED CENTRAL UP SINCE {when}.").format(when=at(found.last_backup))
            if found.last_backup
            else _("NOBODY EVER BACKED CENTRAL UP.")
        )
        why = _("Until then laptops keep everything, and a broken disk here loses all of it.")
        key = " " + _("[{key}] backs it up.").format(key=backup_key) if backup_key else ""
        lines.append((True, f"{said} {why}{key}"))
    if found.stale is not None:
        key = " " + _("[{key}] backs it up.").format(key=backup_key) if backup_key else ""
        lines.append((True, backup_to_go_line(found.stale) + key))
    lines += [(True, text.strip()) for text in overdue_lines(found.late)]
    if found.days_left < 0:
        text = _("The project expired {n} days ago. Everything goes on; ask the steward for a newer one.")
        lines.append((False, text.format(n=-found.days_left)))
    elif found.expires_soon:
        text = _("The project expires in {n} days: ask the steward for a newer one.")
        lines.append((False, text.format(n=found.days_left)))
    if found.to_look_at:
        lines.append((False, _looked_at(found) + (f" [{cases_key}]" if cases_key else "")))
    return lines


def _looked_at(found: Overview) -> str:
    cases = found.cases
    parts = []
    if cases.in_conflict:
        parts.append(ngettext("{count} case in conflict", "{count} cases in conflict", cases.in_conflict))
    if cases.with_proposals:
        parts.append(ngettext("{count} with a proposal", "{count} with proposals", cases.with_proposals))
    if cases.original_missing:
        parts.append(ngettext("{count} without its original", "{count} without their original", cases.original_missing))
    counts = [n for n in (cases.in_conflict, cases.with_proposals, cases.original_missing) if n]
    return ", ".join(part.format(count=n) for part, n in zip(parts, counts, strict=True)) + "."


def backup_words(found: Overview) -> tuple[bool, str]:
    """(good, words) for the top line."""
    if found.backup_due:
        return False, _("not backed up")
    if found.last_backup is None:
        return True, _("nothing to back up yet")
    return True, _("backed up {when}").format(when=at(found.last_backup))


# -- cases and returned work


def case_head() -> tuple[str, ...]:
    """Over `case_cells`."""
    return (_("Case"), _("why"), _("revisions"), _("laptops"))


def case_cells(row: CaseRow) -> tuple[str, ...]:
    """A case as a line of the table."""
    kinds = ", ".join(_(KINDS[kind]) for kind in row.kinds)
    return (short(row.case), kinds, str(len(row.revisions)), ", ".join(visible(name) for name in row.names))


def case_lines(row: CaseRow) -> list[str]:
    """Every revision, and what to do."""
    text = _("revision {revision} of {name}, entry {seq} of its log: {part}")
    lines = [
        text.format(revision=r.revision, name=visible(r.name), seq=r.seq, part=_(PARTS[r.part])) for r in row.revisions
    ]
    return lines + [_(WHAT_TO_DO[kind]) for kind in row.kinds]


def cases_said(found: CaseList, kind: Kind | None) -> str:
    """How many there are."""
    count = found.total if kind is None else found.of_kind[kind]
    said = _("all") if kind is None else _(KINDS[kind])
    text = f"{count} · {said}"
    return text + " · " + _("the first {count} are listed").format(count=LISTED) if found.total > LISTED else text


def return_head() -> tuple[str, ...]:
    """Over `return_cells`."""
    return (_("Case"), _("for"), _("revision"), _("state"))


def return_cells(row: ReturnRow) -> tuple[str, ...]:
    """Returned work as a line of the table."""
    state = _(RETURNS[row.state])
    if row.state is ReturnState.BACK:
        state += " " + _("as revision {revision}").format(revision=row.answered)
    return (short(row.case), visible(row.name), str(row.revision), state)
