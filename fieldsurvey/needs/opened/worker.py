"""Opens one chunk of sealed records and sorts the answers into columns. It runs in any process or thread.

Every reason for which a record is not in the round is a count under its name; none stops the next record. What is
not foreseen here is a bug and shows. No tables' library is imported, so that a fresh process is ready quickly.
"""

from __future__ import annotations

import hashlib
import math
import re
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.needs.opened.layout import TOP, Layout, Level, layout_of, meta_of
from fieldsurvey.records.envelope import Opened, open_record, record_hash
from fieldsurvey.records.errors import AlteredError, NotARecipientError
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.xforms import FormError, LoadedForm, load_form
from fieldsurvey.xforms.definition.model import NodeDef, Values
from fieldsurvey.xforms.live.serialise import read_values

LEAST_ANSWERS: Final = 25
"""Two records with the same answers are probably one record twice when at least so many answers were given: a refusal
has about 10 and is often the same as another.
"""
KEPT_APART: Final = frozenset({"kept", "outside", "undated", "practice", "unknown_form"})
"""Of what is counted: not the reasons for which a record could not be opened or read."""
_POSITION: Final = re.compile(r"\[(\d+)\]")
_INT64: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class FormSource:
    """A compiled form and the files it uses."""

    id: str
    xml: bytes
    media: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker needs: the recipients' seeds, forms by hash, the round's first and last day. Never printed."""

    project: str
    seeds: tuple[bytes, ...] = field(repr=False)
    forms: Mapping[str, FormSource] = field(repr=False)
    start: date
    end: date
    token: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
    """Tells one opening from another in a process that serves several."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed record, and what central's log says of it: what a header must say too, or somebody altered the log.

    `blob` is None when central has lost it.
    """

    record_hash: bytes
    device: str
    case: str
    revision: int
    conflict: bool
    proposal: bool
    blob: bytes | None = field(repr=False)
    parent: bytes | None = None
    withdrawal: bytes | None = None

    @property
    def said(self) -> tuple[str, str, int, str | None, str | None]:
        """Device, case, revision, parent and withdrawal tag, in a header's own spelling."""
        parent, tag = (value.hex() if value else None for value in (self.parent, self.withdrawal))
        return self.device, self.case, self.revision, parent, tag


@dataclass(slots=True)
class Chunk:
    """What a chunk gave. `counts`: kept, outside, undated, practice, unknown_form, or a reason not to have opened.

    `tables`: (form hash, level) -> columns in the order of the level's, ours first. `mistyped`: answers that do not
    read as their question's type, by (form, column).
    """

    counts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    mistyped: Counter[tuple[str, str]] = field(default_factory=Counter)
    tables: dict[tuple[str, str], list[list[Any]]] = field(default_factory=dict, repr=False)
    twins: dict[str, list[bytes | None]] = field(default_factory=dict, repr=False)
    """For each form hash, a digest of what was answered in each record; None where too little was."""
    left: list[tuple[bytes, str]] = field(default_factory=list)
    """The hash of each record that could not be opened or read, and the reason."""


class _LeftOutError(Exception):
    """Internal: why a record is not kept; the reason is its only argument."""


class Bench:
    """Forms compiled once, and the keys, for as many chunks as come."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.privates = tuple(RecipientPrivate(seed) for seed in setup.seeds)
        self._forms: dict[str, tuple[LoadedForm, Layout] | None] = {}

    def form(self, form_hash: str) -> tuple[LoadedForm, Layout] | None:
        """The form of that hash with its layout, compiled once; None when the engine refuses it. KeyError: unknown."""
        if form_hash not in self._forms:
            source = self.setup.forms[form_hash]
            try:
                loaded = load_form(source.xml, dict(source.media))
                self._forms[form_hash] = (loaded, layout_of(loaded.nodes))
            except FormError:
                self._forms[form_hash] = None
        return self._forms[form_hash]

    def open(self, records: list[Sealed]) -> Chunk:
        """Open these records."""
        chunk = Chunk()
        for record in records:
            try:
                self._take(record, chunk)
            except _LeftOutError as left:
                reason = left.args[0]
                chunk.counts[reason] += 1
                if reason not in KEPT_APART:
                    chunk.left.append((record.record_hash, reason))
            else:
                chunk.counts["kept"] += 1
        return chunk

    def _take(self, record: Sealed, chunk: Chunk) -> None:
        opened = self._opened(record)
        payload = _payload(opened)
        if payload.mode == "practice":
            raise _LeftOutError("practice")
        form_hash = payload.form.hash
        if form_hash not in self.setup.forms:
            chunk.unknown[payload.form.id, payload.form.version] += 1
            raise _LeftOutError("unknown_form")
        known = self.form(form_hash)
        if known is None:
            raise _LeftOutError("form")
        loaded, layout = known
        xml = payload.instance.encode("utf-8")
        try:
            answers = loaded.values(xml)
        except FormError:
            raise _LeftOutError("instance") from None
        day = _day(answers.get(layout.fieldwork_date)) if layout.fieldwork_date else None
        if day is None:
            raise _LeftOutError("undated")
        if not self.setup.start <= day <= self.setup.end:
            raise _LeftOutError("outside")
        rows = _rows(answers, xml, loaded, layout)
        key = record.record_hash.hex()
        meta = (
            record.case,
            record.revision,
            record.device,
            payload.person,
            loaded.version,
            payload.started,
            payload.finished,
            payload.language,
            payload.mode,
            record.conflict,
            record.proposal,
            False,
        )
        for level in layout.levels:
            table = chunk.tables.get((form_hash, level.path))
            if table is None:
                table = [[] for _ in range(len(meta_of(level.path)) + len(level.columns))]
                chunk.tables[form_hash, level.path] = table
            for positions, row in rows[level.path].items():
                place = _place(positions) if level.path else meta
                for name in _append(table, (key, *place), row, level):
                    chunk.mistyped[loaded.id, name] += 1
        chunk.twins.setdefault(form_hash, []).append(_digest(answers, layout))

    def _opened(self, record: Sealed) -> Opened:
        if record.blob is None:
            raise _LeftOutError("lost")
        if record_hash(record.blob) != record.record_hash:
            raise _LeftOutError("altered")
        try:
            opened = open_record(record.blob, *self.privates)
        except NotARecipientError:
            raise _LeftOutError("not_a_recipient") from None
        except AlteredError:
            raise _LeftOutError("altered") from None
        except UntrustedError:
            raise _LeftOutError("malformed") from None
        header = opened.header
        if header.project != self.setup.project:
            raise _LeftOutError("foreign_project")
        if (header.device, header.case, header.revision, header.parent, header.withdrawal) != record.said:
            raise _LeftOutError("header")
        return opened


_kept: dict[bytes, Bench] = {}


def open_chunk(setup: Setup, records: list[Sealed]) -> Chunk:
    """Open a chunk where only functions and values can be sent: one bench is kept for the chunks that follow."""
    bench = _kept.get(setup.token)
    if bench is None:
        _kept.clear()
        bench = _kept.setdefault(setup.token, Bench(setup))
    return bench.open(records)


def _payload(opened: Opened) -> Payload:
    try:
        return Payload.from_bytes(opened.payload)
    except UntrustedError:
        raise _LeftOutError("payload") from None


def _day(value: object) -> date | None:
    """The day of an answer; a calculation's is text."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


Rows = dict[str, dict[tuple[int, ...], dict[str, Any]]]
"""Level -> positions of the repeats around, outermost first -> path -> answer. In form order."""


def _rows(answers: Mapping[str, Any], xml: bytes, loaded: LoadedForm, layout: Layout) -> Rows:
    if not layout.has_repeats:
        return {TOP: {(): dict(answers)}}
    rows: Rows = {level.path: {} for level in layout.levels}
    rows[TOP][()] = {}
    root = loaded.definition.root
    for path, positions in _instances(read_values(xml, root), root, ()):
        rows[path][positions] = {}
    for ref, answer in answers.items():
        level, positions = _split(ref)
        rows[level][positions][_POSITION.sub("", ref)] = answer
    return rows


def _instances(values: Values, d: NodeDef, positions: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every instance of every repeat, blank ones too: that somebody was listed is an answer."""
    for child in d.children:
        if child.is_attribute or child.kind == "leaf":
            continue
        given = values.children.get(child.name, [])
        if child.kind == "group":
            for one in given[:1]:
                yield from _instances(one, child, positions)
            continue
        for position, one in enumerate(given, 1):
            yield child.path, (*positions, position)
            yield from _instances(one, child, (*positions, position))


def _split(ref: str) -> tuple[str, tuple[int, ...]]:
    """`/data/person[2]/age` -> `/data/person`, (2,)."""
    if not ref.count("["):
        return TOP, ()
    return _POSITION.sub("", ref[: ref.rindex("[")]), tuple(int(found) for found in _POSITION.findall(ref))


def _place(positions: tuple[int, ...]) -> tuple[str, str, int]:
    """The keys of a row of a repeat: its own, that of the row above ("" for the record), its position."""
    parts = [str(position) for position in positions]
    return ".".join(parts), ".".join(parts[:-1]), positions[-1]


def _append(table: list[list[Any]], first: tuple[Any, ...], row: dict[str, Any], level: Level) -> list[str]:
    """Put a row under a level's columns, ours (`first`) first; names the columns that could not hold their answer."""
    misfits = []
    for value, column in zip(first, table, strict=False):
        column.append(value)
    for definition, column in zip(level.columns, table[len(first) :], strict=True):
        value = row.get(definition.path)
        fits = None if value is None else _fitting(value, definition.kind)
        if value is not None and fits is None:
            misfits.append(definition.name)
        column.append(fits)
    return misfits


def _fitting(value: Any, kind: str) -> Any:
    """The answer if a column of that kind can hold it, else None."""
    if kind == "integer":
        return value if type(value) is int and -_INT64 <= value < _INT64 else None
    if kind == "decimal":
        return value if type(value) is float and math.isfinite(value) else None
    if kind == "date":
        return value if type(value) is date else None
    if kind == "boolean":
        return value if type(value) is bool else None
    if kind in {"select_multiple", "rank"}:
        return value if isinstance(value, list) else None
    return value if isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _digest(answers: Mapping[str, Any], layout: Layout) -> bytes | None:
    """16 bytes, the same for the same answers; None where fewer than LEAST_ANSWERS were given."""
    asked = layout.asked
    given = [
        (ref, answer) for ref, answer in answers.items() if (ref if "[" not in ref else _POSITION.sub("", ref)) in asked
    ]
    if len(given) < LEAST_ANSWERS:
        return None
    return hashlib.blake2b(repr(given).encode("utf-8"), digest_size=16).digest()
