"""Search of a folder for strings that must not be in it, in every encoding in which they could have been written."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path


def spellings(canary: str) -> dict[str, bytes]:
    """How `canary` could lie on a disk, by name of the encoding."""
    raw = canary.encode("utf-8")
    found = {
        "utf-8": raw,
        "utf-16-le": canary.encode("utf-16-le"),
        "utf-16-be": canary.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "json": json.dumps(canary)[1:-1].encode(),
    }
    for shift in range(3):  # base64 looks different at each alignment; the first and last group depend on neighbours
        text = base64.b64encode(b"\0" * shift + raw)
        found[f"base64+{shift}"] = text[4 if shift else 0 : len(text) - 4]
        found[f"base64url+{shift}"] = found[f"base64+{shift}"].replace(b"+", b"-").replace(b"/", b"_")
    return found


def search(folder: Path, canaries: Iterable[str]) -> list[str]:
    """`file: canary (encoding)` for each hit in any file below `folder`."""
    hits = []
    patterns = [(canary, name, spelt) for canary in canaries for name, spelt in spellings(canary).items()]
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # a program that runs has removed it since
                continue
            hits += [f"{path.name}: {canary} ({name})" for canary, name, spelt in patterns if spelt in data]
    return hits
