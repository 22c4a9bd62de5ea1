"""A synthetic release: a province of 3 cantons and 8 parishes. Nobody was asked; every number is drawn.

It protects by the plainest rule (small counts are blanked), which is enough for what a page may print; the protector
has tests of its own.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from random import Random

import polars as pl

from fieldsurvey.needs.report import Comparison, FormVersion, ReportContent
from fieldsurvey.needs.report.content import NEEDS
from fieldsurvey.needs.tables import Thresholds

LIMITS = Thresholds()
PARISHES = {
    "1001": ("100150", "100151", "100157"),
    "1003": ("100350", "100351", "100356"),
    "1004": ("100450", "100457"),
}
SMALL = {"100351": 6, "100356": 9}
MISSED = {"100152": "1001", "100352": "1003", "100353": "1003", "100354": "1003", "100550": "1005", "100551": "1005"}
LISTS = ("sector", "problem", "canton", "parish", "barrier", "age_band", "sex_gender")
SHARES = {"host": 0.55, "mobility": 0.35, "other": 0.10}
SCHEMA = {
    name: pl.Int64 if name in {"asked", "serious", "rank"} else pl.Float64 if name == "pct" else pl.String
    for name in NEEDS
}


def shared(name: str) -> list[dict[str, str]]:
    """A list the forms share."""
    text = files("forms").joinpath("shared", f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def labels() -> dict[str, dict[str, dict[str, str]]]:
    """Labels as a compiled form gives them."""
    found = {
        name: {
            row["name"]: {"es": row["label::Español (es)"], "en": row["label::English (en)"]} for row in shared(name)
        }
        for name in LISTS
    }
    found["recruitment"] = {
        "household_walk": {"es": "Recorrido por hogares", "en": "Household walk"},
        "assembly": {"es": "Asamblea", "en": "Assembly"},
        "service_queue": {"es": "Fila de un servicio", "en": "Service queue"},
    }
    return found


def cell(asked: int, serious: int) -> dict[str, object]:
    """Blank what is small."""
    asked_status = "suppressed" if 0 < asked < LIMITS.k_cell else "published"
    hidden = asked < LIMITS.k_base or 0 < serious < LIMITS.k_cell or 0 < asked - serious < LIMITS.k_cell
    status = "not_asked" if asked == 0 else "suppressed" if hidden or asked_status != "published" else "published"
    shown = status == "published"
    return {
        "asked": asked if asked_status == "published" else None,
        "asked_status": asked_status,
        "serious": serious if shown else None,
        "status": status,
        "pct": round(100 * serious / asked, 1) if shown else None,
    }


def rows(
    names: Mapping[str, str], kind: str, unit: str, size: int, seed: int, *, detailed: bool = True
) -> pl.DataFrame:
    """A frame for indicators (name -> sector), as `needs_frame` makes it; `size` people in a large parish."""
    random = Random(seed)
    made: list[dict[str, object]] = []
    for number, (indicator, sector) in enumerate(names.items()):
        likely = 0.62 - 0.5 * number / len(names) + random.uniform(-0.08, 0.08)
        sums: dict[tuple[str, str, str, str], list[int]] = {}
        for canton, parishes in PARISHES.items():
            joined = [p for p in parishes if p in SMALL]
            for parish in parishes:
                people = SMALL.get(parish, size + int(parish) * 7 % (size // 2))
                place, level = (f"{canton}-rest", "joined") if parish in joined else (parish, "parish")
                for group, share in SHARES.items():
                    n = round(people * share * (0.9 + 0.1 * random.random()))
                    tilt = 0.12 if (group == "mobility") == (number % 3 == 0) else -0.08
                    said = sum(random.random() < min(0.97, max(0.01, likely + tilt)) for _ in range(n))
                    for key in (("", "province", ""), (canton, "canton", canton), (place, level, canton)):
                        for g in ("", group):
                            total = sums.setdefault((*key, g), [0, 0])
                            total[0] += n
                            total[1] += said
        for (place, level, canton, group), (n, said) in sums.items():
            if detailed or level == "province":
                base: dict[str, object] = {"unit": unit, "kind": kind, "indicator": indicator, "sector": sector}
                made.append({**base, "place": place, "level": level, "canton": canton, "group": group} | cell(n, said))
    frame = pl.DataFrame(made, schema={name: kind for name, kind in SCHEMA.items() if name != "rank"})
    by = ["unit", "kind", "place", "group"]
    return frame.with_columns(pl.col("pct").rank("min", descending=True).over(by).cast(pl.Int64).alias("rank")).select(
        NEEDS
    )


def needs(unit: str, size: int, seed: int) -> pl.DataFrame:
    """Sectors and problems of one unit."""
    end = "" if unit == "person" else "_household"
    problems = {f"need_{row['name']}{end}": row["sector"] for row in shared("problem")}
    sectors = {f"sector_{sector}{end}": sector for sector in dict.fromkeys(problems.values())}
    return pl.concat([rows(sectors, "sector", unit, size, seed), rows(problems, "problem", unit, size, seed + 1)])


def comparison(hosts: int = 61, mobility: int = 44, seed: int = 5) -> Comparison:
    """Two groups in the town of one canton."""
    random = Random(seed)
    made: list[dict[str, object]] = []
    for row in shared("sector")[:11]:
        for group, n in (("host", hosts), ("mobility", mobility)):
            base: dict[str, object] = {
                "unit": "person",
                "kind": "sector",
                "indicator": f"sector_{row['name']}",
                "sector": row["name"],
            }
            said = random.randrange(6, max(7, n - 6))
            made.append({**base, "place": "1001", "level": "canton", "canton": "1001", "group": group} | cell(n, said))
    frame = pl.DataFrame(made, schema={n: k for n, k in SCHEMA.items() if n != "rank"})
    return Comparison(
        unit="person",
        canton="1001",
        area="urban",
        interviews={"host": hosts, "mobility": mobility},
        needs=frame.with_columns(pl.lit(None, pl.Int64).alias("rank")).select(NEEDS),
        composition=profile({"host": hosts, "mobility": mobility}),
    )


def profile(groups: Mapping[str, int]) -> pl.DataFrame:
    """Sex, age and recruitment by group."""
    answers = {
        "sex": {"woman": 0.58, "man": 0.41, "prefers_not": 0.01},
        "age_band": {"18_24": 0.2, "25_29": 0.2, "30_49": 0.4, "50_59": 0.12, "60_64": 0.03, "65_plus": 0.05},
        "recruited_by": {"household_walk": 0.5, "assembly": 0.3, "service_queue": 0.2},
    }
    made: list[dict[str, object]] = []
    for dimension, codes in answers.items():
        for code, share in codes.items():
            for group, people in groups.items():
                n = round(people * share)
                hidden = 0 < n < LIMITS.k_cell
                row: dict[str, object] = {"unit": "person", "dimension": dimension, "code": code, "group": group}
                made.append(row | {"n": None if hidden else n, "status": "suppressed" if hidden else "published"})
    return pl.DataFrame(made)


def parishes() -> pl.DataFrame:
    """Visited and not."""
    made: list[dict[str, object]] = []
    for canton, codes in PARISHES.items():
        for code in codes:
            n = None if code in SMALL else 34 + int(code) % 17
            made.append({"place": code, "canton": canton, "n": n, "status": "published" if n else "suppressed"})
    made += [{"place": p, "canton": c, "n": None, "status": "not_visited"} for p, c in MISSED.items()]
    return pl.DataFrame(made, schema={"place": pl.String, "canton": pl.String, "n": pl.Int64, "status": pl.String})


def figures(items: Mapping[str, int | None], base: int | None = None) -> pl.DataFrame:
    """Lines of one number; None is suppressed."""
    made: list[dict[str, object]] = []
    for item, n in items.items():
        row: dict[str, object] = {"item": item, "n": n, "status": "suppressed" if n is None else "published"}
        made.append(row | ({"base": base} if base else {}))
    schema = {"item": pl.String, "n": pl.Int64, "status": pl.String} | ({"base": pl.Int64} if base else {})
    return pl.DataFrame(made, schema=schema)


def release(**changes: object) -> ReportContent:
    """A whole release; `changes` replace its parts."""
    problems = {f"top3_{row['name']}": row["sector"] for row in shared("problem")}
    reasons = {f"barrier_{row['name']}": "" for row in shared("barrier") if row["name"] not in {"none", "dont_know"}}
    planned = pl.DataFrame(
        {
            "place": ["1001", "1001", "1003", "1003"],
            "group": ["host", "mobility", "host", "mobility"],
            "planned": [60, 40, 30, 20],
            "n": [61, 44, 33, 0],
            "status": ["published"] * 4,
        }
    )
    parts: dict[str, object] = {
        "project": "Proyecto sintético de prueba",
        "territory": "Provincia de prueba",
        "round_title": "Primera ronda",
        "start": date(2026, 3, 2),
        "end": date(2026, 3, 27),
        "release": 1,
        "issued": date(2026, 4, 14),
        "limits": LIMITS,
        "labels": labels(),
        "forms": (FormVersion("needs", "2026030101", {"es": "Necesidades", "en": "Needs"}),),
        "consulted": figures({"person": 302, "household": 118, "assembly": 6, "assembly_people": 214}),
        "parishes": parishes(),
        "participation": planned,
        "profile": profile({"": 302, "host": 166, "mobility": 105, "other": 31}),
        "needs": (needs("person", 46, 3), needs("household", 19, 9)),
        "priorities": (rows(problems, "problem", "person", 46, 21, detailed=False),),
        "barriers": (rows(reasons, "problem", "person", 46, 31),),
        "comparisons": (comparison(),),
        "outcomes": figures({"complete": 288, "partial": 14, "refused": 41, "not_eligible": 12, "discarded": None}),
        "quality": figures({"paper": 23, "interpreter": 9, "duplicate": None, "not_private": 17}, base=302),
        "sensitive": frozenset({"sector_safety"}),
        "caveats": {
            "es": ("Los datos de esta prueba son sintéticos.",),
            "en": ("The data of this test are synthetic.",),
        },
        "simulated": True,
    }
    return ReportContent(**(parts | changes))  # type: ignore[arg-type]
