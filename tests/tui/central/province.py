"""A synthetic central with everything that its screens must show. Nothing here is anybody's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.project.model import Person, Project
from fieldsurvey.project.policy import Plan, Quota, Round
from fieldsurvey.project.signed import SignedProject, write_project
from fieldsurvey.records.envelope import record_hash
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.tui.central.desk import Desk
from tests.sync.laptops import PROJECT, SyntheticLaptop
from tests.sync.projects import SyntheticProject

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUOTA = 432_198  # long: four digits are in the ids that are shown once in a hundred runs
ROUND = "Ronda sintética única"
PARISH = "100357"
PEOPLE = (
    Person(code="E01", label="Enumeradora 1"),
    Person(code="E02", label="Enumerador 2"),
    Person(code="E09", label="Enumerador 9", left="2026-02-01"),
)


class PlannedProject(SyntheticProject):
    """With people, and a plan whose numbers no supervisor may see counted."""

    def model(self, version: int | None = None) -> Project:
        """The next version, or that one, unsigned."""
        quotas = (Quota(parish=PARISH, count=QUOTA),)
        only = Round(id="r1", title=ROUND, start="2026-02-20", end="2026-03-20", parishes=(PARISH,), quotas=quotas)
        plan = Plan(rounds=(only,))
        return super().model(version).model_copy(update={"people": PEOPLE, "plan": plan})


class Province:
    """HOME of central, a stick, laptops."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.home, self.stick = place / "home", place / "stick"
        self.clock = FixedClock(NOW)
        self.project = PlannedProject(PROJECT)
        self.laptops: dict[str, SyntheticLaptop] = {}
        (self.home / "steward").mkdir(parents=True)
        (self.stick / "fieldsurvey" / "batches").mkdir(parents=True)
        key = role_key_bytes(PROJECT, Role.CENTRAL, self.project.central)
        (self.home / "steward" / "central.key").write_bytes(key)
        self.publish()

    @property
    def desk(self) -> Desk:
        """Central's."""
        return Desk.at(self.home, self.clock)

    def publish(self) -> SignedProject:
        """Put the next version beside the key."""
        data = write_project(self.project.model(), {}, self.project.root)
        (self.home / "steward" / "project.fsp").write_bytes(data)
        project = self.desk.project()
        assert project is not None
        return project

    def laptop(self, name: str, records: int = 0, *, enrolled: bool = True, **standing: Any) -> SyntheticLaptop:
        """One more, enrolled unless said otherwise."""
        made = SyntheticLaptop(name=name)
        self.laptops[name] = made
        for _ in range(records):
            made.seal()
        if enrolled:
            self.project.devices[made.device] = {"id": made.device, "name": name, "card": made.card, **standing}
            self.publish()
        return made

    def put(self, *batches: bytes) -> list[Path]:
        """Batches onto the stick."""
        paths = []
        for data in batches:
            folder = self.stick / "fieldsurvey" / "batches"
            path = folder / f"{len(list(folder.iterdir())):04}.fsb"
            path.write_bytes(data)
            paths.append(path)
        return paths

    def bring(self, *batches: bytes) -> None:
        """Merge them."""
        with self.desk.central() as central:
            for data in batches:
                path = self.place / "brought.fsb"
                path.write_bytes(data)
                with path.open("rb") as stream:
                    central.merge(stream)

    def withdraw(self, code: WithdrawalCode) -> None:
        """A tombstone."""
        with self.desk.central() as central:
            central.withdraw(Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01"))


def troubled(place: Path) -> Province:
    """A province where everything that can be wrong is."""
    province = Province(place)
    whole = province.laptop("Laptop 1", 6)
    gapped = province.laptop("Laptop 2")
    forked = province.laptop("Laptop 3", 2)
    province.laptop("Laptop 4")
    stranger = province.laptop("Prestada \x1b[31m", 2, enrolled=False)
    revoked = province.laptop("Laptop 5", 4, status="revoked", revoked_from=3)
    # a correction of somebody else's, a revision whose original is in the gap, two histories of one case
    mine, theirs = "ab" * 16, "cd" * 16
    first = gapped.seal(case=mine)
    gapped.seal()
    lost = gapped.seal(case=theirs)
    gapped.seal()
    gapped.seal(case=theirs, revision=2, parent=_hash(lost))
    whole.seal(case=mine, revision=2, parent=_hash(first))
    twin_case = "ef" * 16
    made = forked.seal(case=twin_case)
    twin = forked.clone()
    forked.seal(case=twin_case, revision=2, parent=_hash(made))
    twin.seal(case=twin_case, revision=2, parent=_hash(made), size=900)
    province.bring(
        whole.batch(), gapped.batch(1, 2), gapped.batch(5, 5), forked.batch(), twin.batch(), stranger.batch(),
        revoked.batch(),
    )  # fmt: skip
    return province


def _hash(record: bytes) -> str:
    return record_hash(record).hex()
