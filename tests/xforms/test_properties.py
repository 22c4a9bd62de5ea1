"""For any form and any edits: what is kept up to date equals what is worked out anew; a draft is the identity."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.xforms import Draft, FormError, LoadedForm, NoSuchRefError, NotAnswerableError, load_form
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range
from fieldsurvey.xforms.program.triggers import Trigger
from tests.xforms.scenario import NOW, now, xform
from tests.xforms.strategies import AGGREGATES, INNER, LATE, ONCE, WHO, Edit, Sketch, edits, sketches

FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))


def apply(interview: LiveInterview, edit: Edit) -> None:
    """One edit; refusals are part of the game."""
    try:
        if edit[0] == "answer":
            interview.answer(edit[1], edit[2])
        elif edit[0] == "add":
            interview.add_repeat(edit[1])
        elif edit[0] == "remove":
            interview.remove_repeat(edit[1], edit[2])
        elif edit[0] == "note":
            interview.set_note(edit[1], edit[2])
        elif edit[0] == "next":
            interview.next()
        else:
            interview.previous()
    except (NotAnswerableError, NoSuchRefError):
        return


def states(frame: LiveFrame) -> dict[str, Any]:
    """Everything that is kept up to date, by ref."""
    found: dict[str, Any] = {}
    for slot in frame.slots:
        if isinstance(slot, LiveNode):
            value = f"{type(slot.value()).__name__} {slot.value()}"
            wrong = sorted(slot.wrong)
            found[slot.ref] = (slot.text, slot.raw, value, slot.relevant, slot.required, slot.read_only, wrong)
        else:
            for inner in slot.instances:
                found.update(states(inner))
    return found


def grow(fresh: LiveInterview, frame: LiveFrame, model: LiveFrame) -> None:
    """As many instances as `model` has, but where the form itself makes them."""
    for slot, wanted in zip(frame.slots, model.slots, strict=True):
        if isinstance(slot, Range) and isinstance(wanted, Range):
            while len(slot.instances) < len(wanted.instances):
                fresh.state.grow(slot)
            for one, other in zip(slot.instances, wanted.instances, strict=False):
                grow(fresh, one, other)


def anew(form: LoadedForm, interview: LiveInterview) -> LiveInterview:
    """The same answers in a fresh interview in which every trigger runs in every frame, over and over.

    A count of the form's own may take instances away until the answers that it depends on are there.
    """
    fresh = form.start(now=now, seed=1)
    for _again in range(4):
        grow(fresh, fresh.state.root, interview.state.root)
        fresh.refs.forget()
        for ref, (text, raw, *_rest, wrong) in states(interview.state.root).items():
            node = fresh.refs.node(ref)
            bind = node.d.bind
            if bind is None or bind.calculate is None or "once(" in bind.calculate.source:
                fresh.state.put(node, text)
                if raw is not None:
                    fresh.state.set_aside(node, raw, "choice" if "choice" in wrong else "type")
        fresh.state.settler.push_frame(fresh.state.root)
        fresh.state.settler.settle()
        fresh.refs.forget()
    return fresh


def loaded(source: bytes) -> LoadedForm:
    """The form; one that goes in a circle, the only fault a sketch can have, is another example."""
    try:
        return load_form(source)
    except FormError as error:
        if {problem.code for problem in error.problems} == {"cycle"}:
            reject()
        raise


def reached(interview: LiveInterview, nodes: list[LiveNode]) -> int:
    """How many conditions, calculations and lists read one of these nodes, each in each of its frames."""
    settler = interview.state.settler
    pushed: set[tuple[Trigger, LiveFrame]] = set()
    before, settler.push = settler.push, lambda trigger, frame: pushed.add((trigger, frame))  # type: ignore[method-assign]
    try:
        for node in nodes:
            settler.push_readers(node.d.index, node.frame)
            settler.recheck(node)
    finally:
        settler.push = before  # type: ignore[method-assign]
    return len(pushed)


def proportional(interview: LiveInterview, edit: Edit, before: dict[str, Any], run: int) -> None:
    """Every expression that reads something that changed ran once at most, and nothing else ran."""
    after = states(interview.state.root)
    if edit[0] != "answer" or before.keys() != after.keys():
        return
    changed = [ref for ref, state in after.items() if state[:4] != before[ref][:4]]
    nodes = [interview.refs.node(ref) for ref in dict.fromkeys([*changed, edit[1]]) if ref in after]
    assert run <= reached(interview, nodes), (edit, changed)


def check(sketch: Sketch, data: st.DataObject) -> None:
    """Edits, then both comparisons."""
    form = loaded(sketch.source)
    interview = form.start(now=now, seed=1)
    first, mark = interview.draft(), interview.mark()
    for edit in data.draw(edits(sketch)):
        before, evaluations = states(interview.state.root), interview.state.settler.evaluations
        apply(interview, edit)
        if not sketch.acts:
            proportional(interview, edit, before, interview.state.settler.evaluations - evaluations)
    fresh = anew(form, interview)
    assert states(interview.state.root) == states(fresh.state.root)
    assert interview.problems() == fresh.problems()
    whole = json.loads(json.dumps(interview.draft().data))
    since = json.loads(json.dumps(interview.changes_since(mark)))
    for resumed in (
        form.resume(Draft(first.form_id, first.form_version, first.form_hash, whole), now=now),
        form.resume(first, [since], now=now),
    ):
        assert states(resumed.state.root) == states(interview.state.root)
        assert resumed.draft() == interview.draft()
        assert resumed.problems() == interview.problems()
        assert resumed.current == interview.current
    assert interview.state.settler.heap == []


@FEW
@given(sketches(), st.data())
def test_incremental_equals_anew_and_drafts_are_the_identity(sketch: Sketch, data: st.DataObject) -> None:
    """Random forms, random edits."""
    check(sketch, data)


@pytest.mark.long
def test_random_forms_have_every_construct_and_most_can_be_used() -> None:
    """The control: whatever the property is to hold for, the generator makes; circles are not the rule."""
    usable: list[str] = []
    refused = 0

    @settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(sketches())
    def collect(sketch: Sketch) -> None:
        nonlocal refused
        try:
            load_form(sketch.source)
        except FormError:
            refused += 1
        else:
            usable.append(sketch.source.decode())

    collect()
    whole = "\n".join(usable)
    wanted = [*AGGREGATES, *LATE, ONCE, *INNER, *WHO, "<setvalue", "jr:count", "readonly", "required", "instanceName"]
    assert [part for part in wanted if part not in whole] == []
    assert len(usable) > refused


@pytest.mark.long
@MANY
@given(sketches(), st.data())
def test_incremental_equals_anew_at_length(sketch: Sketch, data: st.DataObject) -> None:
    """The same, thousands of times."""
    check(sketch, data)


GOOD = xform(
    "<a/><g><b/></g><r><c/></r>",
    '<bind nodeset="/data/a" type="int" constraint=". &gt; 1"/><bind nodeset="/data/g/b" calculate="/data/a + 1"/>',
    '<input ref="/data/a"><label>A <output value="/data/g/b"/></label></input>'
    '<repeat nodeset="/data/r"><select1 ref="/data/r/c"><item><label>x</label><value>x</value></item></select1>'
    "</repeat>",
)


@FEW
@given(st.data())
def test_damaged_xforms_get_a_typed_error_or_work(data: st.DataObject) -> None:
    """Bytes cut, doubled, replaced: never anything but FormError, never a hang."""
    source = bytearray(GOOD)
    for _damage in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(source) - 1))
        kind = data.draw(st.integers(0, 2))
        if kind == 0:
            del source[at : at + data.draw(st.integers(1, 40))]
        elif kind == 1:
            source[at:at] = data.draw(st.binary(min_size=1, max_size=6))
        else:
            source[at:at] = source[at : at + data.draw(st.integers(1, 200))]
    try:
        interview = load_form(bytes(source)).start(now=now, seed=1)
    except FormError:
        return
    interview.outline()
    interview.problems()
    interview.instance()


@FEW
@given(st.binary(max_size=200))
def test_damaged_instances_get_a_typed_error(noise: bytes) -> None:
    """Reading values of anything."""
    form = load_form(GOOD)
    try:
        form.values(b"<data>" + noise + b"</data>")
    except FieldsurveyError:
        return


@FEW
@given(st.text(max_size=60))
def test_any_text_is_an_answer_and_comes_back(text: str) -> None:
    """A text question keeps what was typed, but for what XML cannot hold."""
    form = load_form(xform("<t/>", "", '<input ref="/data/t"/>'))
    interview = form.start(now=now, seed=1)
    interview.answer("/data/t", text)
    kept = interview.question("/data/t").value or ""
    assert kept == (text if text.strip() else "")
    instance = interview.finalise()
    read = form.values(instance.xml).get("/data/t", "")
    again = form.resume(interview.draft(), now=lambda: NOW).finalise()
    assert again.xml == instance.xml
    assert len(read) <= len(text) + 1 or not read.isascii()
