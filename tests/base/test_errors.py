"""Errors are words for people: every class of every room has a template and a hint that render."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import string
from pathlib import Path

import fieldsurvey
import sync
from fieldsurvey.base.errors import FieldsurveyError, InputError, RefusedError, StorageError, UntrustedError, render
from fieldsurvey.base.files import NotWritableError
from fieldsurvey.base.i18n import set_language
from fieldsurvey.records.errors import TERMS, ContainerError
from sync.errors import BATCH_TERMS

BRANCHES = {FieldsurveyError, InputError, UntrustedError, StorageError, RefusedError}


def all_errors() -> list[type[FieldsurveyError]]:
    """Every error class of the program."""
    for package in (fieldsurvey, sync):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    seen: list[type[FieldsurveyError]] = []
    waiting = [FieldsurveyError]
    while waiting:
        one = waiting.pop()
        seen.append(one)
        waiting.extend(one.__subclasses__())
    return [e for e in seen if e not in BRANCHES and e.__module__.startswith(("fieldsurvey", "sync"))]


def test_every_error_says_what_to_do_next() -> None:
    """Each leaf has words for what happened and a hint; an abstract one is the parent of another."""
    leaves = [e for e in all_errors() if not e.__subclasses__()]
    silent = [e.__qualname__ for e in leaves if e.template == FieldsurveyError.template or not e.hint]
    assert leaves
    assert silent == []


def test_codes_are_unique() -> None:
    """A code names one error."""
    codes = [e.code for e in all_errors() if "code" in vars(e)]
    assert sorted(codes) == sorted(set(codes))


def test_an_error_renders_with_its_details() -> None:
    """Braces of message and hint are filled from the keyword arguments."""

    class PlantedError(InputError):
        code = "test.planted"
        template = "{place} is wrong."
        hint = "Mend {place}."

    shown = render(PlantedError(place="row 3"))
    assert shown.as_text() == "row 3 is wrong.\nMend row 3."
    assert shown.as_dict()["error"] == "test.planted"
    assert [f for _, f, _, _ in string.Formatter().parse(PlantedError.template) if f] == ["place"]


def test_what_an_error_names_is_said_in_the_users_language() -> None:
    """Kinds and reasons are words of ours; names are not, though they look like one. Programs get the code."""
    error = ContainerError(kind="batch", reason="truncated")
    set_language("es")
    try:
        assert error.message == "Este archivo de fieldsurvey («lote») no está entero: está cortado."
        assert "en batch: " in NotWritableError(place="batch").message
    finally:
        set_language(None)
    assert error.details == {"kind": "batch", "reason": "truncated"}


def test_every_reason_that_is_given_is_a_term() -> None:
    """Of the errors whose reasons are translated: every literal in the program is marked for the catalogue."""
    known = {*TERMS, *BATCH_TERMS}
    given = {
        str(word.value.value)
        for room in (fieldsurvey, sync)
        for path in Path(str(room.__path__[0])).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"ContainerError", "BatchError", "LogError"}
        for word in node.keywords
        if word.arg == "reason" and isinstance(word.value, ast.Constant)
    }
    assert {"truncated", "chain", "records and entries differ"} <= given
    assert given - known == set()
