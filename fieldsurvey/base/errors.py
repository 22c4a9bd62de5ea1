"""The one root of expected failures, and the one renderer.

    FieldsurveyError
    ├── InputError      what the user or a file gave cannot be used (workbook, steps, table)
    ├── UntrustedError  bytes from outside are malformed, altered, foreign or out of bounds
    ├── StorageError    disk, stick, permissions, a database that is held or gone
    ├── RefusedError    well understood and not allowed (policy, signature, expired, not enrolled)
    └── UnlockError     a passphrase that does not open; says nothing about why

Rooms derive their own classes from these branches. Exceptions are for what a caller cannot expect;
validity, relevance and sync state are values. A bug is not a FieldsurveyError and must show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fieldsurvey.base.i18n import gettext
from fieldsurvey.base.visible import filled


class FieldsurveyError(Exception):
    """Something the program foresaw. `code` is stable; `template` and `hint` are gettext message ids.

    Subclasses set `code`, `template` and `hint`; keyword arguments fill the braces of both, made visible; a tuple or
    list becomes lines. A hint says what is safe and what to do next. `details` (the keyword arguments) must never hold
    an answer or a passphrase. `terms` names those that are words of ours, message ids too: they are translated.
    `afterwards`: sentences, translated and made visible, of what was done all the same; they come after the hint.
    """

    code: ClassVar[str] = "error"
    template: ClassVar[str] = "Something went wrong."
    hint: ClassVar[str] = ""
    terms: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **details: Any) -> None:
        super().__init__(self.code)
        self.details = details
        self.afterwards: list[str] = []

    @property
    def message(self) -> str:
        """What happened, in the user's language."""
        return self._filled(self.template)

    @property
    def advice(self) -> str:
        """What is safe and what to do next, in the user's language; may be empty."""
        return " ".join([*([self._filled(self.hint)] if self.hint else []), *self.afterwards])

    def _filled(self, message: str) -> str:
        ours = {name: gettext(str(self.details[name])) for name in self.terms & self.details.keys()}
        return filled(gettext(message), **{**self.details, **ours})

    def __str__(self) -> str:
        return self.message


class InputError(FieldsurveyError):
    """What the user or a file gave cannot be used."""

    code = "input"


class UntrustedError(FieldsurveyError):
    """Bytes from outside are malformed, altered, foreign or out of bounds: refused whole."""

    code = "untrusted"


class StorageError(FieldsurveyError):
    """Disk, stick, permissions, a database that is held or gone."""

    code = "storage"


class RefusedError(FieldsurveyError):
    """Well understood, and not allowed."""

    code = "refused"


class UnlockError(FieldsurveyError):
    """A passphrase that does not open. One sentence for every cause: no oracle."""

    code = "unlock"
    template = "That passphrase does not open this."
    hint = "Nothing has changed. Check the words, their order and the keyboard's language, and try again."


@dataclass(frozen=True, slots=True)
class Rendered:
    """An error as a front end shows it."""

    code: str
    message: str
    advice: str

    def as_text(self) -> str:
        """One or two lines."""
        return f"{self.message}\n{self.advice}" if self.advice else self.message

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return {"error": self.code, "message": self.message, "advice": self.advice}


def render(error: FieldsurveyError) -> Rendered:
    """The only place where an error becomes words."""
    return Rendered(error.code, error.message, error.advice)
