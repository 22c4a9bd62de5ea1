"""Count tables as CSV files: in with the finest level only, out with every total and its status."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from fieldsurvey.base.files import write_atomic
from fieldsurvey.needs.protect.cube import ROW
from fieldsurvey.needs.protect.errors import TableError

_CAST = "\0cast"
_OURS = ("status", "low", "high")


def read_table(path: Path, hierarchies: list[tuple[str, ...]]) -> tuple[pl.DataFrame, list[tuple[str, ...]]]:
    """The table in `path` and its dimensions: the `hierarchies` given, every other column one of its own.

    Raises TableError.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False, encoding="utf8")
    except (OSError, UnicodeError) as error:
        raise TableError(reason=f"{path} cannot be read ({type(error).__name__}).") from None
    except pl.exceptions.PolarsError as error:
        first = str(error).partition("\n")[0]
        raise TableError(reason=f"{path} is not a CSV table ({first}).") from None
    frame = frame.rename({name: name.strip().removeprefix("\ufeff") for name in frame.columns})
    if "count" not in frame.columns:
        raise TableError(reason=f"{path} has no column `count`.")
    names = [name for name in frame.columns if name not in {"count", "primary"}]
    if ours := [name for name in names if name in _OURS]:
        raise TableError(
            reason=f"a dimension cannot be called `{ours[0]}`: the protected table has a column of that name."
        )
    in_chain = [name for chain in hierarchies for name in chain]
    if missing := [name for name in in_chain if name not in names]:
        raise TableError(reason=f"--dim names `{missing[0]}`, and {path} has no such column.")
    if len(set(in_chain)) < len(in_chain):
        raise TableError(reason="--dim names a column twice.")
    dimensions = []
    for name in names:
        chain = next((chain for chain in hierarchies if name in chain), (name,))
        if chain not in dimensions:
            dimensions.append(chain)
    frame = _whole_numbers(frame, "count")
    if "primary" in frame.columns:
        frame = _whole_numbers(frame.with_columns(pl.col("primary").fill_null("0").replace("", "0")), "primary")
        if not frame["primary"].is_in([0, 1]).all():
            raise TableError(reason="`primary` holds something else than 0 or 1.")
    return frame, dimensions


def _whole_numbers(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    cast = frame.with_columns(pl.col(column).str.strip_chars().cast(pl.Int64, strict=False).alias(_CAST))
    bad = cast.with_row_index(ROW, offset=2).filter(pl.col(_CAST).is_null() | (pl.col(_CAST) > 10**9))
    if not bad.is_empty():
        raise TableError(reason=f"row {bad[ROW][0]}: `{bad[column][0]}` is not a whole number for `{column}`.")
    return cast.with_columns(pl.col(_CAST).alias(column)).drop(_CAST)


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Write a protected table, whole or not at all; what is not published is empty. Raises StorageError."""
    empty = frame.with_columns(pl.col(pl.String).replace("", None))  # polars would write "" in quotes
    write_atomic(path, empty.write_csv().encode("utf-8"))
