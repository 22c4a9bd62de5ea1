"""Every text a person can read is there in Spanish, with the same braces."""

from __future__ import annotations

import string
from pathlib import Path

import polib
import pytest

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


def test_the_collection_sees_calls_plurals_and_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a planted module gives its texts."""
    module = tmp_path / "planted.py"
    calls = '_("one")\nngettext("a {n}", "many {n}", 2)\n'
    module.write_text(calls + 'class E:\n    template = "t"\n    hint = ("h" "i")\n    code = "c"\n')
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    found = {m.text: m.plural for m in in_module(module)}
    assert found == {"one": None, "a {n}": "many {n}", "t": None, "hi": None}
