"""One line of the check-up, and how it bears on fieldwork."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How a finding bears on fieldwork."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check-up."""

    check: str
    grade: Grade
    what: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return {"check": self.check, "grade": self.grade, "what": self.what, "advice": self.advice}
