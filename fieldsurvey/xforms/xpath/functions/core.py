"""XPath 1.0 section 4: booleans, conversions, and the functions about nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fieldsurvey.xforms.xpath.ast import FunctionCall
from fieldsurvey.xforms.xpath.compiled import Compiled
from fieldsurvey.xforms.xpath.functions.registry import function, of_one, special
from fieldsurvey.xforms.xpath.nodes import ATTRIBUTE, Node, descendants, position_of, root_of
from fieldsurvey.xforms.xpath.runtime import Context
from fieldsurvey.xforms.xpath.steps import document_order

if TYPE_CHECKING:
    from fieldsurvey.xforms.xpath.compiler import Compiler


@function("true", "-> boolean")
def true() -> bool:
    """True."""
    return True


@function("false", "-> boolean")
def false() -> bool:
    """False."""
    return False


@function("not", "boolean -> boolean")
def not_(truth: bool) -> bool:
    """The opposite."""
    return not truth


def _converting(kind: str) -> Callable[[Compiler, FunctionCall], Compiled]:
    def compile_call(compiler: Compiler, call: FunctionCall) -> Compiled:
        """`string()`, `number()`, `boolean()`: of the argument (of several nodes the first), or of the context node.

        Asking for the conversion asks for the first node (XPath 1.0 sections 4.2 to 4.4). Everywhere else several
        nodes are an error, as in JavaRosa.
        """
        change = {"string": compiler.to_string, "number": compiler.to_number, "boolean": compiler.to_boolean}[kind]
        if call.args:
            part = compiler.compile(call.args[0])
            if part.kind in {"nodes", "value"} and part.value is None:
                return compiler.fold(Compiled(kind, _of_first(part.run, change, kind)), [part])
            return compiler.fold(Compiled(kind, compiler.convert(part, kind)), [part])
        return Compiled(kind, lambda ctx: change([ctx.node]))

    return compile_call


def _of_first(run: Callable[[Context], Any], change: Callable[[Any], Any], kind: str) -> Callable[[Context], Any]:
    def convert(ctx: Context) -> Any:
        value = run(ctx)
        if type(value) is list and len(value) > 1:
            return True if kind == "boolean" else change(value[:1])  # several nodes are more than none
        return change(value)

    return convert


special("string", 0, 1, plain=of_one("string", "string", "string", str))(_converting("string"))
special("number", 0, 1, plain=of_one("number", "number", "number", float))(_converting("number"))
special("boolean", 1, 1, plain=of_one("boolean", "boolean", "boolean", bool))(_converting("boolean"))


@function("last", "-> number")
def last(ctx: Context) -> float:
    """How many nodes the predicate's step has."""
    return float(ctx.size)


@function("position", "nodes? -> number")
def position(ctx: Context, nodes: list[Node] | None = None) -> float:
    """The position in the predicate's step; outside, and with an argument, of a repeat instance among its like."""
    if nodes is None:
        if ctx.position:
            return float(ctx.position)
        nodes = [ctx.node]
    if not nodes:
        return 0.0
    known = ctx.env.position(nodes[0])
    return float(position_of(nodes[0]) if known is None else known)


@function("count", "nodes -> number")
def count(nodes: list[Node]) -> float:
    """How many nodes."""
    return float(len(nodes))


def _named(nodes: list[Node] | None, ctx: Context) -> Node | None:
    return ctx.node if nodes is None else (nodes[0] if nodes else None)


@function("local-name", "nodes? -> string")
def local_name(ctx: Context, nodes: list[Node] | None = None) -> str:
    """The name of the first node without its prefix."""
    node = _named(nodes, ctx)
    return "" if node is None else node.name


@function("namespace-uri", "nodes? -> string")
def namespace_uri(ctx: Context, nodes: list[Node] | None = None) -> str:
    """The namespace of the first node."""
    node = _named(nodes, ctx)
    return "" if node is None else node.namespace


@function("name", "nodes? -> string")
def name(ctx: Context, nodes: list[Node] | None = None) -> str:
    """The name of the first node as it is written."""
    node = _named(nodes, ctx)
    if node is None:
        return ""
    return f"{node.prefix}:{node.name}" if node.prefix else node.name


@special("id", 1, 1)
def id_(compiler: Compiler, call: FunctionCall) -> Compiled:
    """The elements whose `id` attribute is one of the words."""
    part = compiler.compile(call.args[0])
    run, to_string = part.run, compiler.to_string

    def elements(ctx: Context) -> list[Node]:
        value = run(ctx)
        texts = [n.string() for n in value] if type(value) is list else [to_string(value)]
        wanted = {word for text in texts for word in text.split()}
        top = root_of(ctx.node)
        found = [n for n in descendants(top) if n.attributes and _id_of(n) in wanted]
        first: dict[str, Node] = {}
        for node in found:
            first.setdefault(_id_of(node), node)
        return document_order(first.values())

    return Compiled("nodes", elements)


def _id_of(node: Node) -> str:
    for attribute in node.attributes:
        if attribute.kind == ATTRIBUTE and attribute.name == "id" and attribute.prefix in {"", "xml"}:
            return attribute.text
    return ""


@function("lang", "string -> boolean")
def lang(ctx: Context, language: str) -> bool:
    """Whether the nearest xml:lang is `language` or a variety of it, upper and lower case being the same."""
    node: Node | None = ctx.node
    while node is not None:
        for attribute in node.attributes:
            if attribute.name == "lang" and attribute.prefix == "xml":
                here, wanted = attribute.text.lower(), language.lower()
                return here == wanted or here.startswith(wanted + "-")
        node = node.parent
    return False
