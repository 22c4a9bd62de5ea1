"""Documents that drift fail: links lead somewhere, and every test that a promise names exists."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from fieldsurvey.cli.main import GROUPS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("forms/**/*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
NAMED = re.compile(r"`(?:(tests/[\w/]+\.py)::)?(test_\w+)`")


COMMANDS = re.compile(r"`fieldsurvey ([a-z][^`]*)`")


def unknown_commands(text: str) -> list[str]:
    """Commands of `text` that do not exist, or that have no such option."""
    return [line for line in COMMANDS.findall(text) if not _is_command(shlex.split(line))]


def _is_command(words: list[str]) -> bool:
    if words[0] not in GROUPS:
        return False
    found: Any = typer.main.get_command(importlib.import_module(GROUPS[words[0]]).app)
    for word in words[1:]:
        below = getattr(found, "commands", None)
        if below is None:
            break
        if word not in below:
            return False
        found = below[word]
    known = {option for parameter in getattr(found, "params", ()) for option in parameter.opts}
    return all(word in known for word in words if word.startswith("--"))


def broken_links(document: Path, text: str) -> list[str]:
    """Relative links of `text` that lead nowhere from where `document` lies."""
    return [link for link in LINK.findall(text) if not (document.parent / link).exists()]


def missing_tests(text: str) -> list[str]:
    """Tests that a document names and that are not there; a bare name belongs to the file named before it."""
    missing, file = [], ""
    for path, name in NAMED.findall(text):
        file = path or file
        source = ROOT / file
        tree = ast.parse(source.read_text(encoding="utf-8")) if file and source.is_file() else ast.Module([], [])
        if name not in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}:
            missing.append(f"{file}::{name}")
    return missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link is a file or folder of the project."""
    assert broken_links(document, document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("document", ["security.md", "privacy.md"])
def test_every_promise_has_its_test(document: str) -> None:
    """Each test named in docs/security.md and docs/privacy.md exists."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    assert len(NAMED.findall(text)) > 20
    assert missing_tests(text) == []


def test_every_threat_has_a_test_named_after_it() -> None:
    """The sixteen rows of the first table of docs/security.md, each with its own test in tests/threats."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    table = text.partition("| threat | promise | its test |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1:4] for line in table.splitlines()[2:]]
    assert len(rows) == 16
    for threat, _promise, test in rows:
        slug = re.sub(r"[^a-z0-9]+", "_", threat.strip().lower())
        assert re.search(rf"`tests/threats/\w+\.py::test_{slug}`", test), threat


@pytest.mark.parametrize("document", ["incident.md", "privacy.md"])
def test_every_command_exists(document: str) -> None:
    """Each command of the pages that are read when something goes wrong is one, with the options it is given."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    assert len(COMMANDS.findall(text)) > 10
    assert unknown_commands(text) == []


def test_the_search_finds_what_is_missing() -> None:
    """Control: a planted link and a planted test are reported."""
    assert broken_links(ROOT / "README.md", "[a](docs/nowhere.md) [b](README.md)") == ["docs/nowhere.md"]
    assert unknown_commands("`fieldsurvey project explode` `fieldsurvey doctor --loud`") == [
        "project explode", "doctor --loud",
    ]  # fmt: skip
    planted = "`tests/house/test_docs.py::test_nobody_wrote` `test_links_lead_somewhere`"
    assert missing_tests(planted) == ["tests/house/test_docs.py::test_nobody_wrote"]
