"""Makes the golden file of returned work: `python -m tests.records.golden_return FOLDER`. Synthetic throughout.

It stands in a folder of its own, beside the golden files of the first day, whose project and words it uses. `keys.json`
has what a reader must know beforehand, `expected.json` what it finds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.returned import Comment, ReturnedWork, ReturnManifest, write_return
from tests.records.golden_beside import sharing, write_new
from tests.records.golden_keys import PROJECT, Keys
from tests.records.make_golden import CASE, payload

FOLDER = Path(__file__).parent / "golden_return"
NAME = "return.fsc"
with_shared = sharing("project.fsp", "words.txt")


def manifest() -> ReturnManifest:
    """Of the renewed laptop's first revision of a case."""
    card = Keys().renewed_card()
    return ReturnManifest(
        project=PROJECT, device=card.device, case=CASE, revision=1, record="5e" * 32, withdrawal="7a" * 32
    )


def work() -> ReturnedWork:
    """Two comments and a general one."""
    return ReturnedWork(
        issued="2026-01-25T10:00:00Z",
        record=payload(("3c" * 32,)).model_copy(update={"paradata": {}}),
        comments=(
            Comment(ref="/data/need", text="¿Agua para beber o para regar? “Revise” 🐑"),
            Comment(ref="/data/person[2]/age", text="Falta; si nadie recuerda: no sabe."),
        ),
        general="Gracias.\nLo demás está bien.",
    )


def make() -> dict[str, bytes]:
    """File name -> bytes, with what is shared."""
    keys = Keys()
    seed = keys.seed("second device recipient")
    data = write_return(manifest(), work(), RecipientPrivate(seed).public, keys.hmu.sign)
    told = {"pinned": keys.first_root.public.fingerprint, "device": seed.hex(), "days": []}
    said: dict[str, Any] = {"manifest": manifest().content(), "work": work().content()}
    return {
        NAME: data,
        "keys.json": json.dumps(told, indent=1, sort_keys=True).encode() + b"\n",
        "expected.json": json.dumps({NAME: said}, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n",
    }


if __name__ == "__main__":
    write_new(make())
