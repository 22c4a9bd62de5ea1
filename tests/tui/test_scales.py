"""The scale of a range, and what is left of a hundred pebbles."""

from __future__ import annotations

from dataclasses import replace

from fieldsurvey.tui.scales import pebbles_left, pebbles_line, scale, ticks
from fieldsurvey.xforms.contract import Choice
from tests.tui.memory import interview

LABELS = (Choice("0", "Nada"), Choice("2.5", "Regular"), Choice("5", "Mucho"))


def test_a_scale_has_its_ends_the_number_and_the_labels() -> None:
    """The sign stands where the number is; outside the ends there is none; labels of the form are said."""
    question = interview("editors").question("/data/half")
    assert scale(question, "").replace("─", "") == "0  5"
    assert scale(question, "5") == f"0 {'─' * 30}● 5"
    assert "●" not in scale(question, "7")
    assert "●" not in scale(question, "x")
    labelled = replace(question, ticks=LABELS)
    assert scale(labelled, "2,5") == f"0 Nada {'─' * 15}●{'─' * 15} 5 Mucho\n= Regular"
    assert ticks(labelled) == ["0 Nada", "2.5 Regular", "5 Mucho"]
    assert scale(replace(question, parameters={}), "1") == ""


def test_pebbles_are_counted_over_all_questions_of_the_name() -> None:
    """What the others hold is taken off the hundred; one's own is not; other questions have no pebbles."""
    live = interview("editors")
    live.answer("/data/issue[1]/pebbles", "40")
    live.answer("/data/issue[3]/pebbles", "25")
    assert pebbles_left(live.question("/data/issue[1]/pebbles"), live) == 75
    assert pebbles_left(live.question("/data/issue[2]/pebbles"), live) == 35
    assert pebbles_left(live.question("/data/issue[1]/wins"), live) is None
    assert pebbles_line(35, "") == "35 of 100 are left to share"
    assert pebbles_line(35, "40").endswith("5 too many")
