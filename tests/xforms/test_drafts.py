"""Drafts and instances: going on at the exact place, with nothing run twice; OpenRosa XML out and in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fieldsurvey.xforms import Draft, Dropped, FormError, ViolationKind, load_form
from fieldsurvey.xforms.live.interview import LiveInterview
from tests.xforms.scenario import NOW, form, now, start, value, xform

SURVEY = """
| type | name | label | calculation | relevant | default |
| integer | age | Age | | | |
| text | why | Why | | ${age} > 5 | |
| calculate | draw | | once(random()) | | |
| calculate | big | | ${age} > 50 | | |
| begin repeat | r | R | | | |
| text | x | X | | | as before |
| end repeat | | | | | |
| date | day | Day | | | today() |
"""


def through_json(data: dict[str, Any]) -> dict[str, Any]:
    """What storage makes of it."""
    copied: dict[str, Any] = json.loads(json.dumps(data))
    return copied


def same(one: LiveInterview, other: LiveInterview) -> None:
    """Two interviews that cannot be told apart."""
    assert one.draft() == other.draft()
    assert one.instance().xml == other.instance().xml
    assert one.outline() == other.outline()
    assert one.problems() == other.problems()
    assert one.current == other.current


def worked() -> LiveInterview:
    """An interview in the middle."""
    interview = start(SURVEY)
    interview.answer("/data/age", "60")
    interview.next()
    interview.answer("/data/why", "because")
    interview.add_repeat("/data/r")
    interview.answer("/data/r[2]/x", "second")
    interview.set_note("/data/why", "a note")
    interview.answer("/data/age", "sixty")
    interview.go_to("/data/r[2]/x")
    return interview


def test_resuming_a_draft_is_the_identity() -> None:
    """Answers, raw text, place, path, notes, what was drawn by chance: all as before; nothing runs again."""
    before = worked()
    draft = before.draft()
    copied = Draft(draft.form_id, draft.form_version, draft.form_hash, through_json(draft.data))
    after = form(SURVEY).resume(copied, now=now)
    assert value(after, "/data/draw") == value(before, "/data/draw")
    same(before, after)
    for _again in range(4):
        assert before.previous() == after.previous()


def test_a_snapshot_and_the_changes_since_are_a_draft() -> None:
    """Changes do not grow with the form, and replaying them needs neither clock nor chance."""
    before = start(SURVEY)
    draft, mark = before.draft(), before.mark()
    parts = []
    edits: list[Callable[[], object]] = [
        lambda: before.answer("/data/age", "7"),
        before.next,
        lambda: before.add_repeat("/data/r"),
        lambda: before.answer("/data/r[2]/x", "two"),
        lambda: before.remove_repeat("/data/r", 1),
        before.previous,
        lambda: before.set_note("/data/age", "n"),
        lambda: before.answer("/data/age", "7.5"),
    ]
    for edit in edits:
        edit()
        parts.append(through_json(before.changes_since(mark)))
        mark = before.mark()
        after = form(SURVEY).resume(draft, parts, now=now)
        same(before, after)


def test_an_answer_writes_only_what_changed() -> None:
    """The entry of one answer is small however large the form."""
    wide = xform("".join(f"<q{n}/>" for n in range(500)), "", "".join(f'<input ref="/data/q{n}"/>' for n in range(500)))
    interview = load_form(wide).start(now=now, seed=1)
    mark = interview.mark()
    interview.answer("/data/q250", "x")
    assert len(json.dumps(interview.changes_since(mark))) < 200


def test_a_newer_form_keeps_what_it_knows_and_names_what_it_does_not() -> None:
    """Nothing is dropped in silence."""
    older = load_form(xform("<a/><b/>", "", '<input ref="/data/a"/><input ref="/data/b"/>')).start(now=now, seed=1)
    older.answer("/data/a", "kept")
    older.answer("/data/b", "lost")
    newer = load_form(xform("<a/><c/>", "", '<input ref="/data/a"/><input ref="/data/c"/>'))
    resumed = newer.resume(older.draft(), now=now)
    assert value(resumed, "/data/a") == "kept"
    assert resumed.dropped == (Dropped("/data/b", "lost"),)


def test_the_same_interview_is_the_same_bytes() -> None:
    """Finalised twice, or from a draft, the XML does not differ in a byte."""
    interview = worked()
    interview.answer("/data/age", "60")
    one = interview.finalise()
    again = form(SURVEY).resume(interview.draft(), now=now).finalise()
    assert one.xml == again.xml
    assert one.instance_id.startswith("uuid:")
    assert one.xml.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<data id="data"')


def test_text_survives_xml() -> None:
    """Markup, quotes, line ends and odd characters come back as they were; what XML cannot hold becomes a space."""
    interview = start("| type | name | label |\n| text | a | A |")
    for text in ("<b>&\"'", "línea 1\nlínea 2\r\n", "ñandú 🦜", "  spaced  ", "]]>"):
        interview.answer("/data/a", text)
        assert interview.finalise().values["/data/a"] == text
        assert form("| type | name | label |\n| text | a | A |").values(interview.finalise().xml)["/data/a"] == text
    interview.answer("/data/a", "a\x00b\ud800c")
    assert form("| type | name | label |\n| text | a | A |").values(interview.instance().xml)["/data/a"] == "a b c"


def test_editing_what_was_finalised_gives_a_new_id_and_names_the_old() -> None:
    """deprecatedID is the instanceID of what is replaced; answers are there."""
    interview = worked()
    interview.answer("/data/age", "60")
    old = interview.finalise()
    edited = form(SURVEY).resume_instance(old.xml, now=now, seed=5)
    edited.answer("/data/why", "better")
    new = edited.finalise()
    assert new.instance_id != old.instance_id
    assert f"<deprecatedID>{old.instance_id}</deprecatedID>".encode() in new.xml
    assert new.values["/data/r[2]/x"] == "second"
    assert new.values["/data/why"] == "better"


def test_an_instance_of_another_form_is_refused() -> None:
    """The root says whose it is."""
    with pytest.raises(FormError):
        form(SURVEY).values(b"<other/>")
    with pytest.raises(FormError):
        form(SURVEY).resume_instance(b"<oth", now=now)


def test_typed_values() -> None:
    """int, float, date, list of choices; blanks and what is not relevant are left out."""
    survey = """
    | type | name | label | relevant |
    | integer | i | I | |
    | decimal | d | D | |
    | date | day | Day | |
    | select_multiple c | m | M | |
    | text | never | Never | 1 = 2 |
    | text | blank | Blank | |
    """
    interview = start(survey, "| list_name | name | label |\n| c | a | A |\n| c | b | B |")
    for name, text in [("i", "3"), ("d", "1.50"), ("day", "2026-01-02"), ("m", "a b")]:
        interview.answer(f"/data/{name}", text)
    values = dict(interview.finalise().values)
    del values["/data/meta/instanceID"]
    assert values == {
        "/data/i": 3,
        "/data/d": 1.5,
        "/data/day": NOW.date().replace(month=1, day=2),
        "/data/m": ["a", "b"],
    }


CONTROLS = "".join(f'<input ref="/data/{name}"><label>{name}</label></input>' for name in "abc")
OLDER = xform("<a>5</a><b/><c/><g><d/></g>", '<bind nodeset="/data/c" calculate="/data/a * 2"/>', CONTROLS)


def test_a_default_of_the_newer_form_never_replaces_an_answer() -> None:
    """Also one that was the older form's default."""
    older = load_form(OLDER).start(now=now, seed=1)
    newer = load_form(OLDER.replace(b"<a>5</a>", b"<a>7</a>"))
    assert value(newer.resume(older.draft(), now=now), "/data/a") == "5"


def test_a_newer_form_works_out_what_follows_and_sets_aside_what_is_no_answer() -> None:
    """Calculations are its own; text in what is an integer now, and a choice that is gone, become raw text."""
    older = load_form(OLDER).start(now=now, seed=1)
    older.answer("/data/b", "many")
    binds = '<bind nodeset="/data/b" type="int"/><bind nodeset="/data/c" calculate="/data/a * 3"/>'
    select = '<select1 ref="/data/a"><item><label>6</label><value>6</value></item></select1>'
    body = select + '<input ref="/data/b"><label>B</label></input>'
    resumed = load_form(xform("<a>5</a><b/><c/>", binds, body)).resume(older.draft(), now=now)
    assert resumed.dropped == ()
    assert resumed.question("/data/b").raw == "many"
    assert resumed.question("/data/a").raw == "5"
    assert value(resumed, "/data/c") == ""  # what was set aside is no value
    kinds = {problem.ref: problem.kind for problem in resumed.problems()}
    assert kinds == {"/data/a": ViolationKind.CHOICE, "/data/b": ViolationKind.TYPE}


def test_a_repeat_that_is_gone_gives_up_its_answers_one_by_one() -> None:
    """From a snapshot and from the changes since, also answers that were changed or cleared afterwards."""
    repeat = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/x"/></repeat></group>'
    older = load_form(xform("<r><x/></r><a/>", "", repeat)).start(now=now, seed=1)
    older.answer("/data/r[1]/x", "one")
    draft, mark = older.draft(), older.mark()
    older.add_repeat("/data/r")
    older.answer("/data/r[2]/x", "two")
    older.answer("/data/r[1]/x", "first")
    older.answer("/data/r[2]/x", None)
    older.add_repeat("/data/r")
    older.answer("/data/r[3]/x", "three")
    newer = load_form(xform("<a/>", "", '<input ref="/data/a"/>'))
    resumed = newer.resume(draft, [older.changes_since(mark)], now=now)
    lost = {Dropped("/data/r[1]/x", "first"), Dropped("/data/r[3]/x", "three")}
    assert set(resumed.dropped) == lost
    again = newer.resume(resumed.draft(), now=now)
    assert set(again.dropped) == lost


def test_a_leaf_that_became_a_group_drops_its_answer() -> None:
    """A group holds no text."""
    older = load_form(OLDER).start(now=now, seed=1)
    older.answer("/data/b", "lost")
    newer = load_form(xform("<a/><b><e/></b>", "", '<input ref="/data/b/e"/>'))
    assert Dropped("/data/b", "lost") in newer.resume(older.draft(), now=now).dropped


def test_a_record_of_another_version_says_what_it_cannot_hold() -> None:
    """Unknown elements, in groups and repeats too, and second ones of what does not repeat; ids are not answers."""
    body = CONTROLS + '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/x"/></repeat></group>'
    newer = load_form(xform("<a/><b/><c/><r><x/></r>", '<bind nodeset="/data/b" type="int"/>', body))
    xml = b"""<data id="test" version="0"><a>kept</a><a>twice</a><b>3.5</b><gone>1</gone>
      <g><d>2</d><d>3</d><e/></g><r><x>y</x><z>4</z></r><r><z>5</z></r>
      <meta><instanceID>uuid:1</instanceID><other>6</other></meta></data>"""
    edited = newer.resume_instance(xml, now=now)
    assert edited.dropped == (
        Dropped("/data/a[2]", "twice"),
        Dropped("/data/gone", "1"),
        Dropped("/data/g/d[1]", "2"),
        Dropped("/data/g/d[2]", "3"),
        Dropped("/data/r[1]/z", "4"),
        Dropped("/data/r[2]/z", "5"),
        Dropped("/data/meta/other", "6"),
    )
    assert value(edited, "/data/a") == "kept"
    assert edited.question("/data/b").raw == "3.5"
    assert b'version="1"' in edited.instance().xml
    assert b"<orx:deprecatedID>uuid:1</orx:deprecatedID>" in edited.instance().xml


def test_a_record_whose_parts_changed_their_kind_says_what_was_in_them() -> None:
    """A group that became a question, a question that became a group or a repeat, a repeat that became a question."""
    older = xform(
        "<n>5</n><g><x>in g</x></g><q>text</q><p>part</p><r jr:template=''><y/></r>",
        body='<input ref="/data/n"/><input ref="/data/g/x"/><input ref="/data/q"/><input ref="/data/p"/>'
        '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/y"/></repeat></group>',
    )
    newer = xform(
        "<n/><g/><q><inner/></q><p><z/></p><r/>",
        body='<input ref="/data/n"/><input ref="/data/g"/><input ref="/data/q/inner"/>'
        '<group ref="/data/p"><repeat nodeset="/data/p"><input ref="/data/p/z"/></repeat></group>'
        '<input ref="/data/r"/>',
    )
    interview = load_form(older).start(now=now, seed=1)
    interview.add_repeat("/data/r")
    count = sum(item.kind == "instance" for item in interview.outline())
    for position in range(1, count + 1):
        interview.answer(f"/data/r[{position}]/y", f"row {position}")
    edited = load_form(newer).resume_instance(interview.finalise().xml, now=now)
    kept = {value(edited, f"/data/{name}") for name in ("n", "g", "r")}
    told = {dropped.value for dropped in edited.dropped}
    assert "5" in kept
    assert {"in g", "text", "part", *(f"row {position}" for position in range(1, count + 1))} <= told | kept
    assert all(dropped.value not in kept for dropped in edited.dropped)


def test_an_edited_record_never_keeps_its_id() -> None:
    """Even with the seed with which it was made."""
    first = load_form(OLDER).start(now=now, seed=1).finalise()
    edited = load_form(OLDER).resume_instance(first.xml, now=now, seed=1).finalise()
    assert edited.instance_id != first.instance_id
    assert first.instance_id.encode() in edited.xml
