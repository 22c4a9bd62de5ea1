"""Makes the golden file of a project of version 2: `python -m tests.records.golden_servers FOLDER`. Synthetic.

It is the project of the first day with two servers, in a folder of its own beside the files of then. `keys.json` has
what a reader must know beforehand, `expected.json` what it finds.
"""

from __future__ import annotations

import json
from pathlib import Path

from fieldsurvey.project.model import Project, Server
from fieldsurvey.project.signed import write_project
from fieldsurvey.records.codewords import fingerprint_words
from tests.records.golden_beside import sharing, write_new
from tests.records.golden_keys import Keys
from tests.records.make_golden import DAYS

FOLDER = Path(__file__).parent / "golden_servers"
NAME = "project.fsp"
with_shared = sharing("words.txt")
SERVERS = (
    Server(url="https://central.example:8443", pins=("a1" * 32, "b2" * 32)),
    Server(url="https://[2001:db8::7]", pins=("a1" * 32, "c3" * 32)),
)


def model() -> Project:
    """The golden project, of today's version."""
    keys = Keys()
    return keys.project(keys.card(), keys.renewed_card()).newest().model_copy(update={"servers": SERVERS})


def make() -> dict[str, bytes]:
    """File name -> bytes."""
    keys = Keys()
    project = model()
    told = {"pinned": keys.first_root.public.fingerprint, "days": list(DAYS)}
    said = {
        "content": project.content(),
        "roots": list(project.root_fingerprints),
        "frames": sorted(keys.frames),
        "sealed_to": {day: [one.id for one in project.recipients_on(day)] for day in DAYS},
        "root_words": fingerprint_words(project.root_key.fingerprint),
    }
    return {
        NAME: write_project(project, keys.frames, keys.root),
        "keys.json": json.dumps(told, indent=1, sort_keys=True).encode() + b"\n",
        "expected.json": json.dumps({NAME: said}, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n",
    }


if __name__ == "__main__":
    write_new(make())
