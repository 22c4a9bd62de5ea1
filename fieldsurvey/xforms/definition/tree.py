"""The primary instance: element tree to node definitions, frames and the values a form starts with."""

from __future__ import annotations

from collections import Counter

from fieldsurvey.xforms.definition.context import Parsing
from fieldsurvey.xforms.definition.model import Frame, NodeDef, Values
from fieldsurvey.xforms.definition.xml import Element

TEMPLATE = "jr:template"


def build_tree(element: Element, repeats: set[str], parsing: Parsing) -> tuple[NodeDef, list[NodeDef], Frame, Values]:
    """The root, all nodes in document order, the root frame and the initial values.

    `repeats` holds the paths that the body repeats. Elements that occur several times without a repeat in the body
    are treated as one: their instances are there, and nobody adds to them.
    """
    frame = Frame(None, None, 0)
    builder = _Builder(repeats, parsing)
    root = builder.node(element, None, frame, f"/{element.local}")
    if root.kind == "leaf":
        root.kind = "group"
    return root, builder.nodes, frame, values_of(element, root)


class _Builder:
    def __init__(self, repeats: set[str], parsing: Parsing) -> None:
        self.repeats = repeats
        self.parsing = parsing
        self.nodes: list[NodeDef] = []

    def node(
        self, element: Element, parent: NodeDef | None, frame: Frame, path: str, *, blank: bool = False
    ) -> NodeDef:
        node = NodeDef(element.local, element.prefix, element.ns, path, parent)
        node.origin = self.parsing.origin_of(path, "name", element.line)
        if parent is not None and (path in self.repeats or TEMPLATE in element.attributes):
            node.kind = "repeat"
            blank = TEMPLATE not in element.attributes  # a new instance is not like the first, it is blank (JavaRosa)
        if node.kind == "repeat":
            inner = Frame(node, frame, frame.depth + 1, range_slot=len(frame.nodes))
            frame.nodes.append(node)
            inner.nodes.append(node)
            node.frame, node.slot = inner, 0
        else:
            node.frame, node.slot = frame, len(frame.nodes)
            frame.nodes.append(node)
        self.add(node)
        for name, value in element.attributes.items():
            if name != TEMPLATE:
                self.attribute(node, name, value)
        if element.elements:
            self.children(element, node, blank)
        elif not blank:
            node.default = element.text.strip() if element.text.isspace() else element.text
        return node

    def add(self, node: NodeDef) -> None:
        node.index = len(self.nodes)
        self.nodes.append(node)
        self.parsing.by_path.setdefault(node.path, node)

    def attribute(self, owner: NodeDef, name: str, value: str) -> None:
        """Attributes take slots like leaves, since binds and actions may aim at them."""
        prefix, _colon, local = name.rpartition(":")
        node = NodeDef(local, prefix, "", f"{owner.path}/@{local}", owner, default=value, is_attribute=True)
        node.frame, node.slot = owner.frame, len(owner.frame.nodes)
        owner.frame.nodes.append(node)
        owner.children.append(node)
        self.add(node)

    def children(self, element: Element, node: NodeDef, blank: bool) -> None:
        if node.kind == "leaf":
            node.kind = "group"
        done: set[str] = set()
        counts = Counter(child.local for child in element.elements)
        for child in element.elements:
            if child.local in done:
                continue
            done.add(child.local)
            path = f"{node.path}/{child.local}"
            if counts[child.local] > 1:
                self.repeats.add(path)
                same = [other for other in element.elements if other.local == child.local]
                first = next((other for other in same if TEMPLATE in other.attributes), child)
            else:
                first = child
            node.children.append(self.node(first, node, node.frame, path, blank=blank))


def values_of(element: Element, node: NodeDef) -> Values:
    """The data of an instance document (or a part of it) in the shape of `node`; what does not fit is left out."""
    values = Values()
    for name, value in element.attributes.items():
        if name != TEMPLATE:
            values.attributes[name.rpartition(":")[2]] = value
    if node.kind == "leaf" or not node.children:
        values.text = element.content()
        if values.text.isspace():
            values.text = ""
        return values
    known = {child.name: child for child in node.children if not child.is_attribute}
    if not known:
        values.text = element.text
    for child in element.elements:
        definition = known.get(child.local)
        if definition is None or TEMPLATE in child.attributes:
            continue
        values.children.setdefault(child.local, []).append(values_of(child, definition))
    return values
