"""Where state lives: FIELDSURVEY_HOME, or the platform's place for application data."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder that holds everything this installation keeps. Made private (0700) on first use."""
    given = os.environ.get("FIELDSURVEY_HOME")
    folder = Path(given) if given else Path(platformdirs.user_data_dir("fieldsurvey", appauthor=False))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def vault_path() -> Path:
    """A laptop's encrypted database."""
    return home() / "vault.db"


def pinned_project_path() -> Path:
    """The project a laptop trusts."""
    return home() / "project.fsp"


def steward_dir() -> Path:
    """The folder of those who run a project: its signed file and its passphrase-protected keys."""
    return home() / "steward"


def central_path() -> Path:
    """Central's SQLite file."""
    return home() / "central.db"


def needs_dir() -> Path:
    """What the HMU opened (encrypted) and what it published."""
    return home() / "needs"
