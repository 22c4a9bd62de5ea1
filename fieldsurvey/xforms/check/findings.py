"""What a check says of a form: findings, each with its place and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fieldsurvey.xforms.contract import Origin


class Severity(StrEnum):
    """`error`: the form cannot be answered or loses answers; `warning`: surely not meant; `note`: worth a look."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `code` is stable (`choice.unknown`), `ref` the path of the question it is about, or ""."""

    severity: Severity
    code: str
    message: str
    remedy: str = ""
    origin: Origin | None = None
    ref: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "severity": str(self.severity),
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "ref": self.ref,
            **place(self.origin),
        }


def place(origin: Origin | None) -> dict[str, Any]:
    """Sheet, row and column as JSON keys; none when the origin is not known."""
    return {"sheet": origin.sheet, "row": origin.row, "column": origin.column} if origin is not None else {}


def error(code: str, message: str, remedy: str = "", origin: Origin | None = None, ref: str = "") -> Finding:
    """A finding that makes the check fail."""
    return Finding(Severity.ERROR, code, message, remedy, origin, ref)


def warning(code: str, message: str, remedy: str = "", origin: Origin | None = None, ref: str = "") -> Finding:
    """A finding that is surely not meant."""
    return Finding(Severity.WARNING, code, message, remedy, origin, ref)


def note(code: str, message: str, remedy: str = "", origin: Origin | None = None, ref: str = "") -> Finding:
    """A finding worth a look."""
    return Finding(Severity.NOTE, code, message, remedy, origin, ref)
