"""Makes the golden reports of erasure: `python -m tests.records.golden_erasure FOLDER`. Synthetic throughout.

They stand in a folder of their own, beside the golden files of the first day, whose project they use. Nothing in them
is drawn at random: made anew they are the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path

from fieldsurvey.records.container import Signer
from fieldsurvey.records.erased import ErasedCase, ErasureReport, Place, write_erasure
from fieldsurvey.records.signing import SigningKey
from tests.records.golden_beside import sharing, write_new
from tests.records.golden_keys import PROJECT, Keys

FOLDER = Path(__file__).parent / "golden_erasure"
with_shared = sharing("project.fsp", "words.txt")


def reports() -> dict[str, tuple[ErasureReport, Signer]]:
    """One of each kind of place, with whose key signs it."""
    keys = Keys()
    cases = (ErasedCase(tag="1b" * 32, records=0), ErasedCase(tag="7a" * 32, records=3))

    def report(place: Place, device: str | None = None, until: str | None = None) -> ErasureReport:
        return ErasureReport(
            project=PROJECT,
            place=place,
            device=device,
            cases=cases,
            backups_until=until,
            at="2026-01-25T10:00:00-05:00",
        )

    laptop = report(Place.LAPTOP, keys.renewed_card().device)
    return {
        "central.fsx": (report(Place.CENTRAL, until="2026-02-04"), keys.central),
        "hmu.fsx": (report(Place.HMU), keys.hmu.sign),
        "laptop.fsx": (laptop, SigningKey(keys.seed("second carrier"))),
        "relay.fsx": (report(Place.RELAY), keys.supervisor),
    }


def make() -> dict[str, bytes]:
    """File name -> bytes."""
    told = {"pinned": Keys().first_root.public.fingerprint, "days": []}
    said = {name: report.content() for name, (report, _key) in reports().items()}
    return {
        **{name: write_erasure(report, key) for name, (report, key) in reports().items()},
        "keys.json": json.dumps(told, indent=1, sort_keys=True).encode() + b"\n",
        "expected.json": json.dumps(said, indent=1, sort_keys=True).encode() + b"\n",
    }


if __name__ == "__main__":
    write_new(make())
