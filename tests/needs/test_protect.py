"""Protection: no suppressed cell can be worked out, and nothing is suppressed that need not be."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from fieldsurvey.needs import protect
from fieldsurvey.needs.protect import AuditError, TableError, audit, audit_table, parse_hierarchy, protect_table
from fieldsurvey.needs.protect.audit import Published, audit_cells
from fieldsurvey.needs.protect.audit_sums import Interval
from fieldsurvey.needs.protect.suppression import Pattern
from tests.needs.brute import feasible_intervals

TABLE = [[30, 47, 64, 89], [90, 124, 5, 31], [92, 100, 59, 85], [800, 991, 651, 685]]
PRIMARY = {"wa", "wb", "wc", "xa", "xc", "yb", "yd", "zb", "zd"}


def flat(counts: list[list[int]], **more: list[int]) -> pl.DataFrame:
    """A synthetic table of rows r0… and columns c0…."""
    cells = [(f"r{i}", f"c{j}", n) for i, row in enumerate(counts) for j, n in enumerate(row)]
    return pl.DataFrame(cells, schema=["row", "column", "count"], orient="row").with_columns(
        *[pl.Series(name, values) for name, values in more.items()]
    )


def example() -> pl.DataFrame:
    """The table of the design: nine cells are declared primary, two at least in every line."""
    cells = [("wxyz"[i], "abcd"[j], n) for i, row in enumerate(TABLE) for j, n in enumerate(row)]
    return pl.DataFrame(cells, schema=["row", "column", "count"], orient="row").with_columns(
        (pl.col("row") + pl.col("column")).is_in(list(PRIMARY)).cast(pl.Int64).alias("primary")
    )


def as_published(frame: pl.DataFrame, hidden: set[tuple[str, str]]) -> pl.DataFrame:
    """`frame` with its totals, the cells of `hidden` emptied."""
    rows = [*frame["row"].unique(maintain_order=True), ""]
    columns = [*frame["column"].unique(maintain_order=True), ""]
    counts = {(r, c): n for r, c, n in frame.select("row", "column", "count").iter_rows()}
    cells = []
    for r in rows:
        for c in columns:
            n = sum(counts[x, y] for x, y in counts if r in {"", x} and c in {"", y})
            cells.append((r, c, None if (r, c) in hidden else n, "secondary" if (r, c) in hidden else "published"))
    return pl.DataFrame(cells, schema=["row", "column", "count", "status"], orient="row")


def test_two_in_each_line_is_not_enough() -> None:
    """With two or more suppressed in every line of the 4×4 table, the audit still finds that wb is exactly 47."""
    published = as_published(example(), {(cell[0], cell[1]) for cell in PRIMARY})
    for line in ("row", "column"):
        hidden = published.filter(pl.col("count").is_null()).group_by(line).len()["len"]
        assert hidden.min() == 2
    judged = audit_table(published, [("row",), ("column",)], k=5, k_base=10)
    (found,) = judged.findings
    assert published.row(found.cell)[:2] == ("w", "b")
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (47, 47)


def test_the_example_is_protected_with_one_more_cell() -> None:
    """The protector repairs that table with a single secondary suppression, and every interval is 5 wide or more."""
    made = protect_table(example(), [("row",), ("column",)], intervals=True)
    assert made.number("primary") == 9
    assert made.number("secondary") == 1
    assert made.narrowest is not None
    assert made.narrowest >= 5


def test_small_counts_are_primary_and_the_rest_is_true() -> None:
    """Counts of 1 to k − 1 never show, zero and k do, and what is published is what was counted."""
    frame = flat([[0, 1, 4, 5], [60, 70, 80, 90], [61, 71, 81, 91], [62, 72, 82, 92]])
    made = protect_table(frame, [("row",), ("column",)]).frame
    true = as_published(frame, set())
    joined = made.join(true, on=["row", "column"], suffix="_true")
    assert set(joined.filter(pl.col("status") == "primary")["count_true"]) == {1, 4}
    shown = joined.filter(pl.col("status") == "published")
    assert (shown["count"] == shown["count_true"]).all()
    assert made.filter(pl.col("status") != "published")["count"].null_count() == made["count"].null_count()


@pytest.mark.parametrize("k", [3, 5, 10])
def test_the_threshold_is_the_width(k: int) -> None:
    """Every interval is at least k wide, for each k."""
    frame = flat([[2, 30, 41, 9], [50, 3, 12, 18], [22, 25, 7, 4], [11, 19, 35, 60]])
    made = protect_table(frame, [("row",), ("column",)], k=k, intervals=True)
    assert made.narrowest is None or made.narrowest >= k


def test_hierarchy_totals_cannot_be_subtracted() -> None:
    """A lone small parish hides a second parish of its canton: the canton's total would give it away."""
    frame = pl.DataFrame(
        {
            "canton": ["A", "A", "A", "B", "B", "B"],
            "parish": ["a1", "a2", "a3", "b1", "b2", "b3"],
            "count": [3, 40, 50, 60, 70, 80],
        }
    )
    made = protect_table(frame, [("canton", "parish")], intervals=True).frame
    hidden = made.filter(pl.col("count").is_null())
    assert set(hidden["canton"]) == {"A"}
    assert hidden.height == 2
    assert hidden["low"].to_list() == [0, 0]
    assert hidden["high"].to_list() == [43, 43]


def test_all_of_a_small_group_are_never_shown_to_be_alike() -> None:
    """Seven of seven who answered yes: neither the seven nor the zero beside it shows; of 40 it would."""
    frame = flat([[7, 0], [20, 30], [40, 0], [25, 21]])
    made = protect_table(frame, [("row",), ("column",)]).frame
    shown = {(r, c): n for r, c, n in made.select("row", "column", "count").iter_rows()}
    assert shown["r0", "c0"] is None
    assert shown["r0", "c1"] is None
    assert shown["r2", "c0"] == 40
    assert shown["r2", "c1"] == 0


def test_a_zero_beside_a_suppressed_total_says_nothing() -> None:
    """Three people, all in one category: the total is suppressed, and not every other category shows a zero."""
    frame = flat([[3, 0, 0], [20, 30, 40], [22, 31, 44]])
    made = protect_table(frame, [("row",), ("column",)]).frame
    line = made.filter((pl.col("row") == "r0") & (pl.col("column") != ""))
    assert line["count"].null_count() >= 2


def test_the_audit_finds_what_the_protector_may_not_do() -> None:
    """Planted faults are found: a small count, a lone suppression, a group that is all alike, a sum that is wrong."""
    base = flat([[7, 0, 9], [20, 30, 2], [25, 21, 40]])
    lines: list[tuple[str, ...]] = [("row",), ("column",)]

    def reasons(frame: pl.DataFrame) -> set[str]:
        return {f.reason for f in audit_table(frame, lines, k=5, k_base=10).findings}

    assert reasons(as_published(base, set())) == {"small"}
    assert reasons(as_published(base, {("r1", "c2")})) == {"narrow"}
    alike = flat([[7, 0], [20, 30], [25, 21]])
    assert reasons(as_published(alike, set())) == {"alike"}
    wrong = as_published(alike, {("r1", "c0"), ("r1", "c1"), ("r2", "c0"), ("r2", "c1")})
    wrong = wrong.with_columns(pl.when(pl.col("count") == 50).then(51).otherwise(pl.col("count")).alias("count"))
    assert "sum" in reasons(wrong)


def test_a_pattern_that_fails_the_audit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the protector forgot its secondary cells, the release would be refused, not written."""

    def forgetful(system, k, **_):  # type: ignore[no-untyped-def]
        return Pattern(system.primary, np.zeros_like(system.primary))

    monkeypatch.setattr(protect, "suppress", forgetful)
    with pytest.raises(AuditError):
        protect_table(flat([[3, 30, 31], [32, 33, 34], [35, 36, 37]]), [("row",), ("column",)])


def with_hidden(frame: pl.DataFrame, hide: set[int]) -> pl.DataFrame:
    """`frame` with the rows of `hide` suppressed."""
    gone = pl.Series([row in hide for row in range(frame.height)])
    return frame.with_columns(
        pl.when(gone).then(None).otherwise(pl.col("count")).alias("count"),
        pl.when(gone).then(pl.lit("secondary")).otherwise("status").alias("status"),
    )


def whole_interval(shown: list[int | None], sums: list[tuple[int, list[int]]], cell: int) -> tuple[int, int | None]:
    """Least and most of one cell, by one integer program over all cells; no bound where the program has none."""
    matrix = np.zeros((len(sums), len(shown)))
    for row, (total, parts) in enumerate(sums):
        matrix[row, total] += 1
        np.add.at(matrix[row], parts, -1)
    low = np.array([0 if count is None else count for count in shown])
    high = np.array([np.inf if count is None else count for count in shown])
    objective = np.zeros(len(shown))
    objective[cell] = 1
    sums_kept = LinearConstraint(matrix, 0, 0) if sums else ()
    ends = [
        milp(sign * objective, integrality=np.ones(len(shown)), bounds=Bounds(low, high), constraints=sums_kept)
        for sign in (1, -1)
    ]
    least, most = (None if end.x is None else round(end.x[cell]) for end in ends)
    assert least is not None
    return least, most


def assert_intervals_equal(published: pl.DataFrame, dimensions: list[str]) -> None:
    """The audit's intervals are those of full enumeration."""
    found = audit_table(published, [(name,) for name in dimensions], k=3, k_base=6).intervals
    tried = feasible_intervals(published, dimensions)
    assert {row: (interval.low, interval.high) for row, interval in found.items()} == tried


def test_what_sums_settle_alone_needs_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain of differences, a lone sum, a bound without a top are read off exactly; numbers that clash are found."""

    def none(*_a: object, **_k: object) -> None:
        pytest.fail("a program was run")

    monkeypatch.setattr(audit, "milp", none)
    # 0 = 1 + 2, 2 = 3 + 4: 2 is 30 - 10 and 4 is 20 - 13. 5 = 6 + 7. 8 is 9 and more. 10 stands alone.
    counts = [30, 10, None, 13, None, 40, None, None, None, 12, None, None]
    sums = [(0, [1, 2]), (2, [3, 4]), (5, [6, 7]), (8, [9, 11])]
    for exact in (True, False):
        judged = audit_cells(Published(list(counts), list(sums), {11}), 5, exact=exact)
        assert judged.intervals == {
            2: Interval(20, 20),
            4: Interval(7, 7),
            6: Interval(0, 40),
            7: Interval(0, 40),
            8: Interval(12, None),
            10: Interval(0, None),
        }
        assert [(f.cell, f.reason) for f in judged.findings] == [(2, "narrow"), (4, "narrow")]
    clash = audit_cells(Published([10, 12, None], [(0, [1, 2])]), 5)
    assert [f.reason for f in clash.findings] == ["sum"]
    twice = audit_cells(Published([10, 12, None, 30, 8], [(3, [1, 2]), (0, [4, 2])], {2}), 5)
    assert [f.reason for f in twice.findings] == ["sum"]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=3, max_size=5),
    st.lists(
        st.tuples(st.integers(0, 4), st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True)), max_size=4
    ),
    st.sets(st.integers(0, 12), min_size=2),
)
def test_the_audit_agrees_with_one_program_for_the_whole(
    leaves: list[int], made: list[tuple[int, list[int]]], hide: set[int]
) -> None:
    """Any sums over the same few numbers, with differences that nobody published: what is read off without a program
    is what integer programming over everything at once finds.
    """
    counts = list(leaves)
    sums: list[tuple[int, list[int]]] = []
    for slack, parts in made:
        inside = sorted({part % len(counts) for part in parts})
        sums.append((len(counts), [*inside, len(counts) + 1]))
        counts += [slack + sum(counts[part] for part in inside), slack]
    shown = [None if cell in hide else count for cell, count in enumerate(counts)]
    judged = audit_cells(Published(list(shown), list(sums)), 3)
    assert judged.intervals == {
        cell: Interval(*whole_interval(shown, sums, cell)) for cell, count in enumerate(shown) if count is None
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.sets(st.integers(0, 8), min_size=1))
def test_the_audit_agrees_with_trying_every_table(counts: list[int], hide: set[int]) -> None:
    """On random 2×2 tables with any cells hidden, totals too, intervals equal those of full enumeration."""
    published = as_published(flat([counts[:2], counts[2:]]), set())
    if published.height - len(hide) < 2:  # with next to nothing published there is too much to try
        hide = set(sorted(hide)[:6])
    assert_intervals_equal(with_hidden(published, hide), ["row", "column"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=9, max_size=9), st.sets(st.integers(0, 15), max_size=8))
def test_the_audit_agrees_on_larger_tables(counts: list[int], hide: set[int]) -> None:
    """The same on 3×3 tables with up to five inner cells hidden, and margins published."""
    published = as_published(flat([counts[:3], counts[3:6], counts[6:]]), set())
    inner = [row for row in sorted(hide) if all(published.row(row)[:2])][:5]
    assert_intervals_equal(with_hidden(published, set(inner)), ["row", "column"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=16, max_size=16),
    st.sets(st.integers(0, 24), max_size=14),
    st.sampled_from([3, 5, 8]),
)
def test_an_audit_that_only_asks_for_safety_refuses_the_same(counts: list[int], hide: set[int], k: int) -> None:
    """Without exact intervals the same cells are refused, for the same interval; the others reach k and claim no more
    than is true.
    """
    frame = as_published(flat([counts[i : i + 4] for i in range(0, 16, 4)]), set())
    published = with_hidden(frame, hide)
    exact, quick = (audit_table(published, [("row",), ("column",)], k=k, k_base=k, exact=e) for e in (True, False))
    assert quick.findings == exact.findings
    for cell, found in quick.intervals.items():
        true = exact.intervals[cell]
        assert true.low <= found.low
        assert true.high is None or (found.high is not None and found.high <= true.high)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_the_audit_agrees_in_three_dimensions(counts: list[int]) -> None:
    """2×2×2 with all inner cells hidden and every two-way total published: here sums are no network."""
    cells = [(a, b, c) for a in ("a0", "a1", "") for b in ("b0", "b1", "") for c in ("c0", "c1", "")]
    leaves = dict(zip([cell for cell in cells if all(cell)], counts, strict=True))
    rows = [
        (*cell, sum(n for leaf, n in leaves.items() if all(w in {"", g} for w, g in zip(cell, leaf, strict=True))))
        for cell in cells
    ]
    frame = pl.DataFrame(rows, schema=["a", "b", "c", "count"], orient="row").with_columns(
        pl.lit("published").alias("status")
    )
    assert_intervals_equal(with_hidden(frame, {i for i, c in enumerate(cells) if all(c)}), ["a", "b", "c"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=12, max_size=12), st.sampled_from([3, 5, 8]))
def test_random_tables_are_protected(counts: list[int], k: int) -> None:
    """Whatever the counts, the result passes the exact audit, and primary cells are those of 1 to k − 1."""
    frame = flat([counts[:4], counts[4:8], counts[8:]])
    made = protect_table(frame, [("row",), ("column",)], k=k, intervals=True)
    assert made.narrowest is None or made.narrowest >= k
    true = as_published(frame, set())
    joined = made.frame.join(true, on=["row", "column"], suffix="_true")
    small = joined.filter((pl.col("count_true") >= 1) & (pl.col("count_true") < k))
    assert (small["status"] == "primary").all()
    assert joined.filter(pl.col("status") == "primary").height == small.height


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 25), min_size=24, max_size=24))
def test_random_hierarchies_in_three_dimensions_are_protected(counts: list[int]) -> None:
    """canton>parish × group × answer: where sums are no network any more, what is made still passes the audit."""
    places = [("A", "a1"), ("A", "a2"), ("A", "a3"), ("B", "b1"), ("B", "b2"), ("B", "b3")]
    cells = [(c, p, g, a) for c, p in places for g in "hm" for a in "yn"]
    frame = pl.DataFrame(cells, schema=["canton", "parish", "group", "answer"], orient="row").with_columns(
        pl.Series("count", counts)
    )
    made = protect_table(frame, [("canton", "parish"), ("group",), ("answer",)], intervals=True)
    assert made.frame.height == 9 * 3 * 3
    assert made.narrowest is None or made.narrowest >= 5


def test_the_same_table_gives_the_same_cells() -> None:
    """Protection is deterministic."""
    frame = flat([[(7 * i * j + 3 * i + j) % 29 for j in range(7)] for i in range(9)])
    once, again = (protect_table(frame, [("row",), ("column",)]).frame for _ in range(2))
    assert once.equals(again)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"count": [1, -2]}, "row 3"),
        ({"row": ["a", ""]}, "row 3"),
        ({"row": ["a", "a"]}, "rows 2, 3"),
    ],
)
def test_a_table_that_cannot_be_used_names_its_row(change: dict[str, list[object]], says: str) -> None:
    """Counts below zero, empty dimensions and doubled cells are refused with the row."""
    frame = pl.DataFrame({"row": ["a", "b"], "count": [10, 20], **change})
    with pytest.raises(TableError, match=says):
        protect_table(frame, [("row",)])


def test_a_hierarchy_is_written_coarse_to_fine() -> None:
    """`canton>parish` is understood, an empty part is refused."""
    assert parse_hierarchy("canton > parish") == ("canton", "parish")
    with pytest.raises(TableError):
        parse_hierarchy("canton>")
