"""The page: sections in order, each only if the release has it, in one HTML file that asks for nothing outside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fieldsurvey.needs.report import pictures, views
from fieldsurvey.needs.report.cells import MARKS
from fieldsurvey.needs.report.check import check
from fieldsurvey.needs.report.content import CAP, GROUPS, PAIR_BASE, SHARE_PARISHES, UNITS, ReportContent
from fieldsurvey.needs.report.names import Names
from fieldsurvey.needs.report.shares import Needs
from fieldsurvey.needs.report.views import Reader
from fieldsurvey.needs.report.words import Words


@dataclass(frozen=True)
class Section:
    """A part of the page; `template` is its file, `data` what that needs."""

    id: str
    title: str
    template: str
    data: dict[str, Any]


def page(release: ReportContent, language: str = "es") -> str:
    """The report of `release` as one HTML file, in `language` (es, en).

    The same release gives the same text, to the byte. Raises UnprotectedError for a value that is not protected,
    NoWordsError.
    """
    check(release)
    words = Words(language)
    reader = Reader(release, words, Names(release.labels, words, release.territory))
    template = _environment().get_template("page.html.j2")
    return template.render(
        release=release,
        words=words,
        names=reader.names,
        marks=MARKS,
        css=Markup(_style()),  # noqa: S704  our own file
        dates={"start": words.day(release.start), "end": words.day(release.end)},
        sections=[section for section in _sections(reader) if section],
    )


def _sections(reader: Reader) -> Iterator[Section | None]:
    yield _method(reader)
    yield Section("marks", reader.words("marks.title"), "marks.html.j2", {})
    yield _summary(reader)
    yield _parishes(reader)
    yield _participation(reader)
    yield _profile(reader)
    yield _top(reader)
    yield _heat(reader)
    yield _tables(reader)
    yield _unanswered(reader)
    yield _ranked(reader, "priorities", reader.release.priorities, 10)
    yield _ranked(reader, "barriers", reader.release.barriers, 15)
    yield _compare(reader)
    yield _figures(reader, "outcomes", "outcome", reader.release.outcomes)
    yield _figures(reader, "quality", "quality_item", reader.release.quality)
    yield _rules(reader)
    yield Section("codebook", reader.words("codebook.title"), "codebook.html.j2", {})


def _method(reader: Reader) -> Section:
    words, release = reader.words, reader.release
    where = ""
    if release.parishes is not None:
        _table, visited, planned = views.visited(reader, release.parishes)
        key = "method.where_all" if visited == planned else "method.where_text"
        where = words(key, visited=visited, planned=planned, territory=reader.names.territory)
    forms = [
        words(
            "method.form_text",
            title=f.title.get(words.language) or next(iter(f.title.values()), f.id),
            version=f.version,
        )
        for f in release.forms
    ]
    data = {
        "consulted": views.consulted(reader),
        "recruited": views.recruited(reader),
        "where": where,
        "forms": words.listed(forms),
    }
    return Section("method", words("method.title"), "method.html.j2", data)


def _summary(reader: Reader) -> Section | None:
    release = reader.release
    unit = next(iter(_units(release.needs)), "")
    if not unit:
        return None
    groups = [pictures.told(reader, release.needs, unit, group, 5) for group in ("host", "mobility")]
    if not any(group.lines for group in groups):
        groups = [pictures.told(reader, release.needs, unit, "", 5)]
    more = []
    for key, frames in (("priorities", release.priorities), ("barriers", release.barriers)):
        if unit not in _units(frames):
            continue
        found = [pictures.told(reader, frames, unit, group, 3) for group in ("host", "mobility")]
        found = [part for part in found if part.lines] or [pictures.told(reader, frames, unit, "", 3)]
        if any(part.lines for part in found):
            more.append((reader.words(f"summary.{key}"), found))
    return Section("summary", reader.words("summary.title"), "summary.html.j2", {"groups": groups, "more": more})


def _parishes(reader: Reader) -> Section | None:
    if reader.release.parishes is None:
        return None
    table, _visited, _planned = views.visited(reader, reader.release.parishes)
    return Section("parishes", reader.words("parishes.title"), "tables.html.j2", {"intro": "", "tables": [table]})


def _participation(reader: Reader) -> Section | None:
    if reader.release.participation is None:
        return None
    table = views.participation(reader, reader.release.participation)
    title = reader.words("participation.title")
    return Section("participation", title, "tables.html.j2", {"intro": "", "tables": [table]})


def _profile(reader: Reader) -> Section | None:
    if reader.release.profile is None or reader.release.profile.is_empty():
        return None
    data = {"intro": reader.words("profile.intro"), "tables": views.profile(reader, reader.release.profile)}
    return Section("profile", reader.words("profile.title"), "tables.html.j2", data)


def _top(reader: Reader) -> Section | None:
    words, release, parts, shares = reader.words, reader.release, [], False
    for unit in _units(release.needs):
        needs = Needs(release.needs, unit, release)
        if not needs.indicators("sector"):
            continue
        found = [pictures.top(reader, needs, unit, group, f"top-{unit}-{group}") for group in ("host", "mobility")]
        if not any(picture.svg for picture in found):
            found = [pictures.top(reader, needs, unit, "", f"top-{unit}-all")]
        parts.append((unit, found))
        shares = shares or any(picture.svg and not picture.counted for picture in found)
    intro = f"{words('top.intro')} {words('top.shares')}" if shares else words("top.intro")
    data = {"intro": intro, "parts": parts, "same": words("tables.title")}
    return Section("top", words("top.title"), "pictures.html.j2", data) if parts else None


def _heat(reader: Reader) -> Section | None:
    words, release, parts = reader.words, reader.release, []
    for unit in _units(release.needs):
        needs = Needs(release.needs, unit, release)
        if needs.indicators("sector"):
            parts.append((unit, [pictures.heat(reader, needs, unit, f"heat-{unit}")]))
    data = {"intro": words("heat.intro"), "parts": parts, "same": words("tables.title")}
    return Section("heat", words("heat.title"), "pictures.html.j2", data) if parts else None


def _tables(reader: Reader) -> Section | None:
    release, parts = reader.release, []
    for unit in _units(release.needs):
        needs = Needs(release.needs, unit, release)
        sectors = needs.indicators("sector")
        places = [
            views.needs_table(reader, needs, place, unit, "sector")
            for place in needs.places()
            if any(needs.value(sector, place[0], group).shown for sector in sectors for group in GROUPS)
        ]
        problems = (
            [views.needs_table(reader, needs, ("", "province", ""), unit, "problem")]
            if needs.indicators("problem")
            else []
        )
        parts.append((unit, places, problems))
    return Section("tables", reader.words("tables.title"), "needs.html.j2", {"parts": parts}) if parts else None


def _unanswered(reader: Reader) -> Section | None:
    frame = reader.release.unanswered
    if frame is None or frame.is_empty():
        return None
    data = {
        "intro": reader.words("unanswered.intro", territory=reader.names.territory),
        "tables": [views.unanswered(reader, frame, unit) for unit in _units((frame,))],
    }
    return Section("unanswered", reader.words("unanswered.title"), "tables.html.j2", data)


def _ranked(reader: Reader, name: str, frames: tuple[pl.DataFrame, ...], limit: int) -> Section | None:
    tables = [table for unit in _units(frames) for table in views.ranked(reader, frames, unit, name, limit)]
    data = {"intro": reader.words(f"{name}.intro"), "tables": tables}
    return Section(name, reader.words(f"{name}.title"), "tables.html.j2", data) if tables else None


def _compare(reader: Reader) -> Section | None:
    words, names, parts = reader.words, reader.names, []
    for number, comparison in enumerate(filter(pictures.comparable, reader.release.comparisons)):
        picture = pictures.pairs(reader, comparison, f"pairs-{number}")
        caption = words(
            "compare.composition",
            place=names.place(comparison.canton),
            area=words(f"area.{comparison.area}"),
            unit=names.unit(comparison.unit),
        )
        parts.append((picture, comparison, views.profile(reader, comparison.composition, caption=caption)))
    data = {"intro": words("compare.intro", base=PAIR_BASE), "parts": parts}
    return Section("compare", words("compare.title"), "compare.html.j2", data) if parts else None


def _figures(reader: Reader, name: str, section: str, frame: pl.DataFrame | None) -> Section | None:
    if frame is None or frame.is_empty():
        return None
    words = reader.words
    heads = tuple(
        words(f"{name}.{head}") for head in ("item", "n", "base") if head != "base" or "base" in frame.columns
    )
    table = views.figures(reader, frame, section, caption=words(f"{name}.caption"), heads=heads)
    data = {"intro": words(f"{name}.intro", territory=reader.names.territory), "tables": [table]}
    return Section(name, words(f"{name}.title"), "tables.html.j2", data)


def _rules(reader: Reader) -> Section:
    words, limits = reader.words, reader.release.limits
    rules = words.lines(
        "rules.rules",
        k_cell_less=limits.k_cell - 1,
        k_base=limits.k_base,
        k_sensitive=limits.k_sensitive,
        capped=words.percent(CAP, capped=True),
        parishes=SHARE_PARISHES,
    )
    caveats = reader.release.caveats.get(words.language, ())
    return Section("rules", words("rules.title"), "rules.html.j2", {"rules": rules, "caveats": caveats})


def _units(frames: tuple[pl.DataFrame, ...]) -> list[str]:
    """The units there are, in their usual order."""
    found = {unit for frame in frames for unit in frame["unit"].unique().to_list()}
    return [unit for unit in UNITS if unit in found]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> str:
    return files(__package__).joinpath("templates", "page.css").read_text("utf-8")
