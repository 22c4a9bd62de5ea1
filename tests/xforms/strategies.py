"""Random forms and random edits for Hypothesis: small, but with every kind of dependency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.xforms.scenario import xform

AGGREGATES = [
    "sum(/data/r/x)",
    "count(/data/r)",
    "count-non-empty(/data/r/x)",
    "max(/data/r/x)",
    "sum(/data/r/y)",
    "count(/data/r[x &gt; 2])",
    "/data/r[2]/x",
]
Edit = tuple[Any, ...]


@dataclass(frozen=True)
class Sketch:
    """A form as XForm XML with what may be done to it."""

    source: bytes
    questions: tuple[str, ...]
    repeated: tuple[str, ...]


def _conditions(before: list[str], relative: str = "") -> st.SearchStrategy[str]:
    refs = st.sampled_from(before or ["'2'"])
    number = st.integers(0, 4).map(str)
    compare = st.tuples(refs, st.sampled_from(["=", "!=", "&lt;", "&gt;"]), number).map(" ".join)
    both = st.tuples(compare, st.sampled_from(["and", "or"]), compare).map(" ".join)
    return st.one_of(
        compare, both, compare.map(lambda text: f"not({text})"), st.just(f"count(/data/r) &gt; 1{relative}")
    )


def _calculations(before: list[str]) -> st.SearchStrategy[str]:
    refs = st.sampled_from(before or ["1"])
    plain = st.tuples(refs, st.sampled_from(["+", "-", "*"]), refs).map(" ".join)
    whether = st.tuples(_conditions(before), refs, refs).map(lambda parts: f"if({parts[0]}, {parts[1]}, {parts[2]})")
    sums = st.sampled_from(AGGREGATES)
    return st.one_of(plain, whether, sums, st.tuples(refs, refs).map(lambda parts: f"coalesce({', '.join(parts)})"))


@st.composite
def sketches(draw: st.DrawFn) -> Sketch:
    """Questions and calculations that may refer to earlier ones, a group, and a repeat with its own."""
    names = [f"q{n}" for n in range(draw(st.integers(2, 6)))]
    binds: list[str] = []
    body: list[str] = []
    before: list[str] = []
    questions: list[str] = []
    for name in names:
        ref = f"/data/{name}"
        attributes = [f'nodeset="{ref}"', 'type="int"']
        if draw(st.booleans()):
            attributes.append(f'relevant="{draw(_conditions(before))}"')
        if draw(st.integers(0, 2)) == 0:
            attributes.append(f'calculate="{draw(_calculations(before))}"')
        else:
            questions.append(ref)
            body.append(
                f'<input ref="{ref}"><label>{name} <output value="{before[-1] if before else 1}"/></label></input>'
            )
            if draw(st.booleans()):
                attributes.append('constraint=". &lt; 4"')
            if draw(st.booleans()):
                attributes.append(f'required="{draw(_conditions(before))}"')
        binds.append(f"<bind {' '.join(attributes)}/>")
        before.append(ref)
    inner = [*before, "/data/r/x", "../x", "position(..)"]
    binds.append(f'<bind nodeset="/data/r" relevant="{draw(_conditions(before))}"/>' if draw(st.booleans()) else "")
    binds.append('<bind nodeset="/data/r/x" type="int"/>')
    binds.append(f'<bind nodeset="/data/r/y" calculate="{draw(_calculations(inner))}"/>')
    binds.append(f'<bind nodeset="/data/r/z" relevant="{draw(_conditions(inner))}" required="true()"/>')
    binds.append(f'<bind nodeset="/data/sum" calculate="{draw(st.sampled_from(AGGREGATES))}"/>')
    instance = "".join(f"<{name}/>" for name in names) + '<r jr:template=""><x/><y/><z/></r><sum/>'
    body.append('<repeat nodeset="/data/r"><input ref="/data/r/x"/><input ref="/data/r/z"/></repeat>')
    return Sketch(xform(instance, "".join(binds), "".join(body)), tuple(questions), ("x", "z"))


def edits(sketch: Sketch) -> st.SearchStrategy[list[Edit]]:
    """Answers, blanks, nonsense, repeats added and removed, moves."""
    texts = st.one_of(st.integers(0, 5).map(str), st.none(), st.just("x"))
    choices: list[st.SearchStrategy[Edit]] = [
        st.just(("add",)),
        st.tuples(st.just("remove"), st.integers(1, 3)),
        st.tuples(st.just("inner"), st.integers(1, 3), st.sampled_from(sketch.repeated), texts),
        st.sampled_from([("next",), ("previous",)]),
        st.tuples(st.just("note"), st.integers(1, 3), st.sampled_from(["", "n"])),
    ]
    if sketch.questions:
        answer = st.tuples(st.just("answer"), st.sampled_from(sketch.questions), texts)
        choices += [answer, answer]
    inner = st.tuples(st.just("inner"), st.integers(1, 3), st.just("x"), st.integers(0, 5).map(str))
    begin = st.sampled_from([[("add",)], [("add",), ("add",)], [("add",), ("add",), ("add",)]])
    filled = st.tuples(begin, st.lists(inner, max_size=3)).map(lambda parts: [*parts[0], *parts[1]])
    return st.tuples(filled, st.lists(st.one_of(choices), max_size=12)).map(lambda parts: [*parts[0], *parts[1]])
