"""What a home holds about a withdrawal code, and erasing it there: a laptop, a relay, central, the HMU, or several.

Each place that is here does its own erasing, in its own room; this asks them in turn and puts what they say together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import FieldsurveyError, render
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.cli.rights_errors import NoPlaceError
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.erasures import Reports, Standing, Trust, due_day, standings
from fieldsurvey.fieldwork.withdrawals import Erased, Withdrawals, access, withdraw
from fieldsurvey.project.keys import HMU, SUPERVISOR
from fieldsurvey.project.model import Project
from fieldsurvey.project.signed import read_project
from fieldsurvey.project.steward import PROJECT_FILE
from fieldsurvey.records.erased import Place
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.tui.standing import when
from fieldsurvey.tui.withdrawing import access_lines, erased_lines, place_lines, waiting_lines
from sync.place import central_exists, open_central

if TYPE_CHECKING:
    from sync.relay import Relay


@dataclass
class Done:
    """What erasing did here. `erased`: place -> records (at a relay: batches); None: it waits, see `lines`."""

    new: bool
    requested: str
    due: str
    erased: dict[str, int | None] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    places: tuple[Standing, ...] = ()

    def data(self) -> dict[str, Any]:
        """As JSON says it."""
        return {
            "new": self.new,
            "requested": self.requested,
            "due": self.due,
            "records_erased": sum(count or 0 for count in self.erased.values()),
            "erased": self.erased,
            "places": [asdict(one) for one in self.places],
        }


@dataclass(frozen=True, slots=True)
class AtCentral:
    """A record at central: its clear header; `erased`: only its entry is left."""

    device: str
    seq: int
    kind: str
    revision: int
    erased: bool


class Here:
    """The places in FIELDSURVEY_HOME."""

    def __init__(self, project: Path | None = None) -> None:
        """`project`: its file, where there is nothing else. Raises NoPlaceError, what `read_project` refuses."""
        self.home = paths.home()
        self.now: datetime = SystemClock().now()
        self.laptop = Laptop.open(self.home, SystemClock()) if paths.vault_path().exists() else None
        self.has_relay = (self.home / "relay" / SUPERVISOR).exists()
        self.has_central = central_exists(self.home)
        self.has_hmu = (paths.steward_dir() / HMU).exists()
        self.model = self._model(project)
        self.project = self.laptop.locked.device_card().project if self.laptop else self._id()

    @property
    def today(self) -> date:
        """By the machine's clock."""
        return self.now.date()

    def _model(self, named: Path | None) -> Project | None:
        if self.laptop is not None and named is None:
            with suppress(FieldsurveyError):  # its file is gone or damaged: a withdrawal is taken all the same
                return self.laptop.project.model
        for path in (
            named,
            paths.steward_dir() / PROJECT_FILE,
            self.home / "relay" / "project.fsp",
            paths.pinned_project_path(),
        ):
            if path is not None and (path is named or path.exists()):
                return read_project(path).model
        if self.has_central:
            with open_central(self.home) as central:
                return central.project()
        return None

    def _id(self) -> str:
        if self.model is None:
            raise NoPlaceError(place=str(self.home))
        return self.model.id

    # -- access

    def access(self, code: WithdrawalCode) -> tuple[dict[str, Any], list[str]]:
        """What is held of a case, place by place, as data and in words. Never an answer."""
        tag = code.tag(self.project)
        stone = Withdrawals(self.home).find(tag)
        requested = stone.requested if stone is not None else None
        lines: list[str] = []
        held: list[dict[str, Any]] = []
        if self.laptop is not None:
            found = access(self.laptop.locked, code)
            held = [asdict(one) for one in found.held]
            lines += access_lines(found)
        elif requested is not None:
            lines.append(_("Withdrawn on {day}.").format(day=when(requested)))
        at_central = self._at_central(tag) if self.has_central else None
        if at_central is not None:
            lines += central_lines(at_central)
        with self._relay() as relay:
            batches = len(relay.holding.named_by({tag})[0]) if relay is not None else None
        if batches is not None:
            lines.append(_("Batches with it on this relay: {count}.").format(count=batches))
        places = self._places(tag, requested) if requested is not None else ()
        lines += place_lines(places)
        data = {
            "requested": requested,
            "due": due_day(requested, self.model).isoformat() if requested and self.model else None,
            "held": held,
            "central": [asdict(one) for one in at_central] if at_central is not None else None,
            "relay": batches,
            "places": [asdict(one) for one in places],
        }
        return data, lines

    def _at_central(self, tag: str) -> list[AtCentral]:
        with open_central(self.home) as central:
            wanted = bytes.fromhex(tag)
            found = []
            for device in sorted({one.device for one in central.store.devices()}):
                mine = [entry for entry in central.store.entries(device) if entry.withdrawal == wanted]
                gone = central.store.erased([entry.record_hash for entry in mine])
                found += [AtCentral(device, e.seq, e.kind, e.revision, e.record_hash in gone) for e in mine]
            return found

    def _places(self, tag: str, requested: str) -> tuple[Standing, ...]:
        if self.model is None:
            return ()
        if self.has_central:
            from fieldsurvey.cli.overdue import standings_here  # loads central, which a laptop does not need

            with open_central(self.home) as central:
                return standings_here(central, self.model, tag, requested)
        cards = [log.device_card() for log in self.laptop.locked.logs()] if self.laptop is not None else []
        devices = [cards[-1].device] if cards else []
        reports = Reports(self.home, Trust.of(self.model, *cards))
        return standings(tag, requested, self.model, reports, self.today, devices=devices, relayed=self.has_relay)

    @contextmanager
    def _relay(self) -> Iterator[Relay | None]:
        if not self.has_relay:
            yield None
            return
        from sync.relay import Relay  # only a supervisor's laptop has one

        relay = Relay.open(self.home)
        with relay.alone():
            yield relay

    # -- erase

    def erase(self, code: WithdrawalCode) -> Done:
        """Enter a withdrawal, and erase at every place that is here. The tombstone is durable before anything goes."""
        tag = code.tag(self.project)
        erased: Erased | None = None
        if self.laptop is not None:
            erased = withdraw(self.laptop.locked, code, self.today, self.now)
            new = erased.new
        else:
            stone = Tombstone(project=self.project, code=code.raw, requested=self.today.isoformat())
            new = Withdrawals(self.home).enter(stone)
        kept = Withdrawals(self.home).find(tag)
        requested = kept.requested if kept is not None else self.today.isoformat()
        due = due_day(requested, self.model).isoformat() if self.model is not None else requested
        done = Done(new, requested, due)
        if erased is not None:
            done.erased[Place.LAPTOP] = erased.bodies
            done.lines += erased_lines(erased)
        else:
            text = _("The withdrawal is entered as of {day}. Put it on the sticks that go out: --to STICK")
            done.lines.append(text.format(day=when(requested)))
        self._erase_at_relay(done)
        self._erase_at_central(done)
        self._erase_at_hmu(done)
        done.places = self._places(tag, requested)
        done.lines += place_lines(done.places)
        return done

    def _erase_at_relay(self, done: Done) -> None:
        with self._relay() as relay:
            if relay is not None:
                from sync.settling import erase  # only a supervisor's laptop has use for it

                count = erase(relay)
                waiting = relay.waiting()
                done.erased[Place.RELAY] = None if waiting else count
                done.lines.append(_("Batches erased on this relay: {count}.").format(count=count))
                done.lines += waiting_lines(waiting)

    def _erase_at_central(self, done: Done) -> None:
        if not self.has_central:
            return
        from fieldsurvey.cli.overdue import settle_here  # loads central, which a laptop does not need

        with open_central(self.home) as central:
            if central.project() is None and self.model is not None:
                central.learn(self.model)
            done.erased[Place.CENTRAL] = count = settle_here(central).erased
        text = ngettext("{count} record erased at central.", "{count} records erased at central.", count)
        done.lines.append(text.format(count=count))

    def _erase_at_hmu(self, done: Done) -> None:
        if not self.has_hmu or not self.has_central:
            return
        from fieldsurvey.cli.erasing import clear_here, cleared_lines, hmu_keys  # loads the tables' library
        from fieldsurvey.cli.overdue import has_rounds
        from fieldsurvey.project.steward import read_steward

        if not has_rounds():
            return
        later = _("Opened rounds still hold what they held of it: run `fieldsurvey needs erase` by {day}.")
        if not sys.stdin.isatty() and "FIELDSURVEY_PASSPHRASE_FILE_HMU" not in os.environ:
            done.erased[Place.HMU] = None
            done.lines.append(later.format(day=when(done.due)))
            return
        try:
            cleared = clear_here(read_steward(paths.steward_dir()), hmu_keys())
        except FieldsurveyError as error:  # a wrong passphrase, say: what was done before stands, and this is said
            done.erased[Place.HMU] = None
            done.lines += [render(error).as_text(), later.format(day=when(done.due))]
            return
        done.erased[Place.HMU] = cleared.records.total()
        done.lines += cleared_lines(cleared) or [_("No opened round holds anything of it.")]


def central_lines(found: list[AtCentral]) -> list[str]:
    """What central holds, a line each."""
    if not found:
        return [_("Central has no record of this code; one may still be on its way.")]
    lines = []
    for one in found:
        what = _("erased; its entry stays") if one.erased else _("held, sealed")
        text = _("At central: entry {seq} of {device}, revision {revision}: {what}.")
        lines.append(text.format(seq=one.seq, device=one.device[:8], revision=one.revision, what=what))
    return lines
