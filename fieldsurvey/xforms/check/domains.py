"""What each node of a form may hold before anything is known of an interview: by its type, its choices, its default.

Blank is always possible, since a question may not be reached yet. Constraints do not count here: an answer that
breaks one is there until it is mended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fieldsurvey.xforms.check.lists import Lists
from fieldsurvey.xforms.check.possible import (
    ANYTHING,
    TEXT,
    Held,
    Possible,
    Truth,
    exactly,
    held,
    join,
    number_between,
    plain,
)
from fieldsurvey.xforms.definition.binds import TRUE
from fieldsurvey.xforms.definition.model import Expression, FormDef, NodeDef, Values
from fieldsurvey.xforms.live.datatypes import MOST, kind_of, to_text, typed
from fieldsurvey.xforms.live.validity import QUESTIONS
from fieldsurvey.xforms.program.program import Program


class Domains:
    """The possible values of each node of a form."""

    def __init__(self, form: FormDef, program: Program) -> None:
        self.form = form
        self.lists = Lists(form, program)
        self.found: dict[int, Possible] = {}
        self.set_by: dict[int, set[str] | None] = {}
        for action in form.actions:
            texts = self.set_by.setdefault(action.target.index, set())
            if action.value is not None or action.kind != "setvalue":
                self.set_by[action.target.index] = None  # anything that its type can hold, and text besides
            elif texts is not None:
                texts.add(action.text)

    def of(self, d: NodeDef) -> Possible:
        """What a node may hold; of a calculated one, whatever its calculation may give."""
        found = self.found.get(d.index)
        if found is None:
            found = self.found[d.index] = self._of(d)
        return found

    def calculation(self, d: NodeDef) -> Expression | None:
        """The calculation that alone decides what the node holds, if there is one."""
        bind, control = d.bind, d.control
        if bind is None or bind.calculate is None or d.index in self.set_by:
            return None
        if control is not None and control.kind in QUESTIONS:
            locked = bind.read_only is not None and bind.read_only.source in TRUE
            return bind.calculate if locked else None
        return bind.calculate

    def conditional(self, d: NodeDef) -> bool:
        """Whether the node may be not relevant: then it reads as blank."""
        at: NodeDef | None = d
        while at is not None:
            if at.bind is not None and at.bind.relevant is not None:
                return True
            at = at.parent
        return False

    def _of(self, d: NodeDef) -> Possible:
        bind, control = d.bind, d.control
        open_ = d.is_attribute or d.kind != "leaf" or control is None or control.kind not in QUESTIONS
        if open_ or (bind is not None and (bind.calculate is not None or bind.preload)):
            return ANYTHING
        if self.set_by.get(d.index, ()) is None:
            return ANYTHING
        texts = {"", d.default, *self._given(d), *(self.set_by.get(d.index) or ())}
        return join(self._typed(d), self._texts(texts, d))

    def _texts(self, texts: Iterable[str], d: NodeDef) -> Possible:
        control = d.control
        if control is not None and control.kind in {"select", "rank"}:
            words = [text.split() for text in texts]
            return Possible(tokens=frozenset(word for one in words for word in one), pure=True)
        values: set[Held] = set()
        for text in texts:
            value = held(typed(text, d))
            if value is not None:
                values.add(value)
        return exactly(values)

    def _given(self, d: NodeDef) -> set[str]:
        """The texts that the form's own instance has for the node, in whatever repeat instance."""
        if d.frame.depth == 0:
            return set()
        names: list[str] = []
        at: NodeDef | None = d
        while at is not None and at.parent is not None:
            names.append(at.name)
            at = at.parent
        level: list[Values] = [self.form.root_values]
        for name in reversed(names):
            level = [inner for values in level for inner in values.children.get(name, ())]
        return {values.text for values in level}

    def _typed(self, d: NodeDef) -> Possible:
        control = d.control
        assert control is not None
        kind = kind_of(d)
        if control.kind in {"select", "select1", "rank"}:
            offered = self.lists.values(d)
            if offered is None:
                return ANYTHING if control.kind == "select1" else TEXT
            if control.kind != "select1":
                return Possible(tokens=frozenset(word for value in offered for word in value.split()), pure=True)
            return self._texts(offered, d)
        if control.kind == "trigger":
            return exactly({"OK"}) if kind == "string" else ANYTHING
        if control.kind == "upload":
            return TEXT
        if control.kind == "range":
            return _range(control.parameters, whole=kind == "integer")
        if kind == "integer":
            return number_between(-MOST, MOST, blank=True, whole=True)
        if kind == "decimal":
            return Possible(odd=False)
        if kind == "boolean":
            return exactly({Truth.YES, Truth.NO, ""})
        if kind in {"date", "dateTime"}:
            return ANYTHING
        return TEXT


def _range(parameters: dict[str, str], *, whole: bool) -> Possible:
    try:
        start, end = float(parameters["start"]), float(parameters["end"])
    except (KeyError, ValueError):
        return Possible(odd=False)
    return number_between(min(start, end), max(start, end), blank=True, whole=whole)


def stored(possible: Possible, d: NodeDef) -> Possible:
    """What is read back of a calculated value: as it is, or as its text reads by the node's type."""
    if possible.values is not None:
        found: set[Held] = set()
        for value in possible.values:
            found.add(value)
            back = held(typed(to_text(plain(value), kind_of(d), None), d))
            if back is not None:
                found.add(back)
        return exactly(found)
    loose = replace(possible, blank=possible.blank or possible.odd)
    return loose if kind_of(d) == "string" else replace(loose, pure=False, tokens=None, must=frozenset())
