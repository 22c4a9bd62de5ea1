"""`--help` in the user's language: the help of every command and option is a message of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
import typer.main

from fieldsurvey.base.i18n import gettext


def translated(app: typer.Typer) -> Callable[..., Any]:
    """The app as a command whose help texts are in the language in use now."""
    command = typer.main.get_command(app)
    _translate(command)
    return command


def _translate(command: object) -> None:
    for name in ("help", "short_help", "epilog"):
        text = getattr(command, name, None)
        if text:
            setattr(command, name, gettext(text))
    for option in getattr(command, "params", ()):
        if getattr(option, "help", None):
            option.help = gettext(option.help)
    for below in getattr(command, "commands", {}).values():
        _translate(below)
