"""Closures for paths: the generic walker over nodes, with its predicates.

Where the engine's PathResolver gives an access, that is used instead; filters on lists go through lookup.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.ast import Expr, FunctionCall, NameTest, Path, Step, TypeTest
from fieldsurvey.xforms.xpath.compiled import Compiled, Scalar
from fieldsurvey.xforms.xpath.convert import to_nodeset, unpack
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError
from fieldsurvey.xforms.xpath.lookup import over_list
from fieldsurvey.xforms.xpath.nodes import ELEMENT, Node, root_of
from fieldsurvey.xforms.xpath.runtime import Context
from fieldsurvey.xforms.xpath.steps import AXES, REVERSE, Test, document_order, name_test, relevant_only, type_test

if TYPE_CHECKING:
    from fieldsurvey.xforms.xpath.compiler import Compiler

Nodes = list[Node]
Read = Callable[[Context], Nodes]
StepRun = Callable[[Context, Nodes], Nodes]

_FLAT = frozenset({"child", "self", "attribute"})  # from nodes that do not contain one another to such nodes
_WIDE = frozenset(
    {"preceding", "following", "preceding-sibling", "following-sibling", "descendant", "descendant-or-self"}
)
_ORDERED = _FLAT | {"descendant", "descendant-or-self"}  # keep document order, from such nodes


def compile_path(compiler: Compiler, path: Path) -> Compiled:
    """`path` as a compiled nodeset."""
    if compiler.resolver is not None:
        access = compiler.resolver.path(path, compiler.scope, compiler.every)
        if access is not None:
            return Compiled("nodes", access.nodes, value=access.value)
    if path.start is not None and not path.steps and not path.start_predicates:
        return compiler.compile(path.start)
    start, flat = _start(compiler, path)
    steps = _steps(compiler, path, flat)
    return Compiled("nodes", _walk(start, steps), value=None if compiler.mode == "native" else _one_value(path))


def _one_value(path: Path) -> Callable[[Context], Scalar] | None:
    """The quick way to the value of `.` and of `name`, which filters over lists ask of every row."""
    if path.absolute or path.start is not None or len(path.steps) != 1 or path.steps[0].predicates:
        return None
    step = path.steps[0]
    if step.axis == "self" and step.test == TypeTest("node"):
        return _own_value
    if step.axis != "child" or not isinstance(step.test, NameTest) or step.test.prefix or step.test.local == "*":
        return None
    name = step.test.local

    def value(ctx: Context) -> Scalar:
        found: Node | None = None
        for child in ctx.node.children:
            if child.name == name and child.kind == ELEMENT and not child.prefix and (not child.live or child.relevant):
                if found is not None:
                    return unpack([found, child])  # raises: repeated
                found = child
        return "" if found is None else unpack(found.value())

    return value


def _own_value(ctx: Context) -> Scalar:
    node = ctx.node
    return unpack(node.value()) if not node.live or node.relevant else ""


def _walk(start: Read, steps: list[StepRun]) -> Read:
    if not steps:
        return lambda ctx: relevant_only(start(ctx))
    if len(steps) == 1:
        only = steps[0]
        return lambda ctx: relevant_only(only(ctx, start(ctx)))

    def run(ctx: Context) -> Nodes:
        nodes = start(ctx)
        for step in steps:
            nodes = step(ctx, nodes)
            if not nodes:
                return nodes
        return relevant_only(nodes)

    return run


def _start(compiler: Compiler, path: Path) -> tuple[Read, bool]:
    """Where the steps begin, and whether those nodes surely do not contain one another."""
    if path.absolute:
        return lambda ctx: [ctx.env.root or root_of(ctx.origin)], True
    if path.start is None:
        return lambda ctx: [ctx.node], True
    begin = compiler.nodes(path.start)
    single = isinstance(path.start, FunctionCall) and path.start.name in {"instance", "current"}
    if path.start_predicates:
        inner = compiler.within(Path(False, (), path.start, (), path.at))
        for predicate in path.start_predicates:
            begin = _filtered(begin, _predicate(inner, predicate))
    return begin, single


def _filtered(read: Read, keep: _Predicate) -> Read:
    return lambda ctx: keep(ctx, read(ctx))


def _steps(compiler: Compiler, path: Path, flat: bool) -> list[StepRun]:
    runs: list[StepRun] = []
    is_list = isinstance(path.start, FunctionCall) and path.start.name == "instance" and compiler.mode != "native"
    steps = _without_detours(path.steps)
    for index, step in enumerate(steps):
        inner = compiler
        if step.predicates:
            done = (*steps[:index], Step(step.axis, step.test, (), step.at))
            inner = compiler.within(Path(path.absolute, done, path.start, path.start_predicates, path.at))
        runs.append(_indexed_step(inner, step, flat) if is_list else compile_step(inner, step, flat))
        flat = flat and step.axis in _FLAT
    return runs


def _without_detours(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """`//x` without predicates is `descendant::x`; `./x` is `x`."""
    out: list[Step] = []
    for step in steps:
        if step.axis == "self" and step.test == TypeTest("node") and not step.predicates and len(steps) > 1:
            continue
        before = out[-1] if out else None
        if (
            before is not None
            and before.axis == "descendant-or-self"
            and before.test == TypeTest("node")
            and not before.predicates
            and step.axis == "child"
            and not step.predicates
        ):
            out[-1] = Step("descendant", step.test, (), step.at)
        else:
            out.append(step)
    return tuple(out)


def compile_step(compiler: Compiler, step: Step, flat: bool) -> StepRun:
    """One step; `compiler` is already inside the step's scope. `flat`: its input does not contain one another."""
    test = node_test(compiler, step)
    plain = isinstance(step.test, NameTest) and not (step.test.prefix or step.predicates or compiler.mode == "native")
    if plain and flat and step.axis == "child":
        return _children_called(step.test.local)  # type: ignore[union-attr]  # `plain` saw a NameTest
    axis = AXES[step.axis]
    keeps = [_predicate(compiler, p) for p in step.predicates]
    backwards = step.axis in REVERSE
    ordered = flat and step.axis in _ORDERED
    wide = step.axis in _WIDE

    def run(ctx: Context, nodes: Nodes) -> Nodes:
        out: Nodes = []
        for node in nodes:
            found = [n for n in (_reached(ctx, axis(node)) if wide else axis(node)) if test(n)]
            for keep in keeps:
                if not found:
                    break
                found = keep(ctx, found)
            if backwards:
                found.reverse()
            out += found
        if ordered or len(nodes) <= 1:
            return out
        return document_order(out)

    return run


def _reached(ctx: Context, nodes: Iterable[Node]) -> Nodes:
    """The nodes of an axis, as far as there is leave to look."""
    env = ctx.env
    reached = list(islice(nodes, max(env.visits, 0) + 1))
    env.visits -= len(reached)
    if env.visits < 0:
        raise EvaluationError(_("the expression looks at too many nodes"))
    return reached


def _indexed_step(compiler: Compiler, step: Step, flat: bool) -> StepRun:
    """A step into a list: by index and by columns as far as its predicates allow."""
    plain = compile_step(compiler, step, flat)
    if not (flat and step.predicates and step.axis == "child" and isinstance(step.test, NameTest)):
        return plain
    if step.test.prefix or step.test.local == "*":
        return plain
    return over_list(compiler, step.test.local, step.predicates, _rowwise, plain)


def _rowwise(compiler: Compiler, expr: Expr, operand: bool) -> _Predicate:
    return _by_truth(compiler.boolean(expr)) if operand else _predicate(compiler, expr)


def _children_called(name: str) -> StepRun:
    """`child::name`, by far the most frequent step."""
    if name == "*":
        return lambda _ctx, nodes: [c for n in nodes for c in n.children if c.kind == ELEMENT]

    def run(_ctx: Context, nodes: Nodes) -> Nodes:
        if len(nodes) == 1:
            return [c for c in nodes[0].children if c.name == name and c.kind == ELEMENT and not c.prefix]
        return [c for n in nodes for c in n.children if c.name == name and c.kind == ELEMENT and not c.prefix]

    return run


def node_test(compiler: Compiler, step: Step) -> Test:
    """The test of a step. Raises XPathNameError when its prefix is not declared."""
    if isinstance(step.test, TypeTest):
        return type_test(step.test.kind, step.test.target)
    uri = None
    if step.test.prefix is not None:
        uri = compiler.namespaces.get(step.test.prefix)
        if uri is None:
            reason = _("the prefix {prefix} is not declared").format(prefix=step.test.prefix)
            raise XPathNameError(step.at, reason)
    return name_test(step.axis, step.test.local, step.test.prefix, uri, strict=compiler.mode == "native")


_Predicate = Callable[[Context, Nodes], Nodes]


def _predicate(compiler: Compiler, expr: Expr) -> _Predicate:
    """A predicate over the nodes of one axis, in the order of the axis: a number is a position, all else a truth."""
    compiled = compiler.compile(expr)
    if compiled.kind == "number" and compiled.constant:
        return _at_position(compiled.run(None))  # type: ignore[arg-type]  # a constant does not look at its context
    if compiled.kind in {"boolean", "string"} or (compiled.kind == "nodes" and not compiler.typed_positions):
        return _by_truth(compiler.as_boolean(compiled))
    return _by_value(compiler.scalar(compiled), compiler.to_boolean)


def _by_truth(truth: Callable[[Context], bool]) -> _Predicate:
    def run(ctx: Context, nodes: Nodes) -> Nodes:
        inner = ctx.inner(nodes[0], len(nodes)) if nodes else ctx
        kept = []
        for position, node in enumerate(nodes, 1):
            inner.node = node
            inner.position = position
            if truth(inner):
                kept.append(node)
        return kept

    return run


def _at_position(number: float) -> _Predicate:
    index = int(number) - 1 if abs(number) < 1e9 else -1  # NaN is not less
    if index < 0 or number != index + 1:
        return lambda _ctx, _nodes: []
    return lambda _ctx, nodes: nodes[index : index + 1]


def _by_value(read: Callable[[Context], Any], truth: Callable[[Any], bool]) -> _Predicate:
    def run(ctx: Context, nodes: Nodes) -> Nodes:
        inner = ctx.inner(nodes[0], len(nodes)) if nodes else ctx
        kept = []
        for position, node in enumerate(nodes, 1):
            inner.node = node
            inner.position = position
            value = read(inner)
            if value == position if type(value) is float else truth(value):
                kept.append(node)
        return kept

    return run


def union(reads: list[Read]) -> Read:
    """`a | b`: every node once, in document order."""
    return lambda ctx: document_order([n for read in reads for n in to_nodeset(read(ctx))])
