"""The golden files that only the HMU and the steward hold: key files, sheets, an opened round."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fieldsurvey.base.canonical import parse_canonical
from fieldsurvey.needs.opened.dataset import Dataset, Quality, Table
from fieldsurvey.needs.opened.layout import Column
from fieldsurvey.needs.opened.store import save_dataset
from fieldsurvey.project import shares
from fieldsurvey.project.keys import lock_escrow, lock_hmu, lock_root, lock_round, lock_share, role_key_bytes
from fieldsurvey.project.ledger import LEDGER, Ledger
from fieldsurvey.project.model import Project
from fieldsurvey.records.keyfile import unlock_secret
from fieldsurvey.records.labels import ROUND_LOCK, hash_of
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.slots import FLOOR
from tests.records.golden_keys import PROJECT, ROUND, Keys

# Written in ways that mean the same: capitals, hyphens, joined and single letters (NFC, NFD), a ligature.
PASSPHRASES = {
    "root.key": "Cuatro Palabras-de raíz_sintética",
    "hmu.key": "ñandú  STRASSE\tﬁno σς",
    "escrow.key": "otra – clave — sintética",
    "hmu-H01.key": "clave sintética de H01",
    "hmu-H02.key": "clave sintética de H02",
    "hmu-H03.key": "clave sintética de H03",
}
_META: dict[str, list[Any]] = {
    "_record": ["ab" * 32, "cd" * 32],
    "_case": ["2a" * 16, "2b" * 16],
    "_revision": [1, 2],
    "_device": ["0d" * 16, "0d" * 16],
    "_person": ["E01", "E01"],
    "_form_version": ["1", "1"],
    "_started": ["2026-01-05T09:00:00-05:00", "2026-01-06T09:00:00-05:00"],
    "_finished": ["2026-01-05T09:12:30-05:00", "2026-01-06T09:12:30-05:00"],
    "_language": ["es", "qu"],
    "_mode": ["screen", "paper"],
    "_conflict": [False, True],
    "_proposal": [False, False],
    "_duplicate": [False, False],
}
_COLUMNS = (
    Column("need", "/data/need", "select_one", calculated=False),
    Column("sources", "/data/sources", "select_multiple", calculated=False),
    Column("people", "/data/people", "integer", calculated=False),
    Column("distance", "/data/distance", "decimal", calculated=False),
    Column("fieldwork_date", "/data/fieldwork_date", "date", calculated=False),
    Column("note", "/data/note", "text", calculated=True),
)


def make(keys: Keys) -> dict[str, tuple[bytes, Any]]:
    """File name -> (bytes, what a reader finds)."""
    locked = {
        "root.key": lock_root(PROJECT, keys.root, PASSPHRASES["root.key"], FLOOR),
        "hmu.key": lock_hmu(keys.hmu, PASSPHRASES["hmu.key"], FLOOR),
        "escrow.key": lock_escrow(PROJECT, keys.escrow, PASSPHRASES["escrow.key"], FLOOR),
    }
    plain = {"central.key": role_key_bytes(PROJECT, Role.CENTRAL, keys.central)}
    public = {
        "root.key": keys.root.public.fingerprint,
        "hmu.key": keys.operational.id.hex(),
        "escrow.key": keys.escrow.id.hex(),
        "central.key": keys.central.public.fingerprint,
    }
    secrets = {name: unlock_secret(data, PASSPHRASES[name]) for name, data in locked.items()} | plain
    found: dict[str, tuple[bytes, Any]] = {
        name: ((locked | plain)[name], parse_canonical(secret) | {"public": public[name]})
        for name, secret in secrets.items()
    }
    for name, seed in (("root", keys.root.to_bytes()), ("escrow", keys.escrow.seed)):
        found[f"{name}.sheets"] = ("".join(f"{sheet}\n" for sheet in shares.split(seed)).encode(), {"seed": seed.hex()})
    found[f"{ROUND.id}.fso"] = _round(keys)
    return found | _together(keys)


def _together(keys: Keys) -> dict[str, tuple[bytes, Any]]:
    """hmu.key where two people open it, with their shares, and the key of a round."""
    lock = keys.seed("lock of two people")
    found: dict[str, tuple[bytes, Any]] = {}
    for person, words in zip(("H01", "H02", "H03"), shares.split(lock), strict=True):
        name = f"hmu-{person}.key"
        data = lock_share(PROJECT, person, words, PASSPHRASES[name], FLOOR)
        found[name] = (data, parse_canonical(unlock_secret(data, PASSPHRASES[name])) | {"public": None})
    shared = lock_hmu(keys.hmu, lock.hex(), FLOOR)
    secret = parse_canonical(unlock_secret(shared, lock.hex()))
    found["two-people.key"] = (shared, secret | {"public": keys.operational.id.hex()})
    of_round = lock_round(keys.hmu, keys.round_operational)
    secret = parse_canonical(unlock_secret(of_round, hash_of(ROUND_LOCK, keys.hmu.dataset).hex()))
    found["round.key"] = (of_round, secret | {"public": keys.round_operational.id.hex()})
    return found


def ledger(keys: Keys, model: Project) -> tuple[bytes, Any]:
    """Lines by the first root, by the one after it, and by the HMU."""
    with tempfile.TemporaryDirectory() as folder:
        book = Ledger(Path(folder), model)
        book.append(keys.first_root, "succeeded", at="2026-01-02T12:00:00Z", who=("T01",), text="sintético")
        book.append(keys.root, "rotated", at="2026-01-04T12:00:00Z", round_id=ROUND.id)
        book.append(keys.hmu.sign, "opened", at="2026-03-01T12:00:00Z", who=("H01", "H02"), round_id=ROUND.id, count=2)
        return (Path(folder) / LEDGER).read_bytes(), [line.content() for line in book.lines]


def _round(keys: Keys) -> tuple[bytes, Any]:
    top = pl.DataFrame(
        _META
        | {
            "need": ["agua", None],
            "sources": [["río", "pozo"], []],
            "people": [4, None],
            "distance": [2.5, None],
            "fieldwork_date": [date(2026, 1, 5), date(2026, 1, 6)],
            "note": ["ñandú", ""],
        }
    )
    repeat = pl.DataFrame(
        {"_record": ["ab" * 32], "_row": ["1"], "_parent": [""], "_position": [1], "age": [31]},
    )
    ages = (Column("age", "/data/member/age", "integer", calculated=False),)
    tables = (Table("needs", "", _COLUMNS, top), Table("needs", "member", ages, repeat))
    quality = Quality(cases=5, kept=2, outside=1, not_opened={"altered": 2}, withdrawn=1, mistyped={"needs people": 1})
    dataset = Dataset(project=PROJECT, project_version=4, survey_round=ROUND, quality=quality, tables=tables)
    with tempfile.TemporaryDirectory() as folder:
        data = save_dataset(dataset, keys.hmu, Path(folder)).read_bytes()
    said = {
        "manifest": {
            "format": "fieldsurvey dataset",
            "format_version": data[4],
            "project": PROJECT,
            "project_version": 4,
            "round": ROUND.model_dump(mode="json"),
            "quality": quality.model_dump(mode="json"),
            "tables": [
                {
                    "form": table.form,
                    "level": table.level,
                    "columns": [
                        {"name": c.name, "path": c.path, "kind": c.kind, "calculated": c.calculated}
                        for c in table.columns
                    ],
                }
                for table in tables
            ],
        },
        "tables": [
            {"form": table.form, "level": table.level, "rows": [_plain(row) for row in table.frame.to_dicts()]}
            for table in tables
        ],
    }
    return data, said


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
