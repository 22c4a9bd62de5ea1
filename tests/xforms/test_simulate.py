"""Simulated interviews: they satisfy constraints, reach the end, repeat exactly, and follow a caller's wishes."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from fieldsurvey.xforms.simulate import preferences, simulate_interview
from fieldsurvey.xforms.simulate.patterns import sample
from fieldsurvey.xforms.simulate.preferences import PreferencesError
from tests.xforms.scenario import form, now

SURVEY = """
| type | name | label | required | constraint | relevant |
| integer | age | Age | yes | . >= 18 and . <= 99 | |
| date | day | Day | yes | . <= today() and . >= today() - 30 | |
| text | code | Code | yes | regex(., '[A-Z]{2}-[0-9]{3}') | |
| select_multiple c | many | Many | yes | count-selected(.) = 2 and not(selected(., 'z')) | |
| select_one c | one | One | yes | | |
| integer | red | Red | yes | . >= 0 | |
| integer | blue | Blue | yes | . >= 0 | |
| acknowledge | fits | Fits | yes | ${red} + ${blue} = 100 | |
| begin repeat | r | R | | | |
| integer | older | Older | yes | . > ${age} | |
| end repeat | | | | | |
| text | never | Never | yes | | ${age} < 10 |
"""
CHOICES = """
| list_name | name | label |
| c | a | A |
| c | b | B |
| c | z | Z |
"""


@pytest.mark.parametrize("seed", range(12))
def test_interviews_satisfy_the_form_and_reach_the_end(seed: int) -> None:
    """Bounds, dates, patterns, counts, and answers that must add up."""
    interview = form(SURVEY, CHOICES).start(now=now, seed=seed)
    done = simulate_interview(interview, Random(seed))
    assert (done.ready, done.stuck) == (True, [])
    values = interview.finalise().values
    assert 18 <= values["/data/age"] <= 99
    assert re.fullmatch("[A-Z]{2}-[0-9]{3}", values["/data/code"])
    assert values["/data/red"] + values["/data/blue"] == 100
    assert "/data/never" not in values


def test_the_same_seed_gives_the_same_interview() -> None:
    """To the byte; another seed gives another."""
    made = []
    for seed in (3, 3, 4):
        interview = form(SURVEY, CHOICES).start(now=now, seed=1)
        simulate_interview(interview, Random(seed))
        made.append(interview.finalise().xml)
    assert made[0] == made[1] != made[2]


def test_weights_are_followed_also_under_a_condition() -> None:
    """A rule with `when` goes before the one without."""
    prefer = preferences(
        {
            "rules": [
                {"weights": {"one": {"a": 1}, "age": {"20": 1, "70": 1}}},
                {"when": {"age": ["70"]}, "weights": {"one": {"b": 1}}},
            ]
        }
    )
    seen: Counter[tuple[int, str]] = Counter()
    for seed in range(30):
        interview = form(SURVEY, CHOICES).start(now=now, seed=seed)
        simulate_interview(interview, Random(seed), prefer)
        values = interview.finalise().values
        seen[values["/data/age"], values["/data/one"]] += 1
    assert set(seen) == {(20, "a"), (70, "b")}


@pytest.mark.parametrize("data", [None, {}, {"rules": [{}]}, {"rules": [{"weights": {"a": {"b": "x"}}}]}])
def test_weights_that_are_none_are_refused(data: object) -> None:
    """The format is checked before anything runs."""
    with pytest.raises(PreferencesError):
        preferences(data)


@pytest.mark.parametrize(
    "pattern",
    ["[0-9]{10}", r"\d+", "(a|b)c?", "^IN-[0-9]{2}$", r"[A-Za-z]{1,4}-?[0-9]{1,4}", "x*", r"\w+@\w+\.(com|org)"],
)
def test_samples_match_their_pattern(pattern: str) -> None:
    """Simple patterns are met."""
    for seed in range(20):
        text = sample(pattern, Random(seed))
        assert text is not None
        assert re.fullmatch(pattern, text), (pattern, text)


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "[", "(", "a{"])
def test_what_is_too_much_is_given_up(pattern: str) -> None:
    """None, never an exception."""
    assert sample(pattern, Random(1)) is None
