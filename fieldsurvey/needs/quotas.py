"""The plan's quotas at the HMU, counted over the current records of an opened round. Never published: see `release`.

Counts are as small as they are; they are for whoever plans the next day's work, in the house where the round is opened.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from fieldsurvey.needs.opened.dataset import Dataset
from fieldsurvey.project.policy import Quota, Round
from fieldsurvey.project.quotas import QUESTIONS, Cell, cells_met, interviews_people


@dataclass(frozen=True, slots=True)
class QuotaCount:
    """A quota of the plan and how many interviews count for it."""

    quota: Quota
    done: int


def quota_counts(dataset: Dataset, planned: Round) -> tuple[QuotaCount, ...]:
    """In the plan's order. `planned`: the round as the plan says it now, whatever it was when it was opened."""
    done: Counter[Cell] = Counter()
    for form in dataset.forms:
        frame = dataset.frame(form)
        names: list[str] = [name for name in QUESTIONS if name in frame.columns]
        if not interviews_people(names):
            continue
        alike = frame.group_by([pl.col(name).cast(pl.String) for name in names]).len("n")
        for row in alike.iter_rows(named=True):
            answers = {name: row[name] for name in names if row[name] is not None}
            for cell in cells_met(planned.quotas, answers):
                done[cell] += row["n"]
    return tuple(QuotaCount(quota, done[Cell.of(quota)]) for quota in planned.quotas)
