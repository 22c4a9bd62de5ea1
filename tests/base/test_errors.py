"""Errors are words for people: every class of every room has a template and a hint that render."""

from __future__ import annotations

import importlib
import pkgutil
import string

import fieldsurvey
import sync
from fieldsurvey.base.errors import FieldsurveyError, InputError, RefusedError, StorageError, UntrustedError, render

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
