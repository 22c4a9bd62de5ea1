"""Text: XPath 1.0 section 4.2, and substr, join, regex, ends-with, upper-case, lower-case."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fieldsurvey.xforms.xpath.ast import FunctionCall
from fieldsurvey.xforms.xpath.compiled import Compiled
from fieldsurvey.xforms.xpath.functions.registry import function, of_one, special
from fieldsurvey.xforms.xpath.nodes import Value
from fieldsurvey.xforms.xpath.patterns import matches
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.xpath.compiler import Compiler


_TRIMMED = "".join(map(chr, range(33)))
_SPACES = re.compile(r"[ \t\n\x0b\f\r]+")  # Java's \s: a space that must not break stays one


def each(value: Value, change: Callable[[Any], Any]) -> list[Any]:
    """`change` of each node's typed value, or of the single value."""
    if type(value) is list:
        return [change(node.value()) for node in value]
    return [change(value)]


def _joining(compiler: Compiler, call: FunctionCall, separated: bool) -> Compiled:
    parts = [compiler.compile(arg) for arg in call.args]
    to_string = compiler.to_string
    reads = [compiler.convert(part, "value" if part.kind in {"nodes", "value"} else "string") for part in parts]
    separator = compiler.convert(parts[0], "string") if separated else None
    pieces = reads[1:] if separated else reads

    def run(ctx: Context) -> str:
        texts: list[str] = []
        for read in pieces:
            value = read(ctx)
            if type(value) is str:
                texts.append(value)
            else:
                texts += each(value, to_string)
        return ("" if separator is None else separator(ctx)).join(texts)

    return compiler.fold(Compiled("string", run), parts)


@special("concat", 0, None)
def concat(compiler: Compiler, call: FunctionCall) -> Compiled:
    """The texts one after another; a nodeset gives the text of each of its nodes."""
    return _joining(compiler, call, separated=False)


@special("join", 1, None)
def join(compiler: Compiler, call: FunctionCall) -> Compiled:
    """The texts with the first argument between them; a nodeset gives the text of each of its nodes."""
    return _joining(compiler, call, separated=True)


def _of_context(name: str, kind: str, change: Callable[[str], Any]) -> None:
    """Declare a function of one text that takes the context node's when it is called without."""

    def compile_call(compiler: Compiler, call: FunctionCall) -> Compiled:
        if not call.args:
            to_string = compiler.to_string
            return Compiled(kind, lambda ctx: change(to_string([ctx.node])))
        part = compiler.compile(call.args[0])
        read = compiler.convert(part, "string")
        return compiler.fold(Compiled(kind, lambda ctx: change(read(ctx))), [part])

    special(name, 0, 1, plain=of_one(name, "string", kind, change))(compile_call)


_of_context("string-length", "number", lambda text: float(len(text)))
_of_context("normalize-space", "string", lambda text: _SPACES.sub(" ", text.strip(_TRIMMED)))


@function("starts-with", "string, string -> boolean")
def starts_with(text: str, start: str) -> bool:
    """Whether `text` begins with `start`."""
    return text.startswith(start)


@function("ends-with", "string, string -> boolean")
def ends_with(text: str, end: str) -> bool:
    """Whether `text` ends with `end`."""
    return text.endswith(end)


@function("contains", "string, string -> boolean")
def contains(text: str, part: str) -> bool:
    """Whether `part` is somewhere in `text`."""
    return part in text


@function("substring-before", "string, string -> string")
def substring_before(text: str, part: str) -> str:
    """What stands before the first `part`; "" when it is not there."""
    index = text.find(part)
    return text[:index] if index >= 0 else ""


@function("substring-after", "string, string -> string")
def substring_after(text: str, part: str) -> str:
    """What stands after the first `part`; "" when it is not there."""
    index = text.find(part)
    return text[index + len(part) :] if index >= 0 else ""


def _rounded(number: float) -> float:
    return math.floor(number + 0.5) if math.isfinite(number) else number


@function("substring", "string, number, number? -> string")
def substring(text: str, first: float, length: float = math.inf) -> str:
    """`length` characters from position `first`, counted from 1 (XPath 1.0: positions round, NaN takes nothing)."""
    begin = _rounded(first)
    end = begin + _rounded(length)  # NaN for -inf + inf: compares false, takes nothing
    return "".join(c for position, c in enumerate(text, 1) if begin <= position < end)


def _index(number: float, length: int) -> int:
    """A position for substr: whole, from the end when negative, inside the text."""
    if math.isnan(number):
        return 0
    if abs(number) > length:
        return length if number > 0 else 0
    place = int(number)
    return place + length if place < 0 else place


@function("substr", "string, number, number? -> string")
def substr(text: str, start: float, end: float = math.inf) -> str:
    """From position `start`, counted from 0, up to before `end`; negative positions count from the end."""
    return text[_index(start, len(text)) : _index(end, len(text))]


@function("translate", "string, string, string -> string")
def translate(text: str, old: str, new: str) -> str:
    """Each character of `old` becomes the one at its place in `new`, or goes when there is none."""
    table: dict[int, str | None] = {}
    for index, character in enumerate(old):
        table.setdefault(ord(character), new[index] if index < len(new) else None)
    return text.translate(table)


@function("upper-case", "string -> string")
def upper_case(text: str) -> str:
    """Capital letters."""
    return text.upper()


@function("lower-case", "string -> string")
def lower_case(text: str) -> str:
    """Small letters."""
    return text.lower()


@function("regex", "string, string -> boolean")
def regex(text: str, pattern: str) -> bool:
    """Whether the whole text matches the pattern."""
    return matches(pattern, text)
