"""What stands on the paper: sections and questions in order, with their numbers. Nothing of how it looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fieldsurvey.xforms.check.texts import is_note
from fieldsurvey.xforms.definition.model import Control, Expression, NodeDef
from fieldsurvey.xforms.form import LoadedForm

_NEVER = frozenset({"false()", "0"})


@dataclass(slots=True)
class Item:
    """A section or a question. `number` is "" for sections and notes; `inside` holds what a section contains."""

    control: Control
    kind: str  # section, repeat, note, question
    number: str = ""
    depth: int = 1
    inside: list[Item] = field(default_factory=list)

    @property
    def node(self) -> NodeDef | None:
        """Where its answer goes."""
        return self.control.ref


class Plan:
    """The items of a form and the numbers of its questions; what a calculation holds gets a letter when asked for."""

    def __init__(self, form: LoadedForm) -> None:
        self.form = form
        self.numbers: dict[int, str] = {}
        self.worked_out: dict[int, NodeDef] = {}
        self._next = 1
        self.items = list(self._items(form.definition.controls, 1))

    def _items(self, controls: list[Control], depth: int) -> Iterator[Item]:
        for control in controls:
            node = control.ref
            if node is not None and never(node):
                continue
            if control.kind in {"group", "repeat"}:
                kind = "repeat" if control.kind == "repeat" else "section"
                item = Item(control, kind, "", depth)
                item.inside = list(self._items(control.children, depth + 1))
                if item.inside:
                    yield item
            elif node is not None:
                yield self._question(control, node, depth)

    def _question(self, control: Control, node: NodeDef, depth: int) -> Item:
        if is_note(node):
            return Item(control, "note", "", depth)
        if node.index not in self.numbers:
            self.numbers[node.index] = str(self._next)
            self._next += 1
        return Item(control, "question", self.numbers[node.index], depth)

    def value_of(self, node: NodeDef) -> str:
        """The letter and number under which a value that nobody is asked for stands at the end: `W3`."""
        self.worked_out.setdefault(node.index, node)
        return f"W{list(self.worked_out).index(node.index) + 1}"

    def label_of(self, node: NodeDef) -> Expression | None:
        """What works a value out."""
        return node.bind.calculate if node.bind is not None else None


def never(node: NodeDef) -> bool:
    """Whether nobody is ever asked: such groups only hold texts."""
    return node.bind is not None and node.bind.relevant is not None and node.bind.relevant.source in _NEVER
