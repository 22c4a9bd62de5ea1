"""What a report is made from: protected values, names and dates. Nothing here was counted here.

Every frame is protected: a number is null unless its status is `published`. Columns are those of the constants below,
no others; the order does not matter. `labels` has the shape of `labels.Labels.lists`: list -> code -> language -> text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from fieldsurvey.needs.tables import Thresholds

# One row an indicator, place and group, as `tables.needs_frame` makes it. Also for priorities and barriers.
NEEDS: Final = (
    "unit",
    "kind",
    "indicator",
    "sector",
    "place",
    "level",
    "canton",
    "group",
    "asked",
    "asked_status",
    "serious",
    "status",
    "pct",
    "rank",
)
# Lines with one number each: who was consulted, contact outcomes. For the whole province only.
FIGURES: Final = ("item", "n", "status")
# Who did not answer, and why: for the whole province, everybody together.
UNANSWERED: Final = ("unit", "indicator", "sector", "reason", "n", "status")
REASONS: Final = ("total", "dont_know", "prefers_not", "not_applicable", "no_answer")
# Data quality: `n` of `base` records.
QUALITY: Final = ("item", "n", "base", "status")
# Parishes of the plan: visited (n interviews, or suppressed) or not visited.
PARISHES: Final = ("place", "canton", "n", "status")
# Who was interviewed: dimension is a question (sex, age_band, recruited_by, ...), code an answer, group as in NEEDS.
PROFILE: Final = ("unit", "dimension", "code", "group", "n", "status")
# Planned and actual: `group` is a code of the list `priority_group`, or of `participation`.
PARTICIPATION: Final = ("place", "group", "planned", "n", "status")

GROUPS: Final = ("", "host", "mobility", "other")
UNITS: Final = ("person", "household", "group", "institution")

PAIR_BASE: Final = 30
"""People interviewed in each of two groups before they are shown side by side (needs.md, "Reading it right")."""
SHARE_PARISHES: Final = 6
"""Parishes with k_base people asked before the province has a share (needs.md, "Reading it right")."""
CAP: Final = 90.0
"""Shares of a sensitive trait from here up are printed as "more than" this (needs.md, "Giving nobody away")."""


@dataclass(frozen=True, slots=True)
class FormVersion:
    """A form whose records are in the release; `title` by language."""

    id: str
    version: str
    title: Mapping[str, str]


@dataclass(frozen=True)
class Comparison:
    """Host and mobility in one canton, both urban or both rural.

    `interviews` are the published numbers of people interviewed, by group; `needs` has NEEDS (groups host and
    mobility, sectors, place = the canton), `composition` PROFILE. Not shown unless both groups have PAIR_BASE.
    """

    unit: str
    canton: str
    area: str  # urban or rural
    interviews: Mapping[str, int]
    needs: pl.DataFrame
    composition: pl.DataFrame


@dataclass(frozen=True)
class ReportContent:
    """One release of one round. What is None or empty has no place in the report.

    `sensitive`: indicators whose shares are capped. `simulated`: a banner on every page says that nobody was asked.
    `caveats`: further sentences for the method, by language. `territory`: what the whole of the places is called.
    """

    project: str
    territory: str
    round_title: str
    start: date
    end: date
    release: int
    issued: date
    limits: Thresholds
    labels: Mapping[str, Mapping[str, Mapping[str, str]]]
    forms: tuple[FormVersion, ...] = ()
    consulted: pl.DataFrame | None = None  # FIGURES; items person, household, group, assembly, ...
    parishes: pl.DataFrame | None = None  # PARISHES
    participation: pl.DataFrame | None = None  # PARTICIPATION
    profile: pl.DataFrame | None = None  # PROFILE
    needs: tuple[pl.DataFrame, ...] = ()  # NEEDS, one or several units
    priorities: tuple[pl.DataFrame, ...] = ()  # NEEDS
    barriers: tuple[pl.DataFrame, ...] = ()  # NEEDS
    comparisons: tuple[Comparison, ...] = ()
    unanswered: pl.DataFrame | None = None  # UNANSWERED
    outcomes: pl.DataFrame | None = None  # FIGURES; items are outcomes of a contact
    quality: pl.DataFrame | None = None  # QUALITY
    sensitive: frozenset[str] = frozenset()
    caveats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    simulated: bool = False
