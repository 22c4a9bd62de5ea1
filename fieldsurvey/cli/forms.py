"""`fieldsurvey forms`: check, read, fill in and simulate questionnaires, without a project or a vault."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError, RefusedError
from fieldsurvey.base.files import write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.xforms.check import Severity, check_form, render_report
from fieldsurvey.xforms.check.own_tests import files_beside, run_tests
from fieldsurvey.xforms.contract import Instance
from fieldsurvey.xforms.errors import FormError, FormProblem
from fieldsurvey.xforms.form import LoadedForm, load_form
from fieldsurvey.xforms.load.as_xlsx import to_xlsx
from fieldsurvey.xforms.paper import print_form
from fieldsurvey.xforms.paper.page import COPIES
from fieldsurvey.xforms.render import render_form
from fieldsurvey.xforms.simulate import Prefer, preferences
from fieldsurvey.xforms.simulate.campaign import render_campaign, run_campaign
from fieldsurvey.xforms.steps import Failure, run_steps
from forms.catalogue import BUILT_IN, compiled, folder

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Questionnaires: XLSForm (.xlsx, .xls, .md, .csv, or a folder with one CSV per sheet) or XForm (.xml). "
    "FORM is a path, or the name of a built-in form.",
)
FormArgument = Annotated[str, typer.Argument(metavar="FORM", help="A path, or the name of a built-in form.")]


class StepsFileError(InputError):
    """A JSON file that cannot be read."""

    code = "input.json"
    template = "{path} cannot be read as JSON: {reason}."
    hint = "Nothing was changed."


class NotReachedError(RefusedError):
    """Some simulated interviews did not reach the end."""

    code = "forms.simulate"
    template = "{count} of {total} interviews could not be finalised; most often stuck at: {refs}."
    hint = "Nothing was kept. Look at the constraints of these questions: can they be satisfied?"


class TestsFailedError(RefusedError):
    """The form's own tests failed, or a steps file did."""

    __test__ = False
    code = "forms.steps"
    template = "{count} expectations failed:\n{lines}"
    hint = "Nothing was kept."


def open_form(name: str) -> LoadedForm:
    """A form by path, else a built-in one by name. Raises FormError."""
    if not Path(name).exists() and name in {form.id for form in BUILT_IN}:
        return load_form(compiled(name))
    return load_form(name)


def file_for(form: LoadedForm, suffix: str) -> Path:
    """A file in this folder, called as the form is; the id may hold anything."""
    return Path(re.sub(r"[^\w-]+", "_", form.id)[:100] + suffix)


def read_json(path: Path) -> Any:
    """What a JSON file holds. Raises StepsFileError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StepsFileError(path=str(path), reason=error.strerror or error) from None
    except (ValueError, RecursionError) as error:
        raise StepsFileError(path=str(path), reason=error) from None


def problem_data(problem: FormProblem) -> dict[str, Any]:
    """A problem for --json."""
    origin = problem.origin
    place = {"sheet": origin.sheet, "row": origin.row, "column": origin.column} if origin else {}
    return {"code": problem.code, "message": problem.message, "remedy": problem.remedy, **place}


def clock(now: str | None) -> datetime:
    """The time given, else the machine's."""
    if now is None:
        return SystemClock().now()
    try:
        moment = datetime.fromisoformat(now)
    except ValueError:
        raise typer.BadParameter(_("{now} is not a time such as 2026-03-14T10:00:00-05:00").format(now=now)) from None
    return moment if moment.tzinfo is not None else moment.astimezone()


@app.command()
@command
def check(
    form: FormArgument,
    *,
    every: Annotated[bool, typer.Option("--all", help="List every row and every finding.")] = False,
    tests: Annotated[bool, typer.Option("--tests/--no-tests", help="Run the form's own tests.")] = True,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for warnings too.")] = False,
    json_: Json = False,
) -> None:
    """Say how each row of a form runs here, what its author surely did not mean, and run the tests beside it.

    Every row is full, adapted (it works in another way), attached (it needs a file) or refused (it cannot run in a
    terminal). Findings are errors, warnings and notes: questions that are never asked, conditions that are always the
    same, choices never offered, missing translations, names in each other's way. Each has its sheet, row and remedy.

    Tests are steps files (see `forms fill`) in the folder `tests` beside the form, or objects such as
    {"now": "2026-03-14T10:00:00-05:00", "language": "es", "steps": [...]}.

    Exit 1 when something is refused, an error is found or a test fails.

    Example: fieldsurvey forms check ./my-form --all
    """
    try:
        loaded = open_form(form)
    except FormError as error:
        if json_:
            result(json_, {"ok": False, "problems": [problem_data(p) for p in error.problems]}, "")
            raise typer.Exit(1) from None
        raise
    report = check_form(loaded)
    runs = run_tests(loaded, files_beside(Path(form)), SystemClock().now) if tests else []
    wanted = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    found = any(finding.severity in wanted for finding in report.findings)
    ok = report.ok and not found and all(run.ok for run in runs)
    data = {
        "ok": ok,
        "id": loaded.id,
        "version": loaded.version,
        "title": loaded.title,
        "languages": list(loaded.languages),
        "questions": sum(1 for node in loaded.nodes if node.control is not None and node.kind == "leaf"),
        **report.as_dict(),
        "tests": [run.as_dict() for run in runs],
    }
    lines = [
        _("{title} ({id}, version {version}) loads: {questions} questions.").format(
            title=loaded.title, id=loaded.id, version=loaded.version or "-", questions=data["questions"]
        ),
        *render_report(report, every=every),
    ]
    if runs:
        lines.append(ngettext("{n} test ran.", "{n} tests ran.", len(runs)).format(n=len(runs)))
    lines.extend(line for run in runs for line in run.lines())
    result(json_, data, "\n".join(lines))
    if not ok:
        raise typer.Exit(1)


@app.command()
@command
def show(
    form: FormArgument,
    *,
    language: Annotated[str | None, typer.Option(help="Labels in this language alone: its name or code.")] = None,
    rows: Annotated[bool, typer.Option("--rows", help="Say in which row of the workbook each thing stands.")] = False,
    json_: Json = False,
) -> None:
    """Print a form as Markdown for review and git diff: sections, questions in each language, conditions, lists.

    Example: fieldsurvey forms show needs > needs.md
    """
    text = render_form(open_form(form), language, rows=rows)
    result(json_, {"text": text}, text)


@app.command("print")
@command
def print_(
    form: FormArgument,
    *,
    out: Annotated[Path | None, typer.Option(help="Write the page here (default: the form's id, .html).")] = None,
    language: Annotated[str | None, typer.Option(help="The language shown first: its name or code.")] = None,
    copies: Annotated[int, typer.Option(min=1, max=50, help="How often a part that repeats is printed.")] = COPIES,
    json_: Json = False,
) -> None:
    """Write a form as a paper questionnaire, for when the laptop fails: one HTML file to print from any browser.

    Questions are numbered, what to skip is told in words, choices have boxes with the code to type later. All
    languages are in the file; choose one at the top of the page before printing. The file needs no network.

    Example: fieldsurvey forms print needs --language en --out needs.html
    """
    loaded = open_form(form)
    path = out or file_for(loaded, ".html")
    write_atomic(path, print_form(loaded, language=language, copies=copies).encode())
    text = _("Written to {path}. Open it in a browser and print it.").format(path=path)
    result(json_, {"ok": True, "path": str(path)}, text)


@app.command()
@command
def xlsx(
    form: FormArgument,
    *,
    out: Annotated[Path | None, typer.Option(help="Write the workbook here (default: the form's id, .xlsx).")] = None,
    json_: Json = False,
) -> None:
    """Write a form kept as a folder of CSV sheets as one .xlsx, for ODK Central, KoboToolbox or a spreadsheet.

    The form is loaded first: what cannot be used is not written. Files that the form names (lists, pictures) are not
    inside a workbook; they are listed, so that they can be sent along.

    Example: fieldsurvey forms xlsx ./my-form --out my-form.xlsx
    """
    place = folder(form) if not Path(form).exists() and form in {one.id for one in BUILT_IN} else Path(form)
    loaded = load_form(place)
    path = out or file_for(loaded, ".xlsx")
    write_atomic(path, to_xlsx(loaded, place if place.is_dir() else None))
    named = loaded.media_names
    lines = [_("Written to {path}.").format(path=path)]
    if named:
        lines.append(_("Send along: {names}.").format(names=", ".join(named)))
    result(json_, {"ok": True, "path": str(path), "media": list(named)}, "\n".join(lines))


@app.command()
@command
def fill(
    form: FormArgument,
    *,
    steps: Annotated[Path, typer.Option(help="A JSON file with the steps.")],
    out: Annotated[Path | None, typer.Option(help="Write the finalised instance (OpenRosa XML) here.")] = None,
    language: Annotated[str | None, typer.Option(help="Start in this language.")] = None,
    now: Annotated[str | None, typer.Option(help="The time it is, for repeatable tests.")] = None,
    seed: Annotated[int, typer.Option(help="The seed of random numbers and ids.")] = 1,
    json_: Json = False,
) -> None:
    """Answer a form by a steps file; a line for each expectation that fails, then exit 1.

    The steps are a JSON list:

    [{"answer": {"/data/age": "34"}}, {"add_repeat": "/data/child"},
     {"expect": {"/data/child[2]/age": {"relevant": true, "required": true, "choices": ["a", "b"]}}},
     {"next": true}, {"previous": true}, {"go_to": "/data/age"}, {"set_language": "en"},
     {"remove_repeat": "/data/child[1]"}, {"finalise": true}]

    Expected can be: value, relevant, required, read_only, valid, violation, label, hint, choices, count, current.

    Example: fieldsurvey forms fill needs --steps steps.json --out instance.xml
    """
    moment = clock(now)
    interview = open_form(form).start(now=lambda: moment, seed=seed, language=language)
    run = run_steps(interview, read_json(steps))
    if out is not None and run.instance is not None and not run.failures:
        write_atomic(out, run.instance.xml)
    if run.failures:
        if json_:
            result(json_, {"ok": False, "steps": run.steps, "failures": [_failure(f) for f in run.failures]}, "")
            raise typer.Exit(1)
        raise TestsFailedError(count=len(run.failures), lines=[str(f) for f in run.failures])
    finalised = run.instance is not None
    data = {"ok": True, "steps": run.steps, "finalised": finalised, "failures": []}
    if run.instance is not None:
        data["instance"] = run.instance.instance_id
    text = ngettext("{n} step, all as expected.", "{n} steps, all as expected.", run.steps).format(n=run.steps)
    result(json_, data, text)


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "step": failure.step,
        "ref": failure.ref,
        "what": failure.what,
        "expected": failure.expected,
        "found": failure.found,
    }


@app.command()
@command
def simulate(
    form: FormArgument,
    *,
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=100_000, help="How many interviews.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed gives the same interviews.")] = 1,
    weights: Annotated[Path | None, typer.Option(help="A JSON file of weights for answers.")] = None,
    steer: Annotated[
        bool | None,
        typer.Option("--steer/--no-steer", help="Aim at branches not taken yet (default: without weights)."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the instances into this folder.")] = None,
    now: Annotated[str | None, typer.Option(help="The time it is, for repeatable runs.")] = None,
    every: Annotated[bool, typer.Option("--all", help="List every branch that was not taken.")] = False,
    json_: Json = False,
) -> None:
    """Answer a form plausibly, many times, and say which of its branches no interview took, with their rows.

    Branches: conditions of relevance and of required both ways, constraints and warnings satisfied and broken, every
    choice. What was not taken yet is aimed at, by working out what must be answered for it. What no interview can take
    is told apart (see `forms check`).

    Weights: {"rules": [{"when": {"sex": ["woman"]}, "weights": {"works": {"yes": 3, "no": 1}}}]}, by question name.

    Example: fieldsurvey forms simulate needs -n 100 --seed 7
    """
    loaded = open_form(form)
    prefer: Prefer | None = preferences(read_json(weights)) if weights is not None else None
    moment = clock(now)

    def keep(number: int, instance: Instance) -> None:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            write_atomic(out / f"{number + 1:05}.xml", instance.xml)

    campaign = run_campaign(
        loaded,
        count,
        seed=seed,
        now=lambda: moment,
        prefer=prefer,
        steer=weights is None if steer is None else steer,
        keep=keep,
    )
    if campaign.failed:
        refs = ", ".join(ref for ref, _times in campaign.stuck.most_common(5))
        raise NotReachedError(count=campaign.failed, total=count, refs=refs)
    result(json_, {"ok": True, **campaign.as_dict()}, "\n".join(render_campaign(campaign, every=every)))
