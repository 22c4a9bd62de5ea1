"""What lies on sticks and what a relay holds, as tests say it."""

from __future__ import annotations

import secrets
from datetime import date
from pathlib import Path
from typing import Any

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork.erasures import Reports, Trust
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Level, Receipt, Role, read_receipt, write_receipt
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.carrying import TakeReport
from sync.relay import Relay
from tests.sync.laptops import PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import SyntheticProject

REQUESTED = date(2026, 3, 1)
DAYS = 5
"""The policy's, by default."""


class Slip:
    """Somebody's withdrawal code, a laptop whose entry 2 of 3 is theirs, and the tombstone."""

    def __init__(self, requested: date = REQUESTED) -> None:
        self.code = WithdrawalCode.generate()
        self.tag = self.code.tag(PROJECT)
        self.laptop = laptop(1)
        self.laptop.seal(withdrawal=self.tag)
        self.laptop.seal()
        self.stone = Tombstone(project=PROJECT, code=self.code.raw, requested=requested.isoformat())

    def whole(self) -> list[tuple[str, int, int]]:
        """What a relay holds that keeps the batch."""
        return [(self.laptop.device, 1, 3)]


def made(home: Path, project: SyntheticProject, clock: FixedClock) -> Relay:
    """A relay of that project."""
    home.mkdir()
    key = home / "given.key"
    key.write_bytes(role_key_bytes(project.id, Role.SUPERVISOR, project.supervisor))
    return Relay.set_up(home, key, project.publish().data, clock)


def lay(stick: Path, data: bytes, name: str = "") -> Path:
    """Put a batch file on a stick, under any name."""
    folder = stick / "fieldsurvey" / "batches"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or f"{secrets.token_hex(4)}.fsb")
    path.write_bytes(data)
    return path


def give(stick: Path, receipt: Receipt, key: SigningKey) -> None:
    """Put a receipt on a stick."""
    folder = stick / "fieldsurvey" / "receipts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{secrets.token_hex(4)}.fsr").write_bytes(write_receipt(receipt, key))


def said(one: SyntheticLaptop, up_to: int, **fields: Any) -> Receipt:
    """As central would say it of this laptop's log."""
    values: dict[str, Any] = {
        "project": one.card.project,
        "device": one.device,
        "up_to": up_to,
        "head": one.head_at(up_to).hex(),
        "level": Level.COMMITTED,
        "by": Role.CENTRAL,
        "issued": "2026-03-02T10:00:00Z",
    }
    return Receipt(**{**values, **fields})


def on_stick(stick: Path, project: SyntheticProject, by: Role = Role.SUPERVISOR) -> dict[str, int]:
    """Device -> up to where a role's receipts on a stick reach; each must be signed by a key of the project."""
    keys = [(Role.SUPERVISOR, project.supervisor.public), (Role.CENTRAL, project.central.public)]
    found = [read_receipt(path.read_bytes(), keys) for path in (stick / "fieldsurvey" / "receipts").glob("*.fsr")]
    return {receipt.device: receipt.up_to for receipt in found if receipt.by is by}


def held(relay: Relay) -> list[tuple[str, int, int]]:
    """(device, first, last) of each batch that a fresh start finds whole."""
    return [(one.device, one.first, one.last) for one in Relay.open(relay.home).offers()]


def outcomes(report: TakeReport) -> list[str]:
    """What became of each file."""
    return [file.outcome for file in report.files]


def bring(stick: Path, stone: Tombstone) -> None:
    """Put a withdrawal on a stick."""
    folder = stick / "fieldsurvey" / "withdrawals"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{secrets.token_hex(4)}.fsw").write_bytes(stone.to_bytes())


def reported(relay: Relay) -> dict[str, int]:
    """Tag -> how many records of it this relay says that it erased; every case that it says to hold nothing of."""
    found: dict[str, int] = {}
    for heard in Reports(relay.home, Trust.of(relay.project.model)):
        for case in heard.report.cases:
            found[case.tag] = max(found.get(case.tag, 0), case.records)
    return found
