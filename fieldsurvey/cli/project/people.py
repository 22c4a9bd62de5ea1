"""`fieldsurvey project members|handover|revoke`: who opens, who leaves, which laptop is no longer trusted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.base.i18n import LANGUAGES, language
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import filled, visible
from fieldsurvey.cli.common import Json, command, result, say
from fieldsurvey.cli.project.group import (
    Folder,
    People,
    Yes,
    app,
    confirm,
    hmu_passphrases,
    named_people,
    new_passphrase,
    place_of,
    root_passphrase,
    summary,
)
from fieldsurvey.project import handing, incident, steward
from fieldsurvey.project.errors import BadValueError
from fieldsurvey.project.handing import Leaving
from fieldsurvey.project.model import Project
from fieldsurvey.project.policy import Policy


@app.command()
@command
def members(
    person: People = None,
    *,
    to_open: Annotated[int, typer.Option("--to-open", min=1, max=2, help="How many of them open a round.")] = 2,
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Share out the HMU's key: each member has an own passphrase, and two of them open a round together.

    Name everybody who shall have a share, those who have one already too: the shares made before stop working.

    Example: fieldsurvey project members --person H01=Ana --person H02=Luz --person H03=Paz
    """
    place = place_of(folder)
    named = named_people(person)
    root = root_passphrase()
    hmu = hmu_passphrases(place)
    policy = steward.read_steward(place).model.policy
    own = {code: _own(code, label, policy) for code, label in named.items()}
    signed = handing.members(place, own, root_pass=root, hmu=hmu, labels=named, to_open=to_open)
    text = _("{n} people have a share; {m} open a round. The project is now at version {number}.").format(
        n=len(own), m=to_open, number=signed.model.version
    )
    result(json_, summary(signed), text)


@app.command()
@command
def handover(
    code: Annotated[str | None, typer.Argument(help="The code of who leaves. Without it: who holds what.")] = None,
    *,
    to: Annotated[str | None, typer.Option("--to", help="Who takes over, CODE=NAME.")] = None,
    yes: Yes = False,
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Somebody leaves: say what they held, do what must be done with the keys, and list what is left for people to do.

    An enumerator is marked as gone. A supervisor's receipts are no longer taken; a new supervisor.key is made. An HMU
    member's share stops working, and new records are sealed to new keys. A steward hands over to a new root.

    Example: fieldsurvey project handover H01 --to H04=Mar
    """
    place = place_of(folder)
    model = steward.read_steward(place).model
    if code is None:
        holders = _holders(model)
        result(
            json_, {"holders": holders}, "\n".join(visible(f"{h['code']}  {h['label']}  {h['holds']}") for h in holders)
        )
        return
    successor = next(iter(named_people([to]).items())) if to else None
    todo = handing.leaving(model, code, successor[0] if successor else None)
    steps, left = _done(todo, successor), _left(todo)
    if not json_:
        say(filled(_("{name} leaves. What will be done:"), name=todo.person.label))
        say("\n".join(f"  [ ] {step}" for step in steps))
    confirm(yes, _("Go on?"))
    more = _asked(place, model, todo, successor)
    done = handing.leave(place, code, root_pass=root_passphrase(), successor=successor, **more)
    lines = [
        _("Done; the project is now at version {number}:").format(number=done.project.model.version),
        *(f"  [x] {step}" for step in steps),
        _("Left for you to do:"),
        *(f"  [ ] {step}" for step in left),
        *(f"      {path}" for path in done.sheets),
    ]
    data = {**summary(done.project), "done": steps, "left": left, "sheets": [str(s) for s in done.sheets]}
    result(json_, data, "\n".join(lines))


@app.command()
@command
def revoke(
    device: Annotated[str, typer.Argument(help="The laptop's name, or the start of its id (`project show`).")],
    *,
    from_: Annotated[
        int, typer.Option("--from", min=1, help="Its log is kept apart from this entry on; `central status` helps.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="lost, stolen, left or broken.")],
    state: Annotated[
        str, typer.Option("--state", help="Was it locked or off: locked, unlocked or unknown. For the sheet.")
    ] = "unknown",
    known: Annotated[str, typer.Option("--known", help="The day you learned of it [default: today]; deadlines.")] = "",
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Where to write the incident sheet (HTML).")] = None,
    sheet_language: Annotated[str | None, typer.Option("--language", help="Of the sheet: es or en.")] = None,
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Stop trusting a laptop, and write the incident sheet: what is at risk, what to do, who must be told by when.

    What it logged before that entry stays; what comes from there on is kept apart at central and counted nowhere.

    Example: fieldsurvey project revoke "Otavalo 1" --from 41 --reason stolen --state locked
    """
    place = place_of(folder)
    if reason not in {"lost", "stolen", "left", "broken"}:
        raise BadValueError(field="--reason", reason="lost, stolen, left, broken")
    if state not in {"locked", "unlocked", "unknown"}:
        raise BadValueError(field="--state", reason="locked, unlocked, unknown")
    spoken = sheet_language or language()
    if spoken not in LANGUAGES:
        raise BadValueError(field="--language", reason=", ".join(LANGUAGES))
    day = _day(known)
    signed, revoked = handing.revoke(place, device, from_, reason, root_pass=root_passphrase())  # type: ignore[arg-type]
    page = incident.sheet(incident.Incident(signed.model, revoked, state, day), spoken)  # type: ignore[arg-type]
    target = sheet or place / "incidents" / f"{day.isoformat()}-{revoked.id[:8]}.{spoken}.html"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, target.parent) from error
    write_atomic(target, page.encode("utf-8"), private=True)
    lines = [
        filled(
            _("{name} is revoked from entry {number} on. Publish the project to sticks and import it at central."),
            name=revoked.name,
            number=from_,
        ),
        filled(_("Print the incident sheet, and do what it says today: {path}"), path=target),
    ]
    result(json_, {**summary(signed), "device": revoked.id, "sheet": str(target)}, "\n".join(lines))


def _day(known: str) -> date:
    try:
        return date.fromisoformat(known) if known else SystemClock().now().date()
    except ValueError:
        raise BadValueError(field="--known", reason="YYYY-MM-DD") from None


def _own(code: str, label: str, policy: Policy) -> str:
    prompt = _("Passphrase of {code} {label} (empty: six words are made)").format(code=code, label=label)
    return new_passphrase(f"HMU_{code}", prompt, policy)


def _asked(place: Path, model: Project, todo: Leaving, successor: tuple[str, str] | None) -> dict[str, Any]:
    """The passphrases that this handing over needs besides the root's."""
    more: dict[str, Any] = {}
    if todo.shares:
        staying = {
            p.code: p.label for p in model.people if p.role == "hmu" and p.left is None and p.code != todo.person.code
        }
        more["hmu"] = hmu_passphrases(place)
        everybody = {**staying, **dict([successor] if successor else [])}
        more["passphrases"] = {code: _own(code, label, model.policy) for code, label in everybody.items()}
    if todo.root:
        prompt = _("New root passphrase (empty: six words are made for you)")
        more["new_root_pass"] = new_passphrase("NEW_ROOT", prompt, model.policy)
    return more


def _holders(model: Project) -> list[dict[str, Any]]:
    holds = {
        "steward": _("the root passphrase: signs the project"),
        "hmu": _("a passphrase that opens records, alone or with another member's"),
        "supervisor": _("supervisor.key: signs receipts for what was handed over"),
        "enumerator": _("a passphrase on laptops: opens own drafts, nothing else"),
    }
    people = [
        {"code": p.code, "label": p.label, "role": p.role, "holds": holds[p.role]}
        for p in model.people
        if p.left is None
    ]
    sheets = _("three people with a sheet each of root and escrow, named on paper: any two give the key back")
    central = _("central.key, on central's machine: signs receipts, opens nothing")
    return [
        *people,
        {"code": "–", "label": _("Sheets"), "role": "sheets", "holds": sheets},
        {"code": "–", "label": "Central", "role": "central", "holds": central},
    ]


def _done(todo: Leaving, successor: tuple[str, str] | None) -> list[str]:
    steps = [_("{code} is marked as gone; earlier records keep the code.").format(code=todo.person.code)]
    if successor:
        steps.append(filled(_("{code} {label} takes over."), code=successor[0], label=successor[1]))
    if todo.shares:
        steps += [
            _("The HMU's key is shared out anew among those who stay; the share of the leaver stops working."),
            _("New records are sealed to a new key of the HMU; rounds with own keys get new ones, with new sheets."),
            _("The HMU's signing key is replaced; what the old one signs is no longer taken."),
        ]
    if "supervisor" in todo.parts:
        steps.append(_("The supervisor's key is replaced; receipts of the old one are no longer taken."))
    if todo.root:
        steps.append(_("A new root takes over from the old, with a new passphrase and three new sheets."))
    return steps


def _left(todo: Leaving) -> list[str]:
    steps = [_("Publish the project to every stick, and import it at central.")]
    if todo.person.role == "enumerator":
        steps.append(_("On each laptop of theirs: `device people remove`. One not given back: `project revoke`."))
    if "supervisor" in todo.parts:
        steps.append(_("Give the new supervisor.key to who takes over; have the old file deleted."))
    if todo.root:
        steps.append(_("Print the new root sheets, give them to three people, delete the files; shred the old ones."))
    if todo.shares:
        steps.append(_("Destroy the leaver's copies and backups of the steward's folder."))
    steps.append(_("A key sheet the leaver kept: take it back. If gone: `project rotate --escrow`, `succeed`."))
    return steps
