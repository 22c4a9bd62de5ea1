"""Random forms, random answers: what a check rules out never happens in an interview. All data here is synthetic."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldsurvey.xforms import NoSuchRefError, NotAnswerableError, load_form
from fieldsurvey.xforms.check.knowledge import Env, Scope
from fieldsurvey.xforms.check.meaning import Meaning
from fieldsurvey.xforms.check.possible import Possible, admits, exactly, held
from fieldsurvey.xforms.check.solver import Solver
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range
from tests.xforms.scenario import now, table

CHOICES = """
| list_name | name | label | kind |
| l | a | A | x |
| l | b | B | x |
| l | c | C | y |
| k | x | X | |
| k | y | Y | |
"""
REFS = ["/data/s", "/data/k", "/data/m", "/data/n", "/data/d", "/data/g/t", "/data/g/r", "/data/f"]
CONSTRAINED = ["s", "m", "n", "d", "t"]

numbers = st.sampled_from(["-1", "0", "1", "2", "2.5", "3"])
ops = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
equals = st.sampled_from(["=", "!="])


def atoms(names: str) -> st.SearchStrategy[str]:
    """Comparisons of what stands before: `names` are those that may be read."""
    made: list[st.SearchStrategy[str]] = []
    if "s" in names:
        made.append(st.builds("${{s}} {} '{}'".format, equals, st.sampled_from(["a", "b", "c", "z", ""])))
        made.append(
            st.builds("selected('a b', ${{s}}) {} {}".format, st.just("="), st.sampled_from(["true()", "false()"]))
        )
    if "k" in names:
        made.append(st.builds("concat(${{k}}, ${{s}}) {} '{}'".format, equals, st.sampled_from(["xa", "y", "ya", "q"])))
    if "m" in names:
        made.append(st.builds("selected(${{m}}, '{}')".format, st.sampled_from(["a", "b", "z"])))
        made.append(st.builds("count-selected(${{m}}) {} {}".format, ops, numbers))
        made.append(st.builds("${{m}} {} '{}'".format, equals, st.sampled_from(["", "a", "a b", "z"])))
    if "n" in names:
        made.append(st.builds("${{n}} {} {}".format, ops, numbers))
        made.append(st.builds("coalesce(${{n}}, {}) {} {}".format, numbers, ops, numbers))
    if "d" in names:
        made.append(st.builds("${{n}} {} ${{d}}".format, ops))
        made.append(st.builds("${{n}} + ${{d}} * 2 {} {}".format, ops, numbers))
        made.append(st.builds("-${{d}} {} {}".format, ops, numbers))
    if "t" in names:
        made.append(st.builds("${{t}} {} '{}'".format, equals, st.sampled_from(["", "x", "2", "2.0"])))
        made.append(st.builds("${{t}} {} {}".format, ops, numbers))
        made.append(st.builds("string-length(${{t}}) {} {}".format, ops, numbers))
    if "c" in names:
        made.append(st.builds("${{c}} {} '{}'".format, equals, st.sampled_from(["", "yes", "no", "1"])))
    if "e" in names:
        made.append(st.builds("${{e}} {} {}".format, ops, numbers))
    return st.one_of(made)


def conditions(names: str) -> st.SearchStrategy[str]:
    """Conditions over `names`."""
    return st.recursive(
        atoms(names),
        lambda inner: st.one_of(
            st.builds("({} and {})".format, inner, inner),
            st.builds("({} or {})".format, inner, inner),
            st.builds("not({})".format, inner),
            st.builds("if({}, {}, {})".format, inner, inner, inner),
        ),
        max_leaves=4,
    )


@st.composite
def forms(draw: st.DrawFn) -> str:
    """The survey sheet of a form: eight questions, two calculations, a group; some with conditions and constraints."""
    maybe = st.sampled_from([True, False])

    def condition(names: str) -> str:
        return draw(conditions(names)) if draw(maybe) else ""

    def constraint(name: str) -> str:
        return draw(conditions(name)).replace(f"${{{name}}}", ".") if name in CONSTRAINED and draw(maybe) else ""

    rows = [
        ("select_one l", "s", "", constraint("s"), "", ""),
        ("select_one k", "k", condition("s"), "", "", ""),
        ("select_multiple l", "m", condition("sk"), constraint("m"), "", "kind = ${k}" if draw(maybe) else ""),
        ("integer", "n", condition("skm"), constraint("n"), "", ""),
        ("decimal", "d", condition("skmn"), "", "", ""),
        ("calculate", "c", "", "", f"if({draw(conditions('skmnd'))}, 'yes', 'no')", ""),
        (
            "calculate",
            "e",
            condition("s"),
            "",
            draw(st.sampled_from(["${n} + 1", "${n} * ${d}", "count-selected(${m})"])),
            "",
        ),
        ("begin group", "g", condition("skmndce"), "", "", ""),
        ("text", "t", condition("skmndce"), constraint("t"), "", ""),
        ("text", "r", condition("skmndcet"), "", "", ""),
        ("end group", "", "", "", "", ""),
        ("text", "f", condition("skmndcet"), "", "", ""),
    ]
    lines = ["| type | name | label | relevant | constraint | calculation | choice_filter |"]
    for kind, name, relevant, rule, calculation, chosen in rows:
        label = "" if kind in {"calculate", "end group"} else name
        lines.append(f"| {kind} | {name} | {label} | {relevant} | {rule} | {calculation} | {chosen} |")
    return "\n".join(lines)


def leaves(frame: LiveFrame) -> Iterator[LiveNode]:
    """Every leaf, in form order."""
    for slot in frame.slots:
        if isinstance(slot, Range):
            for inner in slot.instances:
                yield from leaves(inner)
        elif slot.d.kind == "leaf":
            yield slot


def any_answer(rng: Random, name: str) -> str | None:
    """Something that may be typed there, what breaks rules included."""
    return rng.choice(
        {
            "s": ["a", "b", "c", None],
            "k": ["x", "y", None],
            "m": ["a", "b", "a b", "a b c", "c", None],
            "n": ["-1", "0", "1", "2", "3", "7", None],
            "d": ["-2.5", "0", "1", "2.5", "3", None],
        }.get(name, ["x", "2", "2.0", "3", "long", None])
    )


def edited(interview: LiveInterview, rng: Random, times: int) -> None:
    """Answer whatever may be answered."""
    for _edit in range(times):
        ref = rng.choice(REFS)
        try:
            interview.answer(ref, any_answer(rng, ref[-1]))
        except (NotAnswerableError, NoSuchRefError):
            continue


def known(interview: LiveInterview) -> Env:
    """What the interview holds, as the one possibility of each question."""
    found: dict[int, Possible] = {}
    for node in leaves(interview.state.root):
        if node.d.control is not None:
            value = held(node.value()) if node.relevant else ""
            assert value is not None
            words = frozenset(node.text.split()) if node.relevant else frozenset()
            select = node.d.control.kind == "select"
            found[node.d.index] = Possible(tokens=words, must=words, blank=not words) if select else exactly({value})
    return Env(found)


QUICK = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))


def nothing_ruled_out_happens(survey: str, seed: int) -> None:
    """Ask the solver about every node, then answer at random and look."""
    form = load_form(table(survey, CHOICES))
    solver = Solver(Meaning(form.program))
    never = {d.index for d in form.nodes if not solver.ask(solver.reach(d)).possible}
    by_mistake = {d.index for d in form.nodes if not solver.ask(solver.reach(d), strict=True).possible}
    rng = Random(seed)
    interview = form.start(now=now, seed=1)
    for _round in range(12):
        edited(interview, rng, 4)
        there = {node.d.index for node in leaves(interview.state.root) if node.relevant}
        assert not there & never
        if not any(problem.blocks for problem in interview.problems()):
            assert not there & by_mistake


def the_reading_agrees(survey: str, seed: int) -> None:
    """Answer at random, and read every condition and calculation with what the interview then holds."""
    form = load_form(table(survey, CHOICES))
    meaning = Meaning(form.program)
    meaning.budget = 10**9
    interview = form.start(now=now, seed=1)
    rng = Random(seed)
    for _round in range(6):
        edited(interview, rng, 4)
        env = known(interview)
        for node in leaves(interview.state.root):
            d = node.d
            value = held(node.value())
            if d.name in {"c", "e"} and node.relevant:
                assert value is not None
                assert admits(meaning.of(d, env), value)
            bind = d.bind
            if bind is None or bind.relevant is None or node.parent is None or not node.parent.relevant:
                continue
            tree = meaning.tree(bind.relevant)
            may_be, may_not = meaning.truth(tree, Scope(d), env)
            assert may_be if node.own else may_not
            assert meaning.refine(tree, node.own, Scope(d), env) is not None
            at_large = meaning.refine(tree, node.own, Scope(d), Env())
            assert at_large is not None
            for index, possible in at_large.known.items():
                other = interview.refs.node(form.nodes[index].path)
                there = held(other.value()) if other.relevant else ""
                assert there is not None
                assert admits(possible, there)


@QUICK
@given(forms(), st.integers(0, 2**32))
def test_what_is_ruled_out_never_happens(survey: str, seed: int) -> None:
    """A node said to be unreachable is never relevant; one said to need a broken rule is not while all are kept."""
    nothing_ruled_out_happens(survey, seed)


@QUICK
@given(forms(), st.integers(0, 2**32))
def test_the_reading_agrees_with_the_engine(survey: str, seed: int) -> None:
    """With every answer known, conditions read as the engine took them; what narrowing keeps holds the real answers."""
    the_reading_agrees(survey, seed)


@pytest.mark.long
@LONG
@given(forms(), st.integers(0, 2**32))
def test_nothing_ruled_out_happens_at_length(survey: str, seed: int) -> None:
    """The same over many more forms."""
    nothing_ruled_out_happens(survey, seed)
    the_reading_agrees(survey, seed)


EXACT = """
| type | name | label | relevant | calculation |
| select_one l | s | S | | |
| select_multiple k | m | M | | |
| integer | n | N | | |
| text | t | T | | |
| calculate | c | | | if(${n} > 2, 'yes', 'no') |
| text | f | F | CONDITION | |
"""


@pytest.mark.parametrize(
    "condition",
    [
        "${s} = 'a'",
        "${s} != 'a' and ${n} > 1",
        "selected(${m}, 'x')",
        "not(selected(${m}, 'y')) or ${n} = 2",
        "count-selected(${m}) >= 1",
        "${n} + 1 > 3",
        "${t} = ''",
        "string-length(${t}) > 2",
        "${c} = 'yes'",
        "coalesce(${n}, 5) = 5",
        "if(${s} = 'b', ${n}, 0) > 1",
        "concat(${s}, ${t}) = 'ax'",
        "substr(${t}, 0, 1) = 'x'",
    ],
)
def test_known_answers_decide_a_condition(condition: str) -> None:
    """The reading is no shrug: with every answer known it says one thing, and it is what the engine does."""
    form = load_form(table(EXACT.replace("CONDITION", condition), CHOICES))
    meaning = Meaning(form.program)
    meaning.budget = 10**9
    rng = Random(condition)
    interview = form.start(now=now, seed=1)
    for _round in range(20):
        for ref in ("/data/s", "/data/n", "/data/t"):
            interview.answer(ref, any_answer(rng, ref[-1]))
        interview.answer("/data/m", rng.choice(["x", "y", "x y", None]))
        node = interview.refs.node("/data/f")
        assert node.d.bind is not None
        assert node.d.bind.relevant is not None
        said = meaning.truth(meaning.tree(node.d.bind.relevant), Scope(node.d), known(interview))
        assert said == (node.own, not node.own)


def test_a_wrong_reading_would_be_found() -> None:
    """The control: what a form holds, read as something else, is refuted."""
    form = load_form(table("| type | name | label | relevant |\n| integer | n | N | |\n| text | t | T | ${n} > 5 |"))
    meaning = Meaning(form.program)
    meaning.budget = 10**9
    d, n = form.definition.by_path["/data/t"], form.definition.by_path["/data/n"]
    assert d.bind is not None
    assert d.bind.relevant is not None
    tree = meaning.tree(d.bind.relevant)
    assert meaning.truth(tree, Scope(d), Env({n.index: exactly({7.0})})) == (True, False)
    assert meaning.truth(tree, Scope(d), Env({n.index: exactly({4.0})})) == (False, True)
    assert meaning.refine(tree, True, Scope(d), Env({n.index: exactly({4.0})})) is None
