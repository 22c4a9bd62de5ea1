"""`fieldsurvey doctor`: is this machine fit for fieldwork? It looks and says; it changes nothing."""

from __future__ import annotations

import typer

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.cli.checkup import all_findings
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.findings import Finding, Grade

app = typer.Typer(add_completion=False, help=__doc__)

_MARKS = {Grade.GOOD: "✓", Grade.WARN: "!", Grade.BAD: "✗"}


@app.command()
@command
def doctor(json_: Json = False) -> None:
    """Check the crypto's known answers, where packages come from, disk and its encryption, clock, swap, screen
    recorders and terminal.

    Marks: ✓ good, ! fieldwork can go on but read the line, ✗ do not interview on this machine until it is mended.
    Exit 1 if anything is ✗.

    Example: fieldsurvey doctor --json
    """
    findings = all_findings()
    text = "\n".join(_line(f) for f in findings)
    bad = any(f.grade is Grade.BAD for f in findings)
    text += "\n\n" + (_("Do not interview on this machine yet.") if bad else _("Fit for fieldwork."))
    result(json_, {"fit": not bad, "findings": [f.as_dict() for f in findings]}, text)
    if bad:
        raise typer.Exit(1)


def _line(finding: Finding) -> str:
    line = f"{_MARKS[finding.grade]} {finding.what}"
    return f"{line}\n    {finding.advice}" if finding.advice else line
