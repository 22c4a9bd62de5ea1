"""What places, groups, sectors, problems and answers are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fieldsurvey.needs.report.words import Words

# What an indicator's name begins with, and the list of labels that the rest of it belongs to.
_LISTS: Final = (
    ("need_", "problem"),
    ("top3_", "problem"),
    ("barrier_", "barrier"),
    ("why_not_", "barrier"),
    ("sector_", "sector"),
)
# Questions whose list of answers has another name.
_ASKED_WITH: Final = {"sex": "sex_gender", "recruited_by": "recruitment", "interview_language": "language"}
_REST: Final = "rest"


class Names:
    """Labels by code, in one language; the code itself where nobody gave a label."""

    def __init__(self, labels: Mapping[str, Mapping[str, Mapping[str, str]]], words: Words, territory: str) -> None:
        self._labels = labels
        self._words = words
        self.territory = territory or words("place.whole")

    def label(self, name: str, code: str) -> str:
        """The label of `code` in the list `name`."""
        found = self._labels.get(name, {}).get(code, {})
        return found.get(self._words.language) or next(iter(found.values()), code)

    def item(self, section: str, name: str, code: str) -> str:
        """A code's label in the list `name`, else our own word for it in `section`."""
        if code not in self._labels.get(name, {}) and self._words.has(f"{section}.{code}"):
            return self._words(f"{section}.{code}")
        return self.label(name, code)

    def place(self, code: str) -> str:
        """The name of a place; parishes and cantons without what a form adds after a comma."""
        if not code:
            return self.territory
        if code == _REST:
            return self._words("place.rest")
        if code.endswith(f"-{_REST}"):
            return self._words("place.joined", canton=self.place(code.partition("-")[0]))
        return self.label("canton" if len(code) == 4 else "parish", code).partition(",")[0]

    def group(self, code: str, *, short: bool = False) -> str:
        """The name of a group; "" is everyone."""
        return self._words(f"{'group_short' if short else 'group'}.{code or 'all'}")

    def unit(self, code: str) -> str:
        """What a number of this unit counts."""
        return self._words(f"unit.{code}")

    def indicator(self, indicator: str, sector: str) -> str:
        """The problem, sector or reason that an indicator counts."""
        code = indicator.removesuffix("_household")
        for start, name in _LISTS:
            if not code.startswith(start):
                continue
            code = sector if name == "sector" else code.removeprefix(start)
            if code in self._labels.get(name, {}):
                return self.label(name, code)
        return self.label("indicator", indicator)

    def answer(self, dimension: str, code: str) -> str:
        """An answer of a question, from the list of the question's own name or of the list it is asked with."""
        if dimension == "host_mobility":
            return self.group(code)
        if dimension == "area" and self._words.has(f"area.{code}"):
            return self._words(f"area.{code}")
        found = next((name for name in self._answers(dimension) if code in self._labels.get(name, {})), None)
        return code if found is None else self.label(found, code)

    def order(self, dimension: str, codes: Sequence[str]) -> list[str]:
        """Answers in the order in which they are read out; what no list knows stays where it is, at the end."""
        known = [code for name in self._answers(dimension) for code in self._labels.get(name, {})]
        return sorted(codes, key=lambda code: known.index(code) if code in known else len(known))

    @staticmethod
    def _answers(dimension: str) -> tuple[str, ...]:
        return (dimension, _ASKED_WITH.get(dimension, dimension), "missing")
