"""`--help` in the user's language: the help of every command and option is a message of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
import typer.main
import typer.rich_utils

from fieldsurvey.base.i18n import gettext
from fieldsurvey.base.i18n import gettext as _


def translated(app: typer.Typer) -> Callable[..., Any]:
    """The app as a command whose help texts are in the language in use now."""
    command = typer.main.get_command(app)
    typer.rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
    typer.rich_utils.OPTIONS_PANEL_TITLE = _("Options")
    typer.rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
    typer.rich_utils.ERRORS_PANEL_TITLE = _("Error")
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
