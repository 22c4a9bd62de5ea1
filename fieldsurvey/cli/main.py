"""Finds the command group for the words given and imports that one only (each costs start-up time)."""

from __future__ import annotations

import importlib
import sys

from fieldsurvey.base.i18n import gettext, n_, set_language

GROUPS = {
    "demo": "fieldsurvey.cli.demo",
    "forms": "fieldsurvey.cli.forms",
    "project": "fieldsurvey.cli.project",
    "device": "fieldsurvey.cli.device",
    "sync": "fieldsurvey.cli.sync",
    "central": "fieldsurvey.cli.central",
    "needs": "fieldsurvey.cli.needs",
    "rights": "fieldsurvey.cli.rights",
    "doctor": "fieldsurvey.cli.doctor",
}
HELP = n_(
    """\
fieldsurvey: surveys in host communities, without a network

  fieldsurvey [--plain]     the app: interview, seal, sync
  fieldsurvey demo [DIR]    a whole survey on this machine, simulated, with its report

  fieldsurvey forms         check, show, fill, simulate questionnaires
  fieldsurvey project       make and sign a project, enrol laptops
  fieldsurvey device        join a project, people, verify, backup
  fieldsurvey sync          export to a stick, import into central
  fieldsurvey central       show, status, verify, backup, restore, move
  fieldsurvey needs         open a round, tables, protection, exports, report
  fieldsurvey rights        a slip's code: what is held, erase it
  fieldsurvey doctor        is this machine fit for fieldwork?

Each explains itself: fieldsurvey GROUP --help. Every command takes --json.
Exit: 0 done, 1 refused with a reason, 2 wrong usage.
"""
)


def main() -> None:
    """The entry point."""
    words = sys.argv[1:]
    if words and words[0] in GROUPS:
        set_language(None)
        module = importlib.import_module(GROUPS[words[0]])
        importlib.import_module("fieldsurvey.cli.translated").translated(module.app)(
            args=words[1:], prog_name=f"fieldsurvey {words[0]}"
        )
    elif words and words[0] in {"-h", "--help"}:
        set_language(None)
        sys.stdout.write(gettext(HELP))
    elif words and words[0] == "--version":
        importlib.import_module("fieldsurvey.cli.version").show()
    elif not words or words == ["--plain"]:
        sys.exit(importlib.import_module("fieldsurvey.cli.app").run(plain=bool(words)))
    else:
        set_language(None)
        sys.stderr.write(gettext("fieldsurvey: there is no `{word}`.").format(word=words[0]) + f"\n\n{gettext(HELP)}")
        sys.exit(2)
