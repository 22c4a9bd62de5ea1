"""What the tests of this room share: one way to evaluate, and Hypothesis strategies for expressions and documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from fieldsurvey.xforms.xpath import Context, Node, Value, compile_expr, parse, parse_xml
from fieldsurvey.xforms.xpath.ast import (
    AXES,
    OPERATORS,
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
)
from fieldsurvey.xforms.xpath.document import DocumentEnv
from fieldsurvey.xforms.xpath.nodes import ELEMENT

NOW = datetime(2026, 5, 4, 20, 30, tzinfo=UTC)


def context_at(xml: str, path: str = "/", zone: str = "America/Guayaquil", language: str = "") -> Context:
    """A context at the one node that `path` selects."""
    root = parse_xml(xml, exact=True)
    start = Context(root, DocumentEnv(root, now=NOW, zone=ZoneInfo(zone), language=language))
    found = compile_expr(parse(path))(start)
    assert isinstance(found, list)
    (node,) = found
    return Context(node, start.env)


def value(expression: str, xml: str = "<root/>", path: str = "/", zone: str = "America/Guayaquil") -> Value:
    """What `expression` yields."""
    return compile_expr(parse(expression))(context_at(xml, path, zone))


def texts(nodes: Value) -> Sequence[str]:
    """The string-values of a nodeset."""
    assert isinstance(nodes, list)
    return [node.string() for node in nodes]


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,6}", fullmatch=True)
numbers = st.builds(Number, st.floats(min_value=0, max_value=1e12, allow_nan=False).map(lambda n: n + 0.0))
literals = st.text(st.characters(exclude_characters="'\"", exclude_categories=["Cs"]), max_size=8).map(Literal)
tests = st.one_of(
    names.map(NameTest),
    st.builds(NameTest, names, names),
    st.just(NameTest("*")),
    st.sampled_from([TypeTest("node"), TypeTest("text"), TypeTest("comment")]),
)


def _frozen(found: list[Any]) -> tuple[Any, ...]:
    return tuple(found)


def _join(first: Expr, rest: list[tuple[str, Expr]]) -> Expr:
    return Binary(rest[0][0], first, rest[0][1]) if len(rest) == 1 else Chain(first, tuple(rest))


def _compound(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    steps = st.builds(Step, st.sampled_from(sorted(AXES)), tests, st.lists(inner, max_size=1).map(_frozen))
    some_steps = st.lists(steps, min_size=1, max_size=3).map(_frozen)
    by_level: dict[int, list[str]] = {}
    for operator, level in OPERATORS.items():
        by_level.setdefault(level, []).append(operator)
    return st.one_of(
        st.builds(Unary, inner),
        st.builds(
            FunctionCall,
            names.filter(lambda n: n not in {"node", "text", "comment"}),
            st.lists(inner, max_size=3).map(_frozen),
        ),
        st.builds(Path, st.booleans(), some_steps),
        st.sampled_from(sorted(by_level)).flatmap(
            lambda level: st.builds(
                _join,
                inner,
                st.lists(st.tuples(st.sampled_from(by_level[level]), inner), min_size=1, max_size=3),
            )
        ),
    )


expressions: st.SearchStrategy[Expr] = st.recursive(st.one_of(numbers, literals), _compound, max_leaves=12)


@st.composite
def trees(draw: st.DrawFn, max_nodes: int = 14) -> Node:
    """The root of a random document of elements called a, b and c."""
    root = Node(0)
    nodes = [root.append(Node(ELEMENT, "a"))]
    for _count in range(draw(st.integers(0, max_nodes))):
        parent = draw(st.sampled_from(nodes))
        nodes.append(parent.append(Node(ELEMENT, draw(st.sampled_from("abc")))))
    return root
