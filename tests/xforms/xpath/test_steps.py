"""Axes, predicates, unions: against definitions that share no code with the walker."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsurvey.xforms.xpath import Context, Env, Node, Value, compile_expr, parse
from fieldsurvey.xforms.xpath.nodes import path_of
from tests.xforms.xpath.support import texts, trees, value

AXES = ["ancestor", "descendant", "following", "preceding", "self"]


def in_order(node: Node) -> list[Node]:
    """The nodes from here in document order, by plain recursion."""
    return [node] + [found for child in node.children for found in in_order(child)]


def select(expression: str, node: Node) -> list[Node]:
    found = compile_expr(parse(expression), mode="native")(Context(node, Env(), position=1))
    assert isinstance(found, list)
    return found


@given(trees(), st.data())
def test_five_axes_part_the_document(root: Node, data: st.DataObject) -> None:
    """XPath 1.0 section 2.2: ancestor, descendant, following, preceding and self never overlap and hold every node."""
    everything = in_order(root)
    here = data.draw(st.sampled_from(everything))
    parts = [select(f"{axis}::node()", here) for axis in AXES]
    together = [id(node) for part in parts for node in part]
    assert sorted(together) == sorted(id(n) for n in everything)
    for part in parts:
        assert [id(n) for n in part] == [id(n) for n in everything if any(n is m for m in part)]


@given(trees(), st.data())
def test_siblings_and_descendants_by_definition(root: Node, data: st.DataObject) -> None:
    """Sibling axes are the parent's children before and after; `//` is every node below."""
    here = data.draw(st.sampled_from(in_order(root)[1:]))
    assert here.parent is not None
    siblings = list(here.parent.children)
    place = siblings.index(here)
    assert select("preceding-sibling::node()", here) == siblings[:place]
    assert select("following-sibling::node()", here) == siblings[place + 1 :]
    assert select("//b", here) == [n for n in in_order(root) if n.name == "b"]
    assert select(".//b", here) == [n for n in in_order(here)[1:] if n.name == "b"]
    assert select("..", here) == [here.parent]


@given(trees(), st.sampled_from(["//a", "//b", "//c", "/a", "//a/b", "//b/..", "//c/ancestor::*", "//b/following::*"]),
       st.sampled_from(["//a", "//c", "//b/ancestor::a", "//a/*", "//c/preceding::*", "/a/b/c"]))  # fmt: skip
def test_a_union_is_in_document_order_and_has_no_doubles(root: Node, left: str, right: str) -> None:
    """`|` and every path give each node once, in document order."""
    for expression in (left, right):
        found = [id(n) for n in select(expression, root)]
        assert found == [id(n) for n in in_order(root) if id(n) in set(found)]
    wanted = {id(n) for expression in (left, right) for n in select(expression, root)}
    assert [id(n) for n in select(f"{left} | {right}", root)] == [id(n) for n in in_order(root) if id(n) in wanted]


@given(trees(), st.integers(1, 5), st.sampled_from(["*", "b", "node()"]))
def test_a_number_in_a_predicate_is_a_position(root: Node, number: int, test: str) -> None:
    """`[n]`, `[position() = n]` and a number from the document select the same node of each parent."""
    for node in in_order(root):
        by_number = select(f"{test}[{number}]", node)
        assert by_number == select(test, node)[number - 1 : number]
        assert by_number == select(f"{test}[position() = {number}]", node)
        assert by_number == select(f"{test}[count(/) * {number}]", node)
        assert select(f"{test}[last()]", node) == select(test, node)[-1:]


XML = "<d><r><n>1</n><v>x</v></r><r><n>2</n><v>y</v></r><r><n/><v>z</v></r><i>2</i></d>"


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("/d/r[n = 2]/v", ["y"]),
        ("/d/r[n > 0][2]/v", ["y"]),
        ("/d/r[2][n > 0]/v", ["y"]),
        ("/d/r[n]/v", ["x", "y"]),  # a blank node is no truth in a form
        ("/d/r[position() = /d/i]/v", ["y"]),
        ("/d/r[n = current()/i]/v", ["y"]),
        ("/d/r[last()]/v", ["z"]),
        ("/d/r/v[. = 'y' or ../n = 1]", ["x", "y"]),
        ("(/d/r/v)[2]", ["y"]),
        ("/d/r[n = 1]/following-sibling::r[1]/v", ["y"]),
        ("/d/i/preceding-sibling::*[1]/v", ["z"]),
        ("/d/r[0]", []),
        ("/d/r[1.5]", []),
        ("/d/r[-1]", []),
        ("/d/r['a']/v", ["x", "y", "z"]),
    ],
)
def test_predicates(expression: str, found: list[str]) -> None:
    """Predicates run one after another, each with positions of its own, from near to far on reverse axes."""
    assert texts(value(expression, XML, "/d")) == found


class Live(Node):
    """A node that may be hidden, as the engine's are."""

    __slots__ = ("relevant",)
    live = True

    def __init__(self, kind: int, name: str = "", *, relevant: bool = True, text: str = "") -> None:
        super().__init__(kind, name, text=text)
        self.relevant = relevant


def test_nodes_that_are_not_relevant_are_not_seen() -> None:
    """Hidden nodes are in no nodeset, in no sum, and read as blank."""
    root = Node(0)
    data = root.append(Live(1, "data"))
    data.append(Live(1, "a", text="1"))
    hidden = data.append(Live(1, "a", text="2", relevant=False))
    data.append(Live(1, "a", text="4"))

    def at(node: Node, expression: str) -> Value:
        return compile_expr(parse(expression))(Context(node, Env()))

    assert at(root, "sum(/data/a)") == 5.0
    assert at(root, "count(//a)") == 2.0
    assert at(hidden, "string(.)") == ""
    assert at(hidden, "count(../a)") == 2.0
    assert path_of(hidden) == "/data[1]/a[2]"


class Typed(Node):
    """A node that knows its type, as the engine's are."""

    __slots__ = ("held",)

    def __init__(self, name: str, held: Value) -> None:
        super().__init__(1, name, text="raw")
        self.held = held

    def value(self) -> Value:
        return self.held


def test_expressions_see_typed_values() -> None:
    """What counts is `value()`, not the text: by a path, by a name, by `.`, in sums and in filters."""
    root = Node(0)
    data = root.append(Node(1, "data"))
    number = data.append(Typed("n", 2.0))
    data.append(Typed("d", date(2026, 5, 4)))
    for expression, wanted in [
        ("/data/n + 1", 3.0),
        ("n = 2", True),
        ("d = date('2026-05-04')", True),
        ("d + 0", 20577.0),
        ("concat(n, '|', d)", "2|2026-05-04"),
        ("sum(n)", 2.0),
        ("count(/data[n = 2.0])", 1.0),
        ("string(/data/d)", "2026-05-04"),
    ]:
        assert compile_expr(parse(expression))(Context(data, Env())) == wanted, expression
    assert compile_expr(parse(". * 2"))(Context(number, Env())) == 4.0
