"""The report's own words, one TOML file a language, and how numbers, shares, dates and lists are written in it.

A report is written in the language its readers ask for, whatever the language of the program that makes it; therefore
its words lie here, side by side, and not in the program's catalogue.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fieldsurvey.needs.report.errors import NoWordsError

LANGUAGES: Final = ("es", "en")


class Words:
    """The words of one language: `words("top.title", unit=...)`. A key that is missing is a KeyError: a bug."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise NoWordsError(language=language, known=", ".join(LANGUAGES))
        self.language = language
        self._texts = _read(language)

    def __call__(self, key: str, **values: object) -> str:
        return str(self._find(key)).format(**values)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        section, _, name = key.partition(".")
        return name in self._texts.get(section, {})

    def lines(self, key: str, **values: object) -> list[str]:
        """A text that is a list."""
        return [str(line).format(**values) for line in self._find(key)]

    def number(self, n: int) -> str:
        """With the language's mark for thousands."""
        return f"{n:,}".replace(",", self("format.thousands"))

    def whole(self, share: float) -> str:
        """A share from 0 to 100 as a whole number without its sign; halves go up."""
        return str(int(share + 0.5))

    def percent(self, share: float, *, capped: bool = False) -> str:
        """A share from 0 to 100."""
        if capped:
            return self("format.capped", n=self.whole(share))
        if 0 < share < 1:
            return self("format.below_one")
        return self("format.percent", n=self.whole(share))

    def day(self, when: date) -> str:
        """A date in words."""
        months = self.lines("format.months")
        return self("format.date", day=when.day, month=months[when.month - 1], year=when.year)

    def listed(self, items: Sequence[str]) -> str:
        """a, b and c."""
        if len(items) < 2:
            return "".join(items)
        return self("format.and", first=", ".join(items[:-1]), last=items[-1])

    def _find(self, key: str) -> Any:
        section, _, name = key.partition(".")
        return self._texts[section][name]


@cache
def _read(language: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(files(__package__).joinpath("words", f"{language}.toml").read_text("utf-8"))
