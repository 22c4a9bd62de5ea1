"""A release: one closed round, counted, collapsed, protected and audited. What comes out may be shown to anybody.

The order matters. Places are collapsed by the interviews of each unit; the needs of people come before those of
households, which are protected beside them; priorities are bounded by needs, barriers by who has none. The audit of
the whole has the last word: what it refuses is made again, collapsed further, until it passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import repeat
from typing import Final

import polars as pl

from fieldsurvey.needs import profile
from fieldsurvey.needs.counts import with_area
from fieldsurvey.needs.errors import LeakError, NoNeedsFormError, NothingToShowError
from fieldsurvey.needs.indicators import Indicator, read_indicators
from fieldsurvey.needs.labels import read_labels
from fieldsurvey.needs.opened.dataset import Dataset
from fieldsurvey.needs.places import REST, Gazetteer, Places, collapse, gazetteer
from fieldsurvey.needs.release_audit import audit_release
from fieldsurvey.needs.report.content import FormVersion, ReportContent
from fieldsurvey.needs.tables import (
    Block,
    Bound,
    Interviews,
    Shown,
    Thresholds,
    blocks,
    cantons_only,
    interviews,
    needs_frame,
    needs_tables,
    province_only,
)
from fieldsurvey.project.signed import SignedProject

FORM: Final = "needs"
TERRITORY: Final = "Imbabura"
PROGRAM: Final = ("person", "household")
Progress = Callable[[int, int, str], None]
_KEPT: Final = ("complete", "partial")


@dataclass(frozen=True)
class Made:
    """All tables of a release before they are put into frames, and which steps of collapsing it took."""

    base: Mapping[str, Interviews]
    needs: Mapping[str, list[Shown]]
    priorities: Mapping[str, list[Shown]]
    barriers: list[Shown]


@dataclass
class _Work:
    frame: pl.DataFrame  # kept interviews
    indicators: Sequence[Indicator]
    gazetteer: Gazetteer
    limits: Thresholds
    progress: Progress | None
    executor: Executor | None
    coarser: dict[str, int] = field(default_factory=dict)
    done: dict[str, list[Shown]] = field(default_factory=dict)
    """Blocks made before and not refused, by key."""


def thresholds(project: SignedProject) -> Thresholds:
    """The policy's."""
    policy = project.model.policy
    return Thresholds(policy.k_cell, policy.k_base, policy.k_sensitive)


def build_release(
    dataset: Dataset,
    project: SignedProject,
    *,
    number: int,
    issued: date,
    simulated: bool = False,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> ReportContent:
    """The release `number` of the round in `dataset`. With an `executor` blocks of tables are made side by side.

    Raises NoNeedsFormError, NothingToShowError, IndicatorError, ForbiddenTableError, LeakError.
    """
    csv = project.indicators_csv
    form = project.model.form(FORM)
    if csv is None or form is None or FORM not in dataset.forms:
        raise NoNeedsFormError
    labels = read_labels(project.form_bytes(FORM))
    places = gazetteer(labels)
    limits = thresholds(project)
    everything = dataset.frame(FORM)
    kept = _kept(everything, places)
    if kept.height < limits.k_base:
        raise NothingToShowError(round=dataset.round.id, n=kept.height, k=limits.k_base)
    work = _Work(kept, [i for i in read_indicators(csv) if i.form == FORM], places, limits, progress, executor)
    made = _audited(work)
    by_group = bool(made.base[PROGRAM[0]].shown[0].all())
    grouped = with_area(kept, province_only(made.base[PROGRAM[0]].places))
    units = {unit: int((kept["unit"] == unit).sum()) for unit in PROGRAM} if "unit" in kept.columns else {}
    planned = dataset.round.parishes
    needs = {unit: needs_frame(tables, limits) for unit, tables in made.needs.items()}
    lists = {**_lists(project), "indicator": {i.id: i.titles for i in work.indicators}}
    for dimension, codes in profile.joined(kept, limits).items():
        lists[dimension] = {**lists.get(dimension, {}), REST: _names_of(lists, dimension, codes)}
    return ReportContent(
        project=project.model.name,
        territory=TERRITORY,
        round_title=dataset.round.title,
        start=date.fromisoformat(dataset.round.start),
        end=date.fromisoformat(dataset.round.end),
        release=number,
        issued=issued,
        limits=limits,
        labels=lists,
        forms=(FormVersion(form.id, form.version, {"es": form.title, "en": form.title}),),
        consulted=profile.consulted(units, limits),
        parishes=profile.parishes(kept, planned, places, limits),
        profile=profile.profile(grouped, limits, by_group=by_group),
        needs=tuple(frame for frame in needs.values() if frame.height),
        priorities=tuple(needs_frame(tables, limits, needs[u]) for u, tables in made.priorities.items() if tables),
        barriers=(needs_frame(made.barriers, limits, needs[PROGRAM[0]]),) if made.barriers else (),
        unanswered=_unanswered(work),
        outcomes=profile.outcomes(everything, dataset.quality.withdrawn, limits) if _has_outcome(everything) else None,
        quality=profile.quality(kept, dataset.quality.failed, limits),
        sensitive=frozenset(i.id for i in work.indicators if i.sensitive),
        simulated=simulated,
    )


def _lists(project: SignedProject) -> dict[str, dict[str, dict[str, str]]]:
    """The lists of all forms: one form's sectors are another's."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for form in project.model.current_forms:
        for name, codes in read_labels(project.form_bytes(form.id)).lists.items():
            found.setdefault(name, {}).update(codes)
    return found


def _unanswered(work: _Work) -> pl.DataFrame | None:
    if "unit" not in work.frame.columns:
        return None
    parts = []
    for unit in PROGRAM:
        of_unit = work.frame.filter(pl.col("unit") == unit)
        if of_unit.height >= work.limits.k_base:
            problems = [i for i in work.indicators if i.unit == unit and i.id.startswith("need_")]
            parts.append(profile.unanswered(of_unit, problems, work.limits))
    return pl.concat(parts) if parts else None


def _names_of(
    lists: Mapping[str, Mapping[str, Mapping[str, str]]], dimension: str, codes: Sequence[str]
) -> dict[str, str]:
    """What answers that are joined are called together: each by its name."""
    labels = lists.get({"sex": "sex_gender", "recruited_by": "recruitment"}.get(dimension, dimension), {})
    return {
        language: " / ".join(labels.get(code, {}).get(language, code) for code in codes) for language in ("es", "en")
    }


def _kept(frame: pl.DataFrame, places: Gazetteer) -> pl.DataFrame:
    """Interviews that count: complete, or partial and allowed to stay; in a parish that the form knows."""
    known = [parish.code for parish in places.parishes]
    frame = frame.filter(pl.col("parish").cast(pl.String).is_in(known)) if "parish" in frame.columns else frame.clear()
    return frame.filter(pl.col("outcome").is_in(_KEPT)) if _has_outcome(frame) else frame


def _has_outcome(frame: pl.DataFrame) -> bool:
    return "outcome" in frame.columns


def _audited(work: _Work) -> Made:
    """Make, audit, collapse what is refused, make again. Ends: each turn collapses something, and that has an end."""
    for _ in range(8):
        made = _make(work)
        refused = audit_release(made.base, made.needs, made.priorities, made.barriers, work.limits)
        if not refused:
            return made
        for name in refused:
            work.coarser[name] = work.coarser.get(name, 0) + 1
            work.done = {key: tables for key, tables in work.done.items() if not key.endswith(f" {name}")}
    raise LeakError(cells=len(refused))


def _make(work: _Work) -> Made:
    base: dict[str, Interviews] = {}
    needs: dict[str, list[Shown]] = {}
    priorities: dict[str, list[Shown]] = {}
    for unit in PROGRAM:
        of_unit = work.frame.filter(pl.col("unit") == unit) if "unit" in work.frame.columns else work.frame.clear()
        base[unit] = interviews(work.frame, of_unit, _places(work, of_unit), work.limits)
        before = {s.indicator.sector: s for s in needs.get(PROGRAM[0], []) if s.indicator.id.startswith("sector_")}
        needs[unit] = _each(work, of_unit, blocks(work.indicators, unit), base[unit], beside=before)
        province = base[unit].at(province_only(base[unit].places), grouped=bool(base[unit].grouped[0]))
        top = [i for i in work.indicators if i.unit == unit and i.id.startswith("top3_")]
        named = {s.indicator.id.replace("need_", "top3_"): s for s in needs[unit] if s.indicator.id.startswith("need_")}
        bounds = {name: Bound(s.places, s.said, s.said_shown) for name, s in named.items()}
        priorities[unit] = _each(work, of_unit, [Block(i) for i in top], province, bounds=bounds)
    return Made(base, needs, priorities, _barriers(work, base[PROGRAM[0]]))


def _barriers(work: _Work, base: Interviews) -> list[Shown]:
    """By canton. Who names a barrier is among those who do not say that there is none."""
    mine = [i for i in work.indicators if i.id.startswith("barrier_")]
    cantons = base.at(cantons_only(base.places), grouped=True)
    none = _each(work, work.frame, [Block(i) for i in mine if i.id == "barrier_none"], cantons)
    bounds: dict[str, Bound] = {}
    if none:
        rest = Bound(none[0].places, none[0].asked - none[0].said, none[0].asked_shown & none[0].said_shown)
        bounds = {i.id: rest for i in mine}
    return none + _each(work, work.frame, [Block(i) for i in mine if i.id != "barrier_none"], cantons, bounds=bounds)


def _each(
    work: _Work,
    frame: pl.DataFrame,
    wanted: Sequence[Block],
    base: Interviews,
    *,
    beside: Mapping[str, Shown] | None = None,
    bounds: Mapping[str, Bound] | None = None,
) -> list[Shown]:
    """Block by block, so that progress shows and what passed the audit is not made twice."""
    keys = {f"{block.whole.unit} {block.whole.id}": block for block in wanted}
    make = partial(needs_tables, base=base, limits=work.limits, beside=beside, bounds=bounds, coarser=work.coarser)
    missing = {key: block for key, block in keys.items() if key not in work.done}
    columns = _columns(frame, missing.values())
    if work.executor is not None and len(missing) > 1:
        made = work.executor.map(make, repeat(frame.select(columns)), [[block] for block in missing.values()])
    else:
        made = map(make, repeat(frame), [[block] for block in missing.values()])
    for place, (key, block) in enumerate(missing.items()):
        if work.progress is not None:
            work.progress(place, len(missing), block.whole.title("es"))
        work.done[key] = next(made)
    return [shown for key in keys for shown in work.done[key]]


def _columns(frame: pl.DataFrame, wanted: Iterable[Block]) -> list[str]:
    """What counting needs of the records: nothing else goes to another process."""
    tests = [t for b in wanted for i in b.all for t in (*i.numerator.tests, *i.denominator.tests)]
    return [name for name in frame.columns if name in {"parish", "host_mobility", *(t.question for t in tests)}]


def _places(work: _Work, of_unit: pl.DataFrame) -> Places:
    """The places for a unit's tables; parishes that were visited and have none of its interviews count as 0."""
    visited = dict.fromkeys(work.frame["parish"].to_list(), 0)
    return collapse(work.gazetteer, visited | dict(of_unit.group_by("parish").len().iter_rows()), work.limits.k_base)
