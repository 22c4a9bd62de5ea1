"""Syntax tree to closures. At run time no tree is walked: each closure calls the closures of its parts.

    run = compile_expr(parse("/data/age >= 18"))
    run(Context(node, env))  # True

It folds constants, chooses closures by the kinds that are known beforehand, and refuses unknown functions, wrong
numbers of arguments, variables and undeclared prefixes with the position. It evaluates nothing that needs a context.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath import convert, native, operators
from fieldsurvey.xforms.xpath.ast import (
    OPERATORS,
    Binary,
    Chain,
    Expr,
    FunctionCall,
    Literal,
    Number,
    Path,
    Unary,
    Variable,
)
from fieldsurvey.xforms.xpath.compiled import Compiled, PathAccess, PathResolver, constant
from fieldsurvey.xforms.xpath.convert import kept, to_boolean, to_nodeset, to_number, to_string
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError
from fieldsurvey.xforms.xpath.functions import LIBRARY, Function, Special
from fieldsurvey.xforms.xpath.namespaces import JAVAROSA, NAMESPACES
from fieldsurvey.xforms.xpath.paths import compile_path, union
from fieldsurvey.xforms.xpath.runtime import Context, Run

__all__ = [
    "Compiler",
    "PathAccess",
    "PathResolver",
    "compile_as",
    "compile_expr",
    "to_boolean",
    "to_nodeset",
    "to_number",
    "to_string",
]

MAX_DEPTH = 160
"""Calls inside one another, chains of `if` not counted."""


def compile_expr(
    expr: Expr,
    resolver: PathResolver | None = None,
    *,
    namespaces: Mapping[str, str] = NAMESPACES,
    mode: str = "xforms",
) -> Run:
    """A closure for `expr`; what it yields is a Value, a list of nodes when the expression is a nodeset.

    `mode` is "xforms" (JavaRosa's semantics) or "native" (plain XPath 1.0 plus the same functions).
    Raises XPathNameError; the closure raises EvaluationError.
    """
    compiled = Compiler(resolver, namespaces, mode).compile(expr)
    return kept(compiled.run) if compiled.kind == "value" else compiled.run


def compile_as(
    expr: Expr,
    kind: str,
    resolver: PathResolver | None = None,
    *,
    namespaces: Mapping[str, str] = NAMESPACES,
    mode: str = "xforms",
) -> Callable[[Context], Any]:
    """A closure that yields `kind`: "string", "number", "boolean", "nodes", or "scalar" (one typed value)."""
    compiler = Compiler(resolver, namespaces, mode)
    return compiler.convert(compiler.compile(expr), kind)


class Compiler:
    """One compilation. Functions of the library that are `special` are given it."""

    def __init__(self, resolver: PathResolver | None, namespaces: Mapping[str, str], mode: str) -> None:
        self.resolver = resolver
        self.namespaces = namespaces
        self.mode = mode
        self.scope: tuple[Path, ...] = ()
        self.every = False
        self.depth = 0
        rules: Any = native if mode == "native" else convert
        self.to_string: Callable[[Any], str] = rules.to_string
        self.to_number: Callable[[Any], float] = rules.to_number
        self.to_boolean: Callable[[Any], bool] = rules.to_boolean
        self.unpack: Callable[[Any], Any] = rules.unpack
        self.typed_positions = mode != "native"  # a node's value may be a number, and then is a position

    def _copy(self) -> Compiler:
        other = Compiler(self.resolver, self.namespaces, self.mode)
        other.scope, other.every, other.depth = self.scope, self.every, self.depth
        return other

    def within(self, path: Path) -> Compiler:
        """A compiler for predicates of the last step of `path`."""
        other = self._copy()
        other.scope = (*self.scope, path)
        return other

    def unbound(self) -> Compiler:
        """A compiler for references to every repeat instance, not to the current one."""
        other = self._copy()
        other.every = True
        return other

    # -- dispatch ------------------------------------------------------------------------------------------------

    def compile(self, expr: Expr) -> Compiled:
        """`expr` compiled, constants folded."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise XPathNameError(expr.at, _("brackets are nested too deeply"))
        compiled = _COMPILERS[type(expr)](self, expr)
        self.depth -= 1
        return compiled

    def fold(self, compiled: Compiled, parts: list[Compiled]) -> Compiled:
        """The constant that `compiled` is when all its parts are; one that fails fails when it is run."""
        if not all(p.constant for p in parts):
            return compiled
        try:
            value = compiled.run(None)  # type: ignore[arg-type]  # constants do not look at their context
        except EvaluationError:
            return compiled
        return constant(compiled.kind, value)

    # -- conversions ---------------------------------------------------------------------------------------------

    def convert(self, compiled: Compiled, kind: str) -> Callable[[Context], Any]:
        """A closure that yields `kind`; none is added where the kind is known to be right."""
        if kind == "value" and compiled.value is not None and self.mode != "native":
            return compiled.value
        if kind in {"value", compiled.kind}:
            return compiled.run
        if kind == "nodes":
            run = compiled.run
            return lambda ctx: to_nodeset(run(ctx))
        if kind == "scalar":
            return self.scalar(compiled)
        change: Callable[[Any], Any] = {
            "string": self.to_string,
            "number": self.to_number,
            "boolean": self.to_boolean,
        }[kind]
        if compiled.constant:
            fixed = change(compiled.run(None))  # type: ignore[arg-type]
            return lambda _ctx: fixed
        if compiled.value is not None and self.mode != "native":
            return _converted(compiled.value, change, kind)
        run = compiled.run
        return lambda ctx: change(run(ctx))

    def scalar(self, compiled: Compiled) -> Callable[[Context], Any]:
        """A closure of one typed value."""
        if compiled.value is not None and self.mode != "native":
            return compiled.value
        if compiled.kind in {"string", "number", "boolean"}:
            return compiled.run
        run, unpack = compiled.run, self.unpack
        return lambda ctx: unpack(run(ctx))

    def as_boolean(self, compiled: Compiled) -> Callable[[Context], bool]:
        """A closure of a truth."""
        return self.convert(compiled, "boolean")

    def string(self, expr: Expr) -> Callable[[Context], str]:
        """`expr` as text."""
        return self.convert(self.compile(expr), "string")

    def number(self, expr: Expr) -> Callable[[Context], float]:
        """`expr` as a number."""
        return self.convert(self.compile(expr), "number")

    def boolean(self, expr: Expr) -> Callable[[Context], bool]:
        """`expr` as a truth."""
        return self.convert(self.compile(expr), "boolean")

    def nodes(self, expr: Expr) -> Callable[[Context], Any]:
        """`expr` as nodes. Raises XPathNameError when it can never be nodes."""
        compiled = self.compile(expr)
        if compiled.kind in {"string", "number", "boolean"}:
            raise XPathNameError(expr.at, _("nodes are needed here, and this is a single value"))
        return self.convert(compiled, "nodes")

    # -- operators -----------------------------------------------------------------------------------------------

    def binary(self, op: str, left: Expr, right: Expr) -> Compiled:
        """Two operands."""
        if op == "|":
            return Compiled("nodes", union([self.nodes(left), self.nodes(right)]))
        if op in {"and", "or"}:
            return self.logic(op, [left, right])
        first, second = self.compile(left), self.compile(right)
        return self.fold(self.operation(op, first, second), [first, second])

    def logic(self, op: str, operands: list[Expr]) -> Compiled:
        """`and` and `or`; what a constant before it rules out is not compiled, as JavaRosa never looks at it."""
        parts: list[Compiled] = []
        decided = op == "or"
        for operand in operands:
            part = self.compile(operand)
            if part.constant:
                truth = self.as_boolean(part)(None)  # type: ignore[arg-type]
                if truth is not decided:
                    continue
                if not parts:
                    return constant("boolean", decided)
                parts.append(part)
                break
            parts.append(part)
        if not parts:
            return constant("boolean", not decided)
        truths = [self.as_boolean(part) for part in parts]
        if len(truths) == 1:
            return Compiled("boolean", truths[0])
        return Compiled("boolean", operators.both(truths) if op == "and" else operators.either(truths))

    def operation(self, op: str, first: Compiled, second: Compiled) -> Compiled:
        """Two compiled operands, not folded."""
        if OPERATORS[op] >= OPERATORS["+"]:
            numbers = self.convert(first, "number"), self.convert(second, "number")
            return Compiled("number", operators.arithmetic(op, *numbers))
        if self.mode == "native":
            left, right = first.run, second.run
            return Compiled("boolean", lambda ctx: native.compare(op, left(ctx), right(ctx)))
        if op in {"=", "!="}:
            return Compiled("boolean", operators.equality(op, first, second, self.scalar))
        if second.constant and first.value is not None:
            number = self.to_number(second.run(None))  # type: ignore[arg-type]
            return Compiled("boolean", operators.comparison_with(op, first.value, number))
        return Compiled(
            "boolean", operators.comparison(op, self.convert(first, "number"), self.convert(second, "number"))
        )

    def chain(self, chain: Chain) -> Compiled:
        """Three operands and more, of one level."""
        ops = {op for op, _operand in chain.rest}
        operands = [chain.first, *(operand for _op, operand in chain.rest)]
        if ops == {"|"}:
            return Compiled("nodes", union([self.nodes(operand) for operand in operands]))
        if ops <= {"and", "or"}:
            return self.logic(chain.rest[0][0], operands)
        parts = [self.compile(operand) for operand in operands]
        if OPERATORS[chain.rest[0][0]] >= OPERATORS["+"]:
            numbers = [self.convert(part, "number") for part in parts]
            rest = [(op, number) for (op, _o), number in zip(chain.rest, numbers[1:], strict=True)]
            result = Compiled("number", operators.arithmetic_chain(numbers[0], rest))
        else:
            result = parts[0]
            for (op, _o), part in zip(chain.rest, parts[1:], strict=True):
                result = self.operation(op, result, part)
        return self.fold(result, parts)

    def function_name(self, name: str) -> str:
        """The library's name for a function: the prefix stands for a namespace, and `jr` is JavaRosa's usual one."""
        prefix, colon, local = name.partition(":")
        if not colon:
            return name
        return f"jr:{local}" if self.namespaces.get(prefix) == JAVAROSA else ""

    # -- calls ---------------------------------------------------------------------------------------------------

    def call(self, call: FunctionCall) -> Compiled:
        """A function of the library."""
        found = LIBRARY.get(self.function_name(call.name))
        if found is None:
            raise XPathNameError(call.at, _("there is no function {name}()").format(name=call.name))
        count = len(call.args)
        if count < found.least or (found.most is not None and count > found.most):
            reason = _("{name}() does not take {count} arguments").format(name=call.name, count=count)
            raise XPathNameError(call.at, reason)
        if isinstance(found, Special):
            result: Compiled = found.compile(self, call)
            return result
        parts = [self.compile(arg) for arg in call.args]
        for index, (arg, part) in enumerate(zip(call.args, parts, strict=True)):
            if found.kind_of(index) == "nodes" and part.kind in {"string", "number", "boolean"}:
                raise XPathNameError(arg.at, _("{name}() needs nodes here").format(name=call.name))
        args = [self.convert(part, found.kind_of(index)) for index, part in enumerate(parts)]
        compiled = Compiled(found.result, _calling(found, args))
        return self.fold(compiled, parts) if found.pure else compiled


def _converted(read: Callable[[Context], Any], change: Callable[[Any], Any], kind: str) -> Callable[[Context], Any]:
    right = {"string": str, "number": float, "boolean": bool}[kind]

    def run(ctx: Context) -> Any:
        value = read(ctx)
        return value if type(value) is right else change(value)

    return run


def _calling(found: Function, args: list[Callable[[Context], Any]]) -> Callable[[Context], Any]:
    """A closure that calls the function: one shape for each usual number of arguments."""
    call = found.call
    if found.context:
        if not args:
            return call
        if len(args) == 1:
            only = args[0]
            return lambda ctx: call(ctx, only(ctx))
        return lambda ctx: call(ctx, *[arg(ctx) for arg in args])
    if not args:
        return lambda _ctx: call()
    if len(args) == 1:
        only = args[0]
        return lambda ctx: call(only(ctx))
    if len(args) == 2:
        first, second = args
        return lambda ctx: call(first(ctx), second(ctx))
    return lambda ctx: call(*[arg(ctx) for arg in args])


def _unary(compiler: Compiler, expr: Unary) -> Compiled:
    operand = compiler.compile(expr.operand)
    return compiler.fold(Compiled("number", operators.negate(compiler.convert(operand, "number"))), [operand])


def _variable(_compiler: Compiler, expr: Variable) -> Compiled:
    raise XPathNameError(expr.at, _("there is no variable ${name}").format(name=expr.name))


_COMPILERS: Mapping[type, Callable[[Compiler, Any], Compiled]] = MappingProxyType(
    {
        Number: lambda _c, e: constant("number", e.value),
        Literal: lambda _c, e: constant("string", e.value),
        Variable: _variable,
        FunctionCall: lambda c, e: c.call(e),
        Unary: _unary,
        Binary: lambda c, e: c.binary(e.op, e.left, e.right),
        Chain: lambda c, e: c.chain(e),
        Path: compile_path,
    }
)
