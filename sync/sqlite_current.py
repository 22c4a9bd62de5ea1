"""Whether central's tables on SQLite are those of this version, asked without what makes them.

sqlite-utils, which does, costs 15 MiB and 0.1 s: a central that is up to date, as nearly all are, needs none of it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final

SCHEMA: Final = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%sqlite%' ORDER BY name"
_RECORDED: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlite_migrations'"
_APPLIED: Final = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'central' ORDER BY rowid"
CURRENT: Final = "a5ea5ca8face4322439f85497e294165d5f149e22cd7c845bba31cf7defc67ac"
"""SHA-256 of the tables and of the migrations that made them. A test compares it with what the migrations make."""


def fingerprint(rows: Callable[[str], Iterator[tuple[Any, ...]]]) -> str:
    """Of a database's tables and migrations; "" where no migrations are recorded. Raises what `rows` raises."""
    if not list(rows(_RECORDED)):
        return ""
    try:
        applied = list(rows(_APPLIED))
    except sqlite3.Error:  # a damaged record of migrations: not this version's, and the long way names it
        return ""
    return hashlib.sha256(repr((applied, list(rows(SCHEMA)))).encode("utf-8", "surrogatepass")).hexdigest()


def is_current(rows: Callable[[str], Iterator[tuple[Any, ...]]]) -> bool:
    """Whether nothing is to be migrated, refused or looked at more closely. `rows` runs a query."""
    return fingerprint(rows) == CURRENT
