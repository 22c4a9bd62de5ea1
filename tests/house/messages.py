"""Collects every text that a person can read; `python -m tests.house.messages` adds the new ones to es.

Texts: arguments of `_`, `gettext`, `n_`, `ngettext`; the class attributes `template` and `hint` of errors; in the
command line, the docstrings of commands and `help=`.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "fieldsurvey" / "locale" / "es" / "LC_MESSAGES" / "fieldsurvey.po"
CALLS = {"_", "gettext", "n_", "ngettext"}
ATTRIBUTES = {"template", "hint"}


@dataclass(frozen=True)
class Message:
    """A message id, its plural if any, and the module it is in."""

    text: str
    plural: str | None
    where: str


def sources() -> Iterator[Path]:
    """The modules whose texts people read."""
    for room in ("fieldsurvey", "sync"):
        yield from sorted((ROOT / room).rglob("*.py"))


def in_module(path: Path) -> Iterator[Message]:
    """The texts of one module."""
    where = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    registered = set(_registered(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if "cli" in path.parts:
                yield from (Message(text, None, where) for text in _helps(node))
            if name in CALLS and texts and texts[0]:
                plural = texts[1] if name == "ngettext" and len(texts) > 1 else None
                yield Message(texts[0], plural, where)
        elif isinstance(node, ast.FunctionDef) and (
            node.name in registered or any(_is_command(d) for d in node.decorator_list)
        ):
            text = ast.get_docstring(node)
            if text:
                yield Message(text, None, where)
        elif isinstance(node, ast.ClassDef):
            for statement in node.body:
                targets = statement.targets if isinstance(statement, ast.Assign) else ()
                names = {t.id for t in targets if isinstance(t, ast.Name)}
                value = statement.value if isinstance(statement, ast.Assign) else None
                if names & ATTRIBUTES and isinstance(value, ast.Constant) and value.value:
                    yield Message(str(value.value), None, where)


def _helps(call: ast.Call) -> Iterator[str]:
    """The constant `help=` of an option, argument or group, as the command line shows it."""
    for keyword in call.keywords:
        if keyword.arg == "help" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str):
            yield inspect.cleandoc(keyword.value.value)


def _is_command(decorator: ast.expr) -> bool:
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(call, ast.Attribute) and call.attr in {"command", "callback"}


def _registered(tree: ast.Module) -> Iterator[str]:
    """The functions of `app.command(…)(command(FUNCTION))`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Call) and _is_command(node.func):
            yield from (found.id for given in node.args for found in ast.walk(given) if isinstance(found, ast.Name))


def collect() -> dict[str, Message]:
    """Every text by message id."""
    found: dict[str, Message] = {}
    for path in sources():
        for message in in_module(path):
            if found.get(message.text) is None or message.plural:
                found[message.text] = message
    return found


def main() -> None:
    """Add what is new, drop what is gone, keep what is translated."""
    book = polib.pofile(str(CATALOGUE)) if CATALOGUE.exists() else polib.POFile(wrapwidth=118)
    book.metadata = {
        "Project-Id-Version": "fieldsurvey",
        "Language": "es",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    wanted = collect()
    kept = {entry.msgid: entry for entry in book if entry.msgid in wanted}
    fresh = polib.POFile(wrapwidth=118)
    fresh.metadata = book.metadata
    for text, message in sorted(wanted.items(), key=lambda item: (item[1].where, item[0])):
        entry = kept.get(text) or polib.POEntry(msgid=text)
        entry.occurrences = [(message.where, "")]
        if message.plural and not entry.msgid_plural:
            entry.msgid_plural = message.plural
            entry.msgstr_plural = {0: "", 1: ""}
        fresh.append(entry)
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    fresh.save(str(CATALOGUE))
    sys.stdout.write(f"{len(fresh)} messages, {len(fresh.untranslated_entries())} to translate\n")


if __name__ == "__main__":
    main()
