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
    "indexed-repeat(/data/r/x, /data/r, 2)",
    "indexed-repeat(/data/r/s/w, /data/r, 1, /data/r/s, 2)",
    "count(/data/r[s/w = 1])",
    "count(/data/r/s)",
    "sum(/data/c/v)",
    "count(/data/c)",
    "sum(/data/g/*)",
    "count(/data/g/*[. &gt; 1])",
    "count(//r[x = 1])",
    "sum(//w)",
    "count(/data/*/h1)",
    "(/data/g | /data/g)[h1 &gt; 0]/h2",
    "count(/data/r | /data/c)",
    "coalesce(/data/g, 1)",
    "instance('data')/data/q0",
    "string-length(jr:choice-name(/data/pick, '/data/pick'))",
    "string-length(jr:choice-name('1', '/data/pick'))",
    "string-length(jr:choice-name('2', '/data/who'))",
    "string-length(jr:itext('t'))",
    "count(/data/r[position() &gt; 1 and x = 1])",
]
LATE = ["count-selected(/data/who)", "/data/pick + 1"]
"""What only others that no list depends on may read: which answers are set aside is a matter of their history."""
ONCE = "once(random())"
INNER = [
    "../x",
    "position(..)",
    "count(../../r)",
    "current()/../x",
    "sum(/data/r[position() &lt; position(current()/..)]/x)",
    "indexed-repeat(/data/r/x, /data/r, position(..) - 1)",
    "sum(../s/w)",
    "count(../s)",
    "count(../s/*[. &gt; 1])",
    "string-length(jr:choice-name(../x, '/data/who'))",
]
SHORT = {"sum(/data/r/x)", "count(/data/r)", "sum(/data/g/*)", "sum(//w)"}
"""What repeats may be counted by; only small numbers."""
LISTED = """<itext><translation lang="en"><text id="t"><value>T <output value="/data/q0"/></value></text></translation>
</itext><instance id="l"><root>
<item><name>1</name><label>One</label><k>1</k></item><item><name>2</name><label>Two</label><k>1</k></item>
<item><name>3</name><label>Three</label><k>2</k></item></root></instance>"""
INSTANCE = """<g><h1/><h2/></g><r jr:template=""><x/><y/><z/><s jr:template=""><w/><u/></s></r>
<c jr:template=""><v/><k/></c><pick/><who/><set1/><set2/><sum/><meta><instanceName/></meta>"""
WHO = ["/data/r", "/data/r[x != '']", "randomize(/data/r[x &gt; 0], 7)", "(/data/r | /data/r)[x != '']"]
Edit = tuple[Any, ...]


@dataclass(frozen=True)
class Sketch:
    """A form as XForm XML with what may be done to it."""

    source: bytes
    questions: tuple[str, ...]
    acts: bool


def _conditions(before: list[str], more: list[str] | None = None) -> st.SearchStrategy[str]:
    refs = st.sampled_from(before or ["'2'"])
    number = st.integers(0, 4).map(str)
    signs = st.sampled_from(["=", "!=", "&lt;", "&gt;"])
    compare = st.tuples(refs, signs, number).map(" ".join)
    both = st.tuples(compare, st.sampled_from(["and", "or"]), compare).map(" ".join)
    looking = st.tuples(st.sampled_from(more or AGGREGATES), signs, number).map(" ".join)
    return st.one_of(compare, both, compare.map(lambda text: f"not({text})"), looking)


def _calculations(before: list[str], more: list[str] | None = None) -> st.SearchStrategy[str]:
    refs = st.sampled_from(before or ["1"])
    plain = st.tuples(refs, st.sampled_from(["+", "-", "*"]), refs).map(" ".join)
    whether = st.tuples(_conditions(before, more), refs, refs).map(
        lambda parts: f"if({parts[0]}, {parts[1]}, {parts[2]})"
    )
    sums = st.sampled_from(more or AGGREGATES)
    return st.one_of(plain, whether, sums, st.tuples(refs, refs).map(lambda parts: f"coalesce({', '.join(parts)})"))


class _Parts:
    """Binds and controls put together."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.binds: list[str] = []
        self.body: list[str] = []
        self.before: list[str] = []
        self.questions: list[str] = []

    def bind(self, ref: str, **attributes: str | None) -> None:
        """A bind; what is None is left out."""
        given = " ".join(f'{name}="{value}"' for name, value in attributes.items() if value is not None)
        self.binds.append(f'<bind nodeset="{ref}" {given}/>')

    def maybe(self, strategy: st.SearchStrategy[str], often: int = 2) -> str | None:
        """An expression, one time in `often`."""
        return self.draw(strategy) if self.draw(st.integers(1, often)) == often else None

    def leaf(self, ref: str, more: list[str] | None = None) -> str:
        """A question or a calculation that may refer to earlier ones; its control, "" for a calculation."""
        conditions = _conditions(self.before, more)
        relevant = self.maybe(conditions)
        calculate = self.maybe(_calculations(self.before, more), 3)
        constraint = self.draw(st.sampled_from([None, ". &lt; 4", "string-length() &lt; 2", f". != {_last(self)}"]))
        if calculate is None:
            self.bind(
                ref,
                type="int",
                relevant=relevant,
                constraint=constraint,
                required=self.maybe(conditions),
                readonly=self.maybe(conditions, 6),
            )
            self.questions.append(ref)
        else:
            self.bind(ref, type="int", relevant=relevant, calculate=calculate)
        label = f'<label>L <output value="{_last(self)}"/></label>'
        self.before.append(ref)
        return f'<input ref="{ref}">{label}</input>' if calculate is None else ""


def _last(parts: _Parts) -> str:
    return parts.before[-1] if parts.before else "1"


@st.composite
def sketches(draw: st.DrawFn) -> Sketch:
    """Questions, a group, nested repeats, a counted one, selects, actions; all may refer to what comes before them."""
    parts = _Parts(draw)
    names = [f"q{n}" for n in range(draw(st.integers(1, 5)))]
    for name in names:
        parts.body.append(parts.leaf(f"/data/{name}"))
    parts.bind("/data/g", relevant=parts.maybe(_conditions(parts.before)))
    inside = "".join(parts.leaf(f"/data/g/{name}") for name in ("h1", "h2"))
    parts.body.append(f'<group ref="/data/g">{inside}</group>')
    _repeats(parts)
    _selects(parts)
    acts = draw(st.integers(0, 3)) == 0
    if acts:
        parts.body.append(f"""<input ref="/data/set1"><setvalue ref="/data/set2" event="xforms-value-changed"
          value="{draw(_calculations(parts.before))}"/></input>""")
        first = draw(_calculations(parts.before))
        parts.binds.append(f'<setvalue ref="/data/set1" event="odk-instance-first-load" value="{first}"/>')
    parts.bind("/data/sum", calculate=draw(st.sampled_from([*AGGREGATES, *LATE, ONCE])))
    parts.bind("/data/meta/instanceName", calculate=f"concat('n', {draw(st.sampled_from([*AGGREGATES, *LATE]))})")
    instance = "".join(f"<{name}/>" for name in names) + INSTANCE
    source = xform(instance, "".join(parts.binds), "".join(parts.body), LISTED)
    return Sketch(source, tuple(parts.questions), acts)


def _repeats(parts: _Parts) -> None:
    """A repeat with one inside it, and one that is counted."""
    draw = parts.draw
    inner = [*parts.before, "/data/r/x", *INNER]
    parts.bind("/data/r", relevant=parts.maybe(_conditions(parts.before)))
    parts.bind("/data/r/x", type="int", relevant=parts.maybe(_conditions(parts.before), 3))
    parts.bind("/data/r/y", calculate=draw(_calculations(inner, INNER)))
    parts.bind("/data/r/z", relevant=draw(_conditions(inner, INNER)), required="true()")
    parts.bind("/data/r/s", relevant=parts.maybe(_conditions([*parts.before, "/data/r/x"]), 3))
    parts.bind("/data/r/s/u", calculate=draw(_calculations(["../w", "../../x", "position(..)", "position(../..)"])))
    count = parts.maybe(st.sampled_from([*sorted(SHORT), "/data/q0", "count(/data/c[v = 1]) + 1"]))
    parts.bind("/data/c/k", calculate=draw(_calculations(["../v", "position(..)", *parts.before])))
    counted = "" if count is None else f'jr:count="{count}"'
    parts.body.append(f"""<repeat nodeset="/data/r"><input ref="/data/r/x"/><input ref="/data/r/z"/>
      <group ref="/data/r/s"><repeat nodeset="/data/r/s"><input ref="/data/r/s/w"/></repeat></group></repeat>
      <group ref="/data/c"><repeat nodeset="/data/c" {counted}><input ref="/data/c/v"/></repeat></group>""")


def _selects(parts: _Parts) -> None:
    """One from a list by what was answered, several from the instances of a repeat."""
    draw = parts.draw
    wanted = draw(st.sampled_from([*parts.before, "sum(/data/r/x)", "count(/data/r)"]))
    more = draw(st.sampled_from(["", " or name = /data/q0", "][name != /data/q0"]))
    parts.bind("/data/pick", relevant=parts.maybe(_conditions(parts.before), 3))
    parts.body.append(f"""<select1 ref="/data/pick"><itemset nodeset="instance('l')/root/item[k = {wanted}{more}]">
      <value ref="name"/><label ref="label"/></itemset></select1>
      <select ref="/data/who"><itemset nodeset="{draw(st.sampled_from(WHO))}"><value ref="x"/><label ref="y"/></itemset>
      </select>""")
    parts.questions.extend(["/data/pick", "/data/who"])


def edits(sketch: Sketch) -> st.SearchStrategy[list[Edit]]:
    """Answers, blanks, nonsense, repeats added and removed, moves."""
    texts = st.one_of(st.integers(0, 5).map(str), st.none(), st.just("x"), st.just("1 2"))
    few = st.integers(1, 2).map(str)
    place = st.integers(1, 3)
    fields = st.sampled_from(["x", "z"])
    inner = st.tuples(place, fields).map(lambda at: f"/data/r[{at[0]}]/{at[1]}")
    deep = st.tuples(place, place).map(lambda at: f"/data/r[{at[0]}]/s[{at[1]}]/w")
    counted = place.map(lambda at: f"/data/c[{at}]/v")
    within = place.map(lambda at: f"/data/r[{at}]/s")
    repeats = st.one_of(st.just("/data/r"), st.just("/data/c"), within)
    asked = st.sampled_from([*sketch.questions, "/data/set1"])
    answer = st.tuples(st.just("answer"), asked, texts)
    choices: list[st.SearchStrategy[Edit]] = [
        st.tuples(st.just("add"), repeats),
        st.tuples(st.just("remove"), repeats, place),
        st.tuples(st.just("answer"), st.one_of(inner, deep, counted), texts),
        st.sampled_from([("next",), ("previous",)]),
        st.tuples(st.just("note"), inner, st.sampled_from(["", "n"])),
        answer,
        answer,
        st.tuples(st.just("answer"), st.sampled_from(["/data/who", "/data/r[1]/x", "/data/pick"]), few),
    ]
    whose = st.one_of(place.map(lambda at: f"/data/r[{at}]/x"), st.just("/data/who"))
    first = st.tuples(st.just("answer"), whose, few)
    begin = st.integers(1, 3).map(lambda count: [("add", "/data/r")] * count + [("add", "/data/r[1]/s")] * (count - 1))
    filled = st.tuples(begin, st.lists(first, max_size=4)).map(lambda parts: [*parts[0], *parts[1]])
    return st.tuples(filled, st.lists(st.one_of(choices), max_size=12)).map(lambda parts: [*parts[0], *parts[1]])
