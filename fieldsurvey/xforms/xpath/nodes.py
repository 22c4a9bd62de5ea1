"""The tree that expressions read: live instances, secondary instances and XML given to `evaluate`.

A leaf (`<age>7</age>`) is one object: its text lies in `text`, and a text node is made only when an expression asks
for one. Mixed content gets real text nodes in `children`. What a node's *value* is (typed, relevant) is a hook that
the engine's own subclass overrides; this module neither evaluates nor parses expressions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, ClassVar

ROOT, ELEMENT, ATTRIBUTE, TEXT, COMMENT, INSTRUCTION, NAMESPACE = range(7)

Value = str | float | bool | date | datetime | list["Node"]
"""What an expression yields. A number is always a float; `datetime` carries its time zone."""

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
_NONE: tuple[Node, ...] = ()


class Node:
    """One node. `kind` is one of the constants above; `namespace` is a URI or "".

    `text` is the content of a leaf element, an attribute, a text node, a comment or an instruction (its target is
    `name`). `children` holds elements and, in mixed content, text, comments and instructions.

    Hooks for subclasses: `live` (a class attribute) says that `relevant` has to be asked; `relevant` is whether the
    node counts (False: expressions do not see it); `value()` is its typed value.
    """

    __slots__ = (
        "_text_node",
        "attributes",
        "children",
        "indexes",
        "kind",
        "name",
        "namespace",
        "parent",
        "prefix",
        "text",
    )

    live: ClassVar[bool] = False
    relevant: bool = True

    def __init__(
        self,
        kind: int,
        name: str = "",
        *,
        namespace: str = "",
        prefix: str = "",
        text: str = "",
        parent: Node | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.namespace = namespace
        self.prefix = prefix
        self.text = text
        self.parent = parent
        self.children: Sequence[Node] = _NONE
        self.attributes: Sequence[Node] = _NONE
        self._text_node: Node | None = None
        self.indexes: dict[str, Any] | None = None  # index.py's tables

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {path_of(self)}>"

    def append(self, child: Node) -> Node:
        """Add `child` as the last child and return it. Text that the node held becomes a text node before it."""
        if self.children is _NONE:
            held = text_node(self) if self.text and self.kind == ELEMENT else None
            self.text = "" if held is None else self.text
            self.children = [] if held is None else [held]
            if held is not None:
                held.text, self.text, self._text_node = self.text, "", None
        child.parent = self
        self.children.append(child)  # type: ignore[attr-defined]  # a list from here on
        return child

    def set_attribute(self, name: str, text: str, *, namespace: str = "", prefix: str = "") -> Node:
        """Add an attribute; a second one of the same name is the caller's mistake."""
        attribute = Node(ATTRIBUTE, name, namespace=namespace, prefix=prefix, text=text, parent=self)
        if self.attributes is _NONE:
            self.attributes = []
        self.attributes.append(attribute)  # type: ignore[attr-defined]
        return attribute

    def attribute(self, name: str, default: str = "") -> str:
        """The text of the attribute `name` in no namespace."""
        for attribute in self.attributes:
            if attribute.name == name and not attribute.namespace:
                return attribute.text
        return default

    def string(self) -> str:
        """The string-value of XPath 1.0 section 5: an element's text with that of all its descendants."""
        if not self.children:
            return self.text
        return "".join(n.text for n in descendants(self) if not n.children and n.kind in _TEXTUAL)

    def value(self) -> Value:
        """The typed value: str here; the engine's nodes give float, bool, date or datetime by their bind's type."""
        return self.string()


_TEXTUAL = frozenset({TEXT, ELEMENT})


class _LeafText(Node):
    """The text node of a leaf: its text is its parent's."""

    __slots__ = ()

    def string(self) -> str:
        return self.parent.text if self.parent is not None else self.text


def text_node(leaf: Node) -> Node:
    """The text node inside a leaf element; always the same object for the same leaf."""
    if leaf._text_node is None:
        leaf._text_node = _LeafText(TEXT, text=leaf.text, parent=leaf)
    return leaf._text_node


def content(node: Node) -> Sequence[Node]:
    """The children as XPath counts them: with the text node of a leaf."""
    if node.children:
        return node.children
    if node.kind == ELEMENT and node.text:
        return (text_node(node),)
    return _NONE


def descendants(node: Node) -> Iterator[Node]:
    """Every node below, in document order, without the text nodes of leaves."""
    stack = list(reversed(node.children))
    while stack:
        current = stack.pop()
        yield current
        if current.children:
            stack.extend(reversed(current.children))


def root_of(node: Node) -> Node:
    """The topmost node of the tree."""
    while node.parent is not None:
        node = node.parent
    return node


def depth_of(node: Node) -> int:
    """How many nodes are above it."""
    depth = 0
    while node.parent is not None:
        node = node.parent
        depth += 1
    return depth


def elements(node: Node, name: str | None = None) -> list[Node]:
    """The child elements, or those called `name` whatever their namespace."""
    return [c for c in node.children if c.kind == ELEMENT and (name is None or c.name == name)]


def position_of(node: Node) -> int:
    """Position from 1 among the siblings of the same name: the number in `person[2]`."""
    if node.parent is None:
        return 1
    number = 0
    for sibling in node.parent.children:
        if sibling.kind == node.kind and sibling.name == node.name and sibling.namespace == node.namespace:
            number += 1
        if sibling is node:
            return number
    return max(number, 1)


def path_of(node: Node) -> str:
    """An absolute path with positions: `/data[1]/person[2]/@id`, `/data[1]/text()[1]`."""
    if node.kind == ROOT:
        return "/"
    name = f"{node.prefix}:{node.name}" if node.prefix else node.name
    if node.kind == ATTRIBUTE:
        step = f"@{name}"
    elif node.kind == NAMESPACE:
        step = f"namespace::{name}"
    elif node.kind == ELEMENT:
        step = f"{name}[{position_of(node)}]"
    else:
        step = f"{_KIND_NAMES[node.kind]}()[{_kind_position(node)}]"
    above = node.parent
    return f"/{step}" if above is None or above.kind == ROOT else f"{path_of(above)}/{step}"


_KIND_NAMES = {TEXT: "text", COMMENT: "comment", INSTRUCTION: "processing-instruction"}


def _kind_position(node: Node) -> int:
    siblings = content(node.parent) if node.parent is not None else (node,)
    alike = [s for s in siblings if s.kind == node.kind]
    return alike.index(node) + 1 if node in alike else 1
