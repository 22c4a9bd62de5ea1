"""How things stand on a laptop, from its locked vault and its project: counts, states, never content."""

from __future__ import annotations

from datetime import datetime, timedelta

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.fieldwork.cards import WAITS_LONG, DeviceStatus, SealedCard, State
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.envelope import read_header
from fieldsurvey.vault import SealedLog


def reached(log: SealedLog) -> dict[State, int]:
    """Up to which entry the log is copied, received and acknowledged."""
    levels = log.acknowledged()
    acknowledged = max(levels.get("committed", 0), levels.get("backed_up", 0))
    received = max(levels.get("received", 0), acknowledged)
    copied = max([received, *(copy.up_to for copy in log.copied())])
    return {State.COPIED: copied, State.RECEIVED: received, State.ACKNOWLEDGED: acknowledged}


def sealed_cards(log: SealedLog, limit: int) -> list[SealedCard]:
    """The last `limit` records, newest first."""
    last = log.head().seq
    up_to = reached(log)
    copied = log.copied()
    days = log.sealed_days()
    cards = []
    for seq, record in log.bodies(max(1, last - limit + 1), last):
        state = State.SEALED
        for candidate in (State.COPIED, State.RECEIVED, State.ACKNOWLEDGED):
            if seq <= up_to[candidate]:
                state = candidate
        day = _day_of(seq, days) if state is not State.ACKNOWLEDGED else ""
        copies = tuple((copy.place, copy.at) for copy in copied if copy.up_to >= seq)
        if record is None:
            cards.append(SealedCard(seq, "", 0, 0, state, removed=True, sealed=day, copies=copies))
            continue
        try:
            header = read_header(record)
        except UntrustedError:  # damaged on this disk: the others are listed all the same, `device verify` names it
            cards.append(SealedCard(seq, "", 0, len(record), state, sealed=day, copies=copies))
            continue
        if header.kind == "attachment":
            continue  # part of what its record says
        size = len(record)
        cards.append(SealedCard(seq, header.case, header.revision, size, state, sealed=day, copies=copies))
    cards.reverse()
    return cards


def device_status(log: SealedLog, project: SignedProject, now: datetime) -> DeviceStatus:
    """What anybody who holds the laptop may see."""
    card = log.device_card()
    model = project.model
    up_to = reached(log)
    slots = log.slots()
    copies = log.copied()
    receipts = log.receipts()
    enrolled = model.device(card.device)
    since, long = waiting(log, now)
    return DeviceStatus(
        device=card.device,
        name=card.name,
        project=model.name,
        project_version=model.version,
        expires=model.expires,
        expired=project.is_expired(now),
        enrolment=enrolled.status if enrolled else "unknown",
        people=len(slots),
        drafts=log.draft_count(),
        sealed=log.head().seq,
        copied=up_to[State.COPIED],
        received=up_to[State.RECEIVED],
        acknowledged=up_to[State.ACKNOWLEDGED],
        backed_up=log.acknowledged().get("backed_up", 0),
        last_copied=(copies[-1].place, copies[-1].at) if copies else None,
        last_receipt=max((receipt.issued for receipt in receipts), default=None),
        removed=log.purged(),
        former=sum(former.head().seq for former in log.former_logs()),
        former_waiting=sum(former.head().seq - reached(former)[State.ACKNOWLEDGED] for former in log.former_logs()),
        damaged_slots=tuple(slot.number for slot in slots if slot.damaged),
        waiting_since=since,
        waiting_long=long,
        copies=tuple((copy.place, copy.at, copy.up_to) for copy in copies),
    )


def waiting(log: SealedLog, now: datetime) -> tuple[str, int]:
    """Since which day something waits for central's word, "" when nothing does; how many have for WAITS_LONG days."""
    days = log.sealed_days()
    acknowledged = reached(log)[State.ACKNOWLEDGED]
    last = log.head().seq
    if acknowledged >= last:
        return "", 0
    limit = (now.date() - timedelta(days=WAITS_LONG)).isoformat()
    fresh = min((seq for seq, day in days if day > limit), default=last + 1)
    known = days[0][0] if days else last + 1
    return _day_of(acknowledged + 1, days), max(0, fresh - max(acknowledged + 1, known))


def _day_of(seq: int, days: list[tuple[int, str]]) -> str:
    """The day on which an entry was sealed, "" where it is not known."""
    return max((pair for pair in days if pair[0] <= seq), default=(0, ""))[1]
