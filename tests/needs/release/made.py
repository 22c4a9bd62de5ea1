"""Synthetic interviews, as tables; nobody was asked. And a project and a dataset that hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl

from fieldsurvey.needs.indicators import Indicator, read_indicators
from fieldsurvey.needs.labels import read_labels
from fieldsurvey.needs.opened.dataset import Dataset, Quality
from fieldsurvey.needs.places import gazetteer
from fieldsurvey.needs.release import build_release
from fieldsurvey.needs.report.content import ReportContent
from fieldsurvey.project.policy import Policy, Round
from fieldsurvey.project.signed import SignedProject
from forms import catalogue

LABELS = read_labels(catalogue.compiled("needs"))
GAZETTEER = gazetteer(LABELS)
SECTORS = {"food": ("food",), "water_sanitation": ("water", "sanitation")}
"""The sectors that the tests tabulate, with their problems: all of them would take a minute."""
BARRIERS = ("cost", "fear", "none")
ROUND = Round(id="r1", title="Synthetic round", start="2026-03-02", end="2026-03-20")
ISSUED = date(2026, 5, 4)
_ANSWERS = np.array(["serious", "not_serious", "dont_know", "prefers_not"])


def interviews(n: int, parishes: int, seed: int = 1) -> pl.DataFrame:
    """`n` complete interviews in the first `parishes` of the list, as the opened dataset holds them."""
    rng = np.random.default_rng(seed)
    codes = [parish.code for parish in GAZETTEER.parishes][:parishes]
    groups = rng.choice(["host", "mobility", "family_abroad", "not_said"], n, p=[0.5, 0.38, 0.08, 0.04])
    answers = {
        problem: rng.choice(_ANSWERS, n, p=[share, 0.85 - share, 0.1, 0.05])
        for share, problem in zip((0.3, 0.45, 0.2), ("food", "water", "sanitation"), strict=True)
    }
    rows = [{problem: str(given[i]) for problem, given in answers.items()} for i in range(n)]
    barriers = [["none"] if rng.random() < 0.3 else sorted(set(rng.choice(["cost", "fear"], 2))) for _ in range(n)]
    rated = [[p for p, a in row.items() if a in {"serious", "not_serious"}] for row in rows]
    serious = [[p for p, a in row.items() if a == "serious"] for row in rows]
    return pl.DataFrame(
        {
            "_record": [f"{seed:04x}{i:060x}" for i in range(n)],
            "_mode": ["screen"] * n,
            "_duplicate": [False] * n,
            "parish": rng.choice(codes, n).tolist(),
            "host_mobility": groups.tolist(),
            "mobility": [{"host": "always_here", "mobility": "came_to_stay"}.get(g, "family_abroad") for g in groups],
            "unit": rng.choice(["person", "household"], n, p=[0.7, 0.3]).tolist(),
            "sex": rng.choice(["woman", "man"], n).tolist(),
            "age_band": rng.choice(["18_24", "30_49", "65_plus"], n).tolist(),
            "recruited_by": rng.choice(["household_walk", "assembly"], n).tolist(),
            "outcome": ["complete"] * n,
            **{f"p_{problem}": [row[problem] for row in rows] for problem in answers},
            "rated_sectors": [_sectors(found) for found in rated],
            "serious_sectors": [_sectors(found) for found in serious],
            "priority_1": [found[0] if found else None for found in serious],
            "top_three": [" ".join(found) for found in serious],
            "barriers": pl.Series([list(map(str, found)) for found in barriers], dtype=pl.List(pl.String)),
        }
    )


def _sectors(problems: list[str]) -> str:
    return " ".join(sector for sector, its in SECTORS.items() if set(its) & set(problems))


def indicators() -> list[Indicator]:
    """The built-in indicators of the sectors and barriers that the tests tabulate."""
    problems = [problem for its in SECTORS.values() for problem in its]
    names = [
        *(f"sector_{sector}" for sector in SECTORS),
        *(f"{kind}_{problem}" for kind in ("need", "top3") for problem in problems),
    ]
    wanted = {*names, *(f"{name}_household" for name in names), *(f"barrier_{barrier}" for barrier in BARRIERS)}
    return [i for i in read_indicators(catalogue.indicators()) if i.id in wanted]


def indicators_csv() -> bytes:
    """The same as a file."""
    wanted = {i.id for i in indicators()}
    head, *lines = catalogue.indicators().decode("utf-8-sig").splitlines(keepends=True)
    return "".join([head, *(line for line in lines if line.split(",")[0] in wanted)]).encode()


@dataclass
class Opened:
    """What a release reads of a dataset."""

    frame_: pl.DataFrame
    round: Round = ROUND
    quality: Quality = field(default_factory=Quality)
    forms: tuple[str, ...] = ("needs",)

    def frame(self, _form: str, _level: str = "") -> pl.DataFrame:
        """The records."""
        return self.frame_


def project() -> SignedProject:
    """What a release reads of a signed project."""
    form = SimpleNamespace(id="needs", version="1", title="Necesidades", hash="0" * 64)
    model = SimpleNamespace(
        name="Synthetic",
        policy=Policy(),
        indicators="1" * 64,
        forms=(form,),
        current_forms=(form,),
        form=lambda _id: form,
    )
    found: Any = SimpleNamespace(
        indicators_csv=indicators_csv(), model=model, form_bytes=lambda _id: catalogue.compiled("needs")
    )
    return cast("SignedProject", found)


def dataset(frame: pl.DataFrame) -> Dataset:
    """`frame` as an opened round."""
    return cast("Dataset", Opened(frame))


def release(frame: pl.DataFrame) -> ReportContent:
    """The release of `frame`."""
    return build_release(dataset(frame), project(), number=1, issued=ISSUED, simulated=True)
