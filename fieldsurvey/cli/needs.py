"""`fieldsurvey needs`: what the HMU does with a round. Thin: the work is done in the `needs` room."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.cli.central import NoCentralError
from fieldsurvey.cli.common import Json, command, passphrase, result
from fieldsurvey.cli.progress import progress_bar
from fieldsurvey.needs.opened.opening import open_round, round_named
from fieldsurvey.needs.opened.store import save_dataset
from fieldsurvey.needs.protect import parse_hierarchy, protect_table
from fieldsurvey.needs.protect.files import read_table, write_table
from fieldsurvey.project.keys import HMU, unlock_hmu
from fieldsurvey.project.steward import read_steward
from sync.central import Central

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
)


@app.callback()
def needs() -> None:
    """From sealed records to tables that give nobody away.

    In order: `needs open --round R` opens a round's records with the HMU's passphrase (what it makes is encrypted on
    disk), `needs table` shows its protected tables, `needs export` and `needs report` write them. Only tables that
    passed the audit ever leave; no command shows one opened record.
    """


@app.command("open")
@command
def open_(
    *,
    round_: Annotated[
        str | None,
        typer.Option("--round", metavar="R", help="The round's id in the project's plan [default: the only one]."),
    ] = None,
    json_: Json = False,
) -> None:
    """Open a round's records with the HMU's passphrase. What it makes is encrypted on disk; no record is shown.

    Takes the current record of every case at central whose fieldwork date lies in the round. Withdrawn cases are not
    opened. A record that cannot be opened or read stops nothing: it is counted, with the reason. Opening again
    replaces what was opened before, and takes along what was withdrawn since.

    Example: fieldsurvey needs open --round r1
    """
    project = read_steward(paths.steward_dir())
    wanted = round_named(project, round_)
    if not paths.central_path().exists():
        raise NoCentralError(place=str(paths.central_path().parent))
    keys = unlock_hmu(paths.steward_dir() / HMU, passphrase("HMU", _("Passphrase of the HMU")))
    with Central.open(paths.central_path()) as central:
        central.learn(project.model)  # a laptop enrolled since the last import counts from now on
        with progress_bar(_("Opening"), quiet=json_) as progress:
            dataset = open_round(central, project, keys, wanted, progress=progress)
    place = save_dataset(dataset, keys)
    rows = {form: dataset.frame(form).height for form in dataset.forms}
    data = {"round": wanted.id, "out": str(place), "rows": rows, **dataset.quality.model_dump(mode="json")}
    counted = _("Round {round}: {n} cases at central.").format(round=wanted.id, n=dataset.quality.cases)
    result(json_, data, "\n".join((counted, *dataset.quality.lines())))


@app.command()
@command
def protect(
    table: Annotated[Path, typer.Argument(metavar="TABLE.csv", help="A count table; see above.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Where to write the protected table (CSV).")],
    k: Annotated[int, typer.Option("--k", min=2, max=1000, help="Counts of 1 to k − 1 are not published.")] = 5,
    dim: Annotated[
        list[str] | None, typer.Option("--dim", help="A hierarchy, coarse to fine: canton>parish. May be repeated.")
    ] = None,
    trait: Annotated[
        list[str] | None,
        typer.Option("--trait", help="A dimension that says something about people [default: all but hierarchies]."),
    ] = None,
    k_base: Annotated[
        int | None,
        typer.Option("--k-base", min=2, help="Smaller groups are never shown to be all alike [default: 2 k]."),
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Add what a reader can work out: columns low and high.")
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="Say only `suppressed`, not whether primary or secondary.")
    ] = False,
    json_: Json = False,
) -> None:
    """Protect any count table: choose the cells not to publish, and have the result audited.

    TABLE.csv has one column for each dimension, `count`, and if you like `primary` (1 = never publish this cell). It
    holds the finest level only; totals are computed and come out with an empty value in the dimension they total.

    Out come all cells with `status`: published, primary (a count of 1 to k − 1, or declared), secondary (suppressed
    so that nobody can subtract). `count` is empty where it is not published. The audit, which shares no code with
    what chose them, works out each suppressed cell's feasible interval as a reader would; a table in which one is
    narrower than k is refused and nothing is written. An empty `high` means that there is no upper bound.

    `status` tells which cells are small. For a table that leaves the house use `--public`.

    Example: fieldsurvey needs protect needs.csv --k 5 --dim "canton>parish" --out protected.csv --audit
    """
    frame, dimensions = read_table(table, [parse_hierarchy(text) for text in dim or []])
    with progress_bar(_("Protecting"), quiet=json_) as protecting, progress_bar(_("Auditing"), quiet=json_) as auditing:
        made = protect_table(
            frame,
            dimensions,
            k=k,
            k_base=k_base,
            traits=trait,
            intervals=audit,
            progress=protecting and (lambda done, of: protecting(done, of, "")),
            audit_progress=auditing and (lambda done, of: auditing(done, of, "")),
        )
    write_table(out, made.public() if public else made.frame)
    numbers = {status: made.number(status) for status in ("published", "primary", "secondary")}
    data = {"out": str(out), "cells": made.frame.height, **numbers, "k": k, "audit": "passed"}
    if audit:
        data["narrowest"] = made.narrowest
    text = _(
        "{out}: {cells} cells with totals; {published} published, {primary} primary and {secondary} secondary "
        "suppressions. The audit passed: no suppressed cell can be worked out to within {k}."
    )
    result(json_, data, text.format(**data))
