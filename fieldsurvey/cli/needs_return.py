"""`fieldsurvey needs return` and `returned`: send a record back to its laptop, and see what is out. Thin."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.base.visible import filled
from fieldsurvey.cli.central_keeping import opened_central
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.erasing import clear_here, hmu_keys
from fieldsurvey.needs.opened.opening import round_kept
from fieldsurvey.needs.opened.store import load_dataset
from fieldsurvey.needs.returning.comments import check_said, read_comments
from fieldsurvey.needs.returning.doubts import Doubt, doubts
from fieldsurvey.needs.returning.preparing import Prepared, prepare_return
from fieldsurvey.project.ledger import Ledger as KeyLedger
from fieldsurvey.project.model import Project
from fieldsurvey.project.steward import PROJECT_FILE, read_steward, stamp
from sync.answers import put_returns
from sync.central import Central
from sync.erasing import learn_withdrawals
from sync.returned import Returned, returned_work
from sync.stick import Stick
from sync.store import Notice

_STATES = {
    "pending": n_("out, not back yet"),
    "back": n_("came back as revision {answered}"),
    "withdrawn": n_("withdrawn by the person: it goes nowhere"),
}


class NoReasonError(InputError):
    """Two people open a record, and nobody says what for."""

    code = "needs.return_purpose"
    template = "By this project's policy an opening says what it is for."
    hint = 'Nothing was opened. Add --purpose TEXT, for example --purpose "ages that cannot be".'


class CommentWordError(InputError):
    """--comment without a question, or one that another comment has."""

    code = "needs.comment_word"
    template = "{given} is not a comment to one question."
    hint = "Nothing was opened. Write --comment REF=TEXT, for example --comment age=Months?, once for each question."


def register(app: typer.Typer) -> None:
    """Put both commands beside the others."""
    app.command("return")(command(return_))
    app.command("returned")(command(returned))


def return_(
    case: Annotated[str, typer.Argument(metavar="CASE", help="Its id, or the first digits that tell it apart.")],
    *,
    comments: Annotated[
        Path | None, typer.Option("--comments", metavar="FILE.csv", help="Columns ref and comment.")
    ] = None,
    comment: Annotated[
        list[str] | None, typer.Option("--comment", metavar="REF=TEXT", help="To one question. May be repeated.")
    ] = None,
    general: Annotated[str, typer.Option("--general", metavar="TEXT", help="To the whole interview.")] = "",
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="A stick or folder to put it on.")] = None,
    purpose: Annotated[
        str, typer.Option("--purpose", metavar="TEXT", help="What it is opened for; it enters the ledger.")
    ] = "",
    again: Annotated[bool, typer.Option("--again", help="Also when it is out already and has not come back.")] = False,
    json_: Json = False,
) -> None:
    """Send a record back to the laptop that made it, with comments to its questions. No answer is shown.

    The current record of the case is opened with the HMU's passphrase, two people's where the policy says so, and that
    enters the project's ledger. It is sealed to that one laptop and signed by the HMU. It goes on every stick that
    central imports, over HTTPS where there is a line, and on --to DIR at once.

    On the laptop it becomes a draft of the next revision, for the enumerator who made it, with each comment beside its
    question. Slips are mended; what nobody remembers is marked as missing. The person is never looked for again.

    A question is named by its name (`age`) or, in a repeat, by its path with the row (`/data/person[2]/age`). A
    comment travels sealed, but the file and the shell's history are yours to delete.

    Example: fieldsurvey needs return 3fa9c2d1 --comment "age=Months or years?" --to /media/stick
    """
    said = _said(comments, comment or [])
    check_said(said, general)
    folder = paths.steward_dir()
    project = read_steward(folder)
    if project.model.policy.people_to_open > 1 and not purpose.strip():
        raise NoReasonError
    book = KeyLedger(folder, project.model)  # before anything is opened: what cannot be written stays shut
    with _central(project.model) as central:
        learn_withdrawals(central, paths.home())  # what was taken back is not opened
        keys = hmu_keys()
        now = SystemClock().now()
        made = prepare_return(central, project, keys, case, said, now=now, general=general, again=again)
        text = f"return {made.manifest.case[:8]} {purpose.strip()}".strip()
        book.append(keys.sign, "opened", at=stamp(now), who=keys.people, round_id=made.round, count=1, text=text)
        digest = hashlib.sha256(made.data).digest()
        with central.store.write() as writer:
            writer.notice(Notice("return", digest, made.manifest.device, made.data))
    if to is not None:
        put_returns(Stick(to), [made.data])
    result(json_, _data(made, to), _text(made, to))


def returned(
    *,
    doubtful: Annotated[
        str | None,
        typer.Option("--doubtful", metavar="R", help="Besides, the cases of an opened round that may want a look."),
    ] = None,
    json_: Json = False,
) -> None:
    """List what was sent back to laptops: what is still out, and what came back. Needs no passphrase.

    A return is out until a higher revision of its case has come. It travels with every stick until then.

    With --doubtful R, and the HMU's passphrase, it also lists the cases of the opened round R that somebody should look
    at: conflicts, proposals, probable duplicates; whose they are and why, and no answer.

    Example: fieldsurvey needs returned --doubtful r1
    """
    folder = paths.steward_dir()
    project = read_steward(folder).model if (folder / PROJECT_FILE).exists() else None
    with _central(project) as central:
        found = returned_work(central)
        known = central.project()
    lines = [_line(one, known) for one in found] or [_("Nothing was sent back.")]
    looked = _doubts(doubtful) if doubtful is not None else []
    lines += [_doubt_line(one, known) for one in looked]
    data = [
        {
            "case": one.manifest.case,
            "device": one.manifest.device,
            "name": _laptop(one, known),
            "revision": one.manifest.revision,
            "state": one.state,
            "answered": one.answered,
        }
        for one in found
    ]
    shown = {"doubtful": [asdict(one) for one in looked]} if doubtful is not None else {}
    result(json_, {"returned": data, **shown}, "\n".join(lines))


def _said(file: Path | None, words: list[str]) -> dict[str, str]:
    found = read_comments(file) if file is not None else {}
    for given in words:
        ref, equals, text = (part.strip() for part in given.partition("="))
        if not (ref and equals and text) or ref in found:
            raise CommentWordError(given=given[:40])
        found[ref] = text
    return found


def _central(project: Project | None) -> Central:
    central = opened_central()
    if project is not None:
        central.learn(project)  # a laptop enrolled since the last import counts from now on
    return central


def _data(made: Prepared, to: Path | None) -> dict[str, object]:
    said = made.manifest
    return {
        "case": said.case,
        "revision": said.revision,
        "device": said.device,
        "name": made.device_name,
        "round": made.round,
        "comments": made.comments,
        "bytes": len(made.data),
        "out": str(to) if to else None,
    }


def _text(made: Prepared, to: Path | None) -> str:
    text = ngettext(
        "Case {case}, revision {revision}, goes back to {name} with {n} comment.",
        "Case {case}, revision {revision}, goes back to {name} with {n} comments.",
        made.comments,
    )
    said = made.manifest
    first = filled(text, case=said.case[:8], revision=said.revision, name=made.device_name, n=made.comments)
    way = _("It is on {to}, and goes on every stick that central imports.").format(to=to)
    return "\n".join((first, way if to else _("It goes on every stick that central imports until it is answered.")))


def _doubts(round_id: str) -> list[Doubt]:
    """Of an opened round, once what was withdrawn is out of it."""
    project = read_steward(paths.steward_dir())
    wanted = round_kept(project, round_id, SystemClock().now().date())
    keys = hmu_keys()
    clear_here(project, keys)
    return doubts(load_dataset(wanted.id, keys))


def _doubt_line(one: Doubt, project: Project | None) -> str:
    device = project.device(one.device) if project else None
    text = _("{case}  {form}, {person} on {laptop}: {why}")
    laptop = device.name if device else one.device[:8]
    return filled(text, case=one.case[:8], form=one.form, person=one.person, laptop=laptop, why="; ".join(one.why))


def _laptop(one: Returned, project: Project | None) -> str:
    device = project.device(one.manifest.device) if project else None
    return device.name if device else one.manifest.device[:8]


def _line(one: Returned, project: Project | None) -> str:
    state = _(_STATES[one.state]).format(answered=one.answered)
    text = _("{case}  {laptop}  revision {revision}: {state}")
    said = one.manifest
    return filled(text, case=said.case[:8], laptop=_laptop(one, project), revision=said.revision, state=state)
