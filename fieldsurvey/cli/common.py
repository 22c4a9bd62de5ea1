"""What every command shares: `--json`, the one renderer, exit codes (0 done, 1 refused, 2 wrong usage), passphrases.

Everything that a command prints goes through here, and nothing of it can act on a terminal. A name that is not ours
stands on one line only where `visible` or `filled` put it there.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec

import typer

from fieldsurvey.base.errors import FieldsurveyError, InputError, render
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import visible_json, visible_lines

P = ParamSpec("P")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


class PassphraseFileError(InputError):
    """FIELDSURVEY_PASSPHRASE_FILE_<ROLE> names a file that cannot be read."""

    code = "input.passphrase_file"
    template = "The passphrase file {path} cannot be read."
    hint = "Nothing was changed. Unset {variable} to be asked at a prompt instead."


class NoTerminalError(InputError):
    """A passphrase is needed and there is nobody to ask."""

    code = "input.no_terminal"
    template = "The {role} passphrase is needed, and there is no terminal to ask at."
    hint = "Nothing was changed. Run this in a terminal."


def passphrase(role: str, prompt: str, *, confirm: bool = False) -> str:
    """The passphrase of `role` (DEVICE, HMU, ROOT): from its test file if named, else from a prompt."""
    variable = f"FIELDSURVEY_PASSPHRASE_FILE_{role}"
    if named := os.environ.get(variable):
        try:
            return Path(named).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError):
            raise PassphraseFileError(path=named, variable=variable) from None
    if not sys.stdin.isatty():
        raise NoTerminalError(role=role)
    while True:
        given = getpass.getpass(visible_lines(f"{prompt}: "))
        if not confirm or getpass.getpass(_("The same again: ")) == given:
            return given
        tell(_("The two are not the same. Try once more."))


def say(text: str) -> None:
    """A line for people, on standard output."""
    typer.echo(visible_lines(text))


def tell(text: str) -> None:
    """A line for people beside the result, on standard error."""
    typer.echo(visible_lines(text), err=True)


def ask(question: str, *, default: str | None = None) -> str:
    """What is typed on the terminal; asked on standard error."""
    shown = visible_lines(question)
    return str(typer.prompt(shown, default=default, show_default=False, err=True))


def result(as_json: bool, data: dict[str, Any], text: str) -> None:
    """What a command found or did: `data` with `--json`, else `text`."""
    typer.echo(visible_json(data) if as_json else visible_lines(text))


def fail(as_json: bool, error: FieldsurveyError) -> NoReturn:
    """Show `error` through the one renderer and leave with 1."""
    shown = render(error)
    if as_json:
        typer.echo(visible_json(shown.as_dict()))
    else:
        tell(shown.as_text())
    raise typer.Exit(1)


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Wraps a command so that a FieldsurveyError becomes words and exit 1. The command takes `json_: Json = False`."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except FieldsurveyError as error:
            fail(bool(kwargs.get("json_", False)), error)

    return wrapped


def agreed(question: str) -> bool:
    """Ask for yes or no on the terminal, in the language in use and in English; [Enter] alone is no."""
    while True:
        said = ask(f"{question} {_('[y/N]')}", default="").strip().casefold()
        if said in {"y", "yes", "s", "si", "sí"}:
            return True
        if said in {"", "n", "no"}:
            return False
        tell(_("Type y for yes or n for no."))
