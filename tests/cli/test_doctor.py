"""The check-up sees what is wrong, and says what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fieldsurvey.cli import checkup, known_answers
from fieldsurvey.cli.findings import Grade


def test_the_crypto_installed_here_gives_the_published_answers() -> None:
    """Every known answer holds."""
    assert known_answers.failures() == []


def test_a_wrong_answer_is_named() -> None:
    """Control: an algorithm that answers wrongly is reported by name."""
    planted: dict[str, Callable[[], bool]] = {"right": lambda: True, "planted": lambda: False}
    assert known_answers.failures(planted) == ["planted"]


@pytest.mark.parametrize(
    ("year", "grade"), [(1970, Grade.WARN), (2026, Grade.GOOD), (2039, Grade.GOOD), (2071, Grade.WARN)]
)
def test_an_impossible_clock_warns_and_stops_nothing(year: int, grade: Grade, tmp_path: Path) -> None:
    """1970 and the far future are warnings, never refusals."""
    assert [f.grade for f in checkup.check_clock(lambda: datetime(year, 6, 1, tzinfo=UTC), tmp_path)] == [grade]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_home_that_others_can_read_is_a_warning(tmp_path: Path) -> None:
    """Permissions that let other users look in are named."""
    tmp_path.chmod(0o755)
    assert Grade.WARN in [f.grade for f in checkup.check_disk(tmp_path)]
    tmp_path.chmod(0o700)
    assert Grade.WARN not in [f.grade for f in checkup.check_disk(tmp_path)]


def test_a_folder_that_shadows_ours_is_bad(tmp_path: Path) -> None:
    """A package called `sync` that is found before ours makes doctor leave with 1 and name it."""
    (tmp_path / "sync").mkdir()
    (tmp_path / "sync" / "__init__.py").touch()
    run = "import sys; sys.path.insert(0, sys.argv[1]); sys.argv = ['fieldsurvey', 'doctor', '--json']; "
    run += "from fieldsurvey.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", run, str(tmp_path)], capture_output=True, text=True, check=False)
    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert [f for f in said["findings"] if f["grade"] == "bad" and str(tmp_path) in f["what"]]
