"""Makes the golden device card of version 2: `python -m tests.records.golden_card FOLDER`. Synthetic throughout.

Its log goes on from that of the golden card of the first day, whose carrier key has signed so. Nothing in it is drawn
at random: made anew it is the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path

from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey
from tests.records.golden_beside import sharing, write_new
from tests.records.golden_keys import PROJECT, Keys

FOLDER = Path(__file__).parent / "golden_card"
NAME = "device-restored.card"
with_shared = sharing("device.card", "words.txt")


def restored() -> DeviceCard:
    """The laptop of the first day, restored from its backup."""
    keys = Keys()
    return DeviceCard.make(
        SigningKey(keys.seed("third device")),
        project=PROJECT,
        name="Laptop 1, restaurada (synthetic)",
        carrier=SigningKey(keys.seed("third carrier")).public,
        recipient=RecipientPrivate(keys.seed("third device recipient")).public,
        created="2026-02-02T08:00:00-05:00",
        parent=LogParent(device=keys.card().device, seq=3, head="5e" * 32),
        former=keys.carrier,
    )


def make() -> dict[str, bytes]:
    """File name -> bytes."""
    told = {"pinned": Keys().first_root.public.fingerprint, "days": []}
    return {
        NAME: restored().to_bytes(),
        "keys.json": json.dumps(told, indent=1, sort_keys=True).encode() + b"\n",
        "expected.json": json.dumps({NAME: restored().content()}, indent=1, sort_keys=True).encode() + b"\n",
    }


if __name__ == "__main__":
    write_new(make())
