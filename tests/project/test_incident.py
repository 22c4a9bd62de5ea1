"""The incident sheet says what is at risk in each case, with the law's deadlines; nobody and nothing real is in it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldsurvey.project.incident import Incident, State, sheet, working_days
from fieldsurvey.project.model import Device, Project, RevocationReason
from fieldsurvey.project.policy import Policy
from tests.project.test_signed import DEVICE, fields

FRIDAY = date(2026, 3, 13)


def incident(state: State = "unknown", reason: RevocationReason | None = "lost", **policy: object) -> Incident:
    """A synthetic one."""
    device = Device(
        id=DEVICE.device,
        name="Laptop <1> & co",
        card=DEVICE,
        status="revoked",
        revoked_from=41,
        revoked_reason=reason,
    )
    model = Project.model_validate({**fields(), "devices": (device,), "policy": Policy(**policy)})  # type: ignore[arg-type]
    return Incident(model, device, state, FRIDAY)


def items(page: str, title: str) -> list[str]:
    """The points under a heading."""
    part = page[page.index(f"<h2>{title}</h2>") :]
    return re.findall(r"<li>(.*?)</li>", part[: part.index("</ul>")])


@pytest.mark.parametrize("reason", [*get_args(RevocationReason), None])
@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_case_has_a_whole_page(language: str, state: State, reason: RevocationReason | None) -> None:
    """Names are escaped, nothing is left unfilled, nothing is fetched from elsewhere, tags are closed."""
    page = sheet(incident(state, reason), language)
    assert "Laptop &lt;1&gt; &amp; co" in page
    body = page[page.index("<body>") :]
    assert not re.search(r"\{\w*\}|`|https?:|src=|<1>", body)
    for tag in ("table", "ul", "li", "h2", "p", "tr", "code"):
        assert body.count(f"<{tag}>") + body.count(f"<{tag} ") == body.count(f"</{tag}>")
    assert page.endswith("</html>\n")


def test_what_is_at_risk_follows_from_the_case() -> None:
    """Locked: drafts only with the passphrase. Unlocked or unknown: what was open. The evening review adds what waits;
    a recovery slot is said not to be at risk; a broken disk is to be destroyed; people are told unless it was locked.
    """
    locked, unlocked = sheet(incident("locked"), "en"), sheet(incident("unlocked"), "en")
    assert any("if somebody learns the passphrase" in line for line in items(locked, "What is at risk"))
    assert any("The interview that was open" in line for line in items(unlocked, "What is at risk"))
    assert not any("that was open" in line for line in items(locked, "What is at risk"))
    assert items(sheet(incident(), "en"), "What is at risk") == items(unlocked, "What is at risk")
    reviewed = sheet(incident("locked", review_window_hours=4), "en")
    assert any("in the 4 hours before" in line for line in items(reviewed, "What is at risk"))
    assert not any("hours before" in line for line in items(locked, "What is at risk"))
    slot = sheet(incident(recovery_slot=True), "en")
    assert any("two escrow sheets" in line for line in items(slot, "What is not at risk"))
    assert any("Its disk" in line for line in items(sheet(incident(reason="broken"), "en"), "What is at risk"))
    assert any("police" in line for line in items(sheet(incident(reason="stolen"), "en"), "What to do now"))
    assert not any("police" in line for line in items(sheet(incident(reason="left"), "en"), "What to do now"))
    assert "nothing readable was lost" in locked
    assert "2026-03-18" in unlocked  # three working days after a Friday: the people concerned
    assert "2026-03-18" not in locked


@settings(max_examples=60, deadline=None)
@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(0, 15))
def test_working_days_are_counted(start: date, count: int) -> None:
    """Between the start and the day found lie `count` days that are no weekend, and it is one itself."""
    end = working_days(start, count)
    between = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(day.weekday() < 5 for day in between) == count
    assert count == 0 or end.weekday() < 5
