"""Columns of chunks -> one table for each form and level. Versions of a form are put under each other by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from fieldsurvey.needs.opened.dataset import Table
from fieldsurvey.needs.opened.layout import TOP, Column, Layout, Level, meta_of
from fieldsurvey.needs.opened.worker import Chunk

_DTYPES: Final[dict[str, pl.DataType]] = {
    "integer": pl.Int64(),
    "decimal": pl.Float64(),
    "date": pl.Date(),
    "boolean": pl.Boolean(),
    "select_multiple": pl.List(pl.String()),
    "rank": pl.List(pl.String()),
}
_TWIN: Final = "_twin"


def dtype_of(kind: str) -> pl.DataType:
    """The type of a column of that kind."""
    return _DTYPES.get(kind, pl.String())


@dataclass(slots=True)
class _Version:
    """What has come of one version of a form."""

    form: str
    layout: Layout
    parts: dict[str, list[pl.DataFrame]] = field(default_factory=dict)


class Gathering:
    """Takes chunks in order and gives tables. `versions`: (form hash, form id, layout), the current ones first."""

    def __init__(self, versions: Iterable[tuple[str, str, Layout]]) -> None:
        self.versions = {form_hash: _Version(form, layout) for form_hash, form, layout in versions}
        self.duplicates = 0

    def take(self, chunk: Chunk) -> None:
        """Add a chunk's rows."""
        for (form_hash, path), columns in chunk.tables.items():
            version = self.versions[form_hash]
            level = next(level for level in version.layout.levels if level.path == path)
            frame = _frame(level, columns)
            if path == TOP:
                frame = frame.with_columns(pl.Series(_TWIN, chunk.twins[form_hash], dtype=pl.Binary))
            version.parts.setdefault(path, []).append(frame)

    def tables(self) -> tuple[Table, ...]:
        """All tables: forms in the order given, the record's level first. Counts `duplicates`."""
        self.duplicates = 0
        forms: dict[str, list[_Version]] = {}
        for version in self.versions.values():
            forms.setdefault(version.form, []).append(version)
        return tuple(table for form, versions in forms.items() for table in self._tables_of(form, versions))

    def _tables_of(self, form: str, versions: list[_Version]) -> Iterable[Table]:
        names = dict.fromkeys(level.name for version in versions for level in version.layout.levels)
        for name in names:
            levels = [(v, level) for v in versions for level in v.layout.levels if level.name == name]
            parts = [_whole(version, level) for version, level in levels]
            frame = _together(parts, [column for column, _kind in meta_of(name)], _order(level for _, level in levels))
            if name == TOP:
                frame = self._flagged(frame).sort("_case", maintain_order=True)
            columns: dict[str, Column] = {}
            for _version, level in levels:
                for column in level.columns:
                    columns.setdefault(column.name, column)
            yield Table(form, name, tuple(columns[column] for column in _order(level for _, level in levels)), frame)

    def _flagged(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Every record that has a twin is flagged; none is dropped."""
        twin = pl.col(_TWIN)
        flagged = frame.with_columns((twin.is_not_null() & twin.is_duplicated()).alias("_duplicate")).drop(_TWIN)
        self.duplicates += int(flagged["_duplicate"].sum())
        return flagged


def _schema(level: Level) -> dict[str, pl.DataType]:
    answers = {column.name: dtype_of(column.kind) for column in level.columns}
    return {name: dtype_of(kind) for name, kind in meta_of(level.path)} | answers


def _frame(level: Level, columns: list[list[Any]]) -> pl.DataFrame:
    series = (
        pl.Series(name, values, dtype=dtype, strict=True)
        for (name, dtype), values in zip(_schema(level).items(), columns, strict=True)
    )
    return pl.DataFrame(list(series))


def _whole(version: _Version, level: Level) -> pl.DataFrame:
    """All rows of one version; none of them is a table all the same."""
    parts = version.parts.get(level.path)
    if parts:
        return pl.concat(parts)
    empty = pl.DataFrame(schema=_schema(level))
    return empty.with_columns(pl.lit(None, pl.Binary).alias(_TWIN)) if level.path == TOP else empty


def _order(levels: Iterable[Level]) -> list[str]:
    """Names of columns: those of the first version in its order, then what only later ones have."""
    return list(dict.fromkeys(column.name for level in levels for column in level.columns))


def _together(parts: list[pl.DataFrame], meta: list[str], names: list[str]) -> pl.DataFrame:
    """Versions under each other. Where they do not agree on a type, numbers become decimals, all else text."""
    if len(parts) == 1:
        return parts[0]
    wanted = {name: _common([part.schema[name] for part in parts if name in part.columns]) for name in names}
    whole = pl.concat([_cast(part, wanted) for part in parts], how="diagonal")
    rest = [_TWIN] if _TWIN in whole.columns else []
    return whole.select([*meta, *names, *rest])


def _common(dtypes: list[pl.DataType]) -> pl.DataType:
    kinds = Counter(dtypes)
    if len(kinds) == 1:
        return dtypes[0]
    return pl.Float64() if set(kinds) == {pl.Int64(), pl.Float64()} else pl.String()


def _cast(part: pl.DataFrame, wanted: dict[str, pl.DataType]) -> pl.DataFrame:
    changes = []
    for name, dtype in wanted.items():
        if name not in part.columns or part.schema[name] == dtype:
            continue
        column = pl.col(name)
        changes.append(column.list.join(" ") if isinstance(part.schema[name], pl.List) else column.cast(dtype))
    return part.with_columns(changes)
