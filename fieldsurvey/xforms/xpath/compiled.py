"""What the compiler passes around while it builds closures. No closure is made here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from fieldsurvey.xforms.xpath.ast import Path
from fieldsurvey.xforms.xpath.nodes import Node, Value
from fieldsurvey.xforms.xpath.runtime import Context, Run

Scalar = str | float | bool | date


@dataclass(frozen=True, slots=True)
class PathAccess:
    """How to read a path, given by a PathResolver.

    `nodes` yields the relevant nodes in document order. When the path can never yield more than one node, `value`
    yields that node's typed value, "" when it is absent, blank or not relevant: the fast way. Leave it None when
    there may be several nodes; the error for a repeated field is then raised at run time.
    """

    nodes: Callable[[Context], list[Node]]
    value: Callable[[Context], Scalar] | None = None


class PathResolver(Protocol):
    """Lets the engine read its live instance by slots instead of walking the tree."""

    def path(self, path: Path, scope: tuple[Path, ...], every: bool) -> PathAccess | None:
        """Access for `path`, or None: the generic walker reads the tree from the context node.

        `scope` is empty for a path whose context node is the expression's own; inside predicates it holds the
        enclosing paths up to and including the filtered step, outermost first, and the context node is one of the
        last one's nodes. `every` is True where a reference must not be bound to the current repeat instance (the
        arguments of `indexed-repeat`).
        """
        ...


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled expression. `kind`: string, number, boolean, nodes, or value (known only at run time).

    `constant` says that `run` yields the same for every context. `value` is the fast way to a path's one value.
    """

    kind: str
    run: Run | Callable[[Context], Any]
    constant: bool = False
    value: Callable[[Context], Scalar] | None = None


def constant(kind: str, value: Value) -> Compiled:
    """A compiled expression that always yields `value`."""
    return Compiled(kind, lambda _ctx: value, constant=True)
