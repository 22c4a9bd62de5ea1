"""Simulated interviews: which branches they took, and steering towards those that none took."""

from __future__ import annotations

from functools import partial

from fieldsurvey.xforms import LoadedForm, load_form
from fieldsurvey.xforms.simulate.campaign import Campaign, render_campaign, run_campaign
from tests.xforms.scenario import now, table

SURVEY = """
| type | name | label | relevant | constraint | required | choice_filter |
| select_one area | area | Area | | | yes | |
| select_one town | town | Town | | | yes | area = ${area} |
| integer | age | Age | | . >= 0 and . <= 120 | yes | |
| text | rare | Rare | ${age} = 97 and ${town} = 'delta' | | ${area} = 'south' | |
| select_multiple crop | crops | Crops | | not(selected(., 'none') and count-selected(.) > 1) | | |
| text | none | None | selected(${crops}, 'none') and ${age} > 100 | | | |
| text | code | Code | | regex(., '[A-Z]{3}[0-9]') | | |
| text | never | Never | ${age} > 50 and ${age} < 40 | | | |
"""
CHOICES = """
| list_name | name | label | area |
| area | north | North | |
| area | south | South | |
| town | alpha | Alpha | north |
| town | beta | Beta | north |
| town | gamma | Gamma | south |
| town | delta | Delta | south |
| town | lost | Lost | west |
| crop | maize | Maize | |
| crop | bean | Bean | |
| crop | none | None | |
"""


def form() -> LoadedForm:
    """A form with branches that chance hardly takes."""
    return load_form(table(SURVEY, CHOICES))


def missed(campaign: Campaign) -> set[tuple[str, str, str, bool]]:
    """What was not taken."""
    return {(branch.kind, branch.d.name, branch.value, branch.way) for branch in campaign.missed}


run = partial(run_campaign, seed=1, now=now)


def test_steering_takes_every_branch_that_can_be_taken() -> None:
    """Conditions both ways, rules kept and broken, every choice, required both ways."""
    campaign = run(form(), 25)
    assert campaign.failed == 0
    assert missed(campaign) == set()
    assert campaign.never_asked == ["/data/never"]


def test_without_steering_rare_branches_stay_out() -> None:
    """The control: chance alone does not get there, and the report says so with the row."""
    campaign = run(form(), 25, steer=False)
    assert ("relevant", "rare", "", True) in missed(campaign)
    lines = render_campaign(campaign)
    assert any("/data/rare (row 5): never asked: ${age} = 97" in line for line in lines)


def test_what_no_interview_can_take_is_told_apart() -> None:
    """A contradiction, a choice never offered, and what the choice filter excludes (delta is in the south)."""
    campaign = run(form(), 3)
    apart = {(branch.kind, branch.d.name, branch.value, branch.way) for branch in campaign.impossible}
    assert apart == {("relevant", "never", "", True), ("choice", "town", "lost", True), ("required", "rare", "", False)}
    assert "3 more cannot be taken" in "\n".join(render_campaign(campaign))


def test_what_was_taken_was_really_taken() -> None:
    """Every branch counted as taken shows in the finalised instances, or in a rule that an answer broke."""
    texts: list[bytes] = []
    campaign = run(form(), 25, keep=lambda _number, instance: texts.append(instance.xml))
    assert len(texts) == 25
    for branch in campaign.branches.all:
        if branch.kind == "choice" and branch.taken and branch.d.name == "town":
            assert any(f"<town>{branch.value}</town>".encode() in text for text in texts)
    assert any(b"<rare>" in text and b"<age>97</age>" in text for text in texts)


def test_the_same_seed_gives_the_same_interviews() -> None:
    """Byte for byte; another seed gives others."""
    made: list[list[bytes]] = []
    for seed in (1, 1, 2):
        texts: list[bytes] = []
        run_campaign(form(), 6, seed=seed, now=now, keep=lambda _number, instance, t=texts: t.append(instance.xml))  # type: ignore[misc]
        made.append(texts)
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_branches_inside_repeats_count_whichever_instance_takes_them() -> None:
    """A condition in a repeat is taken when one of its instances takes it."""
    survey = """
| type | name | label | relevant |
| begin repeat | person | Person | |
| integer | age | Age | |
| text | school | School | ${age} > 5 and ${age} < 18 |
| end repeat | | | |
"""
    campaign = run(load_form(table(survey)), 20)
    assert missed(campaign) == set()
