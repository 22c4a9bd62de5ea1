"""What an expression reads without naming it: lists behind `jr:choice-name`, texts behind `jr:itext`, lists' items.

All of it is looked at again when it changes, and worked out before whoever reads it. It never makes a circle that is
refused: JavaRosa does not see it either, and a text that shows itself is cut short where it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fieldsurvey.xforms.definition.model import Control, Expression, FormDef, NodeDef
from fieldsurvey.xforms.program.references import References, calls
from fieldsurvey.xforms.program.triggers import CHOICES, Reads, outputs, own_control, reads_of, sources
from fieldsurvey.xforms.xpath.ast import Expr, FunctionCall, Literal, Path
from fieldsurvey.xforms.xpath.errors import XPathSyntaxError

SELECTS = frozenset({"select", "select1", "rank"})
Found = dict[NodeDef, int]


class Unnamed:
    """The reads of a form's expressions that no path of theirs shows. `parse` gives a syntax tree or raises."""

    def __init__(self, form: FormDef, parse: Callable[[str], Expr]) -> None:
        self.form = form
        self.parse = parse
        self.shown = any(expression.column == "label" for expression in form.expressions)
        self.open: set[object] = set()  # lists and texts being looked into, so that one in itself comes to an end

    def of(self, expression: Expression, here: NodeDef) -> Reads:
        """What the lists and texts hold that an expression asks for."""
        found: Found = {}
        if "jr:" in expression.source:
            self._asked(self.parse(expression.source), here, found)
        return list(found.items())

    def items(self, control: Control, here: NodeDef) -> Reads:
        """What the items of a list hold: value and label of those that are nodes of the form, outputs of labels."""
        found: Found = {}
        itemset = control.itemset
        if itemset is not None:
            tree = self.parse(itemset.nodeset.source)
            columns = (itemset.value, itemset.label.source if itemset.label is not None else "")
            for item, bound in self._nodes(tree, here):
                for column in columns:
                    self._column(column, item, bound, found)
            if itemset.label_itext or "jr:itext" in columns[1]:
                self._texts(None, here, found)
        for choice in control.items:
            self._outputs(outputs(choice.label, self.form.itext), here, found)
        return list(found.items())

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
                _add(found, node, min(bound, inner))

    def _asked(self, tree: Expr, here: NodeDef, found: Found) -> None:
        for call in calls(tree, "jr:choice-name"):
            for select, bound in self._selects(call, here):
                _add(found, select, bound)
                for node, inner in self._list(select):
                    _add(found, node, min(bound, inner))
        for call in calls(tree, "jr:itext"):
            wanted = call.args[0] if call.args else None
            self._texts(wanted.value if isinstance(wanted, Literal) else None, here, found)

    def _selects(self, call: FunctionCall, here: NodeDef) -> Iterable[tuple[NodeDef, int]]:
        """The selects that a choice's name may be taken from: the one that is written, else any."""
        asked = call.args[1] if len(call.args) > 1 else None
        if not isinstance(asked, Literal):
            return [(node, 0) for node in self.form.nodes if _is_select(node)]
        try:
            path = self.parse(asked.value.strip())
        except XPathSyntaxError:
            return []
        found = References(self.form.root, here).resolve(path) if isinstance(path, Path) else None
        return [] if found is None or found.missing or not _is_select(found.target) else [(found.target, found.bound)]

    def _list(self, select: NodeDef) -> Reads:
        """What the labels of a select's choices depend on, seen from the select."""
        control = select.control
        if control is None or select in self.open:
            return []
        self.open.add(select)
        found: Found = {}
        for kind, expression in sources(select, control, self.form.itext):
            if kind == CHOICES:
                self._read(expression, expression.context or select, found)
        for node, bound in self.items(control, select):
            _add(found, node, bound)
        self.open.discard(select)
        return list(found.items())

    def _texts(self, name: str | None, here: NodeDef, found: Found) -> None:
        """The outputs of a text in all languages; of all texts when it is not known which."""
        if name in self.open or not self.shown:
            return
        self.open.add(name)
        for entries in self.form.itext.values():
            for forms in entries.values() if name is None else [entries.get(name, {})]:
                for parts in forms.values():
                    self._outputs((part for part in parts if isinstance(part, Expression)), here, found)
        self.open.discard(name)

    def _outputs(self, expressions: Iterable[Expression], here: NodeDef, found: Found) -> None:
        for expression in expressions:
            self._read(expression, here, found)

    def _read(self, expression: Expression, here: NodeDef, found: Found) -> None:
        tree = self.parse(expression.source)
        for node, bound in reads_of(tree, self.form.root, here)[0]:
            _add(found, node, bound)
        if "jr:" in expression.source:
            self._asked(tree, here, found)


def _add(found: Found, node: NodeDef, bound: int) -> None:
    found[node] = min(bound, found.get(node, bound))


def _is_select(node: NodeDef) -> bool:
    control = own_control(node)
    return control is not None and control.kind in SELECTS
