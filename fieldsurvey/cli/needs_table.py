"""A protected table for the terminal."""

from __future__ import annotations

import polars as pl

from fieldsurvey.base.i18n import language as current_language
from fieldsurvey.base.visible import visible
from fieldsurvey.needs.report.content import ReportContent


def table_lines(rows: pl.DataFrame, made: ReportContent, language: str | None) -> str:
    """A table for the terminal: one line an indicator and group."""
    # start-up: the report's words are read from files
    from fieldsurvey.needs.report.names import Names
    from fieldsurvey.needs.report.words import Words

    words = Words(language or current_language())
    names = Names(made.labels, words, made.territory)
    first = rows.row(0, named=True)
    found = [f"{names.place(first['place'])} · {names.unit(first['unit'])}"]
    for group in rows["group"].unique(maintain_order=True):
        mine = rows.filter(pl.col("group") == group).sort("serious", descending=True, nulls_last=True)
        found += ["", names.group(group)]
        for row in mine.iter_rows(named=True):
            said = {"suppressed": "▨", "not_asked": "○"}.get(row["status"], str(row["serious"]))
            asked = "▨" if row["asked"] is None else str(row["asked"])
            share = "" if row["pct"] is None else f"{row['pct']:.0f} %"
            found.append(
                f"  {names.indicator(row['indicator'], row['sector']):<42.42} {said:>6} / {asked:<6} {share:>5}"
            )
    return "\n".join(map(visible, found))
