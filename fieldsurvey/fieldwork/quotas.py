"""How far the plan's quotas are, counted on this laptop alone: cases sealed here, whoever sealed them.

What is kept of a case is which cells of its round's quotas it met on the day it was sealed, nothing else of its
answers, until the round is over. A quota that a later plan adds counts from then on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from fieldsurvey.fieldwork.sealing_day import QUESTION
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.quotas import QUESTIONS, Cell, cells_met, interviews_people

if TYPE_CHECKING:
    from fieldsurvey.project.policy import Plan, Round
    from fieldsurvey.vault import Vault
    from fieldsurvey.xforms.contract import Form
    from fieldsurvey.xforms.form import LoadedForm


@dataclass(frozen=True, slots=True)
class CaseCount:
    """What is kept of a sealed case. `round`: its id, "" outside all; `until`: its last day; `tag`: of a withdrawal."""

    round: str
    until: str
    cells: tuple[Cell, ...] = field(repr=False)
    tag: str | None = field(repr=False)

    def to_bytes(self) -> bytes:
        """For the vault."""
        found = {"round": self.round, "until": self.until, "cells": self.cells, "tag": self.tag}
        return json.dumps(found, separators=(",", ":")).encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes) -> CaseCount | None:
        """The inverse; None for what is none."""
        try:
            found = json.loads(data)
            cells = tuple(Cell(*cell) for cell in found["cells"])
            return cls(found["round"], found["until"], cells, found["tag"])
        except (ValueError, TypeError, KeyError):
            return None


@dataclass(frozen=True, slots=True)
class Counted:
    """Cases by cell. Not `whole` where something sealed here in the round is not in it, or can no longer be read."""

    done: Mapping[Cell, int] = field(repr=False)
    whole: bool = True


def count_of(form: Form, xml: bytes, plan: Plan, tag: str | None, today: date) -> CaseCount:
    """What a finalised interview counts for: in the round of its fieldwork date, as the HMU sorts it."""
    answers = _by_name(form, xml)
    said = answers.get(QUESTION)
    day = said.isoformat()[:10] if isinstance(said, date) else str(said or "")[:10]
    found = plan.round_on(day) if day else None
    if found is None:
        return CaseCount("", today.isoformat(), (), tag)
    people = interviews_people(_names(form).values())
    return CaseCount(found.id, found.end, cells_met(found.quotas, answers) if people else (), tag)


def tally(cases: Iterable[CaseCount], round_id: str, withdrawn: Collection[str] = ()) -> Counter[Cell]:
    """Cases of a round by cell, without those whose tag is withdrawn."""
    wanted = (case for case in cases if case.round == round_id and case.tag not in withdrawn)
    return Counter(cell for case in wanted for cell in case.cells)


def counted(vault: Vault, survey_round: Round) -> Counted:
    """A round's, as this laptop knows it. Raises StorageError."""
    kept = [CaseCount.from_bytes(row.content) if row.content is not None else None for row in vault.tally.kept()]
    cases = [case for case in kept if case is not None]
    whole = len(cases) == len(kept) and vault.tally.since() < survey_round.start
    return Counted(tally(cases, survey_round.id, _withdrawn(vault)), whole)


def forget_counts(vault: Vault, plan: Plan, today: date) -> int:
    """Forget what is withdrawn, and rounds that are over both by the latest signed time and by the laptop's day.

    How many cases. Raises StorageError.
    """
    passed = min(vault.locked.signed_time()[:10], today.isoformat())
    ends = {one.id: one.end for one in plan.rounds}
    withdrawn = _withdrawn(vault)
    gone = []
    for row in vault.tally.kept():
        case = CaseCount.from_bytes(row.content) if row.content is not None else None
        if case is not None and (case.tag in withdrawn or ends.get(case.round, case.until) < passed):
            gone.append(row.name)
    return vault.tally.drop(gone) if gone else 0


def _withdrawn(vault: Vault) -> frozenset[str]:
    return frozenset(Withdrawals(vault.locked.path.parent).of(vault.project))


def _by_name(form: Form, xml: bytes) -> dict[str, Any]:
    names = _names(form)
    return {names[ref]: answer for ref, answer in form.values(xml).items() if ref in names}


def _names(form: Form) -> dict[str, str]:
    """Path -> name of the questions that may decide; one whose name occurs twice outside repeats is none of them."""
    outside = [
        node
        for node in cast("LoadedForm", form).nodes
        if node.kind == "leaf" and not node.is_attribute and node.name in {QUESTION, *QUESTIONS} and not _repeated(node)
    ]
    times = Counter(node.name for node in outside)
    return {node.path: node.name for node in outside if times[node.name] == 1}


def _repeated(node: Any) -> bool:
    while node is not None:
        if node.kind == "repeat":
            return True
        node = node.parent
    return False
