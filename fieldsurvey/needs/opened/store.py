"""An opened round on the HMU's disk: `<round>.fso`, encrypted whole; no plaintext ever reaches a file.

    "FSO1" version 1 | key id 8 | Cobblestone-256 of: manifest length 4 | manifest | (length 8 | Parquet) a table

The key is derived from the dataset key in hmu.key, or from one that it had before; the seal binds project and round, so
that one round's file does not pass for another's. What a withdrawal takes back leaves the file: see `erasing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import polars as pl
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Field

from fieldsurvey.base import paths
from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.needs.opened.dataset import Dataset, Quality, Table
from fieldsurvey.needs.opened.errors import DatasetDamagedError, DatasetKeyError, ForeignKeyError, NoDatasetError
from fieldsurvey.needs.opened.layout import Column, Kind
from fieldsurvey.project.keys import HmuKeys
from fieldsurvey.project.policy import Round
from fieldsurvey.records.labels import bind
from fieldsurvey.records.wire import Id, Wire, check_magic

SUFFIX: Final = ".fso"
MAGIC: Final = b"FSO1\x01"
DATASET_KEY: Final = "fieldsurvey/1/needs/dataset key"
DATASET_KEY_ID: Final = "fieldsurvey/1/needs/dataset key id"
DATASET: Final = "fieldsurvey/1/needs/dataset"
_ID_BYTES: Final = 8
_HEAD: Final = len(MAGIC) + _ID_BYTES


class _Column(Wire):
    name: str
    path: str
    kind: Kind
    calculated: bool


class _Table(Wire):
    form: str
    level: str
    columns: Annotated[tuple[_Column, ...], Field(strict=False)]


class _Manifest(Wire):
    what: ClassVar[str] = "dataset"
    max_bytes: ClassVar[int] = 1 << 30

    format: Literal["fieldsurvey dataset"] = "fieldsurvey dataset"
    format_version: Literal[1] = 1
    project: Id
    project_version: int
    round: Round
    quality: Quality
    tables: Annotated[tuple[_Table, ...], Field(strict=False)]


def dataset_path(round_id: str, folder: Path | None = None) -> Path:
    """Where a round's dataset lies; `folder` is paths.needs_dir() when not given."""
    return (folder or paths.needs_dir()) / f"{round_id}{SUFFIX}"


def save_dataset(dataset: Dataset, hmu_keys: HmuKeys, folder: Path | None = None) -> Path:
    """Write the dataset whole, in place of the one before, or not at all; readable by its owner only.

    Raises ForeignKeyError, StorageError.
    """
    if hmu_keys.project != dataset.project:
        raise ForeignKeyError
    path = dataset_path(dataset.round.id, folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise storage_error(error, path.parent) from error
    write_atomic(path, _sealed(dataset, hmu_keys), private=True)
    return path


def load_dataset(round_id: str, hmu_keys: HmuKeys, folder: Path | None = None) -> Dataset:
    """The dataset of a round. Raises NoDatasetError, DatasetKeyError, DatasetDamagedError, StorageError."""
    path = dataset_path(round_id, folder)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NoDatasetError(round=round_id) from None
    except OSError as error:
        raise storage_error(error, path) from error
    damaged = DatasetDamagedError(round=round_id)
    check_magic("dataset", MAGIC, data)
    if len(data) < _HEAD or not data.startswith(MAGIC):
        raise damaged
    for key in hmu_keys.datasets:
        if data[len(MAGIC) : _HEAD] == _derived(hmu_keys, DATASET_KEY_ID, key)[:_ID_BYTES]:
            break
    else:
        raise DatasetKeyError(round=round_id)
    decryptor = Cobblestone256Decryptor(_derived(hmu_keys, DATASET_KEY, key), _context(hmu_keys.project, round_id))
    try:
        # update() releases text before truncation is known: nothing is looked at until finalize() has passed.
        text = decryptor.update(memoryview(data)[_HEAD:]) + decryptor.finalize()
    except InvalidTag:
        raise damaged from None
    return _read(text)


def _sealed(dataset: Dataset, hmu_keys: HmuKeys) -> Iterator[bytes]:
    """The file in pieces; one table at a time is in memory twice."""
    encryptor = Cobblestone256Encryptor(_derived(hmu_keys, DATASET_KEY), _context(dataset.project, dataset.round.id))
    yield MAGIC + _derived(hmu_keys, DATASET_KEY_ID)[:_ID_BYTES]
    manifest = _manifest(dataset).to_bytes()
    yield encryptor.update(len(manifest).to_bytes(4, "big") + manifest)
    for table in dataset.tables:
        buffer = BytesIO()
        table.frame.write_parquet(buffer, compression="zstd")
        yield encryptor.update(buffer.tell().to_bytes(8, "big"))
        yield encryptor.update(buffer.getvalue())
    yield encryptor.finalize()


def _read(text: bytes) -> Dataset:
    """What the seal vouches for, so it is read without suspicion."""
    start = 4 + int.from_bytes(text[:4], "big")
    manifest = _Manifest.from_bytes(text[4:start])
    tables = []
    for table in manifest.tables:
        size = int.from_bytes(text[start : start + 8], "big")
        frame = pl.read_parquet(BytesIO(text[start + 8 : start + 8 + size]))
        start += 8 + size
        columns = tuple(Column(c.name, c.path, c.kind, c.calculated) for c in table.columns)
        tables.append(Table(table.form, table.level, columns, frame))
    return Dataset(
        project=manifest.project,
        project_version=manifest.project_version,
        survey_round=manifest.round,
        quality=manifest.quality,
        tables=tuple(tables),
    )


def _manifest(dataset: Dataset) -> _Manifest:
    return _Manifest(
        project=dataset.project,
        project_version=dataset.project_version,
        round=dataset.round,
        quality=dataset.quality,
        tables=tuple(
            _Table(
                form=table.form,
                level=table.level,
                columns=tuple(
                    _Column(name=c.name, path=c.path, kind=c.kind, calculated=c.calculated) for c in table.columns
                ),
            )
            for table in dataset.tables
        ),
    )


def _derived(hmu_keys: HmuKeys, label: str, key: bytes | None = None) -> bytes:
    """32 bytes for one purpose: HKDF-SHA256 (RFC 5869) of the dataset key."""
    return HKDF(SHA256(), 32, None, bind(label, bytes.fromhex(hmu_keys.project))).derive(key or hmu_keys.dataset)


def _context(project: str, round_id: str) -> bytes:
    return bind(DATASET, bytes.fromhex(project), round_id.encode("utf-8"))
