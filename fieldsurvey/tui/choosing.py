"""Choosing by typing: the code, letters that filter, or neither. The logic of lists, without a screen.

Codes are the choices' own values when all of them are numbers, else their place from 1. Letters match with case and
accents ignored; every word typed must be found, choices that begin with it come first. At most 200 rows are given to
a screen: laying out 20,000 takes a second, filtering them 1 ms.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from fieldsurvey.tui.answers import choice_label
from fieldsurvey.xforms.contract import Choice

ROWS = 200


def fold(text: str) -> str:
    """`text` without case and accents, for comparing: "Ángel" and "ANGEL" are one, and so are "ñ" and "n"."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


class Chooser:
    """The options of one question, what is chosen, and what has been typed so far."""

    def __init__(self, choices: Sequence[Choice], *, multiple: bool, value: str | None) -> None:
        self.choices = tuple(choices)
        self.multiple = multiple
        self.typed = ""
        self.chosen: list[str] = (value or "").split() if multiple else ([value] if value else [])
        numeric = bool(choices) and all(c.value.isascii() and c.value.isdigit() for c in choices)
        self.codes = tuple(c.value if numeric else str(i) for i, c in enumerate(self.choices, 1))
        self._by_code = {code: i for i, code in enumerate(self.codes)}
        self._folded: list[str] | None = None

    @property
    def value(self) -> str | None:
        """What would be stored: values in the form's order, separated by a space; None when nothing is chosen."""
        if not self.multiple:
            return self.chosen[0] if self.chosen else None
        offered = [c.value for c in self.choices if c.value in self.chosen]
        gone = [v for v in self.chosen if v not in set(offered)]
        return " ".join(offered + gone) or None

    @property
    def by_code(self) -> bool:
        """Whether what is typed so far is a code, or the beginning of one."""
        return bool(self.typed) and any(code.startswith(self.typed) for code in self.codes)

    @property
    def code_index(self) -> int | None:
        """The option whose code has been typed."""
        return self._by_code.get(self.typed)

    @property
    def code_is_whole(self) -> bool:
        """Whether no longer code begins with what is typed, so that nothing more need be waited for."""
        return sum(code.startswith(self.typed) for code in self.codes) == 1

    def matches(self) -> list[int]:
        """All options that fit what is typed, in the order to show; the screen lays out the first ROWS."""
        words = fold(self.typed).split()
        if not words or self.by_code:
            return list(range(len(self.choices)))
        if self._folded is None:
            self._folded = [fold(choice_label(c)) for c in self.choices]
        found = [i for i, text in enumerate(self._folded) if all(word in text for word in words)]
        return sorted(found, key=lambda i: not self._begins(i, words[0]))

    def rows(self) -> list[int]:
        """What a screen lays out: the first ROWS matches, and before them what is chosen further down."""
        found = self.matches()
        if len(found) <= ROWS:
            return found
        first = found[:ROWS]
        chosen = [i for i in found[ROWS:] if self.is_chosen(i)] if self.chosen else []
        return chosen + first

    def _begins(self, index: int, word: str) -> bool:
        text = (self._folded or [])[index]
        return text.startswith(word) or f" {word}" in text

    def type(self, character: str) -> None:
        """Add a character. Where nothing fits any more nothing is offered: a slip must not choose something else."""
        self.typed += character

    def rub_out(self) -> None:
        """Take the last typed character back."""
        self.typed = self.typed[:-1]

    def choose(self, index: int, *, back: bool = False) -> None:
        """Choose the option; one chosen already is taken back in a multiple question, in a single one with `back`.

        What was typed is done with.
        """
        value = self.choices[index].value
        if not self.multiple:
            self.chosen = [] if back and value in self.chosen else [value]
        elif value in self.chosen:
            self.chosen.remove(value)
        else:
            self.chosen.append(value)
        self.typed = ""

    def is_chosen(self, index: int) -> bool:
        """Whether the option is chosen."""
        return self.choices[index].value in self.chosen

    def first_chosen(self) -> int | None:
        """The first chosen option, where a list opens."""
        return next((i for i in range(len(self.choices)) if self.is_chosen(i)), None)
