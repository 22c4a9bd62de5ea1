"""What a path in an expression means for this form: the node definitions it reaches and how far it is bound.

Binding follows JavaRosa (TreeReference.contextualize): a reference inside a repeat means the current instance of every
repeat that it shares, from the root down, with the node at which it is evaluated, unless a predicate chooses one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.xpath.ast import Expr, FunctionCall, Literal, NameTest, Path, Step, children

_SIMPLE = frozenset({"child", "parent", "self", "attribute"})


@dataclass(frozen=True, slots=True)
class Resolved:
    """A path without surprises: `target` is reached by child, parent, self and attribute steps only.

    `bound` is how many frames (the root's not counted) are those of the current instance. `here` is the definition
    whose live node fixes them: the context node's, or with `from_origin` that of `current()`.
    """

    target: NodeDef
    here: NodeDef
    from_origin: bool
    bound: int
    predicates: bool
    missing: str = ""


def shared_depth(here: NodeDef, target: NodeDef) -> int:
    """How many repeats, from the root down, both are inside of."""
    count = 0
    for one, other in zip(here.frame.chain()[1:], target.frame.chain()[1:], strict=False):
        if one is not other:
            break
        count += 1
    return count


def is_call(expr: Expr | None, name: str) -> bool:
    """Whether `expr` is a call of that function."""
    return isinstance(expr, FunctionCall) and expr.name == name


class References:
    """Resolves paths for expressions at one node definition of a form."""

    def __init__(self, root: NodeDef, here: NodeDef | None) -> None:
        self.root = root
        self.here = here

    def base(self, path: Path, scope: tuple[Path, ...]) -> tuple[NodeDef | None, bool] | None:
        """The definition that relative steps start from and whether it is `current()`; None when not in the form."""
        if path.absolute:
            inner = self.scope_node(scope) if scope else self.here
            return (inner, False) if inner is not None else (self.here, True)
        if path.start is None:
            inner = self.scope_node(scope) if scope else self.here
            return None if inner is None else (inner, False)
        if is_call(path.start, "current") and not path.start_predicates:
            return (self.here, bool(scope))
        return None

    def scope_node(self, scope: tuple[Path, ...]) -> NodeDef | None:
        """The definition of the nodes that the innermost predicate filters; None in a secondary instance."""
        found = self.resolve(scope[-1], scope[:-1])
        return found.target if found is not None and not found.missing else None

    def resolve(self, path: Path, scope: tuple[Path, ...] = (), *, every: bool = False) -> Resolved | None:
        """None when the path is not one of the form's own, or not made of simple steps."""
        base = self.base(path, scope)
        if base is None or base[0] is None:
            return None
        here: NodeDef = base[0]
        from_origin = base[1]
        node: NodeDef | None = None if path.absolute else here
        climbed = here.frame.depth
        first_predicate: int | None = None
        for step in path.steps:
            if step.axis not in _SIMPLE:
                return None
            if node is None and path.absolute:
                node = self._root_step(step)
                if node is None:
                    return self._missing(here, from_origin, step)
            else:
                assert node is not None
                moved = _move(node, step)
                if moved is None:
                    return None
                if moved == ():
                    return self._missing(here, from_origin, step)
                node = moved  # type: ignore[assignment]
                if step.axis == "parent":
                    climbed = min(climbed, moved.frame.depth)  # type: ignore[union-attr]
            if step.predicates and first_predicate is None:
                assert node is not None
                first_predicate = node.frame.depth - (1 if node.kind == "repeat" else 0)
        if node is None:
            return None
        bound = 0 if every else shared_depth(here, node)
        if not path.absolute:
            bound = min(bound, climbed)  # who climbs out of an instance and goes down again means all of them
        if first_predicate is not None:
            bound = min(bound, first_predicate)
        if node.kind == "repeat" and path.steps and path.steps[-1].axis == "child":
            bound = min(bound, node.frame.depth - 1)  # a repeat that is named means all of its instances
        return Resolved(node, here, from_origin, bound, first_predicate is not None)

    def _scope_bound(self, path: Path, scope: tuple[Path, ...]) -> int:
        """How many frames the nodes that a predicate filters share with the expression's own node."""
        if not scope or is_call(path.start, "current"):
            return 1_000_000
        outer = self.resolve(scope[-1], scope[:-1])
        return 1_000_000 if outer is None else min(outer.bound, self._scope_bound(scope[-1], scope[:-1]))

    def _root_step(self, step: Step) -> NodeDef | None:
        if step.axis != "child" or not isinstance(step.test, NameTest):
            return None
        return self.root if step.test.local in {self.root.name, "*"} else None

    def _missing(self, here: NodeDef, from_origin: bool, step: Step) -> Resolved:
        name = step.test.local if isinstance(step.test, NameTest) else step.test.kind
        return Resolved(self.root, here, from_origin, 0, False, missing=name)

    def reached(self, path: Path, scope: tuple[Path, ...]) -> Iterator[tuple[NodeDef, int]]:
        """Every definition that the path may read, with its bound depth: a superset where steps are not simple."""
        simple = self.resolve(path, scope)
        if simple is not None:
            if not simple.missing:
                yield simple.target, min(simple.bound, self._scope_bound(path, scope))
            return
        for node in self.superset(path, scope):
            yield node, 0

    def superset(self, expr: Expr, scope: tuple[Path, ...] = ()) -> list[NodeDef]:
        """Every definition that a node given by `expr` may have: what any of its paths reaches, by whatever axis."""
        if not isinstance(expr, Path):
            found = [node for part in children(expr) for node in self.superset(part, scope)]
            return list(dict.fromkeys(found))
        at_root = path_from_document(expr, self.root.name)
        nodes = [] if at_root else self._starts(expr, scope)
        for step in expr.steps:
            if at_root:
                nodes = _from_document(self.root, step)
                at_root = step.axis == "self"
                continue
            nodes = [found for node in nodes for found in _spread(node, step)]
        return list(dict.fromkeys(nodes))

    def _starts(self, path: Path, scope: tuple[Path, ...]) -> list[NodeDef]:
        """The definitions that the steps of a path may start from."""
        if path.start is None:
            if scope:
                return self.superset(scope[-1], scope[:-1])
            return [] if self.here is None else [self.here]
        if is_call(path.start, "current"):
            return [] if self.here is None else [self.here]
        return self.superset(path.start, scope)


def path_from_document(path: Path, name: str) -> bool:
    """Whether the steps begin above the root element: absolute, or `instance()` of what may be the form itself."""
    if path.absolute or not isinstance(path.start, FunctionCall) or path.start.name != "instance":
        return path.absolute
    asked = path.start.args[0] if path.start.args else None
    return not isinstance(asked, Literal) or asked.value == name


def _move(node: NodeDef, step: Step) -> NodeDef | tuple[()] | None:
    """One simple step; () when there is no such node, None when it may be several definitions."""
    if step.axis == "self":
        return node
    if step.axis == "parent":
        return node.parent if node.parent is not None else ()
    if not isinstance(step.test, NameTest) or step.test.local == "*":
        return None
    if step.axis == "attribute":
        for child in node.children:
            if child.is_attribute and child.name == step.test.local:
                return child
        return ()
    return node.child(step.test.local) or ()


def below(node: NodeDef) -> Iterator[NodeDef]:
    """Every definition below, in document order."""
    stack = list(reversed(node.children))
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))


def _named(nodes: Iterator[NodeDef] | list[NodeDef], step: Step) -> list[NodeDef]:
    if not isinstance(step.test, NameTest) or step.test.local == "*":
        return list(nodes)
    return [node for node in nodes if node.name == step.test.local]


def _from_document(root: NodeDef, step: Step) -> list[NodeDef]:
    if step.axis == "child":
        return _named([root], step)
    if step.axis in {"descendant", "descendant-or-self"}:
        return _named([root, *below(root)], step)
    return [root]


def _spread(node: NodeDef, step: Step) -> list[NodeDef]:
    """A superset of what one step of any axis reaches."""
    if step.axis in {"child", "attribute"}:
        return _named([child for child in node.children if child.is_attribute == (step.axis == "attribute")], step)
    if step.axis == "self":
        return _named([node], step)
    if step.axis == "parent":
        return _named([node.parent], step) if node.parent else []
    if step.axis == "descendant":
        return _named(below(node), step)
    if step.axis == "descendant-or-self":
        return _named([node, *below(node)], step)
    if step.axis in {"ancestor", "ancestor-or-self"}:
        found = [node] if step.axis == "ancestor-or-self" else []
        above = node.parent
        while above is not None:
            found.append(above)
            above = above.parent
        return _named(found, step)
    if step.axis in {"following-sibling", "preceding-sibling"}:
        return _named([node, *node.parent.children], step) if node.parent else []
    top = node
    while top.parent is not None:
        top = top.parent
    return _named([top, *below(top)], step)


def calls(expr: Expr, *names: str) -> Iterator[FunctionCall]:
    """Every call of one of these functions in `expr`."""
    pending: list[Expr] = [expr]
    while pending:
        current = pending.pop()
        if isinstance(current, FunctionCall) and current.name in names:
            yield current
        pending.extend(children(current))
