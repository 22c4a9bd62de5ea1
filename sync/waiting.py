"""What of withdrawn cases still lies at a relay, and how long it may: which records of which batch name one.

A relay cannot take one record out of a sealed batch. Where other people's records in it are nowhere else, as far as it
knows, the batch waits to be handed on; the policy's days of erasure bound that. This remembers and counts the days; it
erases nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.files import write_atomic
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.fieldwork.erasures import due_day
from fieldsurvey.project.model import Project
from fieldsurvey.records.withdrawal import Tombstone
from sync.holding import Held, NamedRecord


class Waiting(NamedTuple):
    """A batch that somebody's withdrawal names and that waits for the others in it. `until`: on that day it goes."""

    held: Held
    until: date


@dataclass
class Found:
    """The records that withdrawals name, by the hash of their batch's manifest (hexadecimal).

    Of a case of which something waits, what is erased already stays listed: it is reported with the rest.
    """

    named: dict[str, tuple[NamedRecord, ...]]

    def tags(self, manifests: AbstractSet[str]) -> set[str]:
        """Of the cases that are named in these batches."""
        return {one.tag for manifest in manifests for one in self.named.get(manifest, ())}

    def counts(self) -> Counter[str]:
        """Tag -> how many different records of it there are."""
        every = {(one.record, one.tag) for records in self.named.values() for one in records}
        return Counter(tag for _record, tag in every)

    def only(self, tags: AbstractSet[str]) -> Found:
        """Of the batches that name one of these cases."""
        return Found({key: of for key, of in self.named.items() if any(one.tag in tags for one in of)})


def read_found(path: Path) -> tuple[Found, str]:
    """What was written down, and which withdrawals it was looked for; nothing, for none, where no whole note is."""
    try:
        told = json.loads(path.read_bytes())
        named = {
            str(key): tuple(NamedRecord(int(seq), str(record), str(tag)) for seq, record, tag in records)
            for key, records in told["named"].items()
        }
        return Found(named), str(told["of"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return Found({}), ""  # every batch is looked at again


def write_found(path: Path, found: Found, of: str) -> None:
    """Note what was found; `of`: for which withdrawals every batch has been looked at. Raises StorageError."""
    named = {key: [list(one) for one in records] for key, records in found.named.items()}
    write_atomic(path, canonical({"of": of, "named": named}), private=True)


def known_as(tags: AbstractSet[str]) -> str:
    """A name for a set of withdrawals."""
    return hashlib.sha256("".join(sorted(tags)).encode("ascii")).hexdigest()


def waits_until(
    records: Iterable[NamedRecord],
    stones: Mapping[str, Tombstone],
    project: Project,
    today: date,
    *,
    deliver: bool = False,
) -> date | None:
    """The day on which a batch with these records goes at the latest; None where it may not wait (any longer).

    The policy's last day is the day on which it goes; `deliver`: that whole day still counts. A clock that stands
    before a request (one day is forgiven, for zones) cannot tell when the days are over: then nothing waits for it.
    """
    asked = [stones[one.tag].requested for one in records if one.tag in stones]
    if not asked or today < date.fromisoformat(max(asked)) - timedelta(days=1):
        return None
    until = min(due_day(requested, project) for requested in asked)
    return until if today < until or (deliver and today == until) else None


def erased_batches(count: int) -> str:
    """How many batches a relay erased, in words."""
    text = ngettext(
        "{count} batch with a withdrawn interview was erased here.",
        "{count} batches with a withdrawn interview were erased here.",
        count,
    )
    return text.format(count=count)
