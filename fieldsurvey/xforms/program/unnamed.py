"""What an expression reads without naming it: lists behind `jr:choice-name`, texts behind `jr:itext`, lists' items.

All of it is looked at again when it changes, and worked out before whoever reads it. Where a list or a text is asked
for by name, what it holds is read as surely as if it had been written; where its name is worked out, it may be any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from fieldsurvey.xforms.definition.model import Control, Expression, FormDef, Itemset, NodeDef
from fieldsurvey.xforms.definition.xml import Element
from fieldsurvey.xforms.program.references import References, calls, is_call
from fieldsurvey.xforms.program.triggers import CHOICES, Reads, outputs, own_control, reads_of, sources
from fieldsurvey.xforms.xpath.ast import Expr, FunctionCall, Literal, Path
from fieldsurvey.xforms.xpath.errors import XPathSyntaxError

SELECTS = frozenset({"select", "select1", "rank"})


@dataclass(slots=True)
class Found:
    """Definitions by how far they are bound: those that are read, and those that may be."""

    certain: dict[NodeDef, int] = field(default_factory=dict)
    possible: dict[NodeDef, int] = field(default_factory=dict)

    def add(self, node: NodeDef, bound: int, *, certain: bool) -> None:
        """One more; what is less bound counts."""
        table = self.certain if certain else self.possible
        table[node] = min(bound, table.get(node, bound))

    def take(self, other: Found, bound: int, *, certain: bool) -> None:
        """What something reads that shares `bound` frames with whoever asks for it."""
        for node, inner in other.certain.items():
            self.add(node, min(bound, inner), certain=certain)
        for node, inner in other.possible.items():
            self.add(node, min(bound, inner), certain=False)


class Unnamed:
    """The reads of a form's expressions that no path of theirs shows. `parse` gives a syntax tree or raises."""

    def __init__(self, form: FormDef, parse: Callable[[str], Expr]) -> None:
        self.form = form
        self.parse = parse
        self.shown = any(expression.column == "label" for expression in form.expressions)
        self.open: set[object] = set()  # lists and texts being looked into, so that one in itself comes to an end

    def of(self, expression: Expression, here: NodeDef) -> tuple[Reads, Reads]:
        """What the lists and texts hold that an expression asks for: surely, perhaps."""
        found = self._asked(expression, here) if "jr:" in expression.source else Found()
        return list(found.certain.items()), list(found.possible.items())

    def items(self, control: Control, here: NodeDef) -> Reads:
        """What the items of a list hold: value and label of those that are nodes of the form, outputs of labels."""
        found = self._items(control, here)
        return [*found.certain.items(), *found.possible.items()]

    def _items(self, control: Control, here: NodeDef) -> Found:
        found = Found()
        itemset = control.itemset
        if itemset is not None:
            label = itemset.label.source if itemset.label is not None else ""
            tree = self.parse(itemset.nodeset.source)
            for item, bound in self._nodes(tree, here):
                for column in (itemset.value, label):
                    self._column(column, item, bound, found)
            if self.shown and (itemset.label_itext or "jr:itext" in label):
                names = self._names(itemset, tree)
                for name in [None] if names is None else names:
                    found.take(self._text(name, here), here.frame.depth, certain=name is not None)
        for choice in control.items:
            self._outputs(outputs(choice.label, self.form.itext), here, found)
        return found

    def _nodes(self, tree: Expr, here: NodeDef) -> Iterable[tuple[NodeDef, int]]:
        """The definitions of a list's items, with how far they are bound."""
        references = References(self.form.root, here)
        if isinstance(tree, Path):
            return references.reached(tree, ())
        return [(node, 0) for node in references.superset(tree)]

    def _column(self, source: str, item: NodeDef, bound: int, found: Found) -> None:
        try:
            path = self.parse(source) if source else None
        except XPathSyntaxError:
            return
        if isinstance(path, Path):
            for node, inner in References(self.form.root, item).reached(path, ()):
                found.add(node, min(bound, inner), certain=True)

    def _names(self, itemset: Itemset, tree: Expr) -> set[str] | None:
        """The texts that label the items of a list in the form; None when they are not known beforehand."""
        while isinstance(tree, FunctionCall) and tree.args:  # randomize(…)
            tree = tree.args[0]
        start = tree.start if isinstance(tree, Path) else None
        asked = start.args[0] if isinstance(start, FunctionCall) and is_call(start, "instance") and start.args else None
        held = self.form.secondary.get(asked.value) if isinstance(asked, Literal) else None
        if held is None or held.src or not isinstance(held.data, Element) or itemset.label is None:
            return None
        column = itemset.label.source.removeprefix("jr:itext(").removesuffix(")").strip()
        items = [item for root in held.data.elements for item in root.elements] or held.data.elements
        return {cell.text for item in items for cell in item.elements if cell.local == column}

    def _asked(self, expression: Expression, here: NodeDef) -> Found:
        found = Found()
        tree = self.parse(expression.source)
        for call in calls(tree, "jr:choice-name"):
            for select, bound, certain in self._selects(call, here):
                found.add(select, bound, certain=False)  # its value is not read, but a name waits for the list
                found.take(self._list(select), bound, certain=certain)
        for call in calls(tree, "jr:itext"):
            wanted = call.args[0] if call.args else None
            name = wanted.value if isinstance(wanted, Literal) else None
            found.take(self._text(name, here), here.frame.depth, certain=name is not None)
        return found

    def _selects(self, call: FunctionCall, here: NodeDef) -> Iterator[tuple[NodeDef, int, bool]]:
        """The selects that a choice's name may be taken from: the one that is written, else any."""
        asked = call.args[1] if len(call.args) > 1 else None
        if not isinstance(asked, Literal):
            yield from ((node, 0, False) for node in self.form.nodes if _is_select(node))
            return
        try:
            path = self.parse(asked.value.strip())
        except XPathSyntaxError:
            return
        found = References(self.form.root, here).resolve(path) if isinstance(path, Path) else None
        if found is not None and not found.missing and _is_select(found.target):
            yield found.target, found.bound, True

    def _list(self, select: NodeDef) -> Found:
        """What the choices of a select and their labels depend on, seen from the select."""
        found = Found()
        control = select.control
        if control is None or select in self.open:
            return found
        self.open.add(select)
        for kind, expression in sources(select, control, self.form.itext):
            if kind == CHOICES:
                self._outputs([expression], expression.context or select, found)
        found.take(self._items(control, select), select.frame.depth, certain=True)
        self.open.discard(select)
        return found

    def _text(self, name: str | None, here: NodeDef) -> Found:
        """What a text shows in any language; any text when it is not known which."""
        found = Found()
        if name in self.open or not self.shown:
            return found
        self.open.add(name)
        for entries in self.form.itext.values():
            for forms in entries.values() if name is None else [entries.get(name, {})]:
                for parts in forms.values():
                    self._outputs((part for part in parts if isinstance(part, Expression)), here, found)
        self.open.discard(name)
        return found

    def _outputs(self, expressions: Iterable[Expression], here: NodeDef, found: Found) -> None:
        for expression in expressions:
            for node, bound in reads_of(self.parse(expression.source), self.form.root, here)[0]:
                found.add(node, bound, certain=True)
            if "jr:" in expression.source:
                found.take(self._asked(expression, here), here.frame.depth, certain=True)


def _is_select(node: NodeDef) -> bool:
    control = own_control(node)
    return control is not None and control.kind in SELECTS
