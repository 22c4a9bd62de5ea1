"""`fieldsurvey --plain`: one question a line, for screen readers and poor terminals. Everything an enumerator does.

It leads the same `Sitting` as the screen; commands are words after a slash, from the registry of actions. Textual is
never imported.
"""

from __future__ import annotations

from fieldsurvey.tui.plain.start import run

__all__ = ["run"]
