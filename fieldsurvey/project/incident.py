"""The sheet that goes with a revoked laptop: what is at risk, what is not, what to do, who must be told by when.

A page of HTML that prints; it names the laptop and no person. Deadlines are those of Ecuador's data protection law
(LOPDP, Registro Oficial Suplemento 459, 26 May 2021), articles 43 and 46. It decides nothing for those who read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from typing import Final, Literal

from fieldsurvey.base.i18n import n_, translator
from fieldsurvey.project.model import Device, Project

State = Literal["locked", "unlocked", "unknown"]
PROCESSOR_DAYS: Final = 2  # LOPDP, article 43: whoever processes on behalf of another tells that other
AUTHORITY_DAYS: Final = 5  # LOPDP, article 43
PEOPLE_DAYS: Final = 3  # LOPDP, article 46

_REASONS: Final = {
    "lost": n_("The laptop was lost."),
    "stolen": n_("The laptop was stolen."),
    "left": n_("Somebody left and did not give the laptop back, or may still know its passphrase."),
    "broken": n_("The laptop no longer works."),
    None: n_("The laptop was revoked; no reason is in the project."),
}
_STATES: Final = {
    "locked": n_("It was locked or switched off."),
    "unlocked": n_("It was unlocked, or somebody made its owner give the passphrase."),
    "unknown": n_("Nobody knows whether it was locked. Until you know, act as if it was unlocked."),
}
_COMMAND: Final = re.compile("`([^`]+)`")
_STYLE: Final = (
    "body{font:11pt/1.4 sans-serif;max-width:42em;margin:2em auto;padding:0 1em;color:#000;background:#fff}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin:1.4em 0 .3em}td,th{border:1px solid #555;padding:.3em .5em;"
    "text-align:left;vertical-align:top}table{border-collapse:collapse;width:100%}li{margin:.25em 0}"
    ".box{list-style:'☐ '}@media print{body{margin:0}}"
)


@dataclass(frozen=True, slots=True)
class Incident:
    """`known`: the day on which somebody of the project learned of it; the deadlines run from there."""

    project: Project
    device: Device
    state: State
    known: date


def sheet(incident: Incident, language: str) -> str:
    """The page, in "es" or "en"."""
    t = translator(language)
    device, project = incident.device, incident.project
    title = t(n_("Incident: laptop {name}")).format(name=device.name)
    facts = (
        (t(n_("Project")), project.name),
        (t(n_("Laptop")), f"{device.name} ({device.id})"),
        (t(n_("What happened")), f"{t(_REASONS[device.revoked_reason])} {t(_STATES[incident.state])}"),
        (t(n_("Known since")), incident.known.isoformat()),
        (
            t(n_("Revoked")),
            t(n_("from entry {number} on, in version {version} of the project")).format(
                number=device.revoked_from, version=project.version
            ),
        ),
    )
    parts = (
        _table(facts),
        _list(t(n_("What is at risk")), _at_risk(incident, t)),
        _list(t(n_("What is not at risk")), _not_at_risk(project, t)),
        _list(t(n_("What to do now")), _to_do(incident, t), "box"),
        f"<h2>{escape(t(n_('Who must be told, by when')))}</h2>",
        _table(_deadlines(incident, t)),
        f"<p>{escape(t(_LAW))}</p>",
        f"<p>{escape(t(n_('Filled in by, date, signature:')))} {'_' * 40}</p>",
    )
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    body = "\n".join((f"<h1>{escape(title)}</h1>", *parts))
    return f'<!doctype html>\n<html lang="{escape(language)}"><head>{head}</head><body>\n{body}\n</body></html>\n'


_LAW: Final = n_(
    "Articles 43 and 46 of the Ley Orgánica de Protección de Datos Personales (Registro Oficial Suplemento 459, 26 May "
    "2021). Its days are working days; holidays are not taken out of the dates above. When the data could not be "
    "understood by whoever has them, the people concerned need not be told; write down why you think so. This sheet is "
    "no legal advice: show it to the project's data protection delegate today."
)


def working_days(start: date, count: int) -> date:
    """The day on which `count` working days (Monday to Friday) after `start` are over; holidays are not known here."""
    day = start
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def _at_risk(incident: Incident, t: Callable[[str], str]) -> list[str]:
    policy = incident.project.policy
    found = []
    if incident.state != "locked":
        found += [
            t(n_("The interview that was open, and every unfinished draft of the person who was signed in.")),
            t(
                n_(
                    "It locks by itself after {n} minutes without a key ({m} in an "
                    "assembly); until then all of it shows."
                )
            ).format(n=policy.idle_lock_minutes, m=policy.assembly_idle_minutes),
        ]
    else:
        found.append(t(n_("Unfinished drafts, if somebody learns the passphrase of the person who wrote them.")))
    if policy.review_window_hours:
        found.append(
            t(n_("Interviews ended in the {n} hours before: they wait for the review, as drafts.")).format(
                n=policy.review_window_hours
            )
        )
    found += [
        t(
            n_(
                "What nobody can hide: the project's name, its questionnaires, how many "
                "records there are, how large, when copied."
            )
        ),
        t(
            n_(
                "Records that are not at central yet are lost with it: `fieldsurvey central "
                "status` says up to which entry it holds them."
            )
        ),
    ]
    if incident.device.revoked_reason == "broken":
        found.append(t(n_("Its disk: have it destroyed, or keep it locked away; do not give it to a repair shop.")))
    return found


def _not_at_risk(project: Project, t: Callable[[str], str]) -> list[str]:
    found = [
        t(
            n_(
                "Finalised interviews: they are sealed to the HMU. Nothing on the laptop "
                "opens them, not even the passphrase."
            )
        ),
        t(n_("Other laptops, central and the HMU's keys: nothing that was on this laptop opens or signs for them.")),
        t(n_("What is published: entries from the revoked one on are kept apart and counted nowhere.")),
    ]
    if project.policy.recovery_slot:
        found.append(t(n_("The recovery slot: it opens with two escrow sheets only.")))
    return found


def _to_do(incident: Incident, t: Callable[[str], str]) -> list[str]:
    found = [
        t(n_("Publish the project to every stick (`fieldsurvey project publish`) and import it at central.")),
        t(
            n_(
                "Ask the enumerator: when was it last unlocked, where is the passphrase "
                "written, which interviews were unfinished?"
            )
        ),
        t(
            n_("Look at central for entries from {number} on: `fieldsurvey central status` lists what is kept apart.")
        ).format(number=incident.device.revoked_from),
    ]
    if incident.device.revoked_reason in {"lost", "stolen"}:
        found.append(t(n_("Report the loss to the police and keep the number of the report with this sheet.")))
    found += [
        t(n_("If it comes back: do not interview on it. Export what is sealed, then `fieldsurvey device retire`.")),
        t(n_("Give the enumerator another laptop and a new passphrase: `fieldsurvey device join`.")),
    ]
    return found


def _deadlines(incident: Incident, t: Callable[[str], str]) -> tuple[tuple[str, str], ...]:
    known = incident.known
    likely = incident.state == "locked"
    authority = t(n_("as soon as possible, at the latest by {day} ({n} working days)"))
    unless = t(n_("Not if a risk to the rights of people is improbable."))
    return (
        (
            t(n_("The organisation responsible for the data, if you work on its behalf")),
            t(n_("at the latest by {day} ({n} working days)")).format(
                day=working_days(known, PROCESSOR_DAYS), n=PROCESSOR_DAYS
            ),
        ),
        (
            t(n_("The data protection authority (Superintendencia de Protección de Datos Personales) and ARCOTEL")),
            f"{authority.format(day=working_days(known, AUTHORITY_DAYS), n=AUTHORITY_DAYS)}. {unless}",
        ),
        (
            t(n_("The people whose answers are at risk")),
            t(n_("Locked, and the passphrase not with it: nothing readable was lost."))
            if likely
            else t(n_("at the latest by {day} ({n} working days)")).format(
                day=working_days(known, PEOPLE_DAYS), n=PEOPLE_DAYS
            ),
        ),
    )


def _words(text: str) -> str:
    """Escaped; commands between backticks as such."""
    return _COMMAND.sub(r"<code>\1</code>", escape(text))


def _table(rows: tuple[tuple[str, str], ...]) -> str:
    cells = "".join(f"<tr><th>{_words(name)}</th><td>{_words(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _list(title: str, items: list[str], kind: str = "") -> str:
    lines = "".join(f"<li>{_words(item)}</li>" for item in items)
    return f'<h2>{escape(title)}</h2><ul class="{kind}">{lines}</ul>'
