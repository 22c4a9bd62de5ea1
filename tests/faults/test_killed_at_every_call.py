"""SIGKILL before every SQL statement and every file call: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are POSIX")
ROOT = Path(__file__).resolve().parents[2]
WORK = ["answer", "finalise", "attach", "export", "import", "collect", "join", "take", "hand"]


def tour(day: str, folder: Path, stride: int) -> list[dict[str, Any]]:
    """What `killing` found at every `stride`-th call."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.faults.killing", day, str(folder), str(stride)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("day", WORK)
def test_killed_at_some_calls(day: str, tmp_path: Path) -> None:
    """A sample: after each kill the work is looked at, done again, and complete."""
    kills = tour(day, tmp_path, 31 if day in {"take", "hand"} else 11)
    assert [kill for kill in kills if kill["wrong"]] == []
    assert len(kills) >= 3


@pytest.mark.long
@pytest.mark.parametrize("day", WORK)
def test_killed_at_every_call(day: str, tmp_path: Path) -> None:
    """At every call; SQL and files were both among them."""
    kills = tour(day, tmp_path, 1)
    print(f"{day}: {len(kills)} kills")
    assert [kill for kill in kills if kill["wrong"]] == []
    calls = {kill["call"].split()[1] for kill in kills}
    wanted = {"answer": {"sql"}, "finalise": {"sql"}, "take": {"file"}, "hand": {"file"}}  # a relay has no database
    assert calls >= wanted.get(day, {"sql", "file"})
    assert [kill["number"] for kill in kills] == list(range(1, len(kills) + 1))


def test_the_control_that_speaks_too_early_is_caught(tmp_path: Path) -> None:
    """Control: a program that says "sealed" before COMMIT is found out."""
    kills = tour("control", tmp_path, 7)
    assert any("said that it is sealed" in kill["wrong"] for kill in kills)
