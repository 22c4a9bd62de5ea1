"""`fieldsurvey project`: make and sign a project, add forms, plan rounds, enrol laptops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fieldsurvey.base import paths
from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.errors import InputError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.cli.common import Json, command, passphrase, result, say
from fieldsurvey.project import steward
from fieldsurvey.project.draft import Draft, read_plan
from fieldsurvey.project.formfile import SENSITIVE, FormFile, form_of, read_form
from fieldsurvey.project.policy import Policy
from fieldsurvey.project.signed import SignedProject, read_project
from fieldsurvey.records.words import generate_passphrase
from forms import catalogue
from sync.stick import Stick

app = typer.Typer(
    help="Make and sign a project: who may open records, which forms, which laptops. Keep its folder safe.",
    no_args_is_help=True,
    add_completion=False,
)

Folder = Annotated[
    Path | None, typer.Option("--folder", help="The steward's folder. Default: steward/ under FIELDSURVEY_HOME.")
]
People = Annotated[
    list[str] | None, typer.Option("--person", help="An enumerator, CODE=NAME. Repeat for each, e.g. --person E01=Uno.")
]


class PersonWordsError(InputError):
    """--person without an equals sign."""

    code = "input.person"
    template = "{value} does not name a person."
    hint = "Nothing was changed. Write --person CODE=NAME, for example --person E01=Uno."


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
    people = _people(person)
    place = folder or paths.steward_dir()
    steward.check_free(place)
    root = _new_passphrase("ROOT", _("Root passphrase (signs the project; empty: six words are made for you)"))
    hmu = _new_passphrase("HMU", _("HMU passphrase (opens the records; empty: six words are made for you)"))
    policy = Policy(languages=tuple(language)) if language else Policy()
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
    result(json_, {**_summary(signed), "folder": str(place)}, text)


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
        typer.Option(help=f"Let a form about people ask for this; written into the project. {', '.join(SENSITIVE)}."),
    ] = None,
    json_: Json = False,
) -> None:
    """Add a form, or its next version. It is compiled and checked first; the version before stays for its records.

    A form about people may not ask for photos, voices, video, files, signatures, barcodes or exact places.
    """
    read, table = _form(form)
    if indicators is not None:
        table = steward.read_small(indicators)
    place = folder or paths.steward_dir()
    root = _root_passphrase()

    def edit(draft: Draft) -> None:
        draft.add_form(read, about_people=not about_places, allow=allow or ())
        if table is not None:
            draft.set_indicators(table)

    signed = steward.change(place, root, edit)
    text = _("{title} ({form}, version {version}) is in the project, now at version {number}.").format(
        title=read.title, form=read.id, version=read.version or "-", number=signed.model.version
    )
    result(json_, {**_summary(signed), "warnings": list(read.warnings)}, "\n".join((text, *read.warnings)))


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
    signed = steward.set_plan(folder or paths.steward_dir(), wanted, root_pass=_root_passphrase())
    count = len(wanted.rounds)
    text = ngettext(
        "{count} round is planned; the project is now at version {number}.",
        "{count} rounds are planned; the project is now at version {number}.",
        count,
    ).format(count=count, number=signed.model.version)
    result(json_, _summary(signed), text)


@app.command()
@command
def enrol(
    card: Annotated[Path, typer.Argument(help="The card that `device join` wrote, on the laptop or on the stick.")],
    folder: Folder = None,
    name: Annotated[str | None, typer.Option(help="What to call the laptop; default: as it calls itself.")] = None,
    person: People = None,
    json_: Json = False,
) -> None:
    """Trust a laptop: central takes its log out of quarantine once it has the new version."""
    signed = steward.enrol(
        folder or paths.steward_dir(), card, root_pass=_root_passphrase(), name=name, people=_people(person)
    )
    device = signed.model.devices[-1]
    text = _("{name} ({id}) is enrolled; the project is now at version {number}. Publish it to sticks.").format(
        name=device.name, id=device.id[:8], number=signed.model.version
    )
    result(json_, {**_summary(signed), "device": device.id}, text)


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
    signed = steward.publish(folder or paths.steward_dir(), target, one_recipient=one_recipient)
    text = _("Version {number} of {name} is at {target}.\n  {words}").format(
        number=signed.model.version, name=signed.model.name, target=target, words=signed.words
    )
    result(json_, {**_summary(signed), "target": str(target)}, text)


@app.command()
@command
def show(
    project: Annotated[Path | None, typer.Argument(help="A project.fsp; default: the steward's.")] = None,
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Say in plain words what a project holds and whom it trusts. Needs no passphrase."""
    signed = read_project(project) if project else steward.read_steward(folder or paths.steward_dir())
    result(json_, _summary(signed), "\n".join(_lines(signed)))


def _form(given: str) -> tuple[FormFile, bytes | None]:
    if given in {form.id for form in catalogue.BUILT_IN} and not Path(given).exists():
        return form_of(catalogue.compiled(given), name=given), catalogue.indicators()
    return read_form(Path(given)), None


def _people(given: list[str] | None) -> dict[str, str]:
    people = {}
    for words in given or []:
        code, equals, label = words.partition("=")
        if not equals:
            raise PersonWordsError(value=words)
        people[code.strip()] = label.strip()
    return people


def _name_people(draft: Draft, people: dict[str, str]) -> None:
    for code, label in people.items():
        draft.add_person(code, label)


def _root_passphrase() -> str:
    return passphrase("ROOT", _("Root passphrase"))


def _new_passphrase(role: str, prompt: str) -> str:
    given = passphrase(role, prompt, confirm=True)
    if given:
        return given
    made = generate_passphrase()
    say(_("Write these six words down now; they are not shown again:"))
    say(f"\n    {made}\n")
    return made


def _summary(signed: SignedProject) -> dict[str, Any]:
    model = signed.model
    return {
        "id": model.id,
        "name": model.name,
        "version": model.version,
        "issued": model.issued,
        "expires": model.expires,
        "expired": signed.is_expired(SystemClock().now()),
        "root_fingerprint": signed.root_fingerprint,
        "words": signed.words,
        "recipients": [{"id": r.id, "label": r.label} for r in model.recipients],
        "roles": [{"role": r.role.value, "label": r.label, "key": r.key.fingerprint} for r in model.roles],
        "devices": [
            {"id": d.id, "name": d.name, "status": d.status, "revoked_from": d.revoked_from} for d in model.devices
        ],
        "people": [{"code": p.code, "label": p.label} for p in model.people],
        "forms": [f.model_dump(mode="json") for f in model.forms],
        "indicators": model.indicators,
        "plan": model.plan.model_dump(mode="json"),
        "policy": model.policy.model_dump(mode="json"),
    }


def _lines(signed: SignedProject) -> list[str]:
    model, policy = signed.model, signed.model.policy
    lines = [
        model.name,
        _("Root fingerprint: {words}").format(words=signed.words),
        f"  {signed.root_fingerprint}",
        _("Version {number}, issued {issued}, expires {expires}").format(
            number=model.version, issued=model.issued, expires=model.expires
        ),
    ]
    if signed.is_expired(SystemClock().now()):
        lines.append(_("  It has expired: ask the steward for a newer one. Interviews and exports go on."))
    sections = (
        (_("Who can open the records"), [f"{r.label}  {r.id}" for r in model.recipients]),
        (_("Who signs receipts and returned work"), [f"{r.label} ({r.role.value})" for r in model.roles]),
        (_("Forms"), [_form_line(form) for form in model.forms]),
        (_("Rounds"), [f"{r.id}  {r.title}  {r.start} … {r.end}" for r in model.plan.rounds]),
        (_("Laptops"), [_device_line(d) for d in model.devices]),
        (_("People"), [f"{p.code}  {p.label}" for p in model.people]),
        (_("Rules"), _rules(policy)),
    )
    for title, entries in sections:
        lines += ["", title, *(f"  {entry}" for entry in entries or [_("none yet")])]
    return lines


def _form_line(form: Any) -> str:
    line = f"{form.id}  {form.version or '-'}  {form.title}"
    if form.status == "earlier":
        line += _("  (earlier version)")
    if form.allowed:
        line += _("  MAY ASK FOR: {what}").format(what=", ".join(form.allowed))
    return line


def _device_line(device: Any) -> str:
    line = f"{device.id[:8]}  {device.name}"
    if device.status == "revoked":
        line += _("  revoked from entry {number}").format(number=device.revoked_from)
    return line


def _rules(policy: Policy) -> list[str]:
    rules = [
        _("Sealed interviews can be opened again by the enumerator: {hours}.").format(
            hours=_("for {n} hours").format(n=policy.review_window_hours) if policy.review_window_hours else _("never")
        ),
        _("Idle lock after {n} minutes; {m} in an assembly.").format(
            n=policy.idle_lock_minutes, m=policy.assembly_idle_minutes
        ),
        _("Required answers {when}.").format(
            when=_("wait for the review") if policy.required_waits_for_review else _("are asked for at once")
        ),
        _("No count under {k} is published; under {s} where it is sensitive; no share of fewer than {b}.").format(
            k=policy.k_cell, s=policy.k_sensitive, b=policy.k_base
        ),
        _("People needed to open a round: {n}.").format(n=policy.people_to_open),
        _("After a withdrawal, erased everywhere within {n} days.").format(n=policy.retention.withdrawal_days),
    ]
    if policy.ethics_approval:
        rules.append(_("Ethics approval: {text}").format(text=policy.ethics_approval))
    return rules
