"""Makes the golden receipts of version 2: `python -m tests.records.golden_receipt FOLDER`. Synthetic throughout.

They name entries whose records their device is said to have erased. Nothing in them is drawn at random: made anew they
are the same bytes. The project is that of the golden files of the first day.
"""

from __future__ import annotations

import json
from pathlib import Path

from fieldsurvey.records.receipt import Level, Receipt, Role, write_receipt
from tests.records.golden_beside import sharing, write_new
from tests.records.golden_keys import PROJECT, Keys

FOLDER = Path(__file__).parent / "golden_receipt"
with_shared = sharing("project.fsp", "words.txt")
ABSENT = {Level.COMMITTED: ((2, 2), (5, 9)), Level.BACKED_UP: ((2, 2),)}


def receipts() -> dict[str, Receipt]:
    """One of each level that lets a laptop rely on it."""
    return {
        f"receipt-{level.value}.fsr": Receipt(
            format_version=2,
            project=PROJECT,
            device=Keys().card().device,
            up_to=absent[-1][1],
            head="3c" * 32,
            level=level,
            by=Role.CENTRAL,
            issued="2026-01-26T08:00:00-05:00",
            absent=absent,
        )
        for level, absent in ABSENT.items()
    }


def make() -> dict[str, bytes]:
    """File name -> bytes."""
    told = {"pinned": Keys().first_root.public.fingerprint, "days": []}
    said = {name: receipt.content() for name, receipt in receipts().items()}
    return {
        **{name: write_receipt(receipt, Keys().central) for name, receipt in receipts().items()},
        "keys.json": json.dumps(told, indent=1, sort_keys=True).encode() + b"\n",
        "expected.json": json.dumps(said, indent=1, sort_keys=True).encode() + b"\n",
    }


if __name__ == "__main__":
    write_new(make())
