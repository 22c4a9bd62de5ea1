"""What is in a central, read without its code."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

Dump = dict[str, list[tuple[Any, ...]]]


def dump(path: Path, *skip: str) -> Dump:
    """Every row of every table but `skip`."""
    connection = sqlite3.connect(path)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")]
    rows = {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names if name not in skip}
    connection.close()
    return rows


def spoil(path: Path, statement: str, *values: Any) -> None:
    """Change a central behind its back."""
    connection = sqlite3.connect(path)
    with connection:
        assert connection.execute(statement, values).rowcount > 0
    connection.close()
