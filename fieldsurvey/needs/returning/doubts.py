"""Cases of an opened round that somebody should look at, and may want to send back: whose and why, never an answer."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.needs.opened.dataset import Dataset

_WHY = {
    "_conflict": n_("two revisions stand side by side"),
    "_proposal": n_("another laptop proposes a change"),
    "_duplicate": n_("the same answers as another record"),
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """One case. `device`: the id of the laptop that made its current record; `person`: the enumerator's code."""

    case: str
    form: str
    device: str
    person: str
    why: tuple[str, ...]


def doubts(dataset: Dataset) -> list[Doubt]:
    """Those of every form, by form and case."""
    found = []
    for form in dataset.forms:
        frame = dataset.frame(form)
        columns = ["_case", "_device", "_person", *_WHY]
        rows = frame.select(columns).filter(pl.any_horizontal(list(_WHY))).sort("_case")
        for case, device, person, *flags in rows.iter_rows():
            why = tuple(_(text) for text, flag in zip(_WHY.values(), flags, strict=True) if flag)
            found.append(Doubt(case, form, device, person, why))
    return found
