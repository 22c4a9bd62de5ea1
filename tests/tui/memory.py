"""Interviews of the real engine over a synthetic form with every type, in a Work that keeps nothing on the disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

from fieldsurvey.fieldwork.cards import SealedCard, State
from fieldsurvey.fieldwork.stripping import CannotStripError
from fieldsurvey.xforms.contract import Change, Form, Interview, Place
from fieldsurvey.xforms.form import load_form

DATA = Path(__file__).parent / "data"
NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
LANGUAGES = ("Español (es)", "English (en)")
T = TypeVar("T")


@cache
def form(name: str = "types") -> Form:
    """`types.md` or `editors.md`, compiled by pyxform to XML."""
    return load_form((DATA / f"{name}.xml").read_bytes())


def interview(name: str = "types") -> Interview:
    """A blank one, in Spanish, at noon of 5 March 2026."""
    return form(name).start(now=lambda: NOON, timezone="UTC", seed=1, language=LANGUAGES[0])


class MemoryWork:
    """`fieldwork.Work` without a vault. `fail` makes changes raise once they are made, as a full disk does."""

    title = "Formulario de prueba"

    def __init__(self, live: Interview | None = None) -> None:
        self.interview = live or interview()
        self.fail: Exception | None = None
        self.pending = False
        self.ended = ""
        self.files = False

    @property
    def saved(self) -> bool:
        return not self.pending

    def save(self) -> None:
        self._durable(lambda: None)

    def _durable(self, change: Callable[[], T]) -> T:
        result = change()
        self.pending = self.fail is not None
        if self.fail is not None:
            raise self.fail
        return result

    def answer(self, ref: str, value: str | None) -> list[Change]:
        return self._durable(lambda: self.interview.answer(ref, value))

    def takes_file(self, ref: str) -> bool:
        return self.files and self.interview.question(ref).type == "image"

    def attach(self, ref: str, source: Path) -> list[Change]:
        if source.name == "bad":
            raise CannotStripError(reason="synthetic")
        return self.answer(ref, f"kept-{source.name}")

    def next(self) -> Place:
        return self._durable(self.interview.next)

    def previous(self) -> Place:
        return self._durable(self.interview.previous)

    def go_to(self, ref: str) -> Place:
        return self._durable(lambda: self.interview.go_to(ref))

    def add_repeat(self, ref: str) -> str:
        return self._durable(lambda: self.interview.add_repeat(ref))

    def remove_repeat(self, ref: str, position: int) -> list[Change]:
        return self._durable(lambda: self.interview.remove_repeat(ref, position))

    def set_language(self, language: str) -> None:
        self._durable(lambda: self.interview.set_language(language))

    def set_note(self, ref: str, text: str) -> None:
        self._durable(lambda: self.interview.set_note(ref, text))

    def accept_warning(self, ref: str, reason: str) -> None:
        self._durable(lambda: self.interview.accept_warning(ref, reason))

    practice = False
    completed = False

    def complete(self) -> SealedCard:
        self.interview.finalise()
        self.ended = "sealed"
        return SealedCard(
            1, "0" * 32, 0, 1024, State.SEALED, withdrawal_code="ABCD-EFGH", withdrawal_words="uno dos tres"
        )

    def discard(self) -> None:
        self.ended = "discarded"

    def close(self) -> None:
        self.ended = "closed"
