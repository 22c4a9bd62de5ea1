"""What an expression reads: its paths, each with where its relative steps start from."""

from __future__ import annotations

from dataclasses import dataclass

from fieldsurvey.xforms.xpath.ast import Expr, FunctionCall, Path, Step, TypeTest, children

OF_CONTEXT = frozenset({"string", "number", "string-length", "normalize-space"})
"""Functions that read the context node's value when they are called without arguments."""
SELF = Path(False, (Step("self", TypeTest("node")),))


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that an expression reads. `scope` is as in PathResolver.path: what its relative steps start from."""

    path: Path
    scope: tuple[Path, ...] = ()


def dependencies(expr: Expr) -> list[Reference]:
    """Every path in `expr`, also in predicates and arguments, in source order, doubles left out.

    `instance('x')/…` and `current()/…` are paths with a call as their start. `string()`, `number()` and the like
    without arguments read the context node, `.`. What `once` and `position()` know of it, and paths inside texts
    (`jr:choice-name`), are not listed.
    """
    found: dict[tuple[Path, tuple[Path, ...]], Reference] = {}
    pending: list[tuple[Expr, tuple[Path, ...]]] = [(expr, ())]
    while pending:
        current, scope = pending.pop()
        if isinstance(current, FunctionCall) and current.name in OF_CONTEXT and not current.args:
            current = SELF
        if not isinstance(current, Path):
            pending.extend((child, scope) for child in reversed(children(current)))
            continue
        found.setdefault((current, scope), Reference(current, scope))
        inner: list[tuple[Expr, tuple[Path, ...]]] = []
        if current.start is not None:
            inner.append((current.start, scope))
            base = Path(False, (), current.start, (), current.at)
            inner.extend((p, (*scope, base)) for p in current.start_predicates)
        for index, step in enumerate(current.steps):
            if step.predicates:
                done = Path(
                    current.absolute,
                    (*current.steps[:index], type(step)(step.axis, step.test, (), step.at)),
                    current.start,
                    current.start_predicates,
                    current.at,
                )
                inner.extend((p, (*scope, done)) for p in step.predicates)
        pending.extend(reversed(inner))
    return list(found.values())
