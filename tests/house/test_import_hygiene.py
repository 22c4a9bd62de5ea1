"""Arrows downward at run time too: each room is imported in a fresh interpreter, then `sys.modules` is read."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ORDER = [
    ["fieldsurvey.cli"],
    ["fieldsurvey.tui"],
    ["fieldsurvey.needs"],
    ["sync"],
    ["fieldsurvey.fieldwork"],
    ["fieldsurvey.vault"],
    ["fieldsurvey.project"],
    ["fieldsurvey.xforms", "fieldsurvey.records"],
    ["fieldsurvey.base"],
]
ROOMS = [room for level in ORDER for room in level]
LISTING = """
import importlib, json, pkgutil, sys
room = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(json.dumps(sorted(sys.modules)))
"""


def modules_after(room: str, program: str = LISTING) -> set[str]:
    """Names in sys.modules after a fresh interpreter imported every module of `room`."""
    done = subprocess.run([sys.executable, "-c", program, room], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def rooms_loaded(modules: set[str]) -> set[str]:
    """The rooms among `modules`."""
    return {room for room in ROOMS for name in modules if name == room or name.startswith(room + ".")}


def allowed(room: str) -> set[str]:
    """The room itself and those below its level."""
    level = next(i for i, names in enumerate(ORDER) if room in names)
    return {room, *(name for names in ORDER[level + 1 :] for name in names)}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_loads_only_rooms_below_it(room: str) -> None:
    """Importing all of a room never pulls in one beside or above it."""
    assert rooms_loaded(modules_after(room)) <= allowed(room)


def test_the_search_finds_a_room_that_looks_up() -> None:
    """Control: a program in the base room's place that imports the screen is seen to do so."""
    planted = LISTING.replace("print(", "import fieldsurvey.tui\nprint(")
    assert not rooms_loaded(modules_after("fieldsurvey.base", planted)) <= allowed("fieldsurvey.base")


@pytest.mark.parametrize(
    ("room", "banned"),
    [
        ("fieldsurvey.xforms", {"textual", "sqlite3", "sqlite_utils", "cryptography", "lxml", "pyxform"}),
        ("fieldsurvey.records", {"textual", "sqlite3", "sqlite_utils"}),
        ("forms", {"fieldsurvey", "sync"}),
    ],
)
def test_pure_rooms_stay_pure(room: str, banned: set[str]) -> None:
    """The engine knows no screen, storage or crypto (and loads pyxform only to convert); records know no storage."""
    assert not {name.partition(".")[0] for name in modules_after(room)} & banned


def test_unlock_is_painted_before_the_heavy_libraries_load() -> None:
    """The start path costs what a bare Textual app costs: sqlite-utils, pyxform and the HMU's libraries stay off it."""
    program = (
        "import json, sys\nimport fieldsurvey.cli.main\nimport fieldsurvey.tui\nprint(json.dumps(sorted(sys.modules)))"
    )
    loaded = {name.partition(".")[0] for name in modules_after("-", program)}
    assert not loaded & {"sqlite_utils", "pyxform", "polars", "matplotlib", "jinja2", "xlsxwriter"}
