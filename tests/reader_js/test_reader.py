"""A reader in JavaScript, written from docs/format.md alone with public libraries, opens every golden file.

It shares no code with fieldsurvey: where it reads what `expected.json` says, the page is enough to write a reader.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.records.make_golden import GOLDEN, make

HERE = Path(__file__).parent
PLACES, MANY_PLACES = 12, 1_500
"""How many bytes of each file are damaged, spread over it; the first is always among them."""


def run(command: tuple[str, ...], *arguments: str) -> Any:
    """What it prints; what it says when it fails is the test's message."""
    done = subprocess.run((*command, *arguments), capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_it_reads_every_golden_file(reader: tuple[str, ...]) -> None:
    """Each says to the JavaScript reader what it said to us, signatures, chains, sheets and rows included."""
    found = run(reader, str(GOLDEN))
    expected = json.loads((GOLDEN / "expected.json").read_bytes())
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


def test_it_reads_what_is_written_today(reader: tuple[str, ...], tmp_path: Path) -> None:
    """Not only the files of then."""
    made = make()
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    assert run(reader, str(tmp_path)) == json.loads(made["expected.json"])


def test_it_refuses_damage(reader: tuple[str, ...]) -> None:
    """Wherever a byte of a file is damaged, it is told, and in no other way than by refusing."""
    _all_refused(run(reader, str(GOLDEN), str(PLACES)))


@pytest.mark.long
def test_it_refuses_damage_in_many_places(reader: tuple[str, ...]) -> None:
    """Every byte of the small files, many of the large ones."""
    _all_refused(run(reader, str(GOLDEN), str(MANY_PLACES)))


def _all_refused(counts: dict[str, dict[str, int]]) -> None:
    assert counts.keys() == json.loads((GOLDEN / "expected.json").read_bytes()).keys()
    assert {name: one for name, one in counts.items() if one["refused"] != one["tried"] or not one["tried"]} == {}


def test_damage_that_is_not_refused_is_noticed(reader: tuple[str, ...], tmp_path: Path) -> None:
    """The control: a reader that takes everything is told apart."""
    folder = tmp_path / "reader"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("node_modules", ".*"))
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    main = (folder / "main.mjs").read_text()
    assert main.count('".card": card,') == 1
    (folder / "main.mjs").write_text(main.replace('".card": card,', '".card": () => null,'))
    counts = run((reader[0], str(folder / "main.mjs")), str(GOLDEN), "1")
    with pytest.raises(AssertionError, match=re.escape("device.card")):
        _all_refused(counts)


def test_it_has_nothing_of_ours() -> None:
    """It reads the golden files and public libraries only, at the versions that are locked."""
    sources = list(HERE.glob("*.mjs"))
    assert len(sources) >= 8
    named = json.loads((HERE / "package.json").read_text())["dependencies"]
    for source in sources:
        for place in re.findall(r'from "([^"]+)"', source.read_text()):
            package = re.match(r"(@[^/]+/)?[^/]+", place)
            assert place.startswith(("./", "node:")) or (package and package.group() in named), place
    lock = json.loads((HERE / "package-lock.json").read_text())["packages"]
    for name, version in named.items():
        locked = lock[f"node_modules/{name}"]
        assert (locked["version"], "resolved" in locked) == (version, False)
        assert locked["integrity"].startswith("sha512-")
        assert locked["license"] == "MIT"
