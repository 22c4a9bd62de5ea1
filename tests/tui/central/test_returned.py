"""Returned work: pending until a later revision is held; withdrawn is neither."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fieldsurvey.project.model import Project, RoleKey
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.returned import ReturnedWork, ReturnManifest, write_return
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.tui.central.returned import returned_work
from fieldsurvey.tui.central.wording import return_cells
from sync.returned import standing
from sync.store import Notice, StoredEntry
from tests.sync.laptops import PROJECT
from tests.tui.central.province import PlannedProject, Province

CASE, DEVICE = "ab" * 16, "12" * 16


def manifest(revision: int = 1, withdrawal: str | None = None) -> ReturnManifest:
    """Of a synthetic return."""
    return ReturnManifest(
        project=PROJECT, device=DEVICE, case=CASE, revision=revision, record="00" * 32, withdrawal=withdrawal
    )


def held(*revisions: int, kind: str = "record") -> list[StoredEntry]:
    """Entries of the case."""
    return [
        StoredEntry(DEVICE, n, bytes(32), bytes(32), bytes(32), CASE, revision, kind, None, None)
        for n, revision in enumerate(revisions, 1)
    ]


def test_pending_means_that_no_later_revision_is_held() -> None:
    """The same revision, an earlier one, or an attachment of a later one leave it pending; a later record does not."""
    nothing: frozenset[str] = frozenset()
    assert standing(manifest(2), held(1, 2), nothing).state == "pending"
    assert standing(manifest(2), held(3, kind="attachment"), nothing).state == "pending"
    assert standing(manifest(2), held(1, 2, 3), nothing).state == "back"
    assert standing(manifest(2), held(4, 3), nothing).answered == 4


def test_a_withdrawn_case_is_not_asked_for() -> None:
    """Its tag is known: nothing is pending any more."""
    tag = "77" * 32
    assert standing(manifest(1, tag), held(1), {tag}).state == "withdrawn"
    assert standing(manifest(1, tag), held(1), {"88" * 32}).state == "pending"


class WithHmu(PlannedProject):
    """With a role key of the HMU's."""

    hmu = SigningKey.generate()

    def model(self, version: int | None = None) -> Project:
        """The next version, or that one."""
        found = super().model(version)
        role = RoleKey(role=Role.HMU, label="hmu", public=self.hmu.public.bytes.hex())
        return found.model_copy(update={"roles": (*found.roles, role)})


def test_what_central_passes_on_is_listed_and_foreign_ones_are_not(tmp_path: Path) -> None:
    """A return signed by the HMU's key is there with its laptop's name; one that another key signed is left out."""
    province = Province(tmp_path)
    province.project = WithHmu(PROJECT)
    made = province.laptop("Laptop 1", 2)
    province.bring(made.batch())
    work = ReturnedWork(issued="2026-03-01T08:00:00Z", record=payload(), general="synthetic comment")
    mine = manifest().model_copy(update={"device": made.device})
    with province.desk.central() as central:
        for key in (WithHmu.hmu, SigningKey.generate()):
            data = write_return(mine, work, RecipientPrivate.generate().public, key)
            with central.store.write() as writer:
                writer.notice(Notice("return", hashlib.sha256(data).digest(), made.device, data))
        (row,) = returned_work(central)
    assert return_cells(row) == ("abababab", "Laptop 1", "1", "pending")


def payload() -> Payload:
    """A synthetic record's."""
    return Payload.model_validate(
        {
            "form": {"id": "synthetic", "version": "1", "hash": "00" * 32},
            "instance": "<data/>",
            "person": "E01",
            "language": "es",
            "started": "2026-03-01T08:00:00Z",
            "finished": "2026-03-01T08:10:00Z",
            "mode": "screen",
        }
    )
