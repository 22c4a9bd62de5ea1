"""What an expression in a predicate looks at: the row's own columns, the place of the row, or only what is outside."""

from __future__ import annotations

from fieldsurvey.xforms.xpath.ast import (
    Binary,
    Chain,
    Expr,
    FunctionCall,
    Literal,
    NameTest,
    Number,
    Path,
    Step,
    TypeTest,
    Unary,
    children,
)

# Calls that look at the context node, or must run for each node anew, even where no argument says so.
_INWARD = frozenset({"position", "last", "once", "lang", "id", "random", "uuid", "randomize"})
_INWARD_WITHOUT_ARGUMENTS = frozenset(
    {"string", "number", "string-length", "normalize-space", "name", "local-name", "namespace-uri"}
)


def column_name(expr: Expr) -> str | None:
    """The name in `name` or `./name`: the row's child; None for anything else."""
    if not isinstance(expr, Path) or expr.absolute or expr.start is not None or expr.start_predicates:
        return None
    steps = [s for s in expr.steps if not (s.axis == "self" and s.test == TypeTest("node") and not s.predicates)]
    if len(steps) != 1:
        return None
    step: Step = steps[0]
    if step.axis != "child" or step.predicates or not isinstance(step.test, NameTest):
        return None
    return None if step.test.prefix or step.test.local == "*" else step.test.local


def is_outward(expr: Expr) -> bool:
    """Whether `expr` means the same for every row: it never looks at the row itself."""
    pending = [expr]
    while pending:
        current = pending.pop()
        if isinstance(current, Path):
            if current.start is not None:
                pending.append(current.start)  # predicates look at the path's own nodes
            elif not current.absolute:
                return False
        elif isinstance(current, FunctionCall):
            if current.name in _INWARD or (not current.args and current.name in _INWARD_WITHOUT_ARGUMENTS):
                return False
            pending.extend(current.args)
        elif isinstance(current, Number | Literal | Unary | Binary | Chain):
            pending.extend(children(current))
        else:
            return False
    return True


def asks_position(expr: Expr) -> bool:
    """Whether `expr` asks where the row stands among the others."""
    if isinstance(expr, FunctionCall) and expr.name in {"position", "last"}:
        return True
    return any(asks_position(child) for child in children(expr)) if not isinstance(expr, Path) else False
