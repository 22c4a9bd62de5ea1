"""Closures: constants, kinds, the resolver, references, and what is refused when compiling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.xforms.xpath import (
    Context,
    Env,
    EvaluationError,
    Node,
    PathAccess,
    Value,
    XPathNameError,
    compile_as,
    compile_expr,
    dependencies,
    parse,
)
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
    render,
)
from tests.xforms.xpath.support import context_at, value

CELLS = [("n0", "0"), ("n1", "1"), ("n2", "2.5"), ("n3", "-3"), ("t0", ""), ("t1", "x"), ("t2", "12"), ("t3", "a b")]
XML = f"<d>{''.join(f'<{name}>{text}</{name}>' for name, text in CELLS)}</d>"
CONSTANTS = [f"'{text}'" for _name, text in CELLS]
PATHS = [f"/d/{name}" for name, _text in CELLS]
SHAPES = [
    "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} div {1}", "{0} mod {1}", "-{0}", "{0} = {1}", "{0} != {1}",
    "{0} < {1}", "{0} >= {1}", "{0} and {1}", "{0} or {1}", "{0} and {1} and {2}", "{0} or {1} or {2} or {3}",
    "{0} + {1} - {2}",
    "{0} < {1} = {2}", "if({0}, {1}, {2})", "if({0}, {1}, if({2}, {3}, {0}))", "coalesce({0}, {1})",
    "selected({0}, {1})", "concat({0}, {1}, {2})", "substr({0}, {1})", "round({0}, {1})", "string({0})",
    "number({0}) + {1}", "not({0})",
    "max({0}, {1}, {2})", "checklist({0}, {1}, {2}, {3})", "normalize-space({0})", "translate({0}, {1}, {2})",
    "boolean-from-string({0})", "count-selected({0})", "{0} = 1", "{0} > 2", "1 = {0}", "{0} != 'x'",
    "({0} = '') = {1}",
]  # fmt: skip


def outcome(expression: str, context: Context) -> object:
    """The value, or that it has none; NaN is made equal to itself."""
    try:
        result = compile_expr(parse(expression))(context)
    except EvaluationError:
        return "no value"
    if isinstance(result, list):
        result = result[0].value() if result else ""
    return "NaN" if isinstance(result, float) and math.isnan(result) else result


@given(st.sampled_from(SHAPES), st.lists(st.integers(0, len(CELLS) - 1), min_size=4, max_size=4))
def test_folding_equals_not_folding(shape: str, picked: list[int]) -> None:
    """An expression of constants, folded while compiling, yields what it yields when it reads them from nodes."""
    context = context_at(XML)
    folded = outcome(shape.format(*(CONSTANTS[i] for i in picked)), context)
    assert folded == outcome(shape.format(*(PATHS[i] for i in picked)), context)


def test_a_constant_expression_is_folded() -> None:
    """The control of the test above: what is folded is worked out once and never asks its context for anything."""
    run = compile_expr(parse("concat(1 + 2, substr('abc', 1), round(2.6))"))
    assert run(None) == "3bc3"  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        compile_expr(parse("concat(/a, 1)"))(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("'x'", "'x'", True), ("'x'", "'y'", False), ("'1'", "'1.0'", False), ("'1'", "1.0", True), ("1", "'x'", False),
        ("0.1 + 0.2", "0.3", True), ("1", "1.00001", False), ("1 div 0", "1 div 0", True),
        ("0 div 0", "0 div 0", False),
        ("true()", "'no'", True), ("true()", "''", False), ("1", "true()", True), ("2", "true()", True),
        ("0", "false()", True), ("''", "false()", True), ("''", "0", False),
        ("date('2026-05-04')", "'2026-05-04'", True),
        ("date('2026-05-04')", "20577", True), ("date('2026-05-04')", "date-time('2026-05-04T23:00')", True),
        ("date('2026-05-04')", "date-time('2026-05-05T01:00')", False), ("date('2026-05-04')", "true()", True),
        ("date('2026-05-04')", "date('2026-05-05')", False),
    ],
)  # fmt: skip
def test_equality(left: str, right: str, equal: bool) -> None:
    """JavaRosa's rule by kinds; `=` is symmetric, and `!=` is its opposite."""
    assert value(f"{left} = {right}") is equal
    assert value(f"{right} = {left}") is equal
    assert value(f"{left} != {right}") is not equal
    assert value(f"({left}) != ({right})") is not equal
    xml, cells = "<d><l/></d>", (f"concat(/d/l, {left})", f"concat(/d/l, {right})")
    if "'" in left and "'" in right and "(" not in left + right:
        assert value(f"{cells[0]} = {right}", xml) is equal
        assert value(f"{cells[0]} != {cells[1]}", xml) is not equal
        assert value(f"{cells[0]} != {right}", xml) is not equal


@pytest.mark.parametrize(
    ("expression", "truth"),
    [("/d/n1 and true() and /d/t0", False), ("/d/n1 and true() and /d/t1", True),
    ("/d/t0 or false() or /d/n1 = 1", True),
     ("/d/t0 or false() or /d/t0", False), ("true() and /d/t1", True), ("/d/t0 or true()", True),
     ("/d/t1 and false() and /d/t1", False), ("1 and 'x' and true()", True), ("0 or '' or false()", False),
     ("/d/t1 and /d/n1 and /d/t0", False), ("/d/t1 and /d/t2 and /d/t3 and /d/t0", False)],
)  # fmt: skip
def test_and_or_with_constants_among_them(expression: str, truth: bool) -> None:
    """Constants that decide nothing drop out; the operands after them still count."""
    assert value(expression, XML) is truth


def reference(expr: Expr) -> Fraction:
    """Exact arithmetic, by walking the tree."""
    if isinstance(expr, Number):
        return Fraction(expr.value)
    if isinstance(expr, Unary):
        return -reference(expr.operand)
    if isinstance(expr, Binary):
        return apply(expr.op, reference(expr.left), reference(expr.right))
    assert isinstance(expr, Chain)
    total = reference(expr.first)
    for op, operand in expr.rest:
        total = apply(op, total, reference(operand))
    return total


def apply(op: str, left: Fraction, right: Fraction) -> Fraction:
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    if op == "*":
        return left * right
    assume(right != 0)
    quotient = left / right
    return quotient if op == "div" else left - right * math.trunc(quotient)


whole = st.integers(0, 60).map(lambda n: Number(float(n)))


def _sums(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    strong, weak = st.sampled_from(["*", "div", "mod"]), st.sampled_from(["+", "-"])
    rest = st.lists(st.tuples(weak, inner), min_size=2, max_size=3).map(lambda found: tuple(found))  # noqa: PLW0108
    return st.one_of(
        st.builds(Unary, inner),
        st.builds(Binary, weak | strong, inner, inner),
        st.builds(Chain, inner, rest),
    )


@given(st.recursive(whole, _sums, max_leaves=8))
def test_arithmetic_against_exact_fractions(tree: Expr) -> None:
    """`+ - * div mod`, precedence and association agree with exact arithmetic as far as a double can."""
    exact = reference(tree)
    got = value(render(tree))
    assert isinstance(got, float)
    has_fraction = any(op in render(tree) for op in ("div", "mod"))
    assert math.isclose(got, float(exact), rel_tol=1e-9, abs_tol=1e-9) or (has_fraction and abs(exact) < 10**6)
    if not has_fraction:
        assert got == float(exact)


class Slots:
    """A resolver that reads from a dict, as the engine reads from slots; it remembers what it was asked."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = values
        self.asked: list[tuple[str, int, bool]] = []

    def path(self, path: Path, scope: tuple[Path, ...], every: bool) -> PathAccess | None:
        name = path.steps[-1].test if path.steps else None
        self.asked.append((render(path), len(scope), every))
        if not path.absolute or not isinstance(name, NameTest) or name.local not in self.values:
            return None
        held = self.values[name.local]

        def nodes(_ctx: Context) -> list[Node]:
            return [Node(1, name.local, text=str(held))]

        return PathAccess(nodes, lambda _ctx: held)  # type: ignore[arg-type,return-value]


@given(st.sampled_from(SHAPES), st.lists(st.integers(0, len(CELLS) - 1), min_size=4, max_size=4))
def test_a_resolver_changes_nothing_but_the_speed(shape: str, picked: list[int]) -> None:
    """Reading paths through PathAccess.value yields what walking the tree yields."""
    context = context_at(XML)
    expression = shape.format(*(PATHS[i] for i in picked))
    by_slot = compile_as(parse(expression), "string", Slots(dict(CELLS)))
    by_walk = compile_as(parse(expression), "string")
    try:
        walked = by_walk(context)
    except EvaluationError:
        with pytest.raises(EvaluationError):
            by_slot(context)
    else:
        assert by_slot(context) == walked


def test_the_resolver_is_told_scope_and_binding() -> None:
    """A path in a predicate comes with its enclosing paths; the arguments of indexed-repeat are to be unbound."""
    resolver = Slots({})
    compile_expr(parse("/d/r[n = /d/x[. > 1]]/v + indexed-repeat(/d/r/v, /d/r, /d/i)"), resolver)
    asked = {(text.replace("child::", "").split("[")[0], scope, every) for text, scope, every in resolver.asked}
    assert ("/d/r", 0, False) in asked
    assert ("n", 1, False) in asked
    assert ("/d/x", 1, False) in asked
    assert ("self::node()", 2, False) in asked
    assert ("/d/r/v", 0, True) in asked
    assert ("/d/i", 0, False) in asked


@pytest.mark.parametrize(
    ("expression", "references"),
    [
        ("1 + 2", []),
        ("/d/a + /d/b * /d/a", ["/child::d/child::a", "/child::d/child::b"]),
        ("if(selected(/d/a, 'x'), ../b, .)", ["/child::d/child::a", "parent::node()/child::b", "self::node()"]),
        ("instance('l')/root/item[k = current()/../c]/v", [
            "instance('l')/child::root/child::item[child::k = current()/parent::node()/child::c]/child::v",
            "instance('l')/child::root/child::item > child::k",
            "instance('l')/child::root/child::item > current()/parent::node()/child::c"]),
    ],
)  # fmt: skip
def test_dependencies_lists_every_reference(expression: str, references: list[str]) -> None:
    """Paths in arguments and predicates are found, with what their steps start from, each once."""
    found = [" > ".join([*map(render, r.scope), render(r.path)]) for r in dependencies(parse(expression))]
    assert found == references


@pytest.mark.parametrize(
    ("expression", "position"),
    [
        ("nosuch(1)", 0), ("1 + nosuch()", 4), ("/a[nosuch()]", 3), ("substr('a')", 0), ("true(1)", 0), ("$x + 1", 0),
        ("a/nope:b", 2), ("count('x')", 6), ("sum(1 + 1)", 4), ("1 | a", 0), ("indexed-repeat(1, /a, 1)", 15),
        ("indexed-repeat(/a, /b, 1, /c)", 0), ("if(1, 2)", 0), ("concat(a, lang())", 10), ("(1)/a", 3),
    ],
)  # fmt: skip
def test_what_is_refused_when_compiling(expression: str, position: int) -> None:
    """Unknown functions, wrong arity, variables, prefixes and arguments that can never fit, each with its place."""
    with pytest.raises(FieldsurveyError) as caught:
        compile_expr(parse(expression))
    assert getattr(caught.value, "position", None) == position


@pytest.mark.parametrize("expression", ["true() or nosuch()", "false() and nosuch() and 1", "if(false(), nosuch(), 1)",
                                        "if(true(), 1, nosuch(nosuch()))",
                                        "if(0, nosuch(), if(1, 'x', nosuch()))"])  # fmt: skip
def test_what_a_constant_rules_out_is_not_looked_at(expression: str) -> None:
    """JavaRosa never evaluates these parts, so they may be anything that parses."""
    assert compile_expr(parse(expression))(None) in {True, False, "x"}  # type: ignore[arg-type]
    with pytest.raises(XPathNameError):
        compile_expr(parse(expression.replace("true()", "/a").replace("false()", "/a").replace("(0,", "(/a,")))


def test_and_or_stop_when_they_know() -> None:
    """The right side runs only when the left one leaves it open."""

    class Counting(Env):
        asked = 0

        def random(self) -> float:
            self.asked += 1
            return 0.5

    env = Counting()
    context = Context(Node(0), env)
    assert compile_expr(parse("count(/) = 0 and random() > 0"))(context) is False
    assert compile_expr(parse("count(/) = 1 or random() > 0"))(context) is True
    assert compile_expr(parse("if(count(/) = 1, 1, random())"))(context) == 1.0
    assert env.asked == 0
    assert compile_expr(parse("count(/) = 1 and random() > 0"))(context) is True
    assert env.asked == 1


def test_wide_and_cascading_expressions_run() -> None:
    """Thousands of summands and deep cascades of `if` neither compile nor run into the end of the stack."""
    context = context_at("<d><a>1</a></d>")
    assert compile_expr(parse("+".join(["/d/a"] * 5_000)))(context) == 5_000.0
    assert compile_expr(parse(" or ".join(["/d/a = 2"] * 5_000)))(context) is False
    cascade = "".join(f"if(/d/a = {n}, {n}, " for n in range(2, 150)) + "'none'" + ")" * 148
    assert compile_expr(parse(cascade))(context) == "none"
    assert len(dependencies(parse("+".join(f"/d/a{n}" for n in range(5_000))))) == 5_000
    deep = "abs(" * 150 + "/d/a" + ")" * 150
    assert compile_expr(parse(deep))(context) == 1.0


def test_trees_of_calls_know_their_functions() -> None:
    """The same text is parsed once and its tree shared; compiling it twice gives closures that do not share state."""
    tree = parse("concat('a', ., 'b')")
    assert parse("concat('a', ., 'b')") is tree
    assert isinstance(tree, FunctionCall)
    assert tree.args[0] == Literal("a")
    first, second = compile_expr(tree), compile_expr(tree)
    context = context_at("<d>x</d>", "/d")
    assert first(context) == second(context) == "axb"
