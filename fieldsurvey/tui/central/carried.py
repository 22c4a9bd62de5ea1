"""What a supervisor's laptop carries: from whom, since when, and for whom something is on its way back. Values, words.

It holds sealed batches and cannot read one; central's own receipts say what it may let go of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import visible
from fieldsurvey.records.returned import read_return
from fieldsurvey.tui.central.wording import at, ranges, short
from fieldsurvey.tui.withdrawing import waiting_lines
from sync.damaged import Damaged
from sync.holding import Held
from sync.relay import Relay
from sync.settling import settle
from sync.waiting import Waiting, erased_batches


@dataclass(frozen=True, slots=True)
class CarriedRow:
    """A laptop that something is carried from or for.

    `spans`: entries that are here, as (first, last); `since`: when the oldest batch came, ISO 8601, this machine's
    clock; `at_central`: up to where a receipt of central's is carried; `returns`: work on its way back to it.
    """

    device: str
    name: str
    batches: int
    size: int
    spans: tuple[tuple[int, int], ...]
    since: str | None
    at_central: int
    returns: int


@dataclass(frozen=True, slots=True)
class Carried:
    """Everything that is carried. `name`: the project's; `server`: the first that it names, "" without one.

    `damaged`: what this laptop's disk has damaged, so that it is not handed on. `waiting`: batches with a record that
    was withdrawn, and until when they wait for the others in them; `erased`: how many of those this look erased.
    """

    name: str
    version: int
    rows: tuple[CarriedRow, ...]
    server: str = ""
    damaged: tuple[Damaged, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    erased: int = 0

    @property
    def batches(self) -> int:
        """In all."""
        return sum(row.batches for row in self.rows)

    @property
    def size(self) -> int:
        """Bytes, in all."""
        return sum(row.size for row in self.rows)


def carried(relay: Relay, *, deliver: bool = False) -> Carried:
    """Look at all of it, and erase what waited too long; reads manifests, no record. Raises StorageError.

    `deliver`: see `settle`.
    """
    erased = settle(relay, deliver=deliver)
    model = relay.project.model
    names = {device.id: device.name for device in model.devices}
    held: dict[str, list[Held]] = {}
    for one in relay.holding.batches():
        held.setdefault(one.device, []).append(one)
    proofs: dict[str, int] = {}
    for receipt, _data in relay.proofs.files():
        proofs[receipt.device] = max(proofs.get(receipt.device, 0), receipt.up_to)
    returns = _returns(relay)
    rows = [
        _row(device, names, held.get(device, []), proofs.get(device, 0), returns[device])
        for device in {*held, *proofs, *returns}
    ]
    rows.sort(key=lambda row: (-row.batches, row.name.casefold()))
    server = model.servers[0].url if model.servers else ""
    damaged = tuple(relay.holding.damaged())
    return Carried(model.name, model.version, tuple(rows), server, damaged, relay.waiting(), erased)


def _row(device: str, names: Mapping[str, str], held: list[Held], at_central: int, returns: int) -> CarriedRow:
    return CarriedRow(
        device=device,
        name=names.get(device) or (held[0].name if held else device[:8]),
        batches=len(held),
        size=sum(one.size for one in held),
        spans=joined((one.first, one.last) for one in held),
        since=min((_came(one.path) for one in held), default=None),
        at_central=at_central,
        returns=returns,
    )


def joined(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Ranges (first, last) that touch or overlap become one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _returns(relay: Relay) -> Counter[str]:
    found: Counter[str] = Counter()
    for data in relay.returned.files():
        with suppress(UntrustedError):
            found[read_return(data, relay.project.model.role_keys).manifest.device] += 1
    return found


def _came(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat("T", "seconds")


# -- in words


def carried_head() -> tuple[str, ...]:
    """Over `carried_cells`."""
    return (_("Laptop"), _("carried"), _("batches"), _("since"), _("at central"), _("for it"))


def carried_cells(row: CarriedRow) -> tuple[str, ...]:
    """A laptop as a line of the table."""
    return (
        visible(row.name),
        ranges(row.spans, 2) or "–",
        str(row.batches) if row.batches else "–",
        at(row.since) if row.since else "–",
        _("up to {up_to}").format(up_to=row.at_central) if row.at_central else "–",
        _for_it(row) or "–",
    )


def _for_it(row: CarriedRow) -> str:
    parts = [_("receipt")] if row.at_central else []
    if row.returns:
        parts.append(ngettext("{count} returned", "{count} returned", row.returns).format(count=row.returns))
    return ", ".join(parts)


def carried_line(row: CarriedRow) -> str:
    """The same, read aloud."""
    text = ngettext(
        "{name} ({id}): entries {spans} in {batches} batch since {since}.",
        "{name} ({id}): entries {spans} in {batches} batches since {since}.",
        row.batches,
    )
    line = (
        text.format(
            name=visible(row.name), id=short(row.device), spans=ranges(row.spans), batches=row.batches,
            since=at(row.since),
        )
        if row.since
        else _("{name} ({id}): nothing carried from it.").format(name=visible(row.name), id=short(row.device))
    )  # fmt: skip
    parts = [line]
    if row.at_central:
        parts.append(_("Central holds it up to {up_to}.").format(up_to=row.at_central))
    if row.returns:
        text = ngettext(
            "{count} piece of returned work for it.", "{count} pieces of returned work for it.", row.returns
        )
        parts.append(text.format(count=row.returns))
    return " ".join(parts)


def carried_summary(found: Carried) -> str:
    """How much, and that nobody here can read it; then what went, what waits, and what was damaged here."""
    gone = [erased_batches(found.erased)] if found.erased else []
    lost = (visible(one.told) for one in found.damaged)
    return "\n".join([_how_much(found), *gone, *waiting_lines(found.waiting), *lost])


def _how_much(found: Carried) -> str:
    if not found.batches:
        return _("Nothing is carried for central.")
    count = ngettext("{count} batch carried for central", "{count} batches carried for central", found.batches)
    text = _("{batches}, {size} KB, sealed: nothing here can read it.")
    return text.format(batches=count.format(count=found.batches), size=found.size + 1023 >> 10)
