"""The steps format: an interview as data, with what is expected of it. Forms are tested with it.

A list of objects with one key each:

    {"answer": {ref: text or null, …}}      {"add_repeat": ref}       {"remove_repeat": ref with its position}
    {"next": true}   {"previous": true}     {"go_to": ref}            {"set_language": name or code}
    {"expect": {ref: {"value" | "relevant" | "required" | "read_only" | "valid" | "label" | "hint" | "choices"
                      | "violation" | "count" | "current": …}}}       {"finalise": true or false}

`choices` is the list of values offered; `valid` is whether nothing that blocks stands there; `violation` is its kind
or null; `count` is of a repeat; `current` whether we are there. `{"finalise": false}` expects a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fieldsurvey.base.errors import FieldsurveyError, InputError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import End, Instance
from fieldsurvey.xforms.errors import NoSuchRefError, NotReadyError
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.live.nodes import LiveNode, Range

MAX_STEPS = 100_000
_POSITION = re.compile(r"(.*)\[(\d+)\]$")


class StepsError(InputError):
    """A steps file that is not in the format."""

    code = "steps"
    template = "Step {number} cannot be read: {reason}."
    hint = "Nothing was changed. `fieldsurvey forms fill --help` shows the format."


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that did not hold, or a step that was refused. Steps count from 1."""

    step: int
    ref: str
    what: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        line = _("step {step}: {ref} {what}: expected {expected}, found {found}")
        return line.format(
            step=self.step, ref=self.ref, what=self.what, expected=repr(self.expected), found=repr(self.found)
        )


@dataclass(slots=True)
class StepRun:
    """What came of the steps."""

    failures: list[Failure] = field(default_factory=list)
    instance: Instance | None = None
    steps: int = 0


def run_steps(interview: LiveInterview, steps: Any) -> StepRun:
    """Take every step; what fails is kept and the rest goes on. Raises StepsError for what is not a step."""
    if not isinstance(steps, list) or len(steps) > MAX_STEPS:
        raise StepsError(number=0, reason=_("a list of steps is needed"))
    run = StepRun()
    for number, step in enumerate(steps, start=1):
        if not isinstance(step, dict) or len(step) != 1:
            raise StepsError(number=number, reason=_("an object with one key is needed"))
        ((kind, argument),) = step.items()
        take = _STEPS.get(kind)
        if take is None:
            raise StepsError(number=number, reason=_("there is no step called {name}").format(name=kind))
        take(interview, argument, _Keeper(run, number))
        run.steps = number
    return run


@dataclass(frozen=True, slots=True)
class _Keeper:
    run: StepRun
    number: int

    def fail(self, ref: str, what: str, expected: Any, found: Any) -> None:
        self.run.failures.append(Failure(self.number, ref, what, expected, found))

    def wrong(self, reason: str) -> StepsError:
        return StepsError(number=self.number, reason=reason)

    def attempt(self, ref: str, what: str, do: Callable[[], object]) -> None:
        """A step that may be refused."""
        try:
            do()
        except FieldsurveyError as error:
            self.fail(ref, what, "", error.message)


def _answer(interview: LiveInterview, argument: Any, keeper: _Keeper) -> None:
    if not isinstance(argument, dict):
        raise keeper.wrong(_("answers are an object of refs and values"))
    for ref, value in argument.items():
        if value is not None and not isinstance(value, str | int | float):
            raise keeper.wrong(_("an answer is text or null"))
        text = None if value is None else str(value)
        keeper.attempt(ref, "answer", lambda ref=ref, text=text: interview.answer(ref, text))  # type: ignore[misc]


def _add(interview: LiveInterview, argument: Any, keeper: _Keeper) -> None:
    keeper.attempt(str(argument), "add_repeat", lambda: interview.add_repeat(str(argument)))


def _remove(interview: LiveInterview, argument: Any, keeper: _Keeper) -> None:
    match = _POSITION.match(str(argument))
    if match is None:
        raise keeper.wrong(_("the instance to remove needs its position, such as /data/person[2]"))
    keeper.attempt(str(argument), "remove_repeat", lambda: interview.remove_repeat(match[1], int(match[2])))


def _next(interview: LiveInterview, _argument: Any, keeper: _Keeper) -> None:
    keeper.attempt("", "next", interview.next)


def _previous(interview: LiveInterview, _argument: Any, keeper: _Keeper) -> None:
    keeper.attempt("", "previous", interview.previous)


def _go_to(interview: LiveInterview, argument: Any, keeper: _Keeper) -> None:
    keeper.attempt(str(argument), "go_to", lambda: interview.go_to(str(argument)))


def _language(interview: LiveInterview, argument: Any, keeper: _Keeper) -> None:
    keeper.attempt(str(argument), "set_language", lambda: interview.set_language(str(argument)))


def _finalise(interview: LiveInterview, argument: Any, keeper: _Keeper) -> None:
    try:
        keeper.run.instance = interview.finalise()
    except NotReadyError as error:
        if argument is not False:
            for problem in error.problems:
                keeper.fail(problem.ref, "finalise", "", str(problem.kind))
        return
    if argument is False:
        keeper.fail("", "finalise", False, True)


def _expect(interview: LiveInterview, argument: Any, keeper: _Keeper) -> None:
    if not isinstance(argument, dict):
        raise keeper.wrong(_("expectations are an object of refs"))
    for ref, wanted in argument.items():
        if not isinstance(wanted, dict):
            raise keeper.wrong(_("what is expected of a ref is an object"))
        try:
            node = interview.refs.find(ref)
        except NoSuchRefError as error:
            keeper.fail(ref, "expect", wanted, error.message)
            continue
        for what, expected in wanted.items():
            if what not in _LOOK:
                raise keeper.wrong(_("nothing called {name} can be expected").format(name=what))
            found = observe(interview, node, what)
            if found != (str(expected) if what == "value" and expected is not None else expected):
                keeper.fail(ref, what, expected, found)


def observe(interview: LiveInterview, node: LiveNode | Range, what: str) -> Any:
    """What stands at a node now; None where the question does not arise."""
    if isinstance(node, Range):
        if what == "count":
            return len(node.instances)
        if what == "relevant":
            return node.frame.first().relevant
        return None
    return _LOOK[what](interview, node)


def _question(attribute: str) -> Callable[[LiveInterview, LiveNode], Any]:
    def look(interview: LiveInterview, node: LiveNode) -> Any:
        if node.d.control is None or node.d.kind != "leaf":
            return None
        return getattr(interview.question(node.ref), attribute)

    return look


def _valid(interview: LiveInterview, node: LiveNode) -> bool:
    kind = interview.state.bad.get(node)
    return kind is None or kind.value == "warning"


def _violation(interview: LiveInterview, node: LiveNode) -> str | None:
    kind = interview.state.bad.get(node)
    return None if kind is None else str(kind)


def _choices(interview: LiveInterview, node: LiveNode) -> list[str]:
    return [choice.value for choice in interview.question(node.ref).choices]


def _current(interview: LiveInterview, node: LiveNode) -> bool:
    place = interview.current
    if isinstance(place, End):
        return False
    return place.ref == node.ref or node.ref in getattr(place, "questions", ())


_LOOK: dict[str, Callable[[LiveInterview, LiveNode], Any]] = {
    "value": lambda _interview, node: node.text or None,
    "relevant": lambda _interview, node: node.relevant,
    "required": lambda _interview, node: node.required,
    "read_only": _question("read_only"),
    "valid": _valid,
    "violation": _violation,
    "label": _question("label"),
    "hint": _question("hint"),
    "choices": _choices,
    "count": lambda _interview, _node: None,
    "current": _current,
}
_STEPS: dict[str, Callable[[LiveInterview, Any, _Keeper], None]] = {
    "answer": _answer,
    "add_repeat": _add,
    "remove_repeat": _remove,
    "next": _next,
    "previous": _previous,
    "go_to": _go_to,
    "set_language": _language,
    "expect": _expect,
    "finalise": _finalise,
}
