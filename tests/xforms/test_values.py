"""Typed answers are those of the instance, never the form's defaults."""

from __future__ import annotations

from datetime import UTC, date, datetime

from fieldsurvey.xforms import load_form

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


def test_values_of_a_finalised_interview_are_its_own() -> None:
    """Reading the XML back gives what `finalise` gave."""
    interview = load_form(FORM).start(now=lambda: datetime(2026, 5, 4, tzinfo=UTC), seed=1)
    interview.answer("/data/g/a", "9")
    interview.answer("/data/many", "two")
    instance = interview.finalise()
    assert load_form(FORM).values(instance.xml) == dict(instance.values)
