"""What an interview counts for is a plain function of its answers: a quota is met where all that it names is so."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from fieldsurvey.project.policy import Quota
from fieldsurvey.project.quotas import Cell, cells_met, interviews_people

CODES = {
    "parish": ["100150", "100151"],
    "mobility": ["host", "mobility", "returned"],
    "sex": ["woman", "man"],
    "age": ["18_24", "65_plus"],
}
NAMED = st.fixed_dictionaries({name: st.none() | st.sampled_from(codes) for name, codes in CODES.items()})
QUOTAS = st.lists(st.builds(lambda named, count: Quota(**named, count=count), NAMED, st.integers(0, 9)), max_size=6)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "parish": st.sampled_from(CODES["parish"]),
        "host_mobility": st.sampled_from(["host", "mobility"]),
        "mobility": st.sampled_from(["always_here", "returned"]),
        "sex": st.sampled_from(CODES["sex"]),
        "age_band": st.sampled_from(CODES["age"]),
    },
)


def meets(quota: Quota, answers: Mapping[str, str]) -> bool:
    """The same, said apart: each thing that a quota names is among the answers to it."""
    asked = {"parish": ["parish"], "mobility": ["host_mobility", "mobility"], "sex": ["sex"], "age": ["age_band"]}
    for dimension, questions in asked.items():
        wanted = getattr(quota, dimension)
        if wanted is not None and wanted not in [answers[name] for name in questions if name in answers]:
            return False
    return True


@given(QUOTAS, ANSWERS, st.sampled_from([None, "complete", "partial"]))
def test_it_counts_for_every_quota_that_it_meets(
    quotas: list[Quota], answers: dict[str, str], outcome: str | None
) -> None:
    """Each cell once, however often the plan names it, in the plan's order; kept partial interviews too."""
    said = answers if outcome is None else {**answers, "outcome": outcome}
    found = cells_met(quotas, said)
    assert set(found) == {Cell.of(quota) for quota in quotas if meets(quota, answers)}
    assert len(set(found)) == len(found)


@given(QUOTAS, ANSWERS, st.sampled_from(["refused", "not_eligible", "discarded", "not_understood"]))
def test_what_was_not_kept_counts_for_nothing(quotas: list[Quota], answers: dict[str, str], outcome: str) -> None:
    """Not even for a quota that names nothing."""
    assert cells_met([*quotas, Quota(count=1)], {**answers, "outcome": outcome}) == ()


def test_a_form_counts_that_asks_who_the_person_is() -> None:
    """A parish and a date make no interview: an assembly has both."""
    assert interviews_people(["parish", "sex"])
    assert interviews_people(["host_mobility"])
    assert not interviews_people(["parish", "outcome", "fieldwork_date"])
