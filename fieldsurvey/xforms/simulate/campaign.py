"""Many simulated interviews of one form, steered towards the branches that none took yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.check.conditions import is_asked
from fieldsurvey.xforms.check.meaning import Meaning
from fieldsurvey.xforms.check.solver import TOTAL, Solver
from fieldsurvey.xforms.check.wording import listed, where
from fieldsurvey.xforms.contract import Instance
from fieldsurvey.xforms.form import LoadedForm
from fieldsurvey.xforms.simulate.branches import Branch, Branches
from fieldsurvey.xforms.simulate.guide import Guide
from fieldsurvey.xforms.simulate.interviews import Prefer, simulate_interview

SHOWN = 40
TRIES = 3
"""How often a branch is aimed at."""
TOGETHER = 40
"""So many branches are looked at for one interview."""
STEPS = 250_000
"""Steps of the solver for each interview, and for all of them together."""
IMPLIED = 24
"""Longer plans than a check needs: an interview goes through all of it."""
MOST_STEPS = 30_000_000
FREE = 2
"""So many interviews go as they like before any is steered."""


@dataclass(slots=True)
class Campaign:
    """What came of many interviews. `stuck` counts the refs that kept interviews from being finalised."""

    branches: Branches
    asked: list[str]
    interviews: int = 0
    failed: int = 0
    stuck: Counter[str] = field(default_factory=Counter)
    visited: set[str] = field(default_factory=set)

    @property
    def never_asked(self) -> list[str]:
        """Questions that no interview came to, in form order."""
        return [path for path in self.asked if path not in self.visited]

    @property
    def taken(self) -> int:
        """Branches that some interview took."""
        return sum(1 for branch in self.branches.all if branch.taken)

    @property
    def missed(self) -> list[Branch]:
        """Branches that no interview took, those that none can take left out."""
        return [branch for branch in self.branches.all if not branch.taken and branch.possible]

    @property
    def impossible(self) -> list[Branch]:
        """Branches that no interview can take."""
        return [branch for branch in self.branches.all if not branch.taken and not branch.possible]

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "interviews": self.interviews,
            "questions": len(self.asked),
            "never_asked": self.never_asked,
            "branches": {
                "all": len(self.branches.all),
                "taken": self.taken,
                "missed": [branch.as_dict() for branch in self.missed],
                "impossible": [branch.as_dict() for branch in self.impossible],
            },
        }


def render_campaign(campaign: Campaign, *, every: bool = False) -> list[str]:
    """What came of it as lines; of the branches of one question that were missed, the choices stand together."""
    asked = len(campaign.asked)
    lines = [
        _("{n} interviews finalised; {reached} of {all} questions were asked at least once.").format(
            n=campaign.interviews - campaign.failed, reached=asked - len(campaign.never_asked), all=asked
        )
    ]
    lines.extend(_("Never asked: {ref}").format(ref=path) for path in campaign.never_asked)
    possible = len(campaign.branches.all) - len(campaign.impossible)
    lines.append(
        _("{taken} of {all} branches taken; {n} more cannot be taken (`forms check` says why).").format(
            taken=campaign.taken, all=possible, n=len(campaign.impossible)
        )
    )
    missed = list(_told(campaign.missed))
    lines.extend(missed if every else missed[:SHOWN])
    if len(missed) > SHOWN and not every:
        lines.append(_("{n} more: --all lists them, more interviews (-n) may take them.").format(n=len(missed) - SHOWN))
    return lines


def _told(branches: list[Branch]) -> Iterator[str]:
    choices: dict[int, list[Branch]] = {}
    for branch in branches:
        if branch.kind == "choice":
            choices.setdefault(branch.d.index, []).append(branch)
    done: set[int] = set()
    for branch in branches:
        words = branch.words()
        if branch.kind == "choice":
            if branch.d.index in done:
                continue
            done.add(branch.d.index)
            words = _("never chosen: {value}").format(value=listed([one.value for one in choices[branch.d.index]], 12))
        place = where(branch.origin)
        yield f"  {branch.d.path} ({place}): {words}" if place else f"  {branch.d.path}: {words}"


def run_campaign(
    form: LoadedForm,
    count: int,
    *,
    seed: int,
    now: Callable[[], datetime],
    prefer: Prefer | None = None,
    steer: bool = True,
    keep: Callable[[int, Instance], None] | None = None,
) -> Campaign:
    """`count` interviews; the same seed and clock give the same ones. `keep` gets each finalised instance.

    With `steer`, what no interview took yet is aimed at, as far as conditions can be followed backwards.
    """
    total = min(MOST_STEPS, TOTAL + STEPS * count)
    branches = Branches(Solver(Meaning(form.program), total, IMPLIED))
    campaign = Campaign(branches, [node.path for node in form.nodes if is_asked(node)])
    probed: dict[int, int] = {}
    for number in range(count):
        interview = form.start(now=now, seed=seed * 1_000_003 + number)
        rng = Random(f"{seed}/{number}")  # noqa: S311  simulation, no secret
        guide = None
        if steer:
            plan = branches.plan(TRIES, TOGETHER)[1].known if number >= FREE else {}
            guide = Guide(branches, plan, probed)
        branches.look(interview)
        done = simulate_interview(interview, rng, prefer, guide=guide)
        branches.look(interview)
        campaign.interviews += 1
        campaign.visited |= done.paths
        if not done.ready:
            campaign.failed += 1
            campaign.stuck.update(problem.ref for problem in interview.problems() if problem.blocks)
        elif keep is not None:
            keep(number, interview.finalise())
        else:
            interview.finalise()
    branches.settle()
    return campaign
