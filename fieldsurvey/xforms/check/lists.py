"""The list behind a select: its items as the form has them, and the filters that choose among them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from fieldsurvey.xforms.check.possible import Possible, exactly
from fieldsurvey.xforms.definition.model import Control, FormDef, Itemset, NodeDef
from fieldsurvey.xforms.program.lists import below
from fieldsurvey.xforms.program.program import Program
from fieldsurvey.xforms.program.references import is_call
from fieldsurvey.xforms.xpath.ast import Expr, FunctionCall, Literal, Path
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.nodes import Node

SELECTS = frozenset({"select", "select1", "rank"})


@dataclass(frozen=True)
class ChoiceList:
    """`items` in order; `filters` are the predicates of the select's nodeset; `name` is the list's, "" for its own."""

    name: str
    items: tuple[Node, ...]
    filters: tuple[Expr, ...]
    value: str

    @cached_property
    def values(self) -> tuple[str, ...]:
        """What each item stores, in order."""
        return tuple(below(item, self.value) for item in self.items)

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns that some item has."""
        return frozenset(child.name for item in self.items for child in item.children)

    def kinds(self, columns: frozenset[str]) -> list[tuple[dict[str, Possible], tuple[str, ...]]]:
        """The items by what they have in `columns`: (what each column holds, the values of the items)."""
        found = self._kinds.get(columns)
        if found is None:
            groups: dict[tuple[str, ...], list[str]] = {}
            names = sorted(columns)
            for item, value in zip(self.items, self.values, strict=True):
                groups.setdefault(tuple(below(item, name) for name in names), []).append(value)
            found = self._kinds[columns] = [
                ({name: exactly({text}) for name, text in zip(names, key, strict=True)}, tuple(values))
                for key, values in groups.items()
            ]
        return found

    @cached_property
    def _kinds(self) -> dict[frozenset[str], list[tuple[dict[str, Possible], tuple[str, ...]]]]:
        return {}


class Lists:
    """The lists of a form's selects. `of` is None for what is known only in an interview (repeats, missing files)."""

    def __init__(self, form: FormDef, program: Program) -> None:
        self.form = form
        self.program = program
        self.found: dict[int, ChoiceList | None] = {}

    def of(self, d: NodeDef) -> ChoiceList | None:
        """The list of the select at a node, its fixed choices included."""
        if d.index not in self.found:
            self.found[d.index] = self._read(d.control) if d.control is not None else None
        return self.found[d.index]

    def values(self, d: NodeDef) -> tuple[str, ...] | None:
        """Every value that the select may ever offer."""
        control = d.control
        if control is None or control.search:
            return None
        fixed = tuple(item.value for item in control.items)
        if control.itemset is None:
            return fixed
        found = self.of(d)
        return None if found is None else fixed + found.values

    def _read(self, control: Control) -> ChoiceList | None:
        if control.kind not in SELECTS or control.itemset is None or control.search:
            return None
        path = self.program.parsed(control.itemset.nodeset)
        if is_call(path, "randomize") and isinstance(path, FunctionCall):
            path = path.args[0]
        if not isinstance(path, Path) or not isinstance(path.start, FunctionCall) or path.start_predicates:
            return None
        call = path.start
        if call.name != "instance" or not isinstance(call.args[0], Literal) or len(path.steps) != 2:
            return None
        if any(step.axis != "child" for step in path.steps) or path.steps[0].predicates:
            return None
        name = call.args[0].value
        items = self.items(name, *(getattr(step.test, "local", "*") for step in path.steps))
        return None if items is None else ChoiceList(name, items, path.steps[1].predicates, control.itemset.value)

    def labels(self, itemset: Itemset | None) -> tuple[Node, ...]:
        """The items of a list of the form that is used whole, such as the labels of a range."""
        path = self.program.parsed(itemset.nodeset) if itemset is not None else None
        call = path.start if isinstance(path, Path) else None
        if not isinstance(call, FunctionCall) or call.name != "instance" or not isinstance(call.args[0], Literal):
            return ()
        return self.items(call.args[0].value) or ()

    def items(self, name: str, root: str = "root", item: str = "item") -> tuple[Node, ...] | None:
        """The items of a list of the form or of a file beside it; None when there is none, or it cannot be read."""
        definition = self.form.secondary.get(name)
        if definition is not None and definition.src and self.program.lists.find_media(definition.src) is None:
            return None  # the file is not here
        try:
            document = self.program.lists.get(name)
        except EvaluationError:
            return None
        if document is None:
            return None
        return tuple(
            found
            for top in document.children
            if root in {top.name, "*"}
            for found in top.children
            if item in {found.name, "*"}
        )
