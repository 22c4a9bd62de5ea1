"""Location steps: a compiled step takes nodes in document order and gives nodes in document order, without doubles.

It knows axes and node tests; predicates are the compiler's closures. Relevance is asked once, at the end of a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from fieldsurvey.xforms.xpath.nodes import (
    ATTRIBUTE,
    COMMENT,
    ELEMENT,
    INSTRUCTION,
    NAMESPACE,
    TEXT,
    XML_NAMESPACE,
    Node,
    content,
)

Nodes = list[Node]
Axis = Callable[[Node], Iterable[Node]]
Test = Callable[[Node], bool]
REVERSE = frozenset({"ancestor", "ancestor-or-self", "preceding", "preceding-sibling", "parent"})


def _below(node: Node) -> Iterator[Node]:
    stack = list(reversed(content(node)))
    while stack:
        current = stack.pop()
        yield current
        if current.kind == ELEMENT:
            stack.extend(reversed(content(current)))


def _self(node: Node) -> Iterable[Node]:
    return (node,)


def _below_or_self(node: Node) -> Iterator[Node]:
    yield node
    yield from _below(node)


def _parent(node: Node) -> Iterable[Node]:
    return () if node.parent is None else (node.parent,)


def _above(node: Node) -> Iterator[Node]:
    above = node.parent
    while above is not None:
        yield above
        above = above.parent


def _above_or_self(node: Node) -> Iterator[Node]:
    yield node
    yield from _above(node)


def _siblings(node: Node) -> tuple[Sequence[Node], int]:
    """The siblings of `node` and its index among them; attributes have none."""
    if node.parent is None or node.kind in {ATTRIBUTE, NAMESPACE}:
        return (), 0
    siblings = content(node.parent)
    for index, sibling in enumerate(siblings):
        if sibling is node:
            return siblings, index
    return (), 0


def _following_sibling(node: Node) -> Iterable[Node]:
    siblings, index = _siblings(node)
    return siblings[index + 1 :]


def _preceding_sibling(node: Node) -> Iterable[Node]:
    siblings, index = _siblings(node)
    return reversed(siblings[:index])


def _following(node: Node) -> Iterator[Node]:
    if node.kind in {ATTRIBUTE, NAMESPACE} and node.parent is not None:
        node = node.parent
        yield from _below(node)
    for level in _above_or_self(node):
        for sibling in _following_sibling(level):
            yield from _below_or_self(sibling)


def _preceding(node: Node) -> Iterator[Node]:
    if node.kind in {ATTRIBUTE, NAMESPACE} and node.parent is not None:
        node = node.parent
    for level in _above_or_self(node):
        for sibling in _preceding_sibling(level):
            yield from reversed(list(_below_or_self(sibling)))


def _attributes(node: Node) -> Iterable[Node]:
    return (a for a in node.attributes if a.kind == ATTRIBUTE)


def _namespaces(node: Node) -> Iterator[Node]:
    """The prefixes in scope; what `parse_xml` kept of declarations, nearest first, and always `xml`."""
    if node.kind != ELEMENT:
        return
    seen: set[str] = set()
    for level in _above_or_self(node):
        for attribute in level.attributes:
            if attribute.kind == NAMESPACE and attribute.name not in seen:
                seen.add(attribute.name)
                if attribute.text:
                    yield attribute
    if "xml" not in seen:
        yield Node(NAMESPACE, "xml", text=XML_NAMESPACE, parent=node)


AXES: dict[str, Axis] = {
    "ancestor": _above,
    "ancestor-or-self": _above_or_self,
    "attribute": _attributes,
    "child": content,
    "descendant": _below,
    "descendant-or-self": _below_or_self,
    "following": _following,
    "following-sibling": _following_sibling,
    "namespace": _namespaces,
    "parent": _parent,
    "preceding": _preceding,
    "preceding-sibling": _preceding_sibling,
    "self": _self,
}

_KINDS = {"text": TEXT, "comment": COMMENT, "processing-instruction": INSTRUCTION}


def type_test(kind: str, target: str | None) -> Test:
    """`node()`, `text()`, `comment()`, `processing-instruction('target')`."""
    if kind == "node":
        return lambda _node: True
    wanted = _KINDS[kind]
    if target is not None:
        return lambda node: node.kind == wanted and node.name == target
    return lambda node: node.kind == wanted


def name_test(axis: str, local: str, prefix: str | None, uri: str | None, *, strict: bool = False) -> Test:
    """`local`, `*`, `prefix:local`, `prefix:*`.

    An unprefixed name matches any node written without a prefix: form documents have a default namespace, and every
    form engine matches by the written name there. With `strict` it matches what is in no namespace (XPath 1.0, 2.3).
    """
    principal = {"attribute": ATTRIBUTE, "namespace": NAMESPACE}.get(axis, ELEMENT)
    if prefix is None:
        if local == "*":
            return lambda node: node.kind == principal
        if strict:
            return lambda node: node.name == local and node.kind == principal and not node.namespace
        return lambda node: node.name == local and node.kind == principal and not node.prefix

    def in_namespace(node: Node) -> bool:
        return (
            node.kind == principal
            and local in {"*", node.name}
            and (node.namespace == uri if node.namespace else node.prefix == prefix)
        )

    return in_namespace


def document_order(nodes: Iterable[Node]) -> Nodes:
    """`nodes` sorted by document order, each once (attributes after their element, before its children)."""
    indexes: dict[int, dict[int, int]] = {}
    unique = list({id(n): n for n in nodes}.values())

    def key(node: Node) -> list[tuple[int, int]]:
        steps: list[tuple[int, int]] = []
        while node.parent is not None:
            above = node.parent
            if node.kind in {ATTRIBUTE, NAMESPACE}:
                group = 0 if node.kind == NAMESPACE else 1
                order = next((i for i, a in enumerate(above.attributes) if a is node), -1)
                steps.append((group, order))
            else:
                if id(above) not in indexes:
                    indexes[id(above)] = {id(c): i for i, c in enumerate(content(above))}
                steps.append((2, indexes[id(above)].get(id(node), -1)))
            node = above
        steps.reverse()
        return steps

    if len(unique) > 1:
        unique.sort(key=key)
    return unique


def relevant_only(nodes: Nodes) -> Nodes:
    """Without the nodes that do not count; nodes of one path are all live or all not."""
    if nodes and nodes[0].live:
        return [n for n in nodes if n.relevant]
    return nodes
