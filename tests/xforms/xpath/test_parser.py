"""The grammar: trees, positions of errors, bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsurvey.xforms.xpath import XPathSyntaxError, parse
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
    render,
)
from fieldsurvey.xforms.xpath.parser import MAX_DEPTH
from tests.xforms.xpath.support import expressions

A = Path(False, (Step("child", NameTest("a")),))
ANY = Path(False, (Step("child", NameTest("*")),))
OR = Path(False, (Step("child", NameTest("or")),))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2 * 3", Binary("+", Number(1), Binary("*", Number(2), Number(3)))),
        ("1 - 2 - 3", Chain(Number(1), (("-", Number(2)), ("-", Number(3))))),
        ("(1 - 2) - 3", Binary("-", Binary("-", Number(1), Number(2)), Number(3))),
        ("a or a and a", Binary("or", A, Binary("and", A, A))),
        ("-a * 2", Binary("*", Unary(A), Number(2))),
        ("-a | a", Unary(Binary("|", A, A))),
        ("* * *", Binary("*", ANY, ANY)),
        ("or or or", Binary("or", OR, OR)),
        ("jr:itext('x')", FunctionCall("jr:itext", (Literal("x"),))),
        ("..//@x:y", Path(False, (
            Step("parent", TypeTest("node")), Step("descendant-or-self", TypeTest("node")),
            Step("attribute", NameTest("y", "x"))))),
        ("/", Path(True, ())),
        ("f()[1]/a", Path(False, A.steps, FunctionCall("f", ()), (Number(1),))),
        ("text ()", Path(False, (Step("child", TypeTest("text")),))),
        ("a[.='x'][2]", Path(False, (Step("child", NameTest("a"), (
            Binary("=", Path(False, (Step("self", TypeTest("node")),)), Literal("x")), Number(2))),))),
    ],
)  # fmt: skip
def test_the_tree_of_an_expression(text: str, tree: Expr) -> None:
    """Precedence, associativity, and the names that are operators only after an operand."""
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position"),
    [("", 0), ("1 +", 3), ("(1", 2), ("a b", 2), ("f(1,)", 4), ("a[1", 3), ("'open", 0), ("1 # 2", 2), ("a/", 2),
     ("5/a", 1), ("x::a", 0), ("a]", 1), ("$", 0), ("a:b:c", 3), ("@", 1), ("text(1)", 5), ("1 2", 2)],
)  # fmt: skip
def test_an_error_says_where(text: str, position: int) -> None:
    """The position is that of the first character that cannot be read, and the message names what was expected."""
    with pytest.raises(XPathSyntaxError) as caught:
        parse(text)
    assert caught.value.position == position
    assert str(position + 1) in str(caught.value)
    assert caught.value.expected


@given(expressions)
def test_rendering_a_tree_and_parsing_it_gives_the_tree(tree: Expr) -> None:
    """`render` loses nothing that `parse` reads."""
    assert parse(render(tree)) == tree


@given(st.text(max_size=60) | st.text("()[]/.*@|,'\"$:- 09ax<=>!+andorivm", max_size=80))
def test_any_text_is_read_or_refused_with_a_typed_error(text: str) -> None:
    """No text makes the parser fail in another way; what is read can be rendered and read again."""
    try:
        tree = parse(text)
    except XPathSyntaxError as error:
        where = error.position
    else:
        where = 0
        assert parse(render(tree)) == tree
    assert 0 <= where <= len(text)


@pytest.mark.parametrize("text", ["(" * 1_000_000, "(" * 100_000, "a[" * 60_000, "-" * 100_000 + "1", "f(" * 60_000])
def test_nesting_is_refused_within_bounds(text: str) -> None:
    """Deep and long expressions are refused before anything runs out of stack."""
    with pytest.raises(XPathSyntaxError):
        parse(text)


def test_what_is_within_the_bounds_parses() -> None:
    """The bound on depth is one of nesting, not of length: a thousand summands and a cascade of ifs are fine."""
    assert isinstance(parse("+".join(["a"] * 5_000)), Chain)
    assert isinstance(parse("if(a, b, " * (MAX_DEPTH - 1) + "c" + ")" * (MAX_DEPTH - 1)), FunctionCall)
    assert isinstance(parse("(" * (MAX_DEPTH - 1) + "1" + ")" * (MAX_DEPTH - 1)), Number)
