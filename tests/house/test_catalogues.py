"""Every text a person can read is there in Spanish, with the same braces."""

from __future__ import annotations

import importlib
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
import pytest
import typer
import typer.main

from fieldsurvey.cli.main import GROUPS
from tests.house import messages
from tests.house.messages import CATALOGUE, collect, in_module


def fields(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_everything_is_translated() -> None:
    """No message of the sources is missing from the Spanish catalogue, and none there is stale."""
    book = {entry.msgid: entry for entry in polib.pofile(str(CATALOGUE))}
    wanted = collect()
    missing = [m.text for m in wanted.values() if m.text not in book or not book[m.text].translated()]
    assert missing == []
    assert sorted(set(book) - set(wanted)) == []


def test_translations_keep_the_braces() -> None:
    """A translation can use only the values that its message is given; none may break at run time."""
    wrong = []
    for entry in polib.pofile(str(CATALOGUE)):
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            allowed = fields(entry.msgid) | fields(entry.msgid_plural)
            if text and not fields(text) <= allowed:
                wrong.append(entry.msgid)
    assert wrong == []


def helps(command: Any, path: str) -> Iterator[tuple[str, str]]:
    """(command, text) of everything that its help shows, and its subcommands' helps."""
    texts = [getattr(command, "help", None), *(getattr(option, "help", None) for option in command.params)]
    yield from ((path, text) for text in texts if text)
    for name, below in getattr(command, "commands", {}).items():
        yield from helps(below, f"{path} {name}")


def test_every_help_is_a_message() -> None:
    """What the program shows for --help, asked of the program itself, is all in the catalogue: commands that are put
    beside others by a call too. Control: those are among what is looked at."""
    shown = [
        said
        for group, module in GROUPS.items()
        for said in helps(typer.main.get_command(importlib.import_module(module).app), group)
    ]
    wanted = collect()
    assert {path for path, text in shown if text not in wanted} == set()
    assert {"needs return", "needs returned", "sync push", "device people add"} <= {path for path, _text in shown}


def test_the_collection_sees_calls_plurals_and_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a planted module gives its texts."""
    module = tmp_path / "planted.py"
    calls = '_("one")\nngettext("a {n}", "many {n}", 2)\n'
    calls += 'def later():\n    """d"""\n\ndef other():\n    """o"""\n\napp.command("x")(command(later))\n'
    module.write_text(calls + 'class E:\n    template = "t"\n    hint = ("h" "i")\n    code = "c"\n')
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    found = {m.text: m.plural for m in in_module(module)}
    assert found == {"one": None, "a {n}": "many {n}", "t": None, "hi": None, "d": None}
