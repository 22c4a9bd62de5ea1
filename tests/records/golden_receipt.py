"""Makes the golden receipts of version 2: `python -m tests.records.golden_receipt FOLDER`. Synthetic throughout.

They name entries whose records their device is said to have erased. Nothing in them is drawn at random: made anew they
are the same bytes. The project is that of the golden files of the first day.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fieldsurvey.records.receipt import Level, Receipt, Role, write_receipt
from tests.records.golden_keys import PROJECT, Keys
from tests.records.make_golden import GOLDEN

FOLDER = Path(__file__).parent / "golden_receipt"
SHARED = ("project.fsp", "words.txt")
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


def with_shared(files: dict[str, bytes], folder: Path) -> Path:
    """The files and those of the first day that reading them needs, in one folder."""
    for name in SHARED:
        (folder / name).write_bytes((GOLDEN / name).read_bytes())
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir()  # never over files that were made before
    for file_name, file_data in make().items():
        (target / file_name).write_bytes(file_data)
