"""Typed answers are those of the instance, never the form's defaults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsurvey.xforms import FormError, load_form
from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.live.datatypes import kind_of, python_value

FORM = b"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>t</h:title>
<model><instance><data id="t"><g><a>5</a><b>x</b></g><many/><person><name/><born/></person></data></instance>
<bind nodeset="/data/g/a" type="int"/><bind nodeset="/data/g/b" type="string"/>
<bind nodeset="/data/person/born" type="date"/></model></h:head>
<h:body><group ref="/data/g"><input ref="/data/g/a"/><input ref="/data/g/b"/></group>
<select ref="/data/many"><item><label>1</label><value>one</value></item>
<item><label>2</label><value>two</value></item></select>
<group ref="/data/person"><repeat nodeset="/data/person">
<input ref="/data/person/name"/><input ref="/data/person/born"/>
</repeat></group></h:body></h:html>"""


def test_what_the_instance_leaves_out_is_not_there() -> None:
    """A default of the form does not come back for a node that was not relevant and was left out."""
    form = load_form(FORM)
    assert form.values(b'<data id="t"><many>one two</many></data>') == {"/data/many": ["one", "two"]}


def test_repeats_have_positions_and_values_their_types() -> None:
    """Integers, dates and choices are typed; repeats count from 1; blanks are left out."""
    xml = b'<data id="t"><g><a>7</a><b/></g><person><name>synthetic</name></person>'
    xml += b"<person><born>2001-02-03</born></person></data>"
    assert load_form(FORM).values(xml) == {
        "/data/g/a": 7,
        "/data/person[1]/name": "synthetic",
        "/data/person[2]/born": date(2001, 2, 3),
    }


def test_instances_without_an_answer_are_there_too() -> None:
    """That somebody was listed is an answer."""
    xml = b'<data id="t"><person/><person><name>synthetic</name></person><person><name/></person></data>'
    answers = load_form(FORM).answers(xml)
    assert answers.instances == ["/data/person[1]", "/data/person[2]", "/data/person[3]"]
    assert answers.values == {"/data/person[2]/name": "synthetic"}


def test_values_of_a_finalised_interview_are_its_own() -> None:
    """Reading the XML back gives what `finalise` gave."""
    interview = load_form(FORM).start(now=lambda: datetime(2026, 5, 4, tzinfo=UTC), seed=1)
    interview.answer("/data/g/a", "9")
    interview.answer("/data/many", "two")
    instance = interview.finalise()
    assert load_form(FORM).values(instance.xml) == dict(instance.values)


def oracle(element: ET.Element, d: NodeDef, ref: str) -> Iterator[tuple[str, Any]]:
    """The same by way of a tree."""
    inner = {child.name: child for child in d.children if not child.is_attribute}
    if not inner:
        text = "".join(element.itertext())
        if text.strip():
            yield ref, python_value(text, kind_of(d), d.control.kind if d.control is not None else "")
        return
    seen: dict[str, int] = {}
    for part in element:
        name = part.tag.rpartition("}")[2]
        if name not in inner or "{http://openrosa.org/javarosa}template" in part.attrib:
            continue
        seen[name] = seen.get(name, 0) + 1
        if inner[name].kind == "repeat":
            yield from oracle(part, inner[name], f"{ref}/{name}[{seen[name]}]")
        elif seen[name] == 1:
            yield from oracle(part, inner[name], f"{ref}/{name}")


NAMES = ["g", "a", "b", "many", "person", "name", "born", "other"]
TEXTS = ["", " ", "7", "3.5", "x y", "2001-02-03", "one two", "&lt;", "<b>1</b>", "<!-- c -->", "<![CDATA[1]]>"]


def element(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """An element around what is inside, now and then in a namespace or marked as a template."""
    heads = ["", "", "", ' xmlns="http://openrosa.org/xforms"', ' xmlns:j="http://openrosa.org/javarosa" j:template=""']
    return st.builds(
        lambda name, head, parts: f"<{name}{head}>{''.join(parts)}</{name}>",
        st.sampled_from(NAMES),
        st.sampled_from(heads),
        st.lists(inside, max_size=4),
    )


@given(st.lists(element(st.recursive(st.sampled_from(TEXTS), element, max_leaves=8)), max_size=6))
def test_reading_in_one_pass_is_reading_a_tree(parts: list[str]) -> None:
    """Elements twice, unknown, nested where they do not belong, in namespaces: the answers are the tree's."""
    form = load_form(FORM)
    xml = f'<data id="t">{"".join(parts)}</data>'.encode()
    assert form.values(xml) == dict(oracle(ET.fromstring(xml), form.definition.root, "/data"))


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b"<other/>", "instance.other"),
        (b"<data><g>", "xml.syntax"),
        (b"", "xml.syntax"),
        (b"<!DOCTYPE data><data/>", "xml.dtd"),
        (b"<data>" + b"<g>" * 300 + b"</g>" * 300 + b"</data>", "xml.depth"),
        (b"<data><x>" + b"<g>" * 300 + b"</g>" * 300 + b"</x></data>", "xml.depth"),
        (b'<?xml version="1.0" encoding="klingon"?><data/>', "xml"),
    ],
)
def test_what_is_no_instance_of_the_form_is_refused(xml: bytes, code: str) -> None:
    """Each with its code, as for forms."""
    with pytest.raises(FormError) as refused:
        load_form(FORM).values(xml)
    assert refused.value.problems[0].code.startswith(code)
