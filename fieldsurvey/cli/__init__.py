"""The command line. Groups load only when called, so that `fieldsurvey` paints Unlock first and fast."""

from __future__ import annotations

from fieldsurvey.cli.main import main

__all__ = ["main"]
