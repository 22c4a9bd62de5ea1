"""Live nodes: the instance as expressions read it. A frame holds the slots of the root or of one repeat instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fieldsurvey.xforms.definition.model import Frame, NodeDef, Values
from fieldsurvey.xforms.live.datatypes import MARKS, marked, typed
from fieldsurvey.xforms.xpath.nodes import ATTRIBUTE, ELEMENT, Node, Value

_NONE: tuple[Node, ...] = ()


class LiveNode(Node):
    """A node of the primary instance.

    `own` is its own relevance, `relevant` that of it and everything around it. `raw` is text that is not a value;
    `faults` is what expressions of the form said when they failed, by the kind of trigger; `wrong` holds what does
    not hold: "constraint", "warning", "type", "choice".
    """

    __slots__ = (
        "_typed",
        "d",
        "faults",
        "frame",
        "own",
        "raw",
        "read_only",
        "relevant",
        "required",
        "wrong",
    )
    live: ClassVar[bool] = True
    parent: LiveNode | None

    def __init__(self, d: NodeDef, frame: LiveFrame, parent: LiveNode | None, text: str) -> None:
        self.kind = ATTRIBUTE if d.is_attribute else ELEMENT
        self.name = d.name
        self.namespace = d.ns
        self.prefix = d.prefix
        self.text = text
        self.parent = parent
        self.children = _NONE
        self.attributes = _NONE
        self._text_node = None
        self._typed: Value | None = None
        self.d = d
        self.frame = frame
        self.own = True
        self.relevant = True
        self.required = False
        self.read_only = False
        self.raw: str | None = None
        self.faults: dict[int, str] | None = None
        self.wrong: frozenset[str] | set[str] = frozenset()

    def value(self) -> Value:
        """The typed value by the bind's type; what does not read as that type is text. A group has none.

        JavaRosa: XPathPathExpr.getRefValue. XPath's own value of an element, all the text in it, nobody asks for.
        """
        held = self._typed
        if held is None:
            if self.children:
                return ""
            held = self._typed = typed(self.text, self.d)
        return held

    def put(self, text: str, value: Value | None = None) -> None:
        """Set the text; the typed value is what a calculation gave, else worked out by the bind's type when asked for.

        JavaRosa keeps what a calculation gives as what it is: a date stays a date in a node without a type.
        """
        self.text = text
        self._typed = value

    @property
    def kept(self) -> str | list[str]:
        """What a draft keeps: the text, with a mark when its value is not what the bind's type would make of it."""
        mark = MARKS.get(type(self._typed))
        if mark is None or not self.text or type(typed(self.text, self.d)) is type(self._typed):
            return self.text
        return [self.text, mark]

    def put_back(self, kept: str | list[str]) -> None:
        """What a draft kept."""
        if isinstance(kept, str):
            self.put(kept)
        else:
            self.put(kept[0], marked(*kept))

    def fault(self, kind: int, message: str | None) -> bool:
        """Keep or forget what the expression of that kind said; whether that is something new."""
        if message is None:
            if self.faults is None or kind not in self.faults:
                return False
            del self.faults[kind]
            self.faults = self.faults or None
            return True
        before = self.faults
        if before is not None and before.get(kind) == message:
            return False
        self.faults = {**(before or {}), kind: message}
        return True

    @property
    def ref(self) -> str:
        """The absolute path with positions in repeats."""
        return self.frame.prefix() + self.d.path[self.frame.cut :]


class Range:
    """The instances of a repeat in one frame."""

    __slots__ = ("aside", "d", "frame", "instances")

    def __init__(self, d: NodeDef, frame: LiveFrame) -> None:
        self.d = d
        self.frame = frame
        self.instances: list[LiveFrame] = []
        self.aside: list[LiveFrame] = []  # beyond the count now, with their answers; the last comes back first

    @property
    def ref(self) -> str:
        """The absolute path; no position on the last step."""
        return self.frame.prefix() + self.d.path[self.frame.cut :]


class LiveFrame:
    """The slots of one instance. `position` counts from 1; the root frame has none.

    `born` is False while the form brings an instance along but its count has never yet asked for it.
    """

    __slots__ = ("_prefix", "born", "cut", "d", "nodes", "outer", "position", "range", "root", "slots")

    def __init__(self, d: Frame, outer: LiveFrame | None, owner: Range | None) -> None:
        self.d = d
        self.outer = outer
        self.range = owner
        self.root: LiveFrame = self if outer is None else outer.root
        self.position = 0
        self.born = True
        self.slots: list[LiveNode | Range] = []
        self.cut = 0 if d.repeat is None else len(d.repeat.path)
        self._prefix: str | None = "" if outer is None else None

    def prefix(self) -> str:
        """`/data/person[2]`, what the refs of its nodes begin with; "" for the root frame."""
        if self._prefix is None:
            assert self.range is not None
            self._prefix = f"{self.range.ref}[{self.position}]"
        return self._prefix

    def move(self, position: int) -> None:
        """Give it another position; refs inside it change."""
        self.position = position
        self.forget()

    def forget(self) -> None:
        """Work refs out anew, here and in the repeats inside."""
        self._prefix = None
        for slot in self.slots:
            if type(slot) is Range:
                for inner in (*slot.instances, *slot.aside):
                    inner.forget()

    def leaves(self) -> Iterator[LiveNode]:
        """Every leaf and attribute of this frame and of the repeats in it, in form order."""
        for slot in self.slots:
            if type(slot) is Range:
                for inner in slot.instances:
                    yield from inner.leaves()
            elif type(slot) is LiveNode and slot.d.kind == "leaf":
                yield slot

    def node(self, d: NodeDef) -> LiveNode:
        """The live node of a definition of this frame."""
        found = self.slots[d.slot]
        assert type(found) is LiveNode
        return found

    def first(self) -> LiveNode:
        """The root element, or the repeat instance's own."""
        found = self.slots[0]
        assert type(found) is LiveNode
        return found


def build(d: Frame, outer: LiveFrame | None, owner: Range | None) -> LiveFrame:
    """A frame with the form's defaults; its repeats have no instances yet."""
    frame = LiveFrame(d, outer, owner)
    slots = frame.slots
    repeat = d.repeat
    for node in d.nodes:
        if node.kind == "repeat" and node is not repeat:
            slots.append(Range(node, frame))
            continue
        parent: LiveNode | None = None
        if node is repeat:
            assert outer is not None
            if node.parent is not None:
                parent = outer.slots[node.parent.slot]  # type: ignore[assignment]  # never a range
        elif node.parent is not None:
            parent = slots[node.parent.slot]  # type: ignore[assignment]
        live = LiveNode(node, frame, parent, node.default)
        slots.append(live)
        if parent is not None and node is not repeat:
            _attach(parent, live)
    return frame


def _attach(parent: LiveNode, node: LiveNode) -> None:
    if node.kind == ATTRIBUTE:
        if parent.attributes is _NONE:
            parent.attributes = []
        parent.attributes.append(node)  # type: ignore[attr-defined]  # a list from here on
        return
    if parent.children is _NONE:
        parent.children = []
    parent.children.append(node)  # type: ignore[attr-defined]


def add_instance(owner: Range) -> LiveFrame:
    """A new last instance, with the form's defaults; nothing is calculated yet."""
    return _append(owner, build(owner.d.frame, owner.frame, owner))


def put_aside(owner: Range) -> LiveFrame:
    """Take the last instance out, to be brought back as it is; what it refers to may change meanwhile."""
    frame = drop_instance(owner, len(owner.instances))
    owner.aside.append(frame)
    return frame


def bring_back(owner: Range) -> LiveFrame:
    """The instance put aside last is the last one again."""
    return _append(owner, owner.aside.pop())


def _append(owner: Range, frame: LiveFrame) -> LiveFrame:
    node = frame.first()
    parent = node.parent
    assert parent is not None
    owner.instances.append(frame)
    frame.position = len(owner.instances)
    if parent.children is _NONE:
        parent.children = []
    siblings: list[Node] = parent.children  # type: ignore[assignment]
    siblings.insert(_place(owner, parent), node)
    return frame


def _place(owner: Range, parent: LiveNode) -> int:
    """Where among the parent's children a new last instance of the range stands."""
    siblings = parent.children
    assert parent.d is not None
    if parent.d.children and parent.d.children[-1] is owner.d:
        return len(siblings)
    if len(owner.instances) > 1:
        before = owner.instances[-2].first()
        return next(i for i in range(len(siblings) - 1, -1, -1) if siblings[i] is before) + 1
    order = {child.index: place for place, child in enumerate(parent.d.children)}
    mine = order[owner.d.index]
    for place, sibling in enumerate(siblings):
        if order[sibling.d.index] > mine:  # type: ignore[attr-defined]
            return place
    return len(siblings)


def drop_instance(owner: Range, position: int) -> LiveFrame:
    """Take the instance at `position` (from 1) out; the later ones move up."""
    frame = owner.instances.pop(position - 1)
    node = frame.first()
    assert node.parent is not None
    siblings: list[Node] = node.parent.children  # type: ignore[assignment]
    siblings[:] = [sibling for sibling in siblings if sibling is not node]
    for later, moved in enumerate(owner.instances[position - 1 :], start=position):
        moved.move(later)
    return frame


def fill(node: LiveNode, values: Values) -> None:
    """Put instance data into a node and everything below; repeats get as many instances as the data has."""
    for attribute in node.attributes:
        if attribute.name in values.attributes:
            attribute.put(values.attributes[attribute.name])  # type: ignore[attr-defined]
    if node.d.kind == "leaf" or not any(not child.is_attribute for child in node.d.children):
        node.put(values.text)
        return
    for child in node.d.children:
        if child.is_attribute:
            continue
        given = values.children.get(child.name)
        slot = node.frame.slots[child.outer_slot]
        if type(slot) is Range:
            for one in given or ():
                fill(add_instance(slot).first(), one)
        elif given:
            fill(slot, given[0])  # type: ignore[arg-type]
