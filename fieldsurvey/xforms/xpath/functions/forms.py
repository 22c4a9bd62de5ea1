"""What forms add about nodes, instances and choices: if, coalesce, once, instance, current, indexed-repeat, …"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.ast import Expr, FunctionCall, Path
from fieldsurvey.xforms.xpath.compiled import Compiled
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError
from fieldsurvey.xforms.xpath.functions.registry import function, special
from fieldsurvey.xforms.xpath.nodes import Node, Value, depth_of
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.xpath.compiler import Compiler


def _common_kind(parts: list[Compiled]) -> str:
    kinds = {part.kind for part in parts}
    return kinds.pop() if len(kinds) == 1 else "value"


@special("if", 3, 3)
def if_(compiler: Compiler, call: FunctionCall) -> Compiled:
    """`if(test, then, else)`; an `if` in the place of `else` joins the same closure, so long cascades stay shallow.

    What a constant test rules out is not compiled: it may be anything that parses, as in JavaRosa.
    """
    branches: list[tuple[Compiled, Compiled]] = []
    current: Expr = call
    while isinstance(current, FunctionCall) and current.name == "if" and len(current.args) == 3:
        test = compiler.compile(current.args[0])
        truth = compiler.as_boolean(test)
        if not test.constant:
            branches.append((test, compiler.compile(current.args[1])))
        elif truth(None):  # type: ignore[arg-type]  # a constant does not look at its context
            current = current.args[1]
            break
        current = current.args[2]
    otherwise = compiler.compile(current)
    if not branches:
        return otherwise
    kind = _common_kind([otherwise, *(result for _test, result in branches)])
    last = otherwise.run
    if len(branches) == 1:
        holds, yes = compiler.as_boolean(branches[0][0]), branches[0][1].run
        return Compiled(kind, lambda ctx: yes(ctx) if holds(ctx) else last(ctx))
    runs = [(compiler.as_boolean(test), result.run) for test, result in branches]

    def run(ctx: Context) -> Any:
        for truth, result in runs:
            if truth(ctx):
                return result(ctx)
        return last(ctx)

    return Compiled(kind, run)


@special("coalesce", 1, None)
def coalesce(compiler: Compiler, call: FunctionCall) -> Compiled:
    """The first argument that is not blank ("" or NaN); the rest is not evaluated."""
    parts = [compiler.compile(arg) for arg in call.args]
    reads = [compiler.scalar(part) for part in parts]

    def run(ctx: Context) -> Value:
        value: Value = ""
        for read in reads:
            value = read(ctx)
            if value != "" and value == value:  # noqa: PLR0124  NaN is blank
                return value
        return value

    return compiler.fold(Compiled("value", run), parts)


@special("once", 1, 1)
def once(compiler: Compiler, call: FunctionCall) -> Compiled:
    """The context node's own value when it has one, else the argument."""
    read = compiler.scalar(compiler.compile(call.args[0]))

    def run(ctx: Context) -> Value:
        held = ctx.node.value()
        return read(ctx) if held == "" else held

    return Compiled("value", run)


@function("current", "-> nodes")
def current(ctx: Context) -> list[Node]:
    """The node that the whole expression belongs to, also inside predicates."""
    return [ctx.origin]


@function("instance", "string -> nodes")
def instance(ctx: Context, name: str) -> list[Node]:
    """The secondary instance `name`."""
    found = ctx.env.instance(name)
    if found is None:
        raise EvaluationError(_("there is no list of that name"))
    return [found]


@function("jr:itext", "string -> value")
def itext(ctx: Context, text_id: str) -> Value:
    """The form's text of that id in the interview's language."""
    return ctx.env.itext(text_id, ctx)


@function("jr:choice-name", "string, string -> string")
def choice_name(ctx: Context, value: str, ref: str) -> str:
    """The label of the choice `value` of the select at `ref`."""
    return ctx.env.choice_label(value, ref, ctx)


@function("pulldata", "string, string, string, string -> string")
def pulldata(ctx: Context, source: str, column: str, key_column: str, key: str) -> str:
    """The cell of `column` in the row of the list `source` whose `key_column` is `key`."""
    return ctx.env.pulldata((source, column, key_column, key))


@special("indexed-repeat", 3, 11)
def indexed_repeat(compiler: Compiler, call: FunctionCall) -> Compiled:
    """`indexed-repeat(target, repeat, index, …)`: the target inside the chosen instance of each repeat."""
    if len(call.args) % 2 == 0:
        raise XPathNameError(
            call.at, _("{name}() takes a field, then pairs of repeat and index").format(name=call.name)
        )
    for arg in (call.args[0], *call.args[1::2]):
        if not isinstance(arg, Path):
            raise XPathNameError(arg.at, _("a reference to a field or a repeat is needed here"))
    unbound = compiler.unbound()
    target = unbound.nodes(call.args[0])
    levels = [
        (unbound.nodes(group), compiler.number(index))
        for group, index in zip(call.args[1::2], call.args[2::2], strict=True)
    ]

    def run(ctx: Context) -> list[Node]:
        pairs = [(group(ctx), index(ctx)) for group, index in levels]
        if not all(nodes for nodes, _number in pairs):
            return []
        pairs.sort(key=lambda pair: depth_of(pair[0][0]))  # the pairs may come in any order
        chosen: Node | None = None
        for nodes, number in pairs:
            place = max(int(number), 1) if abs(number) < 1e9 else 1
            inside = _around(nodes, ctx.node) if chosen is None else [n for n in nodes if _is_inside(n, chosen)]
            if place > len(inside):
                return []
            chosen = inside[place - 1]
        return [n for n in target(ctx) if chosen is not None and _is_inside(n, chosen)]

    return Compiled("nodes", run)


def _around(nodes: list[Node], here: Node) -> list[Node]:
    """The instances beside the one that `here` is in, when it is in one of the same outer repeat; else all."""
    above: set[int] = set()
    step: Node | None = here
    while step is not None:
        above.add(id(step))
        step = step.parent
    beside = [n for n in nodes if n.parent is not None and id(n.parent) in above]
    return beside or nodes


def _is_inside(node: Node, above: Node) -> bool:
    step: Node | None = node
    while step is not None:
        if step is above:
            return True
        step = step.parent
    return False


@function("depend", "value+ -> value", pure=False)
def depend(first: Value, *_rest: Value) -> Value:
    """The first argument; the rest only says what it depends on."""
    return first


@function("property", "string -> string")
def property_(ctx: Context, name: str) -> str:
    """A property of the device or the enumerator that the caller gave."""
    return ctx.env.properties.get(name, "")


@function("version", "-> string")
def version(ctx: Context) -> str:
    """The form's version."""
    return ctx.env.version
