"""Filters by index yield exactly what plain filters yield, and do not look at every row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsurvey.xforms.xpath import Context, Env, Node, Value, compile_expr, parse
from fieldsurvey.xforms.xpath.lookup import split
from fieldsurvey.xforms.xpath.nodes import ELEMENT
from fieldsurvey.xforms.xpath.outward import is_outward

TEXTS = ["", "0.3", "a", "b", " a", "1.0000000000001", "1", "1.0", "01", "2", "-1", "a b", "2026-05-04", "NaN"]
WANTED = ["0.1 + 0.2", "'a'", "''", "' a'", "'a '", "1", "'1'", "/d/x", "/d/y", "current()/x", "date('2026-05-04')",
"0 div 0", "true()", "1 + 0",
          "concat('a', ' b')", "/d/none", "-/d/y"]  # fmt: skip
FILTERS = ["k = {0}", "{0} = k", "./k = {0}", "k = {0} and m != 'a'", "m > 0 and k = {0}", "k = {0} and m = k and m",
           "k = {0}][1", "k = {0}][last()", "k = {0}][m = 'a'", "k = {0} or m = 'a'", "k != {0}",
           "k = {0} and position() < 3"]  # fmt: skip


class ListEnv(Env):
    """One list."""

    def __init__(self, root: Node) -> None:
        self.list = root

    def instance(self, name: str) -> Node | None:
        return self.list if name == "l" else None


def make_list(rows: list[tuple[str | None, str]]) -> Node:
    """A list of rows with a key (None: there is none) and another cell."""
    top = Node(0)
    root = top.append(Node(ELEMENT, "root"))
    for key, other in rows:
        item = root.append(Node(ELEMENT, "item"))
        if key is not None:
            item.append(Node(ELEMENT, "k", text=key))
        item.append(Node(ELEMENT, "m", text=other))
    return top


def form(x: str, y: str) -> Node:
    root = Node(0)
    data = root.append(Node(ELEMENT, "d"))
    data.append(Node(ELEMENT, "x", text=x))
    data.append(Node(ELEMENT, "y", text=y))
    return data


rows = st.lists(st.tuples(st.none() | st.sampled_from(TEXTS), st.sampled_from(TEXTS)), max_size=8)


@given(rows, st.sampled_from(FILTERS), st.sampled_from(WANTED), st.sampled_from(TEXTS), st.sampled_from(TEXTS))
def test_an_indexed_filter_yields_what_the_plain_one_yields(
    table: list[tuple[str | None, str]], shape: str, wanted: str, x: str, y: str
) -> None:
    """The same rows in the same order, whatever is compared: text, numbers, dates, truths, blanks."""
    top = make_list(table)
    context = Context(form(x, y), ListEnv(top))
    predicate = shape.format(wanted)
    by_index = compile_expr(parse(f"instance('l')/root/item[{predicate}]"))(context)
    plainly = compile_expr(parse(f"(instance('l')/root/item)[true()][{predicate}]"))(context)  # not a step: no index
    assert by_index == plainly


class Counted(Node):
    """A row whose children are counted when they are looked at."""

    __slots__ = ("_inside",)
    looked = 0

    @property  # type: ignore[override]
    def children(self) -> list[Node]:
        Counted.looked += 1
        return self._inside

    @children.setter
    def children(self, inside: list[Node]) -> None:
        self._inside = inside


def test_a_second_filter_looks_only_at_what_it_finds() -> None:
    """The index is built by the first filter; from then on, rows that do not match are not touched."""
    top = Node(0)
    root = top.append(Node(ELEMENT, "root"))
    for number in range(1_000):
        row = Counted(ELEMENT, "item")
        row.children = [Node(ELEMENT, "k", text=str(number % 100), parent=row)]
        row.parent = root
        root.children = [*root.children, row]
    context = Context(form("7", ""), ListEnv(top))
    run = compile_expr(parse("count(instance('l')/root/item[k = /d/x])"))
    assert run(context) == 10.0
    assert Counted.looked >= 1_000  # the control: building it did look
    Counted.looked = 0
    assert run(context) == 10.0
    assert Counted.looked == 0
    assert compile_expr(parse("count(instance('l')/root/item[k = 8 and k > 0])"))(context) == 10.0
    assert Counted.looked <= 20


@pytest.mark.parametrize(
    ("expression", "outward"),
    [("1", True), ("/d/x", True), ("current()/../x", True), ("concat('a', /d/x)", True), ("../x", False), (".", False),
     ("/d/x[. = 1]", True), ("string()", False), ("string(/d/x)", True), ("random()", False), ("position()", False),
     ("instance('l')/root/item[k = 1]/m", True), ("instance(.)/root", False), ("(x | y)", False)],
)  # fmt: skip
def test_what_means_the_same_for_every_row(expression: str, outward: bool) -> None:
    """Only what never looks at the row may be worked out once for all of them."""
    assert is_outward(parse(expression)) is outward


def test_what_an_index_cannot_answer() -> None:
    """Positions, other comparisons and other keys are left to the plain filter."""
    for predicate in ("k = 1 and position() = 1", "k > 1", "k = m", "@k = 1", "k/j = 1", "*[1] = 2", "a = 1 or b = 2"):
        assert split(parse(predicate)) is None
    found = split(parse("m > 1 and k = /d/x and 2"))
    assert found is not None
    assert found.key == "k"
    assert len(found.rest) == 2


def test_a_list_with_repeated_cells_keeps_its_error() -> None:
    """A row with two keys is an error with and without the index."""
    top = make_list([("a", "1")])
    top.children[0].children[0].append(Node(ELEMENT, "k", text="b"))
    context = Context(form("a", ""), ListEnv(top))
    raised: list[Value] = []
    for expression in ("instance('l')/root/item[k = 'a']", "(instance('l')/root/item)[k = 'a']"):
        with pytest.raises(Exception, match="repeated") as caught:
            compile_expr(parse(expression))(context)
        raised.append(type(caught.value).__name__)
    assert raised == ["EvaluationError", "EvaluationError"]
