"""Who depends on whom: circles are refused with their path, and nothing that an expression reads goes unseen."""

from __future__ import annotations

import pytest

from fieldsurvey.xforms import FormError, load_form
from tests.xforms.scenario import now, start_xform, table, value, xform
from tests.xforms.test_properties import anew, states

REPEAT = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/x"/></repeat></group>'
LEAVES = '<input ref="/data/a"/><input ref="/data/b"/>'


def refusals(source: bytes) -> list[tuple[str, str]]:
    """Code and message of each problem of a form."""
    with pytest.raises(FormError) as caught:
        load_form(source)
    return [(problem.code, problem.message) for problem in caught.value.problems]


def form(binds: dict[str, str], body: str = LEAVES + REPEAT, model: str = "") -> bytes:
    """`/data/a`, `b`, `c`, a group with `x` and `y`, a repeat with `x` and `y`; binds by the end of their path."""
    made = "".join(f'<bind nodeset="/data/{path}" {attributes}/>' for path, attributes in binds.items())
    return xform("<a/><b/><c/><g><x/><y/></g><r jr:template=''><x/><y/></r>", made, body, model)


CIRCLES = [
    {"a": 'relevant="count(/data/r) &gt; 1"', "r": 'relevant="not(/data/a = 1)"'},
    {"a": 'relevant="/data/b = 1"', "b": 'relevant="/data/a = 1"'},
    {"a": 'relevant="/data/b = 1"', "b": 'relevant="/data/c = 1"', "c": 'relevant="/data/a = 1"'},
    {"a": 'relevant="/data/r[2]/x = 1"', "r": 'relevant="/data/a = 1"'},
    {"a": 'relevant="sum(/data/r/y) = 1"', "r/y": 'calculate="/data/a + 1"'},
    {"a": 'relevant="count-non-empty(/data/g/*) = 1"', "g": 'relevant="/data/a = 1"'},
    {"a": 'calculate="sum(//y)"', "g/y": 'calculate="/data/a + 1"'},
    {"a": 'calculate="count(//r[x = 1])"', "r/x": 'calculate="/data/a + 1"'},
    {"a": 'calculate="(/data/g | /data/r)[1]/x"', "g/x": 'calculate="/data/a + 1"'},
    {"a": 'calculate="(/data/g | /data/r)[x = 1]/y"', "g/x": 'calculate="/data/a + 1"'},
    {"a": "calculate=\"instance('data')/data/b\"", "b": 'calculate="/data/a + 1"'},
    {"a": 'relevant="string-length() = 1"'},
    {"a": 'calculate="number() + 1"'},
    {"r": 'relevant="position(.) = 1"'},
    {"r": 'relevant="count(../r) = 1"'},
    {"r/y": 'calculate="indexed-repeat(/data/r/y, /data/r, position(..) - 1) + 1"'},
    {"r/x": 'relevant="../y = 1"', "r/y": 'relevant="../x = 1"'},
    {"g": 'relevant="/data/g/x = 1"'},
    {"a": 'relevant="indexed-repeat(/data/r/x, /data/r, 1) = 1"', "r": 'relevant="/data/a = 1"'},
    {"a": 'required="string-length() = 0"'},
]


@pytest.mark.parametrize("binds", CIRCLES)
def test_a_circle_is_refused_wherever_it_hides(binds: dict[str, str]) -> None:
    """Through counts, repeats, groups, wildcards, predicates, positions, the context node."""
    assert [code for code, _message in refusals(form(binds))] == ["cycle"]


NAMED = [
    ({"b": "calculate=\"jr:choice-name('1', '/data/a')\""}, "STATIC"),
    ({"b": "relevant=\"jr:choice-name('1', '/data/a') = 'x'\""}, "FILTERED"),
    ({"b": "calculate=\"jr:itext('t')\""}, "TEXTS"),
]


@pytest.mark.parametrize(("binds", "name"), NAMED)
def test_a_circle_through_the_name_of_a_choice_or_a_text_is_refused(binds: dict[str, str], name: str) -> None:
    """What a label shows is read by whoever asks for the label."""
    body, model = {"STATIC": (STATIC, ""), "FILTERED": (FILTERED, LISTED), "TEXTS": (LEAVES, TEXTS)}[name]
    assert [code for code, _message in refusals(form(binds, body, model))] == ["cycle"]


STRAIGHT = [
    {"a": 'constraint=". &gt; 1 and string-length() = 1"'},
    {"a": 'required="/data/b = 1"', "b": 'required="/data/a = 1"'},
    {"a": 'readonly="/data/b = 1"', "b": 'readonly="/data/a = 1"'},
    {"a": 'relevant="/data/b = 1"', "b": 'required="/data/a = 1" constraint="/data/a = 1"'},
    {"a": 'calculate="once(/data/b)"'},
    {"r/x": 'relevant="position(..) &gt; 1"', "r/y": 'calculate="count(/data/r)"'},
    {"r/y": 'calculate="indexed-repeat(/data/r/x, /data/r, position(..) - 1)"'},
    {"r/y": 'calculate="sum(/data/r[position() &lt; position(current()/..)]/x)"'},
    {"r": 'relevant="position() &gt; 0"'},
    {"g": 'relevant="/data/a = 1"', "g/x": 'relevant="/data/a = 2"', "g/y": 'relevant="../x = 1"'},
    {"a": 'calculate="sum(/data/g/*)"', "g": 'relevant="/data/b = 1"'},
]


@pytest.mark.parametrize("binds", STRAIGHT)
def test_what_only_looks_like_a_circle_is_none(binds: dict[str, str]) -> None:
    """Conditions on an answer feed nothing; `once`, positions and other fields of other instances are no circle."""
    load_form(form(binds))


def test_the_path_of_a_circle_names_only_its_members_in_order_with_their_rows() -> None:
    """Each uses the next; what merely hangs on the circle is left out; two circles are two problems."""
    source = table("""
    | type | name | label | relevant | calculation |
    | integer | a | A | ${c} = 1 | |
    | calculate | b | | | ${a} + 1 |
    | integer | c | C | ${b} = 1 | |
    | calculate | after | | | ${b} + ${c} |
    | calculate | d | | | ${e} |
    | calculate | e | | | ${d} |
    """)
    first, second = (message for _code, message in refusals(source))
    assert (
        "/data/a (survey, row 2, relevant) → /data/c (survey, row 4, relevant) → /data/b (survey, row 3, calculation)"
        " → /data/a" in first
    )
    assert "after" not in first
    assert "/data/d (survey, row 6, calculation) → /data/e (survey, row 7, calculation) → /data/d" in second


SELECT = (
    '<select1 ref="/data/a"><itemset nodeset="{nodeset}"><value ref="x"/><label ref="y"/></itemset></select1>'
    '<input ref="/data/b"/>' + REPEAT
)
STATIC = """<select1 ref="/data/a"><item><label>One <output value="/data/b"/></label><value>1</value></item></select1>
<input ref="/data/b"/>"""
TEXTS = """<itext><translation lang="en"><text id="t"><value>T <output value="/data/b"/></value></text></translation>
</itext>"""
LISTED = """<instance id="l"><root><item><name>1</name><label>One</label><k>1</k></item></root></instance>"""
FILTERED = """<select1 ref="/data/a"><itemset nodeset="instance('l')/root/item[k = /data/b]"><value ref="name"/>
<label ref="label"/></itemset></select1><input ref="/data/b"/>"""
UNSEEN = [
    ({"c": 'calculate="count(//r[x = 1])"'}, LEAVES + REPEAT, ""),
    ({"g/y": 'calculate="count(/data/*[x = 1])"'}, LEAVES + REPEAT, ""),
    ({"c": 'calculate="(/data/g | /data/g)/x"'}, LEAVES + REPEAT + '<input ref="/data/g/x"/>', ""),
    ({"c": "calculate=\"instance('data')/data/a\""}, LEAVES + REPEAT, ""),
    ({"r/y": 'calculate="sum(/data/r[position() &lt; position(current()/..)]/x)"'}, LEAVES + REPEAT, ""),
    ({"r": 'relevant="position() != 2"'}, LEAVES + REPEAT, ""),
    ({"c": 'calculate="string(/data/g)"'}, LEAVES + REPEAT + '<input ref="/data/g/x"/>', ""),
    ({"c": 'calculate="/data/r[1]"'}, LEAVES + REPEAT, ""),
    ({"r/y": 'calculate="../x"'}, SELECT.format(nodeset="randomize(/data/r[x != ''], 3)"), ""),
    ({"r/y": 'calculate="../x * 2"'}, SELECT.format(nodeset="(/data/r | /data/r)[x != '']"), ""),
    ({"c": "calculate=\"jr:choice-name('1', '/data/a')\""}, STATIC, ""),
    ({"c": "calculate=\"jr:choice-name('1', '/data/a')\""}, FILTERED, LISTED),
    ({"c": "calculate=\"jr:choice-name('1', concat('/data', '/a'))\""}, FILTERED, LISTED),
    ({"c": "calculate=\"jr:choice-name('1', '/data/a')\""}, SELECT.format(nodeset="/data/r"), ""),
    ({"c": "calculate=\"jr:itext('t')\""}, LEAVES, TEXTS),
    ({"a": 'required="once(2) = 2" relevant="once(1) = 1"'}, LEAVES, ""),
    ({"c": "calculate=\"jr:itext(concat('', 't'))\""}, LEAVES, TEXTS),
]
STEPS = [
    ("a", "1"),
    ("b", "1"),
    ("g/x", "1"),
    ("r[1]/x", "1"),
    ("r[2]/x", "1"),
    ("r[1]/x", "2"),
    ("b", "2"),
    ("a", "2"),
]


@pytest.mark.parametrize(("binds", "body", "model"), UNSEEN)
def test_nothing_that_is_read_goes_unseen(binds: dict[str, str], body: str, model: str) -> None:
    """After every answer, and after an instance is gone, all is as if everything had been worked out anew."""
    loaded = load_form(form(binds, body, model))
    interview = loaded.start(now=now, seed=1)
    if "/data/r" in body:
        for _instance in range(3):
            interview.state.grow(interview.refs.range("/data/r"))
        interview.state.settler.settle()
    for path, text in STEPS:
        node = f"/data/{path}"
        if (
            node.rpartition("[")[0] in {"", "/data/r"}
            and f'"/data/{path.replace("[1]", "").replace("[2]", "")}"' in body
        ):
            if interview.refs.node(node).relevant:
                interview.answer(node, text)
            assert states(interview.state.root) == states(anew(loaded, interview).state.root), path
    if "/data/r" in body:
        interview.remove_repeat("/data/r", 1)
        assert states(interview.state.root) == states(anew(loaded, interview).state.root)


def test_a_group_has_no_value_of_its_own() -> None:
    """As in JavaRosa: text is what questions hold."""
    interview = start_xform(
        "<g><x/></g><c/><d/>",
        '<bind nodeset="/data/c" calculate="string(/data/g)"/><bind nodeset="/data/d" calculate="count(/data/g)"/>',
        '<input ref="/data/g/x"/>',
    )
    interview.answer("/data/g/x", "1")
    assert (value(interview, "/data/c"), value(interview, "/data/d")) == ("", "1")


def test_a_text_that_shows_itself_comes_to_an_end() -> None:
    """jr:itext and jr:choice-name inside the very text that they ask for."""
    model = """<itext><translation lang="en"><text id="t"><value>T <output value="jr:itext('t')"/></value></text>
      </translation></itext>"""
    interview = start_xform(
        "<a/><c/>",
        '<bind nodeset="/data/c" calculate="jr:itext(\'t\')"/>',
        LEAVES.replace('<input ref="/data/b"/>', ""),
        model,
    )
    assert value(interview, "/data/c").startswith("T ")
    body = """<select1 ref="/data/a"><item><label>One <output value="jr:choice-name('1', '/data/a')"/></label>
      <value>1</value></item></select1>"""
    interview = start_xform("<a/>", "", body)
    assert interview.question("/data/a").choices[0].label.startswith("One ")


def test_a_long_cascade_is_worked_out_in_one_go() -> None:
    """Twelve lists, each filtered by the one before: what reads them all is right when the first answer goes."""
    count = 12
    names = [f"s{number}" for number in range(count)]
    lists = "".join(
        f'<instance id="l{n}"><root><item><name>p</name><k>p</k></item><item><name>q</name><k>q</k></item></root>'
        "</instance>"
        for n in range(count)
    )
    first = "<select1 ref='/data/s0'><item><label>P</label><value>p</value></item>"
    first += "<item><label>Q</label><value>q</value></item></select1>"
    body = first + "".join(
        f"<select1 ref='/data/s{n}'><itemset nodeset=\"instance('l{n}')/root/item[k = /data/s{n - 1}]\">"
        "<value ref='name'/><label ref='name'/></itemset></select1>"
        for n in range(1, count)
    )
    total = f'<bind nodeset="/data/all" calculate="concat({", ".join(f"/data/{name}" for name in names)})"/>'
    interview = start_xform("".join(f"<{name}/>" for name in names) + "<all/>", total, body, lists)
    for name in names:
        interview.answer(f"/data/{name}", "p")
    assert value(interview, "/data/all") == "p" * count
    before = interview.state.settler.evaluations
    interview.answer("/data/s0", "q")
    assert value(interview, "/data/all") == "q"
    assert interview.state.settler.evaluations - before == count, "each list once, and what reads them all once"
