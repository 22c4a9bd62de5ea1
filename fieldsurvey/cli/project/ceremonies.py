"""`fieldsurvey project recover|rehearse|rotate|destroy-keys|succeed`: what is done with keys."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.errors import render
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.cli.common import Json, NoTerminalError, command, result, tell
from fieldsurvey.cli.project.group import (
    Folder,
    Yes,
    app,
    confirm,
    hmu_passphrases,
    new_passphrase,
    place_of,
    root_passphrase,
    summary,
)
from fieldsurvey.project import handing, recovery, rotation, shares, steward
from fieldsurvey.project.errors import BadValueError, SharesError, WrongSheetsError
from fieldsurvey.project.recovery import FromSheets
from fieldsurvey.project.rotation import PARTS, Part

Sheets = Annotated[
    list[Path] | None,
    typer.Option("--sheet", help="A file with a sheet's words; give two. Without it they are typed from the paper."),
]


@app.command()
@command
def rehearse(sheet: Sheets = None, folder: Folder = None, json_: Json = False) -> None:
    """Prove that two key sheets would give their key back. Nothing is written; do it once a year.

    Example: fieldsurvey project rehearse
    """
    found = recovery.rehearse(place_of(folder), _sheets(sheet))
    text = _("Yes: these sheets give back {key}. Nothing was written.").format(key=_named(found))
    result(json_, _found(found), text)


@app.command()
@command
def recover(
    key: Annotated[str, typer.Argument(help="root, escrow, or hmu (a new key for the HMU, from escrow's sheets).")],
    *,
    sheet: Sheets = None,
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Get a key back from any two of its three sheets, under a new passphrase.

    root: writes root.key, so that the project can be signed again. escrow: writes escrow.key; needs the root
    passphrase, for the ledger. hmu: when hmu.key or its passphrase is lost; makes the HMU a new key that opens what
    escrow opens, and signs it into the project: publish it afterwards. With the sheets of a round's escrow key it lets
    the HMU open that round again; give the round new keys then.

    Example: fieldsurvey project recover root --sheet one.txt --sheet two.txt
    """
    if key not in {"root", "escrow", "hmu"}:
        raise BadValueError(field="KEY", reason="root, escrow, hmu")
    place = place_of(folder)
    given = _sheets(sheet)
    found = recovery.rehearse(place, given)
    if found.what != ("root" if key == "root" else "escrow"):
        raise WrongSheetsError(wanted=key, found=_named(found))
    if key == "hmu" and found.round:
        recovery.recover_round(place, given, root_pass=root_passphrase(), hmu=hmu_passphrases(place))
        text = _("The HMU opens round {round} again. If it is not over: fieldsurvey project rotate --round {round}")
        result(json_, _found(found), text.format(round=found.round))
        return
    policy = steward.read_steward(place).model.policy
    if key == "hmu":
        root = root_passphrase()
        words = new_passphrase("NEW_HMU", _("New passphrase of the HMU (empty: six words are made for you)"), policy)
        signed = recovery.recover_hmu(place, given, root_pass=root, hmu_pass=words)
        text = _("The HMU has a new key; the project is now at version {number}. Publish it to sticks.")
        result(json_, {**_found(found), **summary(signed)}, text.format(number=signed.model.version))
        return
    signer = root_passphrase() if key == "escrow" else None
    role = "NEW_ROOT" if key == "root" else "ESCROW"
    words = new_passphrase(role, _("New passphrase for this key (empty: six words are made for you)"), policy)
    found, path = recovery.recover(place, given, words, root_pass=signer)
    text = _("{key} is in {path}, under the new passphrase.").format(key=_named(found), path=path)
    result(json_, {**_found(found), "path": str(path)}, text)


@app.command()
@command
def rotate(
    *,
    round_: Annotated[
        str | None,
        typer.Option("--round", metavar="R", help="Give this round keys of its own, operational and escrow."),
    ] = None,
    operational: Annotated[bool, typer.Option("--operational", help="What the HMU opens records with.")] = False,
    escrow: Annotated[bool, typer.Option("--escrow", help="The second way to the records; makes new sheets.")] = False,
    hmu: Annotated[bool, typer.Option("--hmu", help="What the HMU signs and locks datasets with.")] = False,
    central: Annotated[bool, typer.Option("--central", help="What central signs receipts with.")] = False,
    supervisor: Annotated[bool, typer.Option("--supervisor", help="What the supervisor signs receipts with.")] = False,
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Make new keys in the place of old ones. Old records still open; laptops use the new keys once they have them.

    With --round R that round gets keys of its own: what is asked in it is sealed to them alone, so that they can be
    destroyed when its time is over (`destroy-keys`). Its escrow key exists on three new sheets only.

    Examples: fieldsurvey project rotate --round r1 · fieldsurvey project rotate --operational --escrow
    """
    place = place_of(folder)
    flags = dict(zip(PARTS, (operational, escrow, hmu, central, supervisor), strict=True))
    parts: list[Part] = [part for part, wanted in flags.items() if wanted]
    if bool(round_) == bool(parts):
        raise BadValueError(field="rotate", reason="--round R, --operational, --escrow, --hmu, --central, --supervisor")
    root = root_passphrase()
    asked = hmu_passphrases(place) if round_ or operational or hmu else []
    if round_:
        done = rotation.rotate_round(place, round_, root_pass=root, hmu=asked)
    else:
        done = rotation.rotate(place, parts, root_pass=root, hmu=asked)
    lines = [
        _("New keys: {what}. The project is now at version {number}. Publish it to sticks.").format(
            what=f"round {round_}" if round_ else ", ".join(parts), number=done.project.model.version
        )
    ]
    if central:
        lines.append(_("Take the new central.key to central: until then its receipts are refused."))
    if supervisor:
        lines.append(_("Give the new supervisor.key to the supervisor."))
    result(
        json_,
        {**summary(done.project), "sheets": [str(s) for s in done.sheets]},
        "\n".join(lines + _paper(done.sheets)),
    )


@app.command("destroy-keys")
@command
def destroy_keys(
    round_: Annotated[str, typer.Argument(metavar="ROUND", help="The round whose time is over.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Also before the day that the policy sets.")] = False,
    yes: Yes = False,
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Destroy a round's keys at the end of its retention: nothing opens its records again, wherever copies lie.

    Wipes the round's operational key, its escrow files and its opened dataset, retires its keys in the project and
    writes it into the ledger. The escrow sheets are paper: you are told which to shred. Published tables stay.

    Example: fieldsurvey project destroy-keys r1
    """
    place = place_of(folder)
    confirm(yes, _("Nothing will ever open the records of round {round} again. Destroy its keys?").format(round=round_))
    done = rotation.destroy_round(place, round_, root_pass=root_passphrase(), force=force)
    dataset = paths.needs_dir() / f"{round_}.fso"
    if dataset.exists():
        steward.wipe(dataset)
    lines = [
        _(
            "The keys of round {round} are destroyed; {n} files were wiped. The project is now at version {number}."
        ).format(round=round_, n=len(done.files), number=done.project.model.version),
        *(_("Now shred the three sheets that say: Id of the key: {id}").format(id=key) for key in done.escrow),
        _("Backups of this folder still hold the key: destroy those of before today. Then publish the project."),
    ]
    data: dict[str, Any] = {**summary(done.project), "wiped": [str(f) for f in done.files], "shred": list(done.escrow)}
    result(json_, data, "\n".join(lines))


@app.command()
@command
def succeed(*, yes: Yes = False, folder: Folder = None, json_: Json = False) -> None:
    """Hand the project over to a new root. The old one signs for it, so laptops follow on their own.

    Asks for the old root passphrase and for a new one. The old root is wiped and its sheets become worthless; three
    new sheets are written: print them, give them to different people, delete the files. Then publish the project.

    Example: fieldsurvey project succeed
    """
    place = place_of(folder)
    confirm(yes, _("A new root will sign this project from now on. Go on?"))
    policy = steward.read_steward(place).model.policy
    root = root_passphrase()
    words = new_passphrase("NEW_ROOT", _("New root passphrase (empty: six words are made for you)"), policy)
    done = handing.succeed(place, root_pass=root, new_root_pass=words)
    lines = [
        _("The project has a new root; it is now at version {number}. Publish it to every stick.").format(
            number=done.project.model.version
        ),
        f"  {done.project.words}",
        _("Shred the sheets of the root before. Laptops that join from now on compare the words above."),
    ]
    result(
        json_,
        {**summary(done.project), "sheets": [str(s) for s in done.sheets]},
        "\n".join(lines + _paper(done.sheets)),
    )


@app.command()
@command
def sheets(*, folder: Folder = None, json_: Json = False) -> None:
    """Print the root's three sheets anew, when somebody who kept one leaves or paper is lost.

    It is the same key: collect and shred the former sheets, two of them still fit together. If one is out of reach,
    `project succeed` makes a new root. The escrow key is kept nowhere: `project rotate --escrow` makes a new one.

    Example: fieldsurvey project sheets
    """
    made = handing.reissue(place_of(folder), root_pass=root_passphrase())
    lines = [*_paper(made), _("Collect and shred the former sheets of the root.")]
    result(json_, {"sheets": [str(path) for path in made]}, "\n".join(lines))


def _paper(sheets: tuple[Path, ...]) -> list[str]:
    if not sheets:
        return []
    files = "\n".join(f"  {path}" for path in sheets)
    return [_("Print these sheets, give each to another person, delete the files:") + "\n" + files]


def _sheets(files: list[Path] | None) -> list[str]:
    """Two sheets: from files, or typed one after the other."""
    if files:
        return [steward.read_small(path, 1 << 16).decode("utf-8", "replace") for path in files]
    if not sys.stdin.isatty():
        raise NoTerminalError(role="sheet")
    tell(_("Type the 33 words of a sheet in their order, on one line or several; end with an empty line."))
    return [_typed(number) for number in (1, 2)]


def _typed(number: int) -> str:
    """The words of a sheet; what was mistyped is said at once and the sheet asked for again."""
    while True:
        tell(_("Sheet {number} of 2:").format(number=number))
        words: list[str] = []
        while line := input().strip():
            words.append(line)
        try:
            shares.check(" ".join(words), number)
        except SharesError as error:
            tell(render(error).as_text())
        else:
            return " ".join(words)


def _named(found: FromSheets) -> str:
    names: dict[Literal["root", "escrow"], str] = {"root": _("the root key"), "escrow": _("an escrow key")}
    name = f"{names[found.what]} ({found.id})"
    if found.round:
        name += _("  round {round}").format(round=found.round)
    if not found.current:
        name += _(", which was replaced: it opens earlier records only")
    return name


def _found(found: FromSheets) -> dict[str, Any]:
    return {"key": found.what, "key_id": found.id, "round": found.round, "current": found.current}
