"""Comparisons inside expressions that come out the same whatever is answered: a choice that is not in the list, a
number beyond what a question takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.check.findings import Finding, warning
from fieldsurvey.xforms.check.knowledge import Env, Scope
from fieldsurvey.xforms.check.meaning import COMPARISONS
from fieldsurvey.xforms.check.possible import Possible, exactly, without_blank
from fieldsurvey.xforms.check.solver import Condition, Solver
from fieldsurvey.xforms.check.wording import as_written, listed
from fieldsurvey.xforms.definition.model import Expression, NodeDef
from fieldsurvey.xforms.program.lists import below
from fieldsurvey.xforms.program.references import is_call
from fieldsurvey.xforms.xpath.ast import Binary, Expr, FunctionCall, Literal, Number, Path, children, render

CONDITIONS = frozenset({"relevant", "required", "read_only", "constraint", "bind::fs:warning"})


class Comparisons:
    """The comparisons of one form."""

    def __init__(self, solver: Solver) -> None:
        self.solver = solver
        self.meaning = solver.meaning
        self.form = solver.meaning.form
        self.seen: set[tuple[int, str]] = set()

    def findings(self) -> Iterator[Finding]:
        """Everything found, expression by expression."""
        for expression in self.form.expressions:
            d = expression.context
            if d is None or (d.frame is None):
                continue
            yield from self._walk(expression, self.meaning.tree(expression), Scope(d))

    def _walk(self, expression: Expression, tree: Expr, scope: Scope) -> Iterator[Finding]:
        pending: list[tuple[Expr, Scope]] = [(tree, scope)]
        while pending:
            expr, here = pending.pop()
            compared = isinstance(expr, Binary) and expr.op in COMPARISONS
            if compared or is_call(expr, "selected") or is_call(expr, "is-selected"):
                yield from self._comparison(expression, expr, here, whole=expr is tree)
            if isinstance(expr, Path):
                columns = self._columns(expr)
                if columns is not None:
                    inside = Scope(here.here, columns)
                    pending.extend((predicate, inside) for step in expr.steps for predicate in step.predicates)
                continue  # other predicates stand at nodes of which nothing is known
            pending.extend((child, here) for child in reversed(children(expr)))

    def _columns(self, path: Path) -> Mapping[str, Possible] | None:
        """What the columns of `instance('list')/root/item` hold, over all its items."""
        start = path.start
        if not isinstance(start, FunctionCall) or start.name != "instance" or not isinstance(start.args[0], Literal):
            return None
        if len(path.steps) < 2 or path.steps[0].predicates or any(step.predicates for step in path.steps[2:]):
            return None
        items = self.meaning.domains.lists.items(start.args[0].value)
        if items is None:
            return None
        names = {child.name for item in items for child in item.children}
        return {name: exactly({below(item, name) for item in items}) for name in names}

    def _comparison(self, expression: Expression, expr: Expr, scope: Scope, *, whole: bool) -> Iterator[Finding]:
        reads = self.meaning.reads(expr, scope)
        if not reads:
            return
        env = Env()
        if expression.column in {"constraint", "bind::fs:warning"}:
            env = env.knowing(scope.here, without_blank(self.meaning.of(scope.here, env)))
        never = not self._may(expr, scope, env, want=True)
        always = not never and not self._may(expr, scope, env, want=False)
        if not (never or always):
            return
        key = (id(expression), render(expr))
        if key in self.seen:
            return
        self.seen.add(key)
        unknown = self._unknown(expr, scope, reads)
        if unknown is not None:
            yield self._not_a_choice(expression, expr, *unknown)
        elif not whole or expression.column not in CONDITIONS:  # else the condition itself is told
            if always and expression.column in {"constraint", "bind::fs:warning"}:
                return  # often written for safety: `. != ''`
            text = _("{expression} is always true.") if always else _("{expression} is never true.")
            yield warning(
                "comparison.always" if always else "comparison.never",
                text.format(expression=self._shown(expression, expr)),
                _("Correct the comparison, or leave it out."),
                expression.origin,
                expression.context.path if expression.context is not None else "",
            )

    def _may(self, expr: Expr, scope: Scope, env: Env, *, want: bool) -> bool:
        return self.solver.ask([Condition(expr, scope, want)], env, alone=True).possible

    def _unknown(self, expr: Expr, scope: Scope, reads: list[NodeDef]) -> tuple[NodeDef, str] | None:
        """(the select, the value) of a comparison with a value that is none of its choices."""
        if isinstance(expr, FunctionCall):
            sides = [(expr.args[0], expr.args[1])]
        elif isinstance(expr, Binary) and expr.op in {"=", "!="}:
            sides = [(expr.left, expr.right), (expr.right, expr.left)]
        else:
            return None
        for side, other in sides:
            d = self.meaning.node(side, scope)
            if d is None or not isinstance(other, Literal | Number) or d not in reads:
                continue
            values = self.meaning.domains.lists.values(d)
            value = other.value if isinstance(other, Literal) else f"{other.value:g}"
            if (
                values is not None
                and d.control is not None
                and d.control.kind in {"select", "select1", "rank"}
                and value
            ):
                return d, value
        return None

    def _not_a_choice(self, expression: Expression, expr: Expr, d: NodeDef, value: str) -> Finding:
        values = self.meaning.domains.lists.values(d) or ()
        like = get_close_matches(value, values, n=1, cutoff=0.6)
        remedy = (
            _("Correct the value.") + " " + _("Is {name} meant?").format(name=like[0])
            if like
            else _("The choices are: {names}.").format(names=listed(list(dict.fromkeys(values))))
        )
        return warning(
            "choice.unknown",
            _("{expression}: {value} is not a choice of {name}.").format(
                expression=self._shown(expression, expr), value=repr(value), name=d.name
            ),
            remedy,
            expression.origin,
            expression.context.path if expression.context is not None else "",
        )

    def _shown(self, expression: Expression, expr: Expr) -> str:
        """The comparison as written: the source from where it begins to where the next thing of its tree begins."""
        return as_written(plainly(expr), expression.origin)


def plainly(expr: Expr) -> str:
    """XPath without its long axes: `child::a` is `a`, `self::node()` is `.`."""
    text = render(expr)
    return text.replace("self::node()", ".").replace("parent::node()", "..").replace("child::", "")
