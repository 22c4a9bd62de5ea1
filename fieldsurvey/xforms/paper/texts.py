"""The form's own texts in one language: labels, hints, messages, choices, with a blank where an answer is put in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fieldsurvey.xforms.check.lists import ChoiceList, Lists
from fieldsurvey.xforms.check.texts import MISSING
from fieldsurvey.xforms.definition.model import Control, Expression, FormDef, Itemset, Text
from fieldsurvey.xforms.program.lists import below
from fieldsurvey.xforms.xpath.nodes import Node

Say = Callable[[Expression], str]


@dataclass(frozen=True, slots=True)
class Option:
    """A choice: what is stored, and what is read."""

    value: str
    label: str


class Texts:
    """Texts in `language` (a name of the form's), else in the form's default language. `say` words an output."""

    def __init__(self, form: FormDef, language: str, say: Say, lists: Lists) -> None:
        self.form = form
        self.lists = lists
        self.languages = list(dict.fromkeys((language, form.default_language)))
        self.say = say
        self.ticks: dict[int, dict[str, str]] = {}

    def of(self, text: Text | None, form: str = "") -> str:
        """A text; "" when there is none."""
        if text is None or (form and text.itext is None):
            return ""
        if text.itext is None:
            return self.joined((text.dynamic,) if text.dynamic is not None else text.parts)
        return self.entry(text.itext, form)

    def entry(self, text_id: str, form: str = "") -> str:
        """An itext entry."""
        for language in self.languages:
            forms = self.form.itext.get(language, {}).get(text_id, {})
            parts = forms.get(form, () if form else forms.get("long", forms.get("short", ())))
            if parts and parts != MISSING:
                return self.joined(parts)
        return ""

    def joined(self, parts: Sequence[str | Expression]) -> str:
        """Literal parts and outputs put together; lines are kept."""
        return "".join(part if isinstance(part, str) else self.say(part) for part in parts).strip()

    def options(self, control: Control, found: ChoiceList | None) -> list[Option]:
        """The choices of a select, those written in the body first."""
        made = [Option(item.value, self.of(item.label)) for item in control.items]
        if found is not None:
            made.extend(self.option(control, item, found.value) for item in found.items)
        return made

    def option(self, control: Control, item: Node, value: str) -> Option:
        """One row of a list."""
        return self._row(control.itemset, item, value)

    def tick(self, control: Control, number: str) -> str:
        """What stands at a number of a range's scale."""
        labels = self.ticks.get(id(control))
        if labels is None:
            labels = self.ticks[id(control)] = {}
            for item in self.lists.labels(control.ticks):
                row = self._row(control.ticks, item, control.ticks.value if control.ticks is not None else "")
                labels[row.value] = row.label
        return labels.get(number, "")

    def _row(self, itemset: Itemset | None, item: Node, value: str) -> Option:
        source = itemset.label.source if itemset is not None and itemset.label is not None else ""
        if not source or "(" in source:
            return Option(below(item, value), "")
        text = below(item, source)
        return Option(below(item, value), self.entry(text) if itemset is not None and itemset.label_itext else text)
