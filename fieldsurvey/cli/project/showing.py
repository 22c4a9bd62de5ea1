"""`fieldsurvey project show`: all of it in plain words."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import visible
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.project.group import Folder, app, place_of, summary
from fieldsurvey.project import steward
from fieldsurvey.project.ledger import Ledger, LedgerLine
from fieldsurvey.project.model import Device, Person, Project, ProjectForm, Recipient, RoleKey
from fieldsurvey.project.policy import Policy
from fieldsurvey.project.signed import SignedProject, read_project


@app.command()
@command
def show(
    project: Annotated[Path | None, typer.Argument(help="A project.fsp; default: the steward's.")] = None,
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Say in plain words what a project holds and whom it trusts, and what was done with its keys.

    Needs no passphrase. The steward's folder has a ledger of every opening and ceremony; a published file has none.
    """
    signed = read_project(project) if project else steward.read_steward(place_of(folder))
    done = [] if project else Ledger(place_of(folder), signed.model).lines
    said = [_deed(line) for line in done]
    lines = _lines(signed)
    if not project:
        lines += ["", _("What was done with the keys"), *(f"  {line}" for line in said or [_("nothing yet")])]
    data = {**summary(signed), "ledger": [line.content() for line in done]}
    result(json_, data, "\n".join(lines))


def _lines(signed: SignedProject) -> list[str]:
    model, policy = signed.model, signed.model.policy
    lines = [
        visible(model.name),
        _("Root fingerprint: {words}").format(words=signed.words),
        f"  {signed.root_fingerprint}",
        _("Version {number}, issued {issued}, expires {expires}").format(
            number=model.version, issued=model.issued, expires=model.expires
        ),
    ]
    now = SystemClock().now()
    if signed.is_expired(now):
        lines.append(_("  It has expired: ask the steward for a newer one. Interviews and exports go on."))
    elif signed.expires_soon(now):
        lines.append(
            _("  It expires in {n} days: `fieldsurvey project renew`, then publish.").format(n=signed.days_left(now))
        )
    if model.successions:
        lines.append(
            _("  This root follows {n} earlier ones, each of which signed for the next.").format(
                n=len(model.successions)
            )
        )
    sections = (
        (_("Who can open the records"), [_recipient_line(r) for r in model.recipients]),
        (_("To whom today's interviews are sealed"), _today(model, now)),
        (_("Who signs receipts and returned work"), [_role_line(r, model) for r in model.roles]),
        (_("Forms"), [_form_line(form) for form in model.forms]),
        (_("Rounds"), [_round_line(r.id, r.title, r.start, r.end, model) for r in model.plan.rounds]),
        (_("Laptops"), [_device_line(d) for d in model.devices]),
        (_("People"), [_person_line(p) for p in model.people]),
        (_("Rules"), _rules(policy)),
    )
    for title, entries in sections:
        lines += ["", title, *(f"  {visible(entry)}" for entry in entries or [_("none yet")])]
    return lines


def _recipient_line(recipient: Recipient) -> str:
    line = f"{_label(recipient)}  {recipient.id}"
    if recipient.round:
        line += _("  round {round}").format(round=recipient.round)
    if recipient.retired:
        line += _("  retired {day}: only earlier records").format(day=recipient.retired[:10])
    return line


def _label(recipient: Recipient) -> str:
    return {"operational": _("HMU"), "escrow": _("escrow")}[recipient.label]


def _today(model: Project, now: datetime) -> list[str]:
    found = [f"{_label(r)}  {r.id}" for r in model.recipients_on(now.date().isoformat())]
    return found or [
        _("NOBODY: laptops refuse to seal. Give the HMU a key: `fieldsurvey project rotate --operational`.")
    ]


def _role_line(role: RoleKey, model: Project) -> str:
    line = f"{role.label} ({role.role.value})"
    person = model.person(role.person) if role.person else None
    if person:
        line += f"  {person.code}  {person.label}"
    if role.retired:
        line += _("  retired {day}: no longer taken").format(day=role.retired[:10])
    return line


def _round_line(code: str, title: str, start: str, end: str, model: Project) -> str:
    line = f"{code}  {title}  {start} … {end}"
    own = [r for r in model.recipients if r.round == code]
    if any(r.active for r in own):
        line += _("  keys of its own")
    elif own:
        line += _("  its keys were destroyed")
    return line


def _person_line(person: Person) -> str:
    line = f"{person.code}  {person.label}"
    if person.role != "enumerator":
        role = {"supervisor": _("supervisor"), "hmu": _("HMU"), "steward": _("steward")}[person.role]
        line += f"  ({role})"
    if person.left:
        line += _("  left {day}").format(day=person.left)
    return line


def _deed(line: LedgerLine) -> str:
    said = {
        "opened": _("round {round} opened: {count} cases"),
        "rotated": _("new keys"),
        "destroyed": _("the keys of round {round} destroyed"),
        "recovered": _("recovered from sheets"),
        "succeeded": _("a new root"),
        "revoked": _("a laptop revoked from entry {count} on"),
        "members": _("the HMU's key shared out; people needed: {count}"),
        "left": _("somebody left"),
    }[line.deed].format(round=line.round, count=line.count)
    parts = [
        line.at,
        said,
        _("round {round}").format(round=line.round) if line.round and line.deed == "rotated" else "",
    ]
    text = line.text if line.deed in {"opened", "rotated"} else ""
    who = (" → " if line.deed == "left" else ", ").join(line.who)
    return "  ".join(part for part in (*parts, who, text) if part)


def _form_line(form: ProjectForm) -> str:
    line = f"{form.id}  {form.version or '-'}  {form.title}"
    if form.status == "earlier":
        line += _("  (earlier version)")
    if form.allowed:
        line += _("  MAY ASK FOR: {what}").format(what=", ".join(form.allowed))
    return line


def _device_line(device: Device) -> str:
    line = f"{device.id[:8]}  {device.name}"
    if device.status == "revoked":
        line += _("  revoked from entry {number}").format(number=device.revoked_from)
        if device.revoked_reason:
            reasons = {"lost": _("lost"), "stolen": _("stolen"), "left": _("not given back"), "broken": _("broken")}
            line += f" ({reasons[device.revoked_reason]})"
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
        _("People needed to open a round: {n}, of {m}.").format(n=policy.people_to_open, m=policy.hmu_people),
        _("Laptops drop a sealed interview {n} days after central has backed it up.").format(
            n=policy.retention.laptop_days_after_backup
        )
        if policy.purge_after_receipts
        else _("Laptops keep what they sealed."),
        _("Kept at the HMU until {day}; then the keys are destroyed.").format(day=policy.retention.hmu_until)
        if policy.retention.hmu_until
        else _("No day is set on which the keys are destroyed: `project policy retention.hmu_until=YYYY-MM-DD`."),
        _("After a withdrawal, erased everywhere within {n} days.").format(n=policy.retention.withdrawal_days),
    ]
    if policy.consent_forms:
        rules.append(_("Consent is needed for: {what}.").format(what=", ".join(policy.consent_forms)))
    if policy.recovery_slot:
        rules.append(_("A forgotten passphrase can be recovered with two escrow sheets."))
    if policy.ethics_approval:
        rules.append(_("Ethics approval: {text}").format(text=policy.ethics_approval))
    return rules
