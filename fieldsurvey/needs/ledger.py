"""What was published, kept so that a second release of a round can be held against the first.

Two releases of one round that differ by little tell what the difference was: one person. So a published round is
issued again only when nothing changed, or when every changed cell changed by at least `k_base`; until then the old
tables stand, and can be written again from here. Only protected values are kept; `ledger.jsonl` lists each release
with the SHA-256 of its file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.needs.errors import LedgerError, ReissueError
from fieldsurvey.needs.report.content import FormVersion, ReportContent
from fieldsurvey.needs.tables import Thresholds

INDEX: Final = "ledger.jsonl"
_ONE: Final = ("consulted", "parishes", "participation", "profile", "unanswered", "outcomes", "quality")
_MANY: Final = ("needs", "priorities", "barriers")
_NUMBERS: Final = ("asked", "serious", "n", "planned")
_DERIVED: Final = frozenset({"pct", "rank", "base"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A release in the ledger. `state`: prepared (looked at on this machine) or published (written to files)."""

    round: str
    release: int
    issued: str
    state: str
    fingerprint: str
    sha256: str


class Ledger:
    """The ledger in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "releases"

    def entries(self) -> list[Entry]:
        """Every release ever published, in order. Raises LedgerError when a line or file was altered."""
        path = self.folder / INDEX
        if not path.exists():
            return []
        try:
            found = [Entry(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeError, ValueError, TypeError, RecursionError):
            raise LedgerError(place=str(path)) from None
        return found

    def last(self, round_id: str) -> Entry | None:
        """The newest published release of a round."""
        return next((entry for entry in reversed(self.entries()) if entry.round == round_id), None)

    def content(self, entry: Entry) -> ReportContent:
        """What was published. Raises LedgerError when the file is not the one that was written."""
        path = self._path(entry.round, str(entry.release))
        data = _bytes(path)
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise LedgerError(place=str(path))
        return _decode(json.loads(data)["content"])

    def prepared(self, round_id: str, fingerprint: str) -> ReportContent | None:
        """What was made from exactly these records and rules before, published or not."""
        entry = self.last(round_id)
        if entry is not None and entry.fingerprint == fingerprint:
            return self.content(entry)
        path = self._path(round_id, "prepared")
        if not path.exists():
            return None
        try:
            found = json.loads(_bytes(path))
        except (ValueError, RecursionError):  # half a file of another program: it is only a copy, and is made again
            return None
        return _decode(found["content"]) if found.get("fingerprint") == fingerprint else None

    def prepare(self, round_id: str, fingerprint: str, content: ReportContent) -> None:
        """Keep what was made, so that it need not be made twice."""
        self._write(self._path(round_id, "prepared"), {"fingerprint": fingerprint, "content": _encode(content)})

    def forget_prepared(self, round_id: str) -> None:
        """Delete what was made and not published; it is made again when it is asked for. Raises StorageError."""
        path = self._path(round_id, "prepared")
        for one in (path, path.with_name(path.name + ".part")):
            try:
                one.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, one) from error

    def publish(self, round_id: str, fingerprint: str, content: ReportContent) -> ReportContent:
        """Enter a release, or recognise it as the one that is published; returns it with its number.

        Raises ReissueError when the round is published and a cell would change by less than k_base.
        """
        before = self.last(round_id)
        if before is not None:
            old = self.content(before)
            changed = differences(old, content)
            if not changed:
                return old
            small = [name for name, step in changed if step is None or step < content.limits.k_base]
            if small:
                raise ReissueError(round=round_id, cells=len(small), k=content.limits.k_base, first=small[0])
        number = 1 if before is None else before.release + 1
        numbered = replace(content, release=number)
        data = {"fingerprint": fingerprint, "content": _encode(numbered)}
        digest = self._write(self._path(round_id, str(number)), data)
        entry = Entry(round_id, number, numbered.issued.isoformat(), "published", fingerprint, digest)
        lines = [*self.entries(), entry]
        write_atomic(self.folder / INDEX, b"".join(canonical(asdict(line)) + b"\n" for line in lines), private=True)
        return numbered

    def _path(self, round_id: str, name: str) -> Path:
        return self.folder / f"{round_id}.{name}.json"

    def _write(self, path: Path, data: dict[str, Any]) -> str:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise storage_error(error, self.folder) from error
        return write_atomic(path, json.dumps(data, ensure_ascii=False).encode("utf-8"), private=True)


def differences(old: ReportContent, new: ReportContent) -> list[tuple[str, int | None]]:
    """Cells that are not the same: their name, and by how much (None: shown in one and not in the other)."""
    before, after = dict(_cells(old)), dict(_cells(new))
    found: list[tuple[str, int | None]] = []
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name), after.get(name)
        if one != other:
            found.append((name, None if one is None or other is None else abs(one - other)))
    return found


def _cells(content: ReportContent) -> Iterator[tuple[str, int | None]]:
    for name in (*_ONE, *_MANY):
        held = getattr(content, name)
        for frame in held if isinstance(held, tuple) else (held,) if held is not None else ():
            keys = [c for c in frame.columns if c not in {*_NUMBERS, *_DERIVED} and not c.endswith("status")]
            for number in (c for c in frame.columns if c in _NUMBERS):
                for *where, value in frame.select(*keys, number).iter_rows():
                    yield " · ".join([name, *(str(part) for part in where if part), number]), value


def _encode(content: ReportContent) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in vars(content).items():
        if isinstance(value, pl.DataFrame):
            data[name] = _frame(value)
        elif name in _MANY:
            data[name] = [_frame(frame) for frame in value]
        elif isinstance(value, date):
            data[name] = value.isoformat()
        elif isinstance(value, Thresholds):
            data[name] = asdict(value)
        elif name == "forms":
            data[name] = [asdict(form) for form in value]
        elif name == "sensitive":
            data[name] = sorted(value)
        elif name == "comparisons":
            assert not value, "no release has comparisons yet"
        else:
            data[name] = value
    return data


def _frame(frame: pl.DataFrame) -> dict[str, Any]:
    return {"schema": {c: str(t) for c, t in frame.schema.items()}, "columns": frame.to_dict(as_series=False)}


def _decode(data: dict[str, Any]) -> ReportContent:
    made = dict(data)
    for name in _ONE:
        made[name] = _unframe(made[name]) if made.get(name) else None
    for name in _MANY:
        made[name] = tuple(_unframe(frame) for frame in made[name])
    for name in ("start", "end", "issued"):
        made[name] = date.fromisoformat(made[name])
    made["limits"] = Thresholds(**made["limits"])
    made["forms"] = tuple(FormVersion(**form) for form in made["forms"])
    made["sensitive"] = frozenset(made["sensitive"])
    made["caveats"] = {language: tuple(lines) for language, lines in made["caveats"].items()}
    return ReportContent(**made)


def _unframe(data: dict[str, Any]) -> pl.DataFrame:
    types = {"String": pl.String, "Int64": pl.Int64, "Float64": pl.Float64}
    return pl.DataFrame(data["columns"], schema={name: types[kind] for name, kind in data["schema"].items()})


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise storage_error(error, path) from error
