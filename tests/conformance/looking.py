"""What recorded checks look at, read from an interview: values, places, states, choices, labels."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.xforms import NoSuchRefError, ViolationKind
from fieldsurvey.xforms.live import describe
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.live.nodes import LiveNode, Range
from fieldsurvey.xforms.live.validity import locked
from tests.conformance.compare import instance_differences, same_text
from tests.conformance.forms_cases import events

Event = tuple[str, str]


class Cursor:
    """Where a recorded interview stands: an event (Q, G, R, P) or the beginning or end."""

    def __init__(self, interview: LiveInterview, *, javarosa: bool) -> None:
        self.interview = interview
        self.javarosa = javarosa
        self.here: str = "B"
        self.seen: list[str] = []

    def events(self) -> list[str]:
        """Beginning, every event, end."""
        return ["B", *events(self.interview), "E"]

    def next(self) -> None:
        """One event on; from what is gone, from the last event before it that is still there."""
        self.here = self.peek()

    def peek(self) -> str:
        """The next event; moving on may make the next instance of a repeat."""
        if self.here.startswith("Q "):
            self.interview.go_to(plain(self.here[2:], self.interview))
            self.interview.next()
        found = self.events()
        at = self._index(found)
        self.seen = found
        return found[min(at + 1, len(found) - 1)]

    def previous(self) -> None:
        """One event back."""
        found = self.events()
        self.here = found[max(self._index(found) - 1, 0)]
        self.seen = found

    def _index(self, found: list[str]) -> int:
        if self.here in found:
            return found.index(self.here)
        for event in reversed(self.seen[: self.seen.index(self.here)] if self.here in self.seen else []):
            if event in found:
                return found.index(event)
        return 0

    def rewind(self) -> None:
        """To the beginning."""
        self.here = "B"

    def at_ref(self, ref: str) -> None:
        """Stand at a question."""
        wanted = _comparable(ref)
        for event in self.events():
            if event.startswith("Q ") and _comparable(event[2:]) == wanted:
                self.here = event

    def add(self, ref: str) -> None:
        """Add instances of a repeat until the one that is meant is there."""
        position = re.fullmatch(r"(.*)\[(\d+)\]", ref)
        target = ref
        if position and not self._is_range(ref):
            target = position[1]
        made = add_repeat(self.interview, plain(target, self.interview))
        wanted = _comparable(made)
        self.here = next(
            (event for event in self.events() if event.startswith("R ") and _comparable(event[2:]) == wanted), self.here
        )

    def _is_range(self, ref: str) -> bool:
        try:
            return isinstance(self.interview.refs.find(plain(ref, self.interview)), Range)
        except NoSuchRefError:
            return False

    def make(self, ref: str) -> None:
        """Make the repeat instances that a ref passes through, as the recording's helper does."""
        steps = ref.split("/")
        for count in range(3, len(steps) + 1):
            match = re.fullmatch(r"(.*)\[(\d+)\]", "/".join(steps[:count]))
            if match is None:
                continue
            try:
                owner = self.interview.refs.find(match[1])
            except NoSuchRefError:
                return
            while isinstance(owner, Range) and len(owner.instances) < int(match[2]):
                add_repeat(self.interview, match[1])

    def ref(self) -> str | None:
        """The ref of the current event, None at the beginning and the end."""
        return None if self.here in {"B", "E"} else self.here[2:]


def add_repeat(interview: LiveInterview, ref: str) -> str:
    """Add an instance, also where the form does not offer it: recordings set up states that way."""
    try:
        return interview.add_repeat(ref)
    except FieldsurveyError:
        owner = interview.refs.range(ref)
        frame = interview.state.grow(owner)
        interview.state.actions.finish()
        interview.refs.forget()
        return frame.first().ref


def plain(ref: str, interview: LiveInterview) -> str:
    """A recorded ref as ours: `[1]` only at repeats, the first instance where a position was left out."""
    steps = ref.replace("[0]", "[1]").split("/")[1:]
    made = "/" + re.sub(r"\[\d+\]$", "", steps[0])
    for number, step in enumerate(steps[1:], start=2):
        bare = re.sub(r"\[\d+\]$", "", step)
        try:
            slot = interview.refs.find(f"{made}/{bare}")
        except NoSuchRefError:
            return "/".join([made, *steps[number - 1 :]])
        first = f"{bare}[1]" if step == bare and number < len(steps) else step
        made += f"/{first}" if isinstance(slot, Range) else f"/{bare}"
    return made


def _comparable(ref: str | None) -> str | None:
    """A ref without the positions that some recordings write and others do not."""
    return None if ref is None else re.sub(r"\[1\]", "", ref)


def _node(cursor: Cursor, step: dict[str, Any]) -> LiveNode:
    found = cursor.interview.refs.find(plain(step["ref"], cursor.interview))
    if isinstance(found, Range):
        return found.instances[0].first() if found.instances else found.frame.first()
    return found


Look = Callable[[Cursor, dict[str, Any], str], tuple[Any, bool]]


def _value(cursor: Cursor, step: dict[str, Any], source: str) -> tuple[Any, bool]:
    try:
        node = _node(cursor, step)
    except NoSuchRefError:
        return "no such node", step.get("is_null", False) or step.get("expected") is None
    found = node.text if node.relevant or cursor.javarosa else ""
    if step.get("is_null"):
        return found, found == ""
    expected = str(step.get("expected", ""))
    return found, _same_id(expected, found) or same_text(expected, found, source)


def _same_id(expected: str, found: str) -> bool:
    return expected.startswith("uuid:") and found.startswith("uuid:")


def _place(cursor: Cursor, ref: str | None, step: dict[str, Any]) -> tuple[Any, bool]:
    expected = step.get("expected")
    if isinstance(expected, dict):
        expected = expected.get("ref")
    if expected == "EOF":
        expected = None
    one, other = _comparable(ref), _comparable(expected)
    if one is not None and cursor.here.startswith("P") and one != other:
        one = re.sub(r"\[\d+\]$", "", one)
    return ref, one == other


def _next_ref(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    peeked = cursor.peek()
    return _place(cursor, None if peeked in {"B", "E"} else peeked[2:], step)


def _here(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    return _place(cursor, cursor.ref(), step)


def _choices(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    node = _node(cursor, step)
    found = [(choice.value, choice.label) for choice in describe.offered(cursor.interview.state, node)]
    expected = [(choice["value"], choice["label"]) for choice in step.get("expected") or []]
    if all(not label for _value, label in expected):
        return found, sorted(value for value, _label in found) == sorted(value for value, _label in expected)
    return found, found == expected or sorted(found) == sorted(expected)


def _state(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    name = step["ref"].rpartition("/")[2].rpartition(":")[2]
    if name in cursor.interview.extra_meta:  # the instance has it though the form does not
        found = {"relevant": True, "required": False, "readonly": False, "enabled": True}
        return found, all(found[name] == value for name, value in (step["expected"] or {}).items() if name in found)
    node = _node(cursor, step)
    found = {
        "relevant": node.relevant,
        "required": node.required,
        "readonly": locked(node),
        "enabled": not locked(node),
    }
    expected = step["expected"] or {}
    return found, all(found[name] == expected[name] for name in found if name in expected)


def _label(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    return _text(cursor, step, "label")


def _hint(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    return _text(cursor, step, "hint")


def _text(cursor: Cursor, step: dict[str, Any], which: str) -> tuple[Any, bool]:
    node = _node(cursor, step)
    control = node.d.control
    found = cursor.interview.state.texts.plain(getattr(control, which), node) if control is not None else ""
    return found, " ".join(found.split()) == " ".join(str(step["expected"]).split())


def _count(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    found = len(cursor.interview.refs.range(plain(step["ref"], cursor.interview)).instances)
    return found, found == step["expected"]


def _validation(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    problems = [problem for problem in cursor.interview.problems() if problem.blocks]
    expected = step["expected"]
    first = problems[0] if problems else None
    failed = expected.get("failedPrompt") or {}
    where = failed.get("ref") or expected.get("ref")
    outcome = expected.get("outcome")
    kinds = {
        ViolationKind.REQUIRED: {"ANSWER_REQUIRED_BUT_EMPTY", 1},
        ViolationKind.CONSTRAINT: {"ANSWER_CONSTRAINT_VIOLATED", 2},
    }
    found = None if first is None else (first.ref, str(first.kind))
    if first is None:
        return found, outcome in {"ANSWER_OK", 0}
    return found, outcome in kinds.get(first.kind, set()) and _comparable(first.ref) == _comparable(where)


def _index_of(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    try:  # an index is a place in the form, whether it is relevant now or not
        found = cursor.interview.refs.find(plain(step["args"][0], cursor.interview)).ref
    except NoSuchRefError:
        found = None
    return found, (found is not None) == (step.get("expected") is not None)


def _at_end(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    return cursor.here, (cursor.here == "E") == step["expected"]


def _option_labels(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    found = [choice.label for choice in describe.offered(cursor.interview.state, _node(cursor, step))]
    return found, found == step["expected"]


def _selected_labels(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    node = _node(cursor, step)
    chosen = node.text.split()
    found = [choice.label for choice in describe.offered(cursor.interview.state, node) if choice.value in chosen]
    return found, found == step["expected"]


def _can_change(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    owner = cursor.interview.refs.range(plain(step["args"][0], cursor.interview))
    control = owner.d.control
    found = control is not None and control.count is None and not control.no_add_remove
    return found, found == step["expected"]


def _attribute(cursor: Cursor, step: dict[str, Any], _source: str) -> tuple[Any, bool]:
    path, name = step["args"]
    found = cursor.interview.refs.node(f"{plain(path, cursor.interview)}/@{name}").text
    return found, found == step["expected"]["value"]


def _instance(cursor: Cursor, step: dict[str, Any], source: str) -> tuple[Any, bool]:
    found = cursor.interview.instance().xml
    return found.decode(), not instance_differences(step["expected"], found, source)


LOOK: dict[str, Look] = {
    "value": _value,
    "nextRef": _next_ref,
    "refAtIndex": _here,
    "getCurrentIndex": _here,
    "choices": _choices,
    "node": _state,
    "label": _label,
    "hint": _hint,
    "repeat_count": _count,
    "form_validation": _validation,
    "indexOf": _index_of,
    "atTheEndOfForm": _at_end,
    "option_labels": _option_labels,
    "selected_labels": _selected_labels,
    "proposed_canCreateOrRemoveRepeat": _can_change,
    "attributeOf": _attribute,
    "instance_xml": _instance,
}
