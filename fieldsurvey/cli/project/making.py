"""`fieldsurvey project new|add-form|plan|enrol|renew|policy|publish`: make and widen a project."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import filled
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.project.group import (
    Folder,
    People,
    app,
    named_people,
    new_passphrase,
    place_of,
    root_passphrase,
    summary,
)
from fieldsurvey.project import steward
from fieldsurvey.project.draft import Draft, checked, read_plan
from fieldsurvey.project.errors import BadValueError
from fieldsurvey.project.formfile import SENSITIVE, FormFile, form_of, read_form
from fieldsurvey.project.model import Project
from fieldsurvey.project.policy import Policy, Retention
from fieldsurvey.project.signed import SUFFIX
from fieldsurvey.records.device import LogParent
from forms import catalogue
from sync.stick import Stick, there


@app.command()
@command
def new(
    name: Annotated[str, typer.Argument(help="What people call the project.")],
    *,
    folder: Folder = None,
    person: People = None,
    days: Annotated[int, typer.Option(help="Days until it expires (a warning on laptops, never a stop).")] = 365,
    language: Annotated[
        list[str] | None, typer.Option(help="Languages of the interviews; repeat. Default: es.")
    ] = None,
    json_: Json = False,
) -> None:
    """Make a project: its root, the HMU's key, an escrow key, central's and the supervisor's keys.

    Two passphrases are asked for: ROOT signs the project, HMU opens the records. Leave one empty and the program makes
    six words. Root and escrow are also written as three sheets each, of which any two give the key back:
    print them, give them to different people, delete the files.
    """
    people = named_people(person)
    place = place_of(folder)
    steward.check_free(place)
    policy = Policy(languages=tuple(language)) if language else Policy()
    root = new_passphrase("ROOT", _("Root passphrase (signs the project; empty: six words are made for you)"), policy)
    hmu = new_passphrase("HMU", _("HMU passphrase (opens the records; empty: six words are made for you)"), policy)
    signed = steward.new_project(place, name, root_pass=root, hmu_pass=hmu, days=days, policy=policy)
    if people:
        signed = steward.change(place, root, lambda draft: _name_people(draft, people))
    text = "\n".join(
        (
            _("The project is in {place}.").format(place=place),
            _("Its root fingerprint, for laptops to compare when they join:"),
            f"  {signed.words}",
            _("Now: print the sheets in {sheets}, give each to another person, delete the files.").format(
                sheets=place / steward.SHEETS
            ),
            _("Then: fieldsurvey project add-form needs · project publish STICK · device join on each laptop."),
        )
    )
    result(json_, {**summary(signed), "folder": str(place)}, text)


@app.command("add-form")
@command
def add_form(
    form: Annotated[str, typer.Argument(help="A workbook, a folder of CSV sheets, an XForm .xml, or a built-in name.")],
    *,
    folder: Folder = None,
    indicators: Annotated[
        Path | None, typer.Option(help="The table of indicators (CSV). A built-in form brings its own.")
    ] = None,
    about_places: Annotated[
        bool, typer.Option("--about-places", help="The form is about places or services, not about people.")
    ] = False,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="|".join(SENSITIVE), help="Let a form about people ask for this; written into the project."
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Add a form, or its next version. It is compiled and checked first; the version before stays for its records.

    A form about people may not ask for photos, voices, video, files, signatures, barcodes or exact places.
    """
    read, table = _form(form)
    if indicators is not None:
        table = steward.read_small(indicators)
    place = place_of(folder)
    root = root_passphrase()

    def edit(draft: Draft) -> None:
        draft.add_form(read, about_people=not about_places, allow=allow or ())
        if table is not None:
            draft.set_indicators(table)

    signed = steward.change(place, root, edit)
    text = filled(
        _("{title} ({form}, version {version}) is in the project, now at version {number}."),
        title=read.title,
        form=read.id,
        version=read.version or "-",
        number=signed.model.version,
    )
    result(json_, {**summary(signed), "warnings": list(read.warnings)}, "\n".join((text, *read.warnings)))


@app.command()
@command
def plan(
    file: Annotated[Path, typer.Argument(help="JSON: {rounds: [{id, title, start, end, parishes, quotas, …}]}.")],
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Set the rounds: dates, parishes, quotas, modules. They may not overlap.

    {"rounds": [{"id": "r1", "title": "Ronda 1", "start": "2027-02-01", "end": "2027-02-28", "parishes": ["100150"],
    "quotas": [{"parish": "100150", "mobility": "mobility", "count": 40}], "modules": ["work"]}]}
    """
    wanted = read_plan(steward.read_small(file), str(file))
    signed = steward.set_plan(place_of(folder), wanted, root_pass=root_passphrase())
    count = len(wanted.rounds)
    text = ngettext(
        "{count} round is planned; the project is now at version {number}.",
        "{count} rounds are planned; the project is now at version {number}.",
        count,
    ).format(count=count, number=signed.model.version)
    result(json_, summary(signed), text)


@app.command()
@command
def enrol(
    card: Annotated[Path, typer.Argument(help="The card that `device join` wrote, on the laptop or on the stick.")],
    folder: Folder = None,
    name: Annotated[str | None, typer.Option(help="What to call the laptop; default: as it calls itself.")] = None,
    person: People = None,
    json_: Json = False,
) -> None:
    """Trust a laptop: central takes its log out of quarantine once it has the new version.

    The card of a laptop that was restored or set up anew proves which one it was before; a card that claims it without
    proof is refused.

    Example: fieldsurvey project enrol /media/STICK/otavalo-1-3fa9c2.fsd --name "Otavalo 1"
    """
    signed = steward.enrol(place_of(folder), card, root_pass=root_passphrase(), name=name, people=named_people(person))
    device = signed.model.devices[-1]
    text = filled(
        _("{name} ({id}) is enrolled; the project is now at version {number}. Publish it to sticks."),
        name=device.name,
        id=device.id[:8],
        number=signed.model.version,
    )
    before = device.card.parent
    goes_on = before.content() if before else None
    lines = [text, *([_goes_on(signed.model, before)] if before else [])]
    result(json_, {**summary(signed), "device": device.id, "goes_on_from": goes_on}, "\n".join(lines))


def _goes_on(project: Project, before: LogParent) -> str:
    """What its card proves, or says of a laptop that is not enrolled; the server answers it about that log too."""
    known = project.device(before.device)
    if known is None:
        text = _(
            "Its card says that it goes on after entry {seq} of the log of {id}, which is not enrolled."
            " If you have that laptop's card, enrol it: only then is this proven."
        )
        return text.format(id=before.device[:8], seq=before.seq)
    text = _("It was {name} ({id}) before, restored or set up anew: its log goes on after entry {seq} of that one.")
    return filled(text, name=known.name, id=before.device[:8], seq=before.seq)


@app.command()
@command
def renew(
    days: Annotated[int, typer.Option(help="From today.", min=1, max=3660)] = 365,
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Sign the project again with a later day of expiry. Then publish it: laptops warn until they have it."""
    expires = steward.stamp(SystemClock().now() + timedelta(days=days))
    signed = steward.change(place_of(folder), root_passphrase(), lambda draft: draft.renew(expires))
    text = _("Version {number} expires {day}. Publish it to sticks.").format(
        number=signed.model.version, day=signed.model.expires[:10]
    )
    result(json_, summary(signed), text)


@app.command()
@command
def policy(
    changes: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE…", help="Rules to change; see `project show --json`.")
    ],
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Change rules: review window, locks, retention, consents, protection. docs/format.md gives each one's bounds.

    Examples: project policy review_window_hours=4 · project policy retention.hmu_until=2029-12-31 ·
    project policy consent_forms=survey,followup · project policy purge_after_receipts=false

    How many people open a round is not set here: `project members` shares the key out as well.
    """
    place = place_of(folder)
    wanted = _rules(steward.read_steward(place).model.policy, changes)
    signed = steward.change(place, root_passphrase(), lambda draft: draft.set_policy(**wanted))
    text = _("The rules are changed; the project is now at version {number}. Publish it to sticks.").format(
        number=signed.model.version
    )
    result(json_, summary(signed), text)


@app.command()
@command
def publish(
    target: Annotated[Path, typer.Argument(metavar="STICK", help="A stick's folder, or a file to write.")],
    folder: Folder = None,
    one_recipient: Annotated[
        bool, typer.Option("--one-recipient", help="Publish although only one key could open the records.")
    ] = False,
    json_: Json = False,
) -> None:
    """Write the newest signed version to a stick, where `device join` and `sync import` find it, and read it back.

    Example: fieldsurvey project publish /media/STICK
    """
    if target.is_dir():
        stick = Stick(target)
        stick.make(stick.root)
        target = stick.project
    elif target.suffix != SUFFIX:  # a stick that is not plugged in must not become a file on the system's disk
        there(target)
    signed = steward.publish(place_of(folder), target, one_recipient=one_recipient)
    text = filled(
        _("Version {number} of {name} is at {target}.\n  {words}"),
        number=signed.model.version,
        name=signed.model.name,
        target=target,
        words=signed.words,
    )
    result(json_, {**summary(signed), "target": str(target)}, text)


def _rules(before: Policy, changes: list[str]) -> dict[str, Any]:
    """The policy's fields to change. Values are checked when they are set. Raises BadValueError for unknown names."""
    found: dict[str, Any] = {}
    retention = dict(before.retention)
    for words in changes:
        name, equals, text = words.partition("=")
        inner = name.removeprefix("retention.")
        known = Retention.model_fields if inner != name else Policy.model_fields
        if not equals or inner not in known or inner in {"people_to_open", "hmu_people", "retention", "argon2"}:
            raise BadValueError(field=name, reason="NAME=VALUE")
        value = _value(text, tuple if inner in {"languages", "consent_forms"} else None)
        if inner != name:
            retention[inner] = value
        else:
            found[name] = value
    if retention != dict(before.retention):
        found["retention"] = checked(Retention, **retention)
    return found


def _value(text: str, kind: type | None) -> Any:
    if kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if text.lower() in {"true", "false", "yes", "no"}:
        return text.lower() in {"true", "yes"}
    if text.lower() in {"", "null", "none"}:
        return None
    return int(text) if text.isdecimal() and len(text) < 10 else text


def _form(given: str) -> tuple[FormFile, bytes | None]:
    if given in {form.id for form in catalogue.BUILT_IN} and not Path(given).exists():
        return form_of(catalogue.compiled(given), name=given), catalogue.indicators()
    return read_form(Path(given)), None


def _name_people(draft: Draft, people: dict[str, str]) -> None:
    for code, label in people.items():
        draft.add_person(code, label)
