"""How a function is declared: its name, a signature in words, and the Python function that does it.

    @function("substr", "string, number, number? -> string")
    def substr(text: str, start: float, end: float | None = None) -> str: ...

Kinds: string, number, boolean (converted before the call), nodes (a list of nodes), scalar (a nodeset is unpacked to
its one typed value), value (as it comes, nodesets included). `?` marks arguments that may be left out, `*` a last one
that may come any number of times, `+` at least once. A function whose first parameter is called `ctx` is given the
Context and is never folded; `pure=False` says the same of one that must run each time.

`@special` declares a form whose arguments are not all evaluated, or not as values: it is given the compiler.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

KINDS = frozenset({"string", "number", "boolean", "nodes", "scalar", "value"})


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the library. `most` is None when the last kind repeats."""

    name: str
    kinds: tuple[str, ...]
    least: int
    most: int | None
    result: str
    call: Callable[..., Any]
    context: bool
    pure: bool

    def kind_of(self, index: int) -> str:
        """The kind of the argument at `index`."""
        return self.kinds[min(index, len(self.kinds) - 1)]

    @property
    def arity(self) -> str:
        """How many arguments it takes, in digits: "2", "1-3", "1 or more"."""
        if self.most is None:
            return f"{self.least}+"
        return str(self.least) if self.least == self.most else f"{self.least}-{self.most}"


@dataclass(frozen=True, slots=True)
class Special:
    """A form that the compiler expands. `compile` takes (compiler, call) and returns the compiled call.

    `plain` is what it is when none of its arguments is left out, None when it is never a function of their values.
    """

    name: str
    least: int
    most: int | None
    compile: Callable[..., Any]
    plain: Function | None = None


LIBRARY: dict[str, Function | Special] = {}
F = TypeVar("F", bound=Callable[..., Any])


def _declare(name: str, signature: str, call: Callable[..., Any], pure: bool) -> Function:
    left, _arrow, result = (part.strip() for part in signature.partition("->"))
    words = [w.strip() for w in left.split(",") if w.strip()]
    kinds = tuple(w.rstrip("?*+") for w in words)
    least = sum(not w.endswith(("?", "*")) for w in words)
    most = None if words and words[-1].endswith(("*", "+")) else len(words)
    if not KINDS.issuperset((*kinds, result)):
        raise ValueError(signature)
    context = next(iter(inspect.signature(call).parameters), "") == "ctx"
    return Function(name, kinds, least, most, result, call, context, pure and not context)


def of_one(name: str, kind: str, result: str, call: Callable[[Any], Any]) -> Function:
    """A function of one argument, for `Special.plain`."""
    return Function(name, (kind,), 1, 1, result, call, context=False, pure=True)


def function(names: str, signature: str, *, pure: bool = True) -> Callable[[F], F]:
    """Declare the decorated function under each of `names` (separated by spaces)."""

    def declare(call: F) -> F:
        for name in names.split():
            LIBRARY[name] = _declare(name, signature, call, pure)
        return call

    return declare


def special(name: str, least: int, most: int | None, *, plain: Function | None = None) -> Callable[[F], F]:
    """Declare the decorated function as the compiler's expansion of `name`."""

    def declare(call: F) -> F:
        LIBRARY[name] = Special(name, least, most, call, plain)
        return call

    return declare
