"""The client audit log: which events there are, how long they lasted, what they say. All data here is synthetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fieldsurvey.xforms import LoadedForm, NotReadyError, load_form
from fieldsurvey.xforms.live.interview import LiveInterview
from tests.xforms.scenario import table

NOW = datetime(2026, 3, 14, 15, 30, tzinfo=UTC)
START = round(NOW.timestamp() * 1000)
SURVEY = """
| type | name | label | appearance | required | parameters |
| audit | audit | | | | {} |
| text | a | A | | yes | |
| begin group | g | G | field-list | | |
| integer | b | B | | | |
| integer | c | C | | | |
| end group | | | | | |
| begin repeat | r | R | | | |
| text | x | X | | | |
| end repeat | | | | | |
"""


class Watched:
    """A form with its log; the clock moves only when told."""

    def __init__(self, parameters: str = "track-changes=true", *, steady: bool = True, **keywords: Any) -> None:
        self.events: list[dict[str, Any]] = []
        self.elapsed = 0.0
        self.wall = NOW
        self.form: LoadedForm = load_form(table(SURVEY.format(parameters)))
        self.keywords = {"now": lambda: self.wall, "seed": 1, "audit": self.events.append, **keywords}
        if steady:
            self.keywords["monotonic"] = lambda: self.elapsed
        self.interview: LiveInterview = self.form.start(**self.keywords)

    def said(self) -> list[tuple[str, str]]:
        """Events and nodes."""
        return [(event["event"], event["node"]) for event in self.events]


def test_a_whole_interview() -> None:
    """Questions, field-lists, repeats, jumps, the end: each when it is left."""
    watched = Watched()
    interview = watched.interview
    interview.answer("/data/a", "one")
    interview.next()
    interview.answer("/data/g/b", "2")
    interview.next()
    interview.next()
    interview.add_repeat("/data/r")
    interview.remove_repeat("/data/r", 2)
    interview.go_to("/data/a")
    interview.finalise()
    assert watched.said() == [
        ("form start", ""),
        ("question", "/data/a"),
        ("group questions", "/data/g"),
        ("question", "/data/g/b"),
        ("question", "/data/r[1]/x"),
        ("add repeat", "/data/r"),
        ("question", "/data/r[2]/x"),
        ("delete repeat", "/data/r[2]"),
        ("jump", ""),
        ("question", "/data/r[1]/x"),
        ("question", "/data/a"),
        ("form finalize", ""),
    ]


def test_times_come_from_the_monotonic_clock() -> None:
    """The wall clock may jump: it says only when the interview was opened."""
    watched = Watched()
    watched.elapsed, watched.wall = 2.5, NOW - timedelta(days=3)
    watched.interview.next()
    assert [(event["start"], event["end"]) for event in watched.events[:2]] == [
        (START, None),
        (START, START + 2500),
    ]


def test_without_one_the_wall_clock_never_goes_back() -> None:
    """An event never ends before it starts."""
    watched = Watched(steady=False)
    watched.wall = NOW + timedelta(seconds=5)
    watched.interview.next()
    watched.wall = NOW - timedelta(hours=1)
    watched.interview.next()
    times = [(event["start"], event["end"]) for event in watched.events if event["end"] is not None]
    assert times == [(START, START + 5000), (START + 5000, START + 5000)]


def test_changes_say_what_was_and_what_is() -> None:
    """Both blank where nothing changed; not there at all unless the form asks for changes."""
    watched = Watched()
    watched.interview.answer("/data/a", "one")
    watched.interview.next()
    question = watched.events[1]
    assert (question["old-value"], question["new-value"]) == ("", "one")
    plain = Watched("identify-user=true", metadata={"username": "p7"})
    plain.interview.answer("/data/a", "one")
    plain.interview.next()
    assert plain.events[1] == {
        "event": "question",
        "node": "/data/a",
        "start": START,
        "end": START,
        "user": "p7",
    }


def test_places_come_from_the_caller() -> None:
    """Blank when it has none."""
    parameters = "location-priority=balanced location-min-interval=60 location-max-age=120"
    found = iter(["-1.5 -78.25 2500 4", None, None])
    watched = Watched(parameters, locate=lambda: next(found))
    watched.interview.next()
    columns = ("latitude", "longitude", "accuracy")
    assert [tuple(event[name] for name in columns) for event in watched.events[:2]] == [
        ("-1.5", "-78.25", "4"),
        ("", "", ""),
    ]
    assert watched.form.audit == {
        "location-priority": "balanced",
        "location-min-interval": "60",
        "location-max-age": "120",
    }


def test_moving_past_a_blank_that_is_required_is_an_event() -> None:
    """Also when the interview cannot be finalised; the page goes on afterwards."""
    watched = Watched()
    watched.interview.next()
    assert watched.said()[1:3] == [("question", "/data/a"), ("constraint error", "/data/a")]
    with pytest.raises(NotReadyError):
        watched.interview.finalise()
    assert watched.said()[-1] == ("finalize error", "")
    watched.interview.next()
    assert ("group questions", "/data/g") in watched.said()


def test_resuming_is_an_event_and_the_log_is_no_part_of_the_draft() -> None:
    """With or without a log, draft and record are the same."""
    watched = Watched()
    watched.interview.next()
    silent = watched.form.start(now=lambda: NOW, seed=1)
    silent.next()
    assert watched.interview.draft() == silent.draft()
    watched.form.resume(silent.draft(), **watched.keywords)
    assert watched.said()[-1] == ("form resume", "")


def test_no_log_unless_the_form_asks() -> None:
    """A callback alone makes none."""
    events: list[dict[str, Any]] = []
    form = load_form(table("| type | name | label |\n| text | a | A |"))
    interview = form.start(now=lambda: NOW, seed=1, audit=events.append)
    interview.next()
    assert (form.audit, events) == (None, [])
