"""Documents that drift fail: links lead somewhere, and every test that a promise names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("forms/**/*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
NAMED = re.compile(r"`(?:(tests/[\w/]+\.py)::)?(test_\w+)`")


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


def test_every_promise_has_its_test() -> None:
    """Each test named in docs/security.md exists."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert len(NAMED.findall(text)) > 20
    assert missing_tests(text) == []


def test_the_search_finds_what_is_missing() -> None:
    """Control: a planted link and a planted test are reported."""
    assert broken_links(ROOT / "README.md", "[a](docs/nowhere.md) [b](README.md)") == ["docs/nowhere.md"]
    planted = "`tests/house/test_docs.py::test_nobody_wrote` `test_links_lead_somewhere`"
    assert missing_tests(planted) == ["tests/house/test_docs.py::test_nobody_wrote"]
