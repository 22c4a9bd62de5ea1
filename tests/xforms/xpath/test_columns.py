"""Conditions over columns keep exactly the rows that the same conditions keep row by row, and fail where those fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fieldsurvey.xforms.xpath import Context, Env, EvaluationError, Node, columns, compile_expr, parse
from fieldsurvey.xforms.xpath.columns import condition
from fieldsurvey.xforms.xpath.compiler import Compiler
from fieldsurvey.xforms.xpath.index import Table
from fieldsurvey.xforms.xpath.namespaces import NAMESPACES
from fieldsurvey.xforms.xpath.nodes import ELEMENT

TEXTS = ["", " ", "0", "-0", "1", "1.0", "01", "2,5", "-3", "1e3", "NaN", "a", "b", "a b", " a", "ab", "true",
         "2026-05-04", "2026-05-04T10:00:00.000Z", "0.30000000000000004", "9" * 400]  # fmt: skip
OUTSIDE = ["'a'", "''", "' a '", "1", "0.1 + 0.2", "0 div 0", "1 div 0", "true()", "false()", "/d/x", "/d/y", "/d/none",
           "current()/x", "-/d/x", "date('2026-05-04')", "now()", "count(/d/x)", "concat(/d/x, 'b')",
           "/d/two"]  # fmt: skip
INSIDE = ["k", "./m", "n", "none", "count(k)", "name(m)", "../item/k", "position(..)"]
ORDER = ["=", "!=", "<", "<=", ">", ">="]


class ListEnv(Env):
    """One list, and a clock that stands still."""

    def __init__(self, root: Node) -> None:
        self.list = root

    def instance(self, name: str) -> Node | None:
        return self.list if name == "l" else None

    def now(self) -> datetime:
        return datetime(2026, 6, 1, 12, tzinfo=UTC)


def make_list(rows: list[dict[str, str]]) -> Node:
    """A list; a row lacks the cells that are not given."""
    top = Node(0)
    root = top.append(Node(ELEMENT, "root"))
    for row in rows:
        item = root.append(Node(ELEMENT, "item"))
        for name, text in row.items():
            item.append(Node(ELEMENT, name, text=text))
    return top


def form(x: str, y: str) -> Node:
    root = Node(0)
    data = root.append(Node(ELEMENT, "d"))
    for name, text in (("x", x), ("y", y), ("two", "1"), ("two", "2")):
        data.append(Node(ELEMENT, name, text=text))
    return data


rows = st.lists(st.dictionaries(st.sampled_from(["k", "m", "n"]), st.sampled_from(TEXTS)), max_size=12)
TWO = ["{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} div {1}", "{0} mod {1}", "concat({0}, {1})", "coalesce({0}, {1})",
       "substring-before({0}, {1})", "substr({0}, {1})", "selected-at({0}, {1})", "pow({0}, {1})", "round({0}, {1})",
       "{0} = {1}", "{0} != {1}", "{0} < {1}", "{0} >= {1}", "{0} and {1}", "{0} or {1}"]  # fmt: skip
ONE = ["string({0})", "number({0})", "string-length({0})", "normalize-space({0})", "upper-case({0})", "int({0})",
       "boolean({0})", "not({0})", "count-selected({0})", "date({0})", "decimal-date-time({0})",
       "abs({0})", "boolean-from-string({0})", "translate({0}, 'ab', 'b')"]  # fmt: skip
TRUTHS = ["starts-with({0}, {1})", "contains({0}, {1})", "ends-with({0}, {1})", "selected({0}, {1})", "not({0})",
          "is-selected({1}, {0})", "regex({0}, 'a.*')", "regex({0}, {1})", "checklist(1, 1, {0}, {1})",
          *(f"{{0}} {op} {{1}}" for op in ORDER)]  # fmt: skip
values = st.recursive(
    st.sampled_from(INSIDE) | st.sampled_from(OUTSIDE),
    lambda inner: st.one_of(
        st.builds(str.format, st.sampled_from(TWO).map("({})".format), inner, inner),
        st.builds(str.format, st.sampled_from(ONE), inner),
        st.builds("-({0})".format, inner),
        st.builds("if({0}, {1}, {2})".format, inner, inner, inner),
    ),
    max_leaves=4,
)
truths = st.recursive(
    st.builds(str.format, st.sampled_from(TRUTHS), values, values),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(" and ".join),
        st.lists(inner, min_size=2, max_size=4).map(" or ".join),
        st.builds("not({0})".format, inner),
        st.builds("({0})".format, inner),
        st.builds("({0}) = ({1})".format, inner, inner),
    ),
    max_leaves=4,
)


def outcome(run: Callable[[Context], Any], context: Context) -> Any:
    """The rows, or what went wrong."""
    try:
        return run(context)
    except EvaluationError as error:
        return str(error)


def plainly(predicates: str) -> Callable[[Context], Any]:
    """The same filter as no step into a list: every row is looked at by itself."""
    return compile_expr(parse(f"(instance('l')/root/item)[true()]{predicates}"))


@given(rows, truths, truths, st.sampled_from(TEXTS), st.sampled_from(TEXTS), st.integers(0, 3))
@example([{"k": "a"}, {"k": "a"}, {"k": "a"}, {"k": "b"}, {}], "k != 'a' or m = ''", "k", "", "", 0)
@example([{"k": "1"}] * 5 + [{"k": "2"}], "k < 2", "n", "", "", 0)
@settings(max_examples=400, deadline=None)
def test_a_filter_over_columns_keeps_what_the_plain_one_keeps(
    table: list[dict[str, str]], first: str, second: str, x: str, y: str, shape: int
) -> None:
    """The same rows in the same order or the same error: blanks, missing cells, numbers in all spellings, NaN."""
    predicates = [f"[{first}]", f"[{first}][{second}]", f"[({first}) and ({second})]", f"[{first}][1]"][shape]
    context = Context(form(x, y), ListEnv(make_list(table)))
    by_columns = compile_expr(parse(f"instance('l')/root/item{predicates}"))
    plain = plainly(predicates)
    assert outcome(by_columns, context) == outcome(plain, context)
    assert outcome(by_columns, context) == outcome(plain, context)  # and again, from what was kept


@pytest.mark.parametrize(
    "predicate",
    ["k != /d/x", "k < 3 and m != 'a'", "not(starts-with(k, /d/x))", "selected(/d/x, k)", "k = 'a' or m > 1 or n = ''",
     "if(k > 1, m = 'a', contains(n, 'b'))", "string-length(k) < 2", "regex(k, 'a.*')", "k + m * 2 >= n", "k < m",
     "date(k) < today()", "coalesce(k, m) = 'a'", "concat(k, '-', m) != ''", "-k < 0", "k = m"],
)  # fmt: skip
def test_what_runs_over_columns(predicate: str) -> None:
    """The shapes of choice filters run over columns; the control is what cannot."""
    compiler = Compiler(None, NAMESPACES, "xforms")
    assert condition(compiler, parse(predicate)) is not None
    for other in ("count(k) > 0", "../m = 1", "k/l != 2", "@k != 1", "join('-', k, m) = ''", "position() < 3"):
        assert condition(compiler, parse(other)) is None


def test_a_filter_over_columns_looks_at_no_row_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is proportional to the different texts of a column, not to its rows."""
    top = make_list([{"k": str(number % 20), "m": str(number)} for number in range(2_000)])
    calls: list[int] = []
    narrow = columns.narrow

    def counted(part: Any, places: Any, held: Any, ctx: Any) -> Any:
        calls.append(len(places))
        return narrow(part, places, held, ctx)

    monkeypatch.setattr("fieldsurvey.xforms.xpath.lookup.narrow", counted)
    context = Context(form("3", ""), ListEnv(top))
    run = compile_expr(parse("instance('l')/root/item[k < /d/x and m > 1000 and m != 1021]"))
    assert len(outcome(run, context)) == 148
    assert calls == [300, 149]  # each condition is asked only about what the one before it kept


def test_repeated_cells_keep_their_error() -> None:
    """A row with two cells of one name is an error over columns as it is row by row."""
    top = make_list([{"k": "a"}])
    top.children[0].children[0].append(Node(ELEMENT, "k", text="b"))
    context = Context(form("", ""), ListEnv(top))
    found = outcome(compile_expr(parse("instance('l')/root/item[k != 'z']")), context)
    assert found == outcome(plainly("[k != 'z']"), context)
    assert "repeated" in str(found)
    assert Table(top.children[0], "item").column("k") is None
