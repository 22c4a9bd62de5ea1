"""Withdrawals at the HMU: what is taken back leaves every opened round, before anything else is read of one.

Central says which records a withdrawal names. Their rows go from all tables of all rounds opened here, with those of
their repeats, and so do the flags and the prepared tables that were made from them; the files are written anew. What
is published stays, as it names nobody: the next release leaves the case out.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from fieldsurvey.base import paths
from fieldsurvey.base.errors import RefusedError, Rendered, UntrustedError, render
from fieldsurvey.base.files import file_sha256, storage_error, write_atomic
from fieldsurvey.needs.ledger import Ledger
from fieldsurvey.needs.opened.dataset import Dataset, Quality, Table
from fieldsurvey.needs.opened.layout import TOP, Column
from fieldsurvey.needs.opened.store import SUFFIX, load_dataset, save_dataset
from fieldsurvey.project.keys import HmuKeys
from sync.central import Central
from sync.merge import Version, project_case, taken_back
from sync.store import StoredEntry

_DONE: Final = "withdrawn.json"
"""What was taken out of which file, so that a round is not read whole each time: {round: [file's, set's SHA-256]}."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Records that withdrawals name: hash (hex) -> the tags (hex) that name it."""

    records: Mapping[str, frozenset[str]]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the set."""
        return hashlib.sha256("".join(sorted(self.records)).encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Cleared:
    """What left the rounds opened here: `records` by tag, and of which `rounds`; `failed`: a round that does not open,
    with the reason. While there is one, nobody can say that all is erased.
    """

    records: Counter[str] = field(default_factory=Counter)
    rounds: tuple[str, ...] = ()
    failed: tuple[tuple[str, Rendered], ...] = ()


def taken_from(central: Central) -> TakenBack:
    """What central holds, or held, of withdrawn cases. Raises StorageError."""
    tags = frozenset(tag for tag, _data in central.store.tombstones())
    found: dict[str, frozenset[str]] = {}
    for case in central.store.withdrawn_cases():
        entries = central.store.case(case)
        named = frozenset(entry.withdrawal.hex() for entry in entries if entry.withdrawal in tags and entry.withdrawal)
        versions = [_version(entry) for entry in entries if entry.kind == "record"]
        view = project_case(case, versions, tags, taken_back(entries, tags))
        gone = {version.record_hash for version in view.withdrawn}
        gone |= central.store.erased([entry.record_hash for entry in entries])
        found.update(dict.fromkeys((digest.hex() for digest in gone), named))
    return TakenBack(found)


def clear_rounds(taken: TakenBack, hmu_keys: HmuKeys, folder: Path | None = None) -> Cleared:
    """Take it out of every round opened here; each file is written anew, whole or not at all.

    `folder` is paths.needs_dir() when not given. Raises StorageError.
    """
    place = folder or paths.needs_dir()
    if not place.is_dir():
        return Cleared()
    _sweep(place)
    done = _read_done(place)
    records: Counter[str] = Counter()
    rounds, failed = [], []
    for path in sorted(place.glob(f"*{SUFFIX}")):
        name = path.stem
        try:
            if not taken.records or done.get(name) == [file_sha256(path), taken.digest]:
                continue
            dataset = load_dataset(name, hmu_keys, place)
        except (RefusedError, UntrustedError) as error:
            failed.append((name, render(error)))
            continue
        except OSError as error:
            raise storage_error(error, path) from error
        kept, gone = without(dataset, taken.records)
        if gone:
            Ledger(place).forget_prepared(name)
            save_dataset(kept, hmu_keys, place)
            rounds.append(name)
            for digest in gone:
                records.update(taken.records[digest])
        done[name] = [file_sha256(path), taken.digest]
    if taken.records:
        write_atomic(place / _DONE, json.dumps(done, sort_keys=True).encode("utf-8"), private=True)
    return Cleared(records, tuple(rounds), tuple(failed))


def without(dataset: Dataset, records: Iterable[str]) -> tuple[Dataset, frozenset[str]]:
    """The dataset without these records (hashes, hex), and which of them it had."""
    wanted = pl.Series("wanted", sorted(records), dtype=pl.String)
    gone: set[str] = set()
    for table in dataset.tables:
        if table.level == TOP:
            gone.update(table.frame.filter(pl.col("_record").is_in(wanted.implode()))["_record"].to_list())
    if not gone:
        return dataset, frozenset()
    leaving = pl.Series("leaving", sorted(gone), dtype=pl.String)
    twins = {
        table.form
        for table in dataset.tables
        if table.level == TOP
        and table.frame.filter(pl.col("_record").is_in(leaving.implode()) & pl.col("_duplicate")).height
    }
    tables = []
    for table in dataset.tables:
        frame = table.frame.filter(~pl.col("_record").is_in(leaving.implode()))
        if table.level == TOP and table.form in twins:
            frame = _flagged_anew(frame, table.columns)
        tables.append(Table(table.form, table.level, table.columns, frame))
    quality = _counted_anew(dataset.quality, tables, len(gone))
    made = Dataset(
        project=dataset.project,
        project_version=dataset.project_version,
        survey_round=dataset.round,
        quality=quality,
        tables=tuple(tables),
    )
    return made, frozenset(gone)


def _flagged_anew(frame: pl.DataFrame, columns: tuple[Column, ...]) -> pl.DataFrame:
    """A record is no probable duplicate any more when its twin has gone: who stays must not tell of who left."""
    asked = [column.name for column in columns if not column.calculated and column.name in frame.columns]
    flagged = frame.filter(pl.col("_duplicate"))
    if not asked or flagged.is_empty():
        return frame
    twins = flagged.filter(pl.struct(asked).is_duplicated())["_record"]
    return frame.with_columns(pl.col("_record").is_in(twins.implode()).alias("_duplicate"))


def _counted_anew(quality: Quality, tables: list[Table], gone: int) -> Quality:
    flags = [table.frame for table in tables if table.level == TOP]
    return quality.model_copy(
        update={
            "cases": max(0, quality.cases - gone),
            "kept": max(0, quality.kept - gone),
            "withdrawn": quality.withdrawn + gone,
            "conflicts": sum(int(frame["_conflict"].sum()) for frame in flags),
            "proposals": sum(int(frame["_proposal"].sum()) for frame in flags),
            "duplicates": sum(int(frame["_duplicate"].sum()) for frame in flags),
        }
    )


def _version(entry: StoredEntry) -> Version:
    return Version(
        entry.case,
        entry.revision,
        entry.device,
        entry.record_hash,
        entry.parent,
        entry.withdrawal,
        entry.seq,
        entry.head,
    )


def _sweep(folder: Path) -> None:
    """What a command that was cut off left half written."""
    for path in folder.glob(f"*{SUFFIX}.part"):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, path) from error


def _read_done(folder: Path) -> dict[str, list[str]]:
    try:
        found = json.loads((folder / _DONE).read_bytes())
    except (OSError, ValueError, RecursionError):  # without it every round is read once more
        return {}
    return found if isinstance(found, dict) else {}
