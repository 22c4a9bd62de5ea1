"""What an expression may give, and what its being true or false says of the answers that it reads.

An abstract reading of JavaRosa's XPath: `value` gives a superset of the values, `truth` of the truth values, and
`refine` narrows what is known so that the expression may be true (or false), None when that cannot be. All three rule
out only what cannot happen; whatever they do not understand may be anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fieldsurvey.xforms.check.comparing import arithmetic, as_possible, compare, narrowed, negative, truths
from fieldsurvey.xforms.check.domains import Domains, stored
from fieldsurvey.xforms.check.functions import by_function
from fieldsurvey.xforms.check.knowledge import Env, ExhaustedError, Scope, joined
from fieldsurvey.xforms.check.possible import (
    ANYTHING,
    BLANK,
    EITHER,
    Held,
    Possible,
    exactly,
    join,
    meet,
    plain,
    without_blank,
)
from fieldsurvey.xforms.check.trees import constant, negated, operands, relative
from fieldsurvey.xforms.definition.model import Expression, NodeDef
from fieldsurvey.xforms.program.program import Program
from fieldsurvey.xforms.program.references import References
from fieldsurvey.xforms.xpath.ast import (
    Binary,
    Chain,
    Expr,
    FunctionCall,
    Literal,
    NameTest,
    Number,
    Path,
    Unary,
)
from fieldsurvey.xforms.xpath.convert import to_string

COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
ENUMERATED = 1500
"""A question with more choices than this is not tried choice by choice."""
DEEP = 40


class Meaning:
    """Reads the expressions of one form. `steps` counts what was done; beyond `budget` ExhaustedError is raised."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.form = program.form
        self.domains = Domains(program.form, program)
        self.trees: dict[str, Expr] = {}
        self.resolved: dict[tuple[int, int], NodeDef | bool | None] = {}
        self.read: dict[tuple[int, int, bool], list[NodeDef]] = {}
        self.literals: dict[int, Possible] = {}
        self.made: list[Expr] = []  # what is known by its id is kept, so that the id stays its own
        self.steps = 0
        self.budget = 0
        self.quick = False

    def tree(self, expression: Expression) -> Expr:
        """The syntax tree, the same object each time."""
        found = self.trees.get(expression.source)
        if found is None:
            found = self.trees[expression.source] = self.program.parsed(expression)
        return found

    def spend(self, count: int = 1) -> None:
        """Count work."""
        self.steps += count
        if self.steps > self.budget:
            raise ExhaustedError

    # -- nodes -------------------------------------------------------------------------------------------------------

    def node(self, expr: Expr, scope: Scope) -> NodeDef | None:
        """The one node that a path means here; None when it is something else, or many nodes."""
        if not isinstance(expr, Path) or (scope.columns is not None and relative(expr)):
            return None
        found = self._resolve(expr, scope.here)
        return found if isinstance(found, NodeDef) else None

    def _resolve(self, path: Path, here: NodeDef) -> NodeDef | bool | None:
        key = (id(path), id(here))
        if key not in self.resolved:
            self.made.append(path)
            self.resolved[key] = self._resolved(path, here)
        return self.resolved[key]

    def _resolved(self, path: Path, here: NodeDef) -> NodeDef | bool | None:
        """False for what is not in the form: it is blank."""
        found = References(self.form.root, here).resolve(path)
        if found is None:
            return None
        if found.missing:
            return False
        target = found.target
        if found.predicates or found.bound != target.frame.depth or target.kind != "leaf":
            return None
        return target

    def of(self, d: NodeDef, env: Env, depth: int = 0) -> Possible:
        """What a node may read as."""
        memo = env.memo.get(d.index)
        if memo is not None:
            return memo
        found = env.known.get(d.index)
        if found is None:
            found = self.domains.of(d)
        calculation = self.domains.calculation(d)
        if calculation is not None and depth < DEEP:
            given = stored(self.value(self.tree(calculation), Scope(d, None, depth + 1), env), d)
            if self.domains.conditional(d):
                given = join(given, BLANK)
            found = meet(found, given)
            self._inputs(d, env.inputs)
            env.memo[d.index] = found
        return found

    def _inputs(self, d: NodeDef, table: dict[int, frozenset[int]]) -> None:
        """Keep in `table` the nodes that a calculated node depends on, through other calculations too."""
        if d.index in table:
            return
        found: set[int] = set()
        pending = [d]
        while pending:
            at = pending.pop()
            calculation = self.domains.calculation(at)
            if calculation is None:
                continue
            for read in self.reads(self.tree(calculation), Scope(at)):
                if read.index not in found:
                    found.add(read.index)
                    pending.append(read)
        table[d.index] = frozenset(found)

    # -- values ------------------------------------------------------------------------------------------------------

    def value(self, expr: Expr, scope: Scope, env: Env) -> Possible:
        """What an expression may give."""
        self.spend()
        if isinstance(expr, Number | Literal):
            found = self.literals.get(id(expr))
            if found is None:
                self.made.append(expr)
                found = self.literals[id(expr)] = exactly({expr.value})
            return found
        if isinstance(expr, Path):
            return self._path(expr, scope, env)
        if isinstance(expr, Unary):
            return negative(self.value(expr.operand, scope, env))
        if isinstance(expr, FunctionCall):
            return by_function(self, expr, scope, env)
        if isinstance(expr, Binary):
            if expr.op in COMPARISONS or expr.op in {"and", "or"}:
                return as_possible(self.truth(expr, scope, env))
            left, right = self.value(expr.left, scope, env), self.value(expr.right, scope, env)
            return arithmetic(expr.op, left, right, self.spend)
        if isinstance(expr, Chain):
            if expr.rest[0][0] in {"and", "or"}:
                return as_possible(self.truth(expr, scope, env))
            if expr.rest[0][0] in COMPARISONS:
                return EITHER
            total = self.value(expr.first, scope, env)
            for op, operand in expr.rest:
                total = arithmetic(op, total, self.value(operand, scope, env), self.spend)
            return total
        return ANYTHING

    def _path(self, path: Path, scope: Scope, env: Env) -> Possible:
        if scope.columns is not None and relative(path):
            step = path.steps[0] if len(path.steps) == 1 else None
            if step is None or step.axis != "child" or step.predicates or not isinstance(step.test, NameTest):
                return ANYTHING
            return scope.columns.get(step.test.local, BLANK)
        found = self._resolve(path, scope.here)
        if isinstance(found, NodeDef):
            return self.of(found, env, scope.depth)
        return BLANK if found is False else ANYTHING

    # -- truth -------------------------------------------------------------------------------------------------------

    def truth(self, expr: Expr, scope: Scope, env: Env) -> tuple[bool, bool]:
        """(may be true, may be false)."""
        self.spend()
        parts, op = operands(expr)
        if op:
            found = [self.truth(part, scope, env) for part in parts]
            if op == "and":
                return all(yes for yes, _no in found), any(no for _yes, no in found)
            return any(yes for yes, _no in found), all(no for _yes, no in found)
        inner = negated(expr)
        if inner is not None:
            yes, no = self.truth(inner, scope, env)
            return no, yes
        if isinstance(expr, Binary) and expr.op in COMPARISONS:
            left, right = self.value(expr.left, scope, env), self.value(expr.right, scope, env)
            return compare(expr.op, left, right, self.spend)
        return truths(self.value(expr, scope, env))

    def refine(self, expr: Expr, want: bool, scope: Scope, env: Env) -> Env | None:
        """What is known when the expression is `want`; None when it cannot be."""
        self.spend()
        parts, op = operands(expr)
        if op:
            if (op == "and") is want:
                return self._all(parts, want, scope, env)
            return self._any(parts, want, scope, env)
        inner = negated(expr)
        if inner is not None:
            return self.refine(inner, not want, scope, env)
        yes, no = self.truth(expr, scope, env)
        if not (yes if want else no):
            return None
        narrower = self._narrow(expr, want, scope, env)
        return narrower if narrower is None or self.quick else self._tried(expr, want, scope, narrower)

    def quickly(self, expr: Expr, want: bool, scope: Scope, env: Env) -> Env | None:
        """`refine` without trying answers value by value."""
        before, self.quick = self.quick, True
        try:
            return self.refine(expr, want, scope, env)
        finally:
            self.quick = before

    def _all(self, parts: list[Expr], want: bool, scope: Scope, env: Env) -> Env | None:
        for _again in range(2):
            before = env.known
            for part in parts:
                found = self.refine(part, want, scope, env)
                if found is None:
                    return None
                env = found
            if env.known == before:
                break
        return env

    def _any(self, parts: list[Expr], want: bool, scope: Scope, env: Env) -> Env | None:
        ways = [found for part in parts if (found := self.refine(part, want, scope, env)) is not None]
        if not ways:
            return None
        if len(ways) == 1:
            return ways[0]
        return joined(ways, env)

    def together(self, parts: Iterable[Expr], scope: Scope, env: Env) -> Env | None:
        """What is known when all of them are true; None when they cannot be."""
        for part in parts:
            found = self.refine(part, True, scope, env)
            if found is None:
                return None
            env = found
        return env

    def _narrow(self, expr: Expr, want: bool, scope: Scope, env: Env) -> Env | None:
        """What a comparison with one answer, or a choice being selected, says of that answer."""
        if isinstance(expr, Binary) and expr.op in COMPARISONS:
            for side, other, flipped in ((expr.left, expr.right, False), (expr.right, expr.left, True)):
                d = self.node(side, scope)
                if d is not None:
                    was = self.of(d, env)
                    now = narrowed(was, expr.op, self.value(other, scope, env), want=want, flipped=flipped)
                    if now.impossible:
                        return None
                    if now != was:
                        env = env.knowing(d, now)
            return env
        if isinstance(expr, FunctionCall) and expr.name in {"selected", "is-selected"}:
            return self._selected(expr, want, scope, env)
        d = self.node(expr, scope)
        if d is not None and want:
            now = without_blank(self.of(d, env))
            return None if now.impossible else env.knowing(d, now)
        return env

    def _selected(self, call: FunctionCall, want: bool, scope: Scope, env: Env) -> Env | None:
        d = self.node(call.args[0], scope)
        wanted = self.value(call.args[1], scope, env).values
        if d is None or wanted is None or len(wanted) != 1:
            return env
        (word,) = wanted
        was = self.of(d, env)
        if was.values is not None and isinstance(word, str):
            needle = f" {word.strip()} "
            fits = {value for value in was.values if (needle in f" {to_string(plain(value))} ") is want}
            return env.knowing(d, Possible(frozenset(fits))) if fits else None
        if was.tokens is None or not isinstance(word, str) or not word.strip() or " " in word.strip():
            return env
        word = word.strip()
        now = replace(was, must=was.must | {word}, blank=False) if want else replace(was, tokens=was.tokens - {word})
        return None if now.impossible else env.knowing(d, now)

    def _tried(self, expr: Expr, want: bool, scope: Scope, env: Env) -> Env | None:
        """Each answer with few values keeps those with which the expression may be `want`."""
        simple = isinstance(expr, Binary) and (constant(expr.left) or constant(expr.right))
        for d in self.reads(expr, scope):
            was = self.of(d, env)
            if simple and isinstance(expr, Binary) and d in {self.node(expr.left, scope), self.node(expr.right, scope)}:
                continue  # narrowed already
            if was.values is None or not 1 < len(was.values) <= ENUMERATED:
                continue
            kept: set[Held] = set()
            for value in was.values:
                yes, no = self.truth(expr, scope, env.knowing(d, Possible(frozenset({value}))))
                if yes if want else no:
                    kept.add(value)
            if not kept:
                return None
            if len(kept) < len(was.values):
                env = env.knowing(d, Possible(frozenset(kept)))
        return env

    def reads(self, expr: Expr, scope: Scope) -> list[NodeDef]:
        """The nodes that an expression reads by themselves, outside of predicates."""
        key = (id(expr), id(scope.here), scope.columns is None)
        known = self.read.get(key)
        if known is None:
            self.made.append(expr)
            known = self.read[key] = self._reads(expr, scope)
        return known

    def _reads(self, expr: Expr, scope: Scope) -> list[NodeDef]:
        found: dict[int, NodeDef] = {}
        pending = [expr]
        while pending:
            current = pending.pop()
            if isinstance(current, Path):
                d = self.node(current, scope)
                if d is not None:
                    found[d.index] = d
            elif isinstance(current, FunctionCall):
                pending.extend(current.args)
            elif isinstance(current, Binary):
                pending.extend((current.left, current.right))
            elif isinstance(current, Chain):
                pending.extend((current.first, *(operand for _op, operand in current.rest)))
            elif isinstance(current, Unary):
                pending.append(current.operand)
        return [found[index] for index in sorted(found)]
