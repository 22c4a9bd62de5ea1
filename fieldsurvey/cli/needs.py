"""`fieldsurvey needs`: what the HMU does with a round. Thin: the work is done in the `needs` room."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError
from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import language as current_language
from fieldsurvey.base.visible import filled, visible
from fieldsurvey.cli import erasing, needs_quotas, needs_return
from fieldsurvey.cli.central_keeping import NoCentralError
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.erasing import RoundNotClearedError, clear_here, cleared_lines, hmu_keys
from fieldsurvey.cli.needs_opened import left_out_lines
from fieldsurvey.cli.needs_table import table_lines
from fieldsurvey.cli.overdue import said_overdue, warn_overdue
from fieldsurvey.cli.progress import progress_bar
from fieldsurvey.needs.ledger import Ledger
from fieldsurvey.needs.opened.erasing import Cleared
from fieldsurvey.needs.opened.opening import open_round, round_kept, round_named
from fieldsurvey.needs.opened.store import load_dataset, save_dataset
from fieldsurvey.needs.protect import parse_hierarchy, protect_table
from fieldsurvey.needs.protect.files import read_table, write_table
from fieldsurvey.needs.publish import Rounds
from fieldsurvey.needs.report.content import ReportContent
from fieldsurvey.project.keys import HmuKeys
from fieldsurvey.project.ledger import Ledger as KeyLedger
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.project.steward import PROJECT_FILE, read_steward, stamp
from sync.place import central_exists, open_central


class NoSuchCellError(InputError):
    """The release has no such table."""

    code = "needs.no_cell"
    template = "There is no table of that kind here: unit {unit}, kind {kind}, place {place}."
    hint = "Places with few interviews are joined with others; try the canton, or the province (no --place)."


class NotPublishedError(InputError):
    """--published, and nothing is."""

    code = "needs.not_published"
    template = "Round `{round}` is not published yet."
    hint = "Publish it with `fieldsurvey needs export` or `fieldsurvey needs report`, without --published."


class NoPurposeError(InputError):
    """Two people open a round, and nobody says what for."""

    code = "needs.purpose"
    template = "By this project's policy an opening says what it is for."
    hint = 'Nothing was opened. Add --purpose TEXT, for example --purpose "tables of the first round".'


POOL_FROM = 400  # records: below, one process is done before others have started

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


erasing.register(app)
needs_return.register(app)
needs_quotas.register(app)


@app.command("open")
@command
def open_(
    *,
    round_: Annotated[
        str | None,
        typer.Option("--round", metavar="R", help="The round's id in the project's plan [default: the only one]."),
    ] = None,
    purpose: Annotated[
        str, typer.Option("--purpose", metavar="TEXT", help="What it is opened for; it enters the ledger.")
    ] = "",
    json_: Json = False,
) -> None:
    """Open a round's records with the HMU's passphrase. What it makes is encrypted on disk; no record is shown.

    Where the project's policy asks for two people, each gives the own passphrase, and --purpose says what for. Every
    opening enters the project's ledger (`needs ledger`): who, when, what for, which round, how many records.

    Takes the current record of every case at central whose fieldwork date lies in the round. Withdrawn cases are not
    opened. A record that cannot be opened or read stops nothing: it is named, with the reason. Opening again
    replaces what was opened before, and takes along what was withdrawn since.

    Example: fieldsurvey needs open --round r1
    """
    project = read_steward(paths.steward_dir())
    if project.model.policy.people_to_open > 1 and not purpose.strip():
        raise NoPurposeError
    book = KeyLedger(paths.steward_dir(), project.model)  # before anything is opened: what cannot be written stays shut
    wanted = round_kept(project, round_, SystemClock().now().date())
    if not central_exists(paths.home()):
        raise NoCentralError(place=str(paths.home()))
    keys = hmu_keys()
    cleared = _cleared_or_not(project, keys)
    with open_central(paths.home()) as central:
        central.learn(project.model)  # a laptop enrolled since the last import counts from now on
        with progress_bar(_("Opening"), quiet=json_) as progress:
            people = max(1, len(keys.people))
            dataset = open_round(central, project, keys, wanted, people=people, progress=progress)
    at = stamp(SystemClock().now())
    count = dataset.quality.cases
    book.append(keys.sign, "opened", at=at, who=keys.people, round_id=wanted.id, count=count, text=purpose.strip())
    place = save_dataset(dataset, keys)
    rows = {form: dataset.frame(form).height for form in dataset.forms}
    cleared = cleared or clear_here(project, keys)
    data = {"round": wanted.id, "out": str(place), "rows": rows, **dataset.quality.model_dump(mode="json")}
    data["left_out"] = [asdict(one) for one in dataset.left_out]
    counted = _("Round {round}: {n} cases at central.").format(round=wanted.id, n=dataset.quality.cases)
    result(
        json_,
        data,
        "\n".join((counted, *dataset.quality.lines(), *left_out_lines(dataset.left_out), *cleared_lines(cleared))),
    )
    warn_overdue(quiet=json_)


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


RoundOption = Annotated[
    str | None,
    typer.Option("--round", metavar="R", help="The round's id in the project's plan [default: the only one]."),
]
LanguageOption = Annotated[
    str | None, typer.Option("--language", metavar="es|en", help="Of the words [default: the program's].")
]
SimulatedOption = Annotated[
    bool, typer.Option("--simulated", help="Say on every page that nobody was asked: the answers are simulated.")
]
PublishedOption = Annotated[
    bool, typer.Option("--published", help="Write the tables that are published already, as they were.")
]


@app.command()
@command
def table(
    *,
    round_: RoundOption = None,
    unit: Annotated[str, typer.Option("--unit", help="person or household.")] = "person",
    kind: Annotated[str, typer.Option("--kind", help="sector, problem, priority or barrier.")] = "sector",
    place: Annotated[str, typer.Option("--place", help="The code of a canton or parish [default: the province].")] = "",
    language: LanguageOption = None,
    simulated: SimulatedOption = False,
    json_: Json = False,
) -> None:
    """Show a protected table of an opened round. Nothing is published by looking.

    Each line: what, for whom, how many were asked, how many said so, the share. ▨ stands for a number that is kept
    back so that nobody can be recognised, ○ for what was not asked.

    Example: fieldsurvey needs table --round r1 --kind sector --place 1004
    """
    made = _made(round_, publish=False, published=False, simulated=simulated, quiet=json_)
    frames = {"priority": made.priorities, "barrier": made.barriers}.get(kind, made.needs)
    wanted = (pl.col("unit") == unit) & (pl.col("kind") == kind) & (pl.col("place") == place)
    rows = pl.concat(frames).filter(wanted) if frames else pl.DataFrame()
    if rows.is_empty():
        raise NoSuchCellError(unit=unit, kind=kind, place=place or "–")
    result(json_, {"round": made.round_title, "rows": rows.to_dicts()}, table_lines(rows, made, language))


@app.command()
@command
def export(
    *,
    round_: RoundOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the files; it is made.")],
    language: LanguageOption = None,
    simulated: SimulatedOption = False,
    published: PublishedOption = False,
    json_: Json = False,
) -> None:
    """Publish a round's tables as files: a workbook, CSV (one for each level), HXL. They enter the ledger.

    Only what passed the audit is written. A suppressed cell is empty and its status says why. A round that is
    published already is issued again only when nothing changed, or everything by enough (see `needs ledger --help`).

    Example: fieldsurvey needs export --round r1 --out tables-r1
    """
    # start-up: xlsxwriter and the report's templates cost 0.1 s, and only two commands use them
    from fieldsurvey.needs.export import export_release

    made = _made(round_, publish=True, published=published, simulated=simulated, quiet=json_)
    written = export_release(made, out, language or current_language())
    files = [str(path) for path in written.files]
    text = _("Release {n} of {round}: {files} files in {out}.")
    result(
        json_,
        {"round": made.round_title, "release": made.release, "files": files},
        filled(text, n=made.release, round=made.round_title, files=len(files), out=out),
    )


@app.command()
@command
def report(
    *,
    round_: RoundOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.html", help="Where to write it.")],
    language: LanguageOption = None,
    simulated: SimulatedOption = False,
    published: PublishedOption = False,
    json_: Json = False,
) -> None:
    """Publish a round's report: one HTML file with charts that opens anywhere and prints on A4. It enters the ledger.

    The same cells are suppressed in the report, the charts and the exported tables.

    Example: fieldsurvey needs report --round r1 --out report.html
    """
    # start-up: matplotlib costs 0.4 s, and only this command draws
    from fieldsurvey.needs.report.render import page

    made = _made(round_, publish=True, published=published, simulated=simulated, quiet=json_)
    text = page(made, language or current_language())
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, out.parent) from error
    write_atomic(out, text.encode("utf-8"))
    said = filled(_("Release {n} of {round}: the report is {out}."), n=made.release, round=made.round_title, out=out)
    result(json_, {"round": made.round_title, "release": made.release, "out": str(out)}, said)


@app.command()
@command
def ledger(*, json_: Json = False) -> None:
    """List what was opened, by whom and what for, and what was published, with the SHA-256 of each release.

    Two releases of one round that differ by little would tell whose answers the difference is. So a published round is
    issued again only when every changed cell changed by at least `k_base` of the policy. Until then the published
    tables stand, also when a record was withdrawn and erased since; `--published` writes them again.

    Example: fieldsurvey needs ledger
    """
    entries = Ledger(paths.needs_dir()).entries()
    released = [f"  {e.round}  {e.release}  {e.issued}  {e.sha256}" for e in entries]
    openings = _openings()
    opened = [
        visible(f"  {o['at']}  {o['round']}  {o['count']}  {', '.join(o['who']) or 'HMU'}  {o['text']}")
        for o in openings
    ]
    lines = [
        _("Opened (when, round, cases, who, what for)"),
        *(opened or [_("  never, or not on this machine")]),
        "",
        _("Published (round, release, when, SHA-256)"),
        *(released or [_("  Nothing is published yet.")]),
    ]
    due, loud = said_overdue()
    data = {"openings": openings, "releases": [asdict(entry) for entry in entries], "overdue": due}
    result(json_, data, "\n".join([*lines, *loud]))


def _openings() -> list[dict[str, Any]]:
    """What the steward's ledger says was opened; nothing where there is no steward's folder."""
    folder = paths.steward_dir()
    if not (folder / PROJECT_FILE).exists():
        return []
    lines = KeyLedger(folder, read_steward(folder).model).lines
    return [
        {"at": o.at, "round": o.round, "count": o.count, "who": list(o.who), "text": o.text}
        for o in lines
        if o.deed == "opened"
    ]


def _cleared_or_not(project: SignedProject, keys: HmuKeys) -> Cleared | None:
    """What left the opened rounds; None where one does not open, which opening it again mends."""
    try:
        return clear_here(project, keys)
    except RoundNotClearedError:
        return None


def _made(round_: str | None, *, publish: bool, published: bool, simulated: bool, quiet: bool) -> ReportContent:
    """The release to show or write."""
    project = read_steward(paths.steward_dir())
    wanted = round_named(project, round_)
    way = Rounds(project, wanted.id, Ledger(paths.needs_dir()))
    if published:
        found = way.published()
        if found is None:
            raise NotPublishedError(round=wanted.id)
        return found
    today = SystemClock().now().date()
    round_kept(project, wanted.id, today)
    keys = hmu_keys()
    clear_here(project, keys)
    warn_overdue(quiet=quiet)
    make = way.release if publish else way.prepared
    dataset = load_dataset(wanted.id, keys)
    many = max((dataset.frame(form).height for form in dataset.forms), default=0) >= POOL_FROM
    with progress_bar(_("Tabulating and protecting"), quiet=quiet) as progress, _pool(many) as executor:
        return make(lambda: dataset, today, simulated=simulated, progress=progress, executor=executor)


@contextmanager
def _pool(wanted: bool) -> Iterator[Executor | None]:
    """Processes for the blocks of a large round; none where starting them takes longer than it saves."""
    if not wanted:
        yield None
        return
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool
