"""Which cases are listed, why, and which revisions of which laptops there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldsurvey.records.withdrawal import WithdrawalCode
from fieldsurvey.tui.central.cases import LISTED, CaseList, Kind, Part, cases_to_look_at
from fieldsurvey.tui.central.desk import Desk, names_of
from fieldsurvey.tui.central.wording import case_cells, case_lines, cases_said
from sync.merge import CaseView, Version
from tests.sync.laptops import PROJECT
from tests.tui.central.province import Province, troubled


def read(desk: Desk) -> CaseList:
    """Every case of central's."""
    return desk.read(lambda c: cases_to_look_at(c.cases(), names_of(c)), CaseList((), 0, {}))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> CaseList:
    """Of a province where everything is wrong."""
    return read(troubled(tmp_path_factory.mktemp("troubled")).desk)


def test_conflicts_proposals_and_missing_originals_are_listed(found: CaseList) -> None:
    """Each for its reason, and no other case."""
    assert {row.case[:4]: row.kinds for row in found.rows} == {
        "efef": (Kind.CONFLICT,),
        "abab": (Kind.PROPOSAL,),
        "cdcd": (Kind.MISSING,),
    }
    assert found.total == 3


def test_every_revision_says_whose_it_is_and_what_became_of_it(found: CaseList) -> None:
    """Which counts, which is proposed, where the laptop's log has it."""
    (proposal,) = found.showing(Kind.PROPOSAL)
    assert [(r.revision, r.name, r.seq, r.part) for r in proposal.revisions] == [
        (1, "Laptop 2", 1, Part.CURRENT),
        (2, "Laptop 1", 7, Part.PROPOSAL),
    ]
    (conflict,) = found.showing(Kind.CONFLICT)
    assert sorted(r.part.value for r in conflict.revisions) == ["concurrent", "current", "superseded"]
    assert case_cells(proposal)[3] == "Laptop 2, Laptop 1"
    assert any("the HMU takes it" in line for line in case_lines(proposal))


def test_a_withdrawn_case_is_nobodys_to_look_at(tmp_path: Path) -> None:
    """It was in conflict; once it is withdrawn, it is not listed. The control: it was."""
    province = Province(tmp_path)
    made = province.laptop("Laptop 1")
    code = WithdrawalCode.generate()
    made.seal(case="aa" * 16, withdrawal=code.tag(PROJECT))
    twin = made.clone()
    made.seal(case="aa" * 16, revision=2, parent=made.log[0][0].record_hash.hex())
    twin.seal(case="aa" * 16, revision=2, parent=made.log[0][0].record_hash.hex(), size=900)
    province.bring(made.batch(), twin.batch())
    assert read(province.desk).total == 1
    province.withdraw(code)
    assert read(province.desk).total == 0


def many(count: int) -> Iterator[CaseView]:
    """That many synthetic cases without their first revision."""
    for number in range(count):
        version = Version(f"{number:032x}", 2, "aa" * 16, bytes(32), b"p", None, 1, bytes(32))
        yield CaseView(version.case, version, (), (), (), (), False, True)


def test_a_list_is_bounded_and_its_number_is_not() -> None:
    """More than can be looked at: the first are kept, all are counted, and it says so."""
    found = cases_to_look_at(many(LISTED + 7), {})
    assert len(found.rows) == LISTED
    assert found.total == found.of_kind[Kind.MISSING] == LISTED + 7
    assert str(LISTED) in cases_said(found, None)
    assert str(LISTED) not in cases_said(cases_to_look_at(many(3), {}), None)


def test_going_through_them_can_be_stopped() -> None:
    """Whoever leaves the screen does not wait for a million cases."""
    looked = 0

    def stop() -> bool:
        nonlocal looked
        looked += 1
        return looked > 5

    assert cases_to_look_at(many(1_000_000), {}, stop).total == 5
