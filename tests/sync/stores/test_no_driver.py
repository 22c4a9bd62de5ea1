"""A central on SQLite needs no client of PostgreSQL, and who names a database without one is told what to install."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import sys
sys.modules["psycopg"] = None  # as where only the base dependencies are installed
from pathlib import Path
from sync.place import NoDriverError, Place, open_central
for say in (lambda: Place.named("postgresql://db.example/survey"), lambda: Place(dsn="dbname=survey").store()):
    try:
        say()
    except NoDriverError as error:
        assert "psycopg" in error.message and "[central]" in error.advice, error
    else:
        raise AssertionError
with open_central(Path(sys.argv[1])) as central:
    assert central.status().counts.entries == 0
"""


def test_without_the_driver_only_postgresql_is_refused(tmp_path: object) -> None:
    """In words that name the part to install; SQLite works."""
    found = subprocess.run([sys.executable, "-c", WITHOUT, str(tmp_path)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_the_driver_is_what_is_missing(tmp_path: object) -> None:
    """Control: with it, nothing is refused before a server is asked."""
    here = WITHOUT.replace('sys.modules["psycopg"] = None', "pass")
    found = subprocess.run([sys.executable, "-c", here, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "AssertionError" in found.stderr
