"""The line of the first screens that says how far the work beside is."""

from __future__ import annotations

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import visible
from fieldsurvey.tui.central.app import CentralApp
from fieldsurvey.tui.central.purposes import PURPOSES
from fieldsurvey.tui.widgets.text import Words, bracketed


def under_way(app: CentralApp, line: Words, key: str) -> bool:
    """Show it in `line`; whether the work has just ended, so that what is shown is read again."""
    job = app.job
    if job is None or (job.seen and not job.running):
        line.say("")
        return False
    verb, place = _(PURPOSES[job.kind].verb), visible(job.place)
    if job.running:
        text = _("{work} {place}: {share} % [{key}]")
        line.say(bracketed(text.format(work=verb, place=place, share=int(job.reached.share * 100), key=key)))
        return False
    said = bracketed(_("{work} {place}: finished. [{key}] shows what came of it.").format(
        work=verb, place=place, key=key
    ))  # fmt: skip
    if line.text == said:
        return False
    line.say(said)
    return True
