"""`fieldsurvey needs quotas`: how far the plan's quotas are, at the HMU. Thin: see `needs.quotas`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.erasing import clear_here, hmu_keys
from fieldsurvey.needs.opened.opening import round_kept
from fieldsurvey.needs.opened.store import dataset_path, load_dataset
from fieldsurvey.needs.quotas import QuotaCount, quota_counts
from fieldsurvey.project.keys import HmuKeys
from fieldsurvey.project.policy import Round
from fieldsurvey.project.steward import read_steward

RoundOption = Annotated[
    str | None, typer.Option("--round", metavar="R", help="The round's id in the project's plan [default: all].")
]


def register(app: typer.Typer) -> None:
    """Add `quotas` to `fieldsurvey needs`."""

    @app.command("quotas")
    @command
    def quotas(*, round_: RoundOption = None, json_: Json = False) -> None:
        """Show how far the plan's quotas are, over the current records of opened rounds. Not for publishing.

        An interview counts once, in its last revision, for every quota that it meets. One that was withdrawn, refused,
        or broken off without leave to keep it does not count, nor does an assembly. Small counts are shown as they are:
        they stay in this house, and no export or report holds them. A round that is not opened yet is named, without
        counts.

        Example: fieldsurvey needs quotas --round r1
        """
        project = read_steward(paths.steward_dir())
        today = SystemClock().now().date()
        named = [round_] if round_ else [one.id for one in project.model.plan.rounds]
        wanted = [round_kept(project, name, today) for name in named]
        keys = hmu_keys()
        clear_here(project, keys)
        found = {one.id: _counts(one, keys, must=round_ is not None) for one in wanted}
        lines = [line for one in wanted for line in _lines(one, found[one.id])]
        told = [
            *lines,
            "",
            _("For this house only: small counts say who was interviewed. Nothing of this is published."),
        ]
        data = [_data(one, found[one.id]) for one in wanted]
        result(json_, {"rounds": data}, "\n".join(told) if wanted else _("The plan has no rounds."))


def _counts(planned: Round, keys: HmuKeys, *, must: bool) -> tuple[QuotaCount, ...] | None:
    """None: the round is not opened here, where that is no error."""
    if not must and not dataset_path(planned.id).exists():
        return None
    return quota_counts(load_dataset(planned.id, keys), planned)


def _lines(planned: Round, found: tuple[QuotaCount, ...] | None) -> list[str]:
    head = _("Round {round}: {title}").format(round=planned.id, title=planned.title)
    if found is None:
        return [head, "  " + _("not opened here")]
    return [head, *(map(_line, found) if found else ["  " + _("no quotas")])]


def _line(one: QuotaCount) -> str:
    quota = one.quota
    whom = ", ".join(code for code in (quota.parish, quota.mobility, quota.sex, quota.age) if code) or _("anybody")
    left = max(0, quota.count - one.done)
    said = _("{done} of {wanted}").format(done=one.done, wanted=quota.count)
    rest = _("{left} to go").format(left=left) if left else _("reached")
    return f"  {whom:<40} {said:>14}  {rest}"


def _data(planned: Round, found: tuple[QuotaCount, ...] | None) -> dict[str, Any]:
    cells = None
    if found is not None:
        cells = [
            {
                "parish": one.quota.parish,
                "mobility": one.quota.mobility,
                "sex": one.quota.sex,
                "age": one.quota.age,
                "wanted": one.quota.count,
                "done": one.done,
            }
            for one in found
        ]
    return {"round": planned.id, "opened": found is not None, "quotas": cells}
