"""The choices of a select as offered now: filtered by the itemset's nodeset, labelled in the interview's language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Choice
from fieldsurvey.xforms.definition.model import Control, Itemset, NodeDef
from fieldsurvey.xforms.live.nodes import LiveNode
from fieldsurvey.xforms.live.search import searched
from fieldsurvey.xforms.live.texts import DEEPEST
from fieldsurvey.xforms.pause import collector_paused
from fieldsurvey.xforms.program.lists import Cells, below
from fieldsurvey.xforms.program.references import References
from fieldsurvey.xforms.xpath.ast import Path
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathSyntaxError
from fieldsurvey.xforms.xpath.nodes import Node
from fieldsurvey.xforms.xpath.parser import parse
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.live.state import State

SELECTS = frozenset({"select", "select1", "rank"})


class Choices:
    """The choices of one interview. What was offered is kept until its list or the language changes."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._offered: dict[LiveNode, tuple[Choice, ...]] = {}
        self._rows: dict[LiveNode, list[Node]] = {}  # what the itemset gave
        self._values: dict[LiveNode, frozenset[str]] = {}
        self._labels: dict[LiveNode, tuple[tuple[Choice, ...], dict[str, str]]] = {}  # of what was offered, by value
        self._open: set[LiveNode] = set()  # selects whose choices' names are being looked up
        self._made: dict[tuple[int, Node], Choice] = {}  # items of lists that never change, in this language

    def forget(self, node: LiveNode | None = None) -> None:
        """Work the choices of a select out anew when they are asked for; of all of them without a node."""
        if node is None:
            self._offered.clear()
            self._rows.clear()
            self._made.clear()
            self._values.clear()
            self._labels.clear()
        else:
            self._offered.pop(node, None)
            self._rows.pop(node, None)
            self._values.pop(node, None)
            self._labels.pop(node, None)

    def offered(self, node: LiveNode) -> tuple[Choice, ...]:
        """The choices of a select; raises EvaluationError when its list cannot be worked out."""
        control = node.d.control
        if control is None or control.kind not in SELECTS:
            return ()
        found = self._offered.get(node)
        if found is None:
            texts = self.state.texts
            before = texts.outputs
            with collector_paused():
                found = tuple(self._all(control, node))
            if texts.outputs == before:  # no label says something that an answer may change
                self._offered[node] = found
        return found

    def ticks(self, node: LiveNode) -> tuple[Choice, ...]:
        """The labels along the scale of a range; raises EvaluationError when their list cannot be worked out."""
        itemset = node.d.control.ticks if node.d.control is not None else None
        if itemset is None:
            return ()
        run = self.state.program.run(itemset.nodeset, "nodes")
        found = run(Context(node, self.state.env, position=0))
        return tuple(self._choice(itemset, item, node) for item in found)

    def _all(self, control: Control, node: LiveNode) -> Iterator[Choice]:
        if control.search:
            yield from searched(self.state, control, node)
            return
        texts = self.state.texts
        for item in control.items:
            yield Choice(item.value, texts.plain(item.label, node), texts.media(item.label, node))
        if control.itemset is not None:
            itemset, made = control.itemset, self._made
            for found in self._found(control, node):
                yield made.get((id(itemset), found)) or self._choice(itemset, found, node)

    def nodes(self, control: Control, node: LiveNode) -> list[Node]:
        """The nodes that the itemset gives now."""
        itemset = control.itemset
        if itemset is None:
            return []
        run = self.state.program.run(itemset.nodeset, "nodes")
        found: list[Node] = run(Context(node, self.state.env, position=0))
        return found

    def _found(self, control: Control, node: LiveNode) -> list[Node]:
        rows = self._rows.get(node)
        if rows is None:
            rows = self._rows[node] = self.nodes(control, node)
        return rows

    def values(self, node: LiveNode) -> frozenset[str]:
        """The values offered now."""
        known = self._values.get(node)
        if known is None:
            known = self._values[node] = frozenset(self._each_value(node))
        return known

    def _each_value(self, node: LiveNode) -> Iterator[str]:
        control = node.d.control
        if control is None:
            return
        if control.search:
            yield from (choice.value for choice in searched(self.state, control, node))
            return
        for item in control.items:
            yield item.value
        if control.itemset is not None:
            for found in self._found(control, node):
                yield below(found, control.itemset.value)

    def unknown(self, node: LiveNode, text: str) -> bool:
        """Whether `text` holds something that is not offered now."""
        control = node.d.control
        if control is None:
            return False
        if control.kind == "select1":
            return text not in self.values(node)
        return not self.values(node).issuperset(text.split())

    def rest(self, node: LiveNode, text: str) -> str:
        """What is left of `text` without what is not offered now: of one choice nothing, of several the others."""
        control = node.d.control
        if control is None or control.kind == "select1":
            return ""
        offered = self.values(node)
        return " ".join(value for value in text.split() if value in offered)

    def _choice(self, itemset: Itemset, found: Node, node: LiveNode) -> Choice:
        before = self.state.texts.outputs
        value = below(found, itemset.value)
        cells = Cells(found)
        properties = dict(cells) if found.live else cells  # a list never changes
        label = value
        media: dict[str, str] = {}
        if itemset.label is not None:
            label = self._label(itemset, found, node)
            if itemset.label_itext:
                media = self._media(itemset, found, node)
        choice = Choice(value, label, media, properties)
        if not found.live and self.state.texts.outputs == before:
            self._made[id(itemset), found] = choice
        return choice

    def _label(self, itemset: Itemset, found: Node, node: LiveNode) -> str:
        assert itemset.label is not None
        source = itemset.label.source
        if source.startswith("jr:itext("):
            run = self.state.program.run(itemset.label, "string")
            made: str = run(Context(found, self.state.env, origin=node, position=0))
            return made
        text = below(found, source)
        if not itemset.label_itext:
            return text
        entry = self.state.texts.entry(text)
        return self.state.texts.join(entry.get("", entry.get("long", ())), node) if entry else ""

    def _media(self, itemset: Itemset, found: Node, node: LiveNode) -> dict[str, str]:
        assert itemset.label is not None
        entry = self.state.texts.entry(below(found, itemset.label.source))
        if not entry:
            return {}
        kinds = ("image", "big-image", "audio", "video")
        return {kind: self.state.texts.join(entry[kind], node) for kind in kinds if kind in entry}

    def label_of(self, value: str, ref: str, context: Context) -> str:
        """jr:choice-name: the label of `value` in the select at `ref`. Raises EvaluationError when it is no select."""
        node = self._select(ref, context)
        if node in self._open or len(self._open) >= DEEPEST:
            raise EvaluationError(_("the choices of {ref} ask for their own names").format(ref=node.d.path))
        self._open.add(node)
        try:
            offered = self.offered(node)
        finally:
            self._open.discard(node)
        known = self._labels.get(node)
        if known is None or known[0] is not offered:
            labels: dict[str, str] = {}
            for choice in offered:
                labels.setdefault(choice.value, choice.label)
            known = self._labels[node] = (offered, labels)
        return known[1].get(value, "")

    def _select(self, ref: str, context: Context) -> LiveNode:
        origin = context.origin
        here = origin.d if isinstance(origin, LiveNode) else None
        try:
            tree = parse(ref.strip())
        except XPathSyntaxError:
            raise EvaluationError(_("{ref} is not a reference").format(ref=ref)) from None
        found = References(self.state.program.form.root, here).resolve(tree) if isinstance(tree, Path) else None
        if found is None or found.missing:
            raise EvaluationError(_("{ref} is not in the form").format(ref=ref.strip()))
        d = found.target
        if d.control is None or d.control.kind not in SELECTS:
            raise EvaluationError(_("{ref} has no choices").format(ref=ref.strip()))
        return self._live(d, origin, found.bound)

    def _live(self, d: NodeDef, origin: Node, bound: int) -> LiveNode:
        frame = origin.frame if isinstance(origin, LiveNode) else self.state.root
        while frame.d.depth > bound and frame.outer is not None:
            frame = frame.outer
        for level in d.frame.chain()[frame.d.depth + 1 :]:
            owner = frame.slots[level.range_slot]
            if not owner.instances:  # type: ignore[union-attr]  # the slot of a repeat
                raise EvaluationError(_("{ref} is in a repeat without instances").format(ref=d.path))
            frame = owner.instances[0]  # type: ignore[union-attr]
        return frame.node(d)
