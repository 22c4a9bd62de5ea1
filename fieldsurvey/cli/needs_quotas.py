"""`fieldsurvey needs quotas`: how far the plan's quotas are, at the HMU. Thin: see `needs.quotas`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.cells import cell_len, set_cell_size

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import language
from fieldsurvey.base.visible import filled, visible
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.erasing import clear_here, hmu_keys
from fieldsurvey.needs.opened.opening import round_kept
from fieldsurvey.needs.opened.store import dataset_path, load_dataset
from fieldsurvey.needs.quotas import QuotaCount, quota_counts
from fieldsurvey.project.keys import HmuKeys
from fieldsurvey.project.policy import Round
from fieldsurvey.project.steward import read_steward
from fieldsurvey.tui.whom import Whom, parish_names

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
        whom = Whom(project)
        whom.learn(quota for one in wanted for quota in one.quotas)
        lines = [line for one in wanted for line in _lines(one, found[one.id], whom)]
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


def _lines(planned: Round, found: tuple[QuotaCount, ...] | None, whom: Whom) -> list[str]:
    head = filled(_("Round {round}: {title}"), round=planned.id, title=planned.title)
    if found is None:
        return [head, "  " + _("not opened here")]
    if not found:
        return [head, "  " + _("no quotas")]
    named = [visible(_named(one, whom)) for one in found]
    said = [_("{done} of {wanted}").format(done=one.done, wanted=one.quota.count) for one in found]
    wide, number = max(map(cell_len, named)), max(map(len, said))
    return [
        head,
        *(
            f"  {set_cell_size(label, wide)}  {count:>{number}}  {_rest(one)}"
            for one, label, count in zip(found, named, said, strict=True)
        ),
    ]


def _named(one: QuotaCount, whom: Whom) -> str:
    """As Home says it: whom, then where."""
    parish = one.quota.parish
    where = parish_names(language()).get(parish, parish) if parish else _("in all parishes")
    return f"{whom(one.quota) or _('anybody')}, {where}"


def _rest(one: QuotaCount) -> str:
    left = max(0, one.quota.count - one.done)
    return _("{left} to go").format(left=left) if left else _("reached")


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
