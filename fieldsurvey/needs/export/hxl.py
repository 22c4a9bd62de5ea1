"""HXL 1.1: the needs of a release with the tag row of needs.md.

These are people consulted, not people in need: `#inneed`, `#affected` and `#population` never appear.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from fieldsurvey.needs.export.sheets import Reading, needs_rows
from fieldsurvey.needs.report.content import UNITS, ReportContent
from fieldsurvey.needs.tables import PUBLISHED

TAGS: Final = {
    "start": "#date+start",
    "end": "#date+end",
    "province_code": "#adm1+code",
    "canton_code": "#adm2+code",
    "parish_code": "#adm3+code",
    "place_name": "#adm3+name",
    "sector": "#sector+code",
    "indicator": "#need+code",
    "indicator_name": "#need+name+i_es",
    "group": "#beneficiary+code",
    "asked": "#indicator+num+respondents+asked",
    "serious": "#indicator+num+respondents+serious",
    "pct": "#indicator+pct+num",
    "rank": "#severity+num",
    "status": "#status+code",
    "method": "#meta+method",
    "id": "#meta+id",
}
PROVINCE: Final = "10"  # INEC's code of Imbabura: the first digits of its cantons' and parishes' codes


def hxl_frame(reading: Reading) -> pl.DataFrame | None:
    """One row a value, columns named by TAGS' keys, in their order. None when the release has no needs."""
    found = [rows for unit in UNITS if (rows := needs_rows(reading, reading.release.needs, unit)) is not None]
    if not found:
        return None
    place = pl.col("place").str.replace("-rest$", "")
    frame = pl.concat(found).with_columns(
        pl.lit(reading.release.start.isoformat()).alias("start"),
        pl.lit(reading.release.end.isoformat()).alias("end"),
        pl.lit(PROVINCE).alias("province_code"),
        pl.when(place.str.len_chars() >= 4).then(place.str.slice(0, 4)).alias("canton_code"),
        pl.when(place.str.len_chars() == 6).then(place).alias("parish_code"),
        pl.when(pl.col("group") == "").then(pl.lit("all")).otherwise(pl.col("group")).alias("group"),
        pl.lit("people consulted; not representative").alias("method"),
        _ids(reading.release).alias("id"),
    )
    # A validator takes a status beside a number as a mistake only where there is none: say it in every row.
    return frame.with_columns(pl.col("status").fill_null(PUBLISHED)).select(list(TAGS))


def _ids(release: ReportContent) -> pl.Expr:
    parts = [pl.lit(f"{release.round_title}/{release.release}"), "unit", "indicator", "place", "group"]
    return pl.concat_str(parts, separator="/")
