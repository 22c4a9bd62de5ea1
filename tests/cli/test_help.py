"""`--help` teaches, all of it in one language, what typer says itself included. The control: typer alone."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
import typer.rich_utils

from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli.main import GROUPS
from fieldsurvey.cli.translated import translated

TYPERS = ("Usage:", "[OPTIONS]", "COMMAND [ARGS]", "Show this message", "default:", "[required]", "<path>", "<bool>")
SET = ("ARGUMENTS_PANEL_TITLE", "OPTIONS_PANEL_TITLE", "COMMANDS_PANEL_TITLE", "ERRORS_PANEL_TITLE", "DEFAULT_STRING",
       "REQUIRED_LONG_STRING", "RICH_HELP")  # fmt: skip


@pytest.fixture(autouse=True)
def _spanish(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For these tests alone; typer keeps its words in its module."""
    for name in SET:
        monkeypatch.setattr(typer.rich_utils, name, getattr(typer.rich_utils, name))
    monkeypatch.setenv("COLUMNS", "80")
    set_language("es")
    yield
    set_language(None)


def leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command below, by the words that name it."""
    below = getattr(command, "commands", {})
    for name, one in below.items():
        yield from leaves(one, (*words, name))
    if not below:
        yield words


def said(command: Any, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """What `--help` prints."""
    with pytest.raises(SystemExit):
        command(args=[*words, "--help"], prog_name="fieldsurvey")
    return capsys.readouterr().out


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_nothing_of_it_is_in_another_language(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command of every group, and the groups themselves."""
    command = translated(importlib.import_module(GROUPS[group]).app)
    for words in ((), *leaves(command)):
        text = said(command, words, capsys)
        assert "Uso: fieldsurvey" in text
        assert [word for word in TYPERS if word in text] == [], words


@pytest.mark.parametrize("group", ["sync", "central"])
def test_every_command_of_a_supervisor_has_an_example(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And names its values as the sentences do: MEMORIA, not STICK."""
    command = translated(importlib.import_module(GROUPS[group]).app)
    for words in leaves(command):
        text = said(command, words, capsys)
        assert f"Ejemplo: fieldsurvey {group} {' '.join(words)}" in text
        assert not {"STICK", "FOLDER", "FILE"} & set(text.replace("[", " ").replace("]", " ").split())


def test_the_control_typer_alone_speaks_english(capsys: pytest.CaptureFixture[str]) -> None:
    """What is looked for would be there."""
    command = typer.main.get_command(importlib.import_module(GROUPS["sync"]).app)
    text = said(command, ("log",), capsys)
    assert {"Usage:", "[OPTIONS]", "Show this message", "<path>", "<bool>"} <= {word for word in TYPERS if word in text}
