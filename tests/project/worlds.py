"""A folder with rounds, synthetic interviews sealed in them, and who can open what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.project import shares, steward
from fieldsurvey.project.keys import HmuKeys
from fieldsurvey.project.ledger import Ledger
from fieldsurvey.project.policy import Plan, Round
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.envelope import Header, open_record, seal
from fieldsurvey.records.errors import NotARecipientError
from fieldsurvey.records.recipients import RecipientPrivate
from tests.project.conftest import ROOT_PASS

R1 = Round(id="r1", title="Uno", start="2026-02-01", end="2026-02-28")


R2 = Round(id="r2", title="Dos", start="2026-04-01", end="2026-04-30")


IN_R1, BETWEEN, IN_R2, BEFORE = (date(2026, m, d) for m, d in ((2, 10), (3, 10), (4, 10), (1, 10)))


WORDS = (
    "oliva afinar orden leal recreo conejo",
    "zumo duna yate horno grato lunes",
    "enero mapa nube cobre lila pauta",
    "brasa cobre delfin enebro faro gruta",
    "papel nogal musgo lirio kiosco jarra",
)


def plan(folder: Path, clock: FixedClock | None = None) -> SignedProject:
    """Both rounds."""
    return steward.set_plan(folder, Plan(rounds=(R1, R2)), root_pass=ROOT_PASS, clock=clock)


def interview(project: SignedProject, day: date, number: int = 1) -> bytes:
    """A record sealed as a laptop does on that day of fieldwork."""
    header = Header(project=project.model.id, device="11" * 16, case=f"{number:032x}")
    return seal(header, f"synthetic answer {number}".encode(), project.recipients_for(day))


def opens(blob: bytes, keys: HmuKeys | RecipientPrivate | Iterable[RecipientPrivate]) -> bool:
    """Whether any of these keys opens it."""
    given = keys.recipients if isinstance(keys, HmuKeys) else (keys,) if isinstance(keys, RecipientPrivate) else keys
    try:
        return open_record(blob, *given).payload.startswith(b"synthetic")
    except NotARecipientError:
        return False


def sheets(folder: Path, name: str) -> list[str]:
    """The pages of a set, as they would be typed from paper."""
    return [path.read_text(encoding="utf-8") for path in sorted((folder / "sheets").glob(f"{name}-[123].txt"))]


def secret(pages: list[str]) -> bytes:
    """What two of them give."""
    return shares.combine(shares.words_of_sheet(page) for page in pages[:2])


def deeds(folder: Path) -> list[str]:
    """What the ledger says was done."""
    return [line.deed for line in Ledger(folder, steward.read_steward(folder).model).lines]
