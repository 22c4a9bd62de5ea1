"""`--help` in the user's language: the help of every command and option is a message of the catalogue.

What typer says itself ("Usage", the types of values, "Show this message and exit.") is in no catalogue that it reads,
and is put in its place here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import typer
import typer.main
import typer.rich_utils

from fieldsurvey.base.i18n import gettext, n_
from fieldsurvey.base.i18n import gettext as _

TYPES: Final[Mapping[str, str]] = {
    "<bool>": "",  # a flag takes no value
    "<path>": n_("<path>"),
    "<str>": n_("<text>"),
    "<int>": n_("<number>"),
    "<int range>": n_("<number>"),
    "<float>": n_("<number>"),
    "<float range>": n_("<number>"),
}
"""typer's words for what a value is -> ours; another is shown as typer has it."""
VALUES: Final = (
    n_("STICK"), n_("FOLDER"), n_("FILE"), n_("FILE.csv"), n_("FILE.html"), n_("TABLE.csv"), n_("DIR"), n_("CODE"),
    n_("NAME"), n_("TEXT"), n_("CASE"), n_("FORM"), n_("ROUND"), n_("URL|PATH"), n_("REF=TEXT"), n_("NAME=VALUE…"),
)  # fmt: skip
"""What commands call their values, as the sentences of their help do."""


def translated(app: typer.Typer) -> Callable[..., Any]:
    """The app as a command whose help texts are in the language in use now."""
    command = typer.main.get_command(app)
    typer.rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
    typer.rich_utils.OPTIONS_PANEL_TITLE = _("Options")
    typer.rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
    typer.rich_utils.ERRORS_PANEL_TITLE = _("Error")
    typer.rich_utils.DEFAULT_STRING = _("[default: {}]")
    typer.rich_utils.REQUIRED_LONG_STRING = _("[required]")
    typer.rich_utils.RICH_HELP = _("Try [blue]'{command_path} {help_option}'[/] for help.")
    _translate(command)
    return command


def _translate(command: Any) -> None:
    for name in ("help", "short_help", "epilog", "options_metavar", "subcommand_metavar"):
        text = getattr(command, name, None)
        if text:
            setattr(command, name, gettext(text))
    helping = command.get_help_option(command.context_class(command))
    for option in (*command.params, *([helping] if helping else ())):
        _translate_option(option)
    usage = command.get_usage
    command.get_usage = lambda context: usage(context).replace("Usage:", _("Usage:"), 1)
    for below in getattr(command, "commands", {}).values():
        _translate(below)


def _translate_option(option: Any) -> None:
    if getattr(option, "help", None):
        option.help = gettext(option.help)
    if option.metavar in VALUES:
        option.metavar = gettext(option.metavar)
    shown = option.display_type_rich

    def display(*args: Any, **kwargs: Any) -> str | None:
        kind = shown(*args, **kwargs)
        return gettext(TYPES[kind]) or None if kind in TYPES else kind

    option.display_type_rich = display


TYPERS: Final = (n_("Show this message and exit."), n_("[OPTIONS]"), n_("COMMAND [ARGS]..."))
"""What typer says itself, by the words it says it in."""
