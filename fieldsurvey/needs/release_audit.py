"""The reader of a whole release: everything that is published of needs, priorities and barriers, taken together.

Shares no code with the protector. From the numbers that are shown it asks, for every suppressed count, what interval
is left when all links are used: totals of places and groups, who said so and who did not, a problem within its
sector, a priority among the serious problems, people and households within the interviews.

How many were asked has its own audit: that somebody did not answer is a difference and is not kept secret, but no
denominator that is suppressed may follow from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fieldsurvey.needs.counts import GROUPS
from fieldsurvey.needs.protect.audit import Published, audit_cells
from fieldsurvey.needs.tables import Interviews, Shown, Thresholds

_Key = tuple[str, ...]


@dataclass
class _Board:
    """What a reader writes down: one line a number, known or not, and how the numbers add up."""

    published: Published = field(default_factory=lambda: Published([]))
    index: dict[_Key, int] = field(default_factory=dict)
    owner: dict[int, str] = field(default_factory=dict)

    def note(self, key: _Key, count: int | None, *, secret: str = "") -> int:
        """A number. `secret`: the indicator that it belongs to, when it was promised not to be told."""
        if key in self.index:
            return self.index[key]
        cell = len(self.published.counts)
        self.index[key] = cell
        self.published.counts.append(count)
        if secret:
            self.owner[cell] = secret
        elif count is None:
            self.published.unprotected.add(cell)
        return cell

    def adds(self, total: int, parts: Iterable[int]) -> None:
        """`total` is the sum of `parts`."""
        self.published.sums.append((total, list(parts)))

    def at_most(self, small: int, large: int) -> None:
        """`small` is part of `large`."""
        rest = self.note(("rest", str(small), str(large)), None)
        self.adds(large, (small, rest))

    def judge(self, k: int) -> set[str]:
        """The indicators of which something can be worked out; "?" for what belongs to none (numbers that clash)."""
        result = audit_cells(self.published, k, exact=False)
        return {self.owner.get(finding.cell, "?") for finding in result.findings}


def audit_release(
    base: Mapping[str, Interviews],
    needs: Mapping[str, Sequence[Shown]],
    priorities: Mapping[str, Sequence[Shown]],
    barriers: Sequence[Shown],
    limits: Thresholds,
) -> set[str]:
    """The blocks (sectors, priorities, barriers) to collapse, by the id of their indicator; none when it passes."""
    refused: set[str] = set()
    for table in [*(s for tables in needs.values() for s in tables), *barriers]:
        board = _Board()
        _layer(board, table, "asked", table.indicator.id)
        refused |= {_block_of(table) for _ in board.judge(limits.k_cell)}
    sectors = {s.indicator.sector for tables in needs.values() for s in tables}
    for sector in sorted(sectors):
        board = _Board()
        for unit, tables in needs.items():
            mine = [s for s in tables if s.indicator.sector == sector]
            _interviews(board, base[unit], unit)
            _sector(board, mine, base[unit], unit)
            tops = {s.indicator.id.removeprefix("top3_"): s for s in priorities.get(unit, ())}
            for table in mine:
                top = tops.get(table.indicator.id.removeprefix("need_"))
                if top is not None:
                    _answers(board, top)
                    _within(board, top, table)
        _together(board, needs, base, sector)
        blocks = {s.indicator.id: _block_of(s) for tables in needs.values() for s in tables}
        refused |= {blocks.get(name, name) for name in board.judge(limits.k_cell)}
    board = _Board()
    for table in barriers:
        _answers(board, table)
    none = next((s for s in barriers if s.indicator.id == "barrier_none"), None)
    if none is not None:
        for table in barriers:
            if table is not none:
                _within(board, table, none, of="not")
    return refused | board.judge(limits.k_cell)


def _block_of(table: Shown) -> str:
    """The name under which a table is collapsed: its sector's for a problem, else its own."""
    name = table.indicator.id
    if not name.startswith("need_"):
        return name
    tail = "_household" if name.endswith("_household") else ""
    return f"sector_{table.indicator.sector}{tail}"


def _interviews(board: _Board, base: Interviews, unit: str) -> None:
    """Interviews: the same number for both units where the places are the same (province, cantons)."""
    for p, place in enumerate(base.places.nodes):
        for g, group in enumerate(GROUPS):
            known = int(base.values[p, g]) if base.shown[p, g] else None
            board.note(_place_key("interviews", base, place, unit, group), known)
    _add_up(board, base, lambda place, group: _place_key("interviews", base, place, unit, group))


def _place_key(what: str, base: Interviews | Shown, place: str, unit: str, group: str) -> _Key:
    shared = base.places.level(place) in {"province", "canton"}
    return (what, "" if shared else unit, place, group)


def _add_up(board: _Board, table: Interviews | Shown, key: Callable[[str, str], _Key]) -> None:
    for total, parts in table.places.families:
        for group in GROUPS:
            board.adds(board.index[key(total, group)], [board.index[key(part, group)] for part in parts])
    for place in table.places.nodes:
        board.adds(board.index[key(place, "")], [board.index[key(place, group)] for group in GROUPS[1:]])


def _layer(board: _Board, table: Shown, what: str, secret: str) -> None:
    """One of asked, said, not: its numbers as far as they are shown, and its totals."""
    for p, place in enumerate(table.places.nodes):
        for g, group in enumerate(GROUPS):
            asked = int(table.asked[p, g]) if table.asked_shown[p, g] else None
            said = int(table.said[p, g]) if table.said_shown[p, g] and asked is not None else None
            left = asked - said if asked is not None and said is not None else None
            count = {"asked": asked, "said": said, "not": left}[what]
            board.note((what, table.indicator.id, place, group), count, secret="" if table.unseen[p, g] else secret)
    _add_up(board, table, lambda place, group: (what, table.indicator.id, place, group))


def _answers(board: _Board, table: Shown) -> None:
    name = table.indicator.id
    _layer(board, table, "asked", "")
    _layer(board, table, "said", name)
    _layer(board, table, "not", name)
    for place in table.places.nodes:
        for group in GROUPS:
            asked, said, left = (board.index[what, name, place, group] for what in ("asked", "said", "not"))
            board.adds(asked, (said, left))


def _sector(board: _Board, tables: Sequence[Shown], base: Interviews, unit: str) -> None:
    """A sector, its problems, and the interviews around them."""
    for table in tables:
        _answers(board, table)
        for place in table.places.nodes:
            for group in GROUPS:
                around = board.index[_place_key("interviews", base, place, unit, group)]
                board.at_most(board.index["asked", table.indicator.id, place, group], around)
    whole = next((s for s in tables if s.indicator.id.startswith("sector_")), None)
    parts = [s for s in tables if s is not whole]
    if whole is None or not parts:
        return
    for what in ("asked", "said"):
        for place in whole.places.nodes:
            for group in GROUPS:
                cells = [board.index[what, s.indicator.id, place, group] for s in parts]
                total = board.index[what, whole.indicator.id, place, group]
                for cell in cells:
                    board.at_most(cell, total)
                together = board.note(("together", what, whole.indicator.id, place, group), None)
                board.adds(together, cells)
                board.at_most(total, together)


def _within(board: _Board, small: Shown, large: Shown, of: str = "said") -> None:
    for place in small.places.nodes:
        for group in GROUPS:
            bound = board.index.get((of, large.indicator.id, place, group))
            if bound is not None:
                board.at_most(board.index["said", small.indicator.id, place, group], bound)


def _together(board: _Board, needs: Mapping[str, Sequence[Shown]], base: Mapping[str, Interviews], sector: str) -> None:
    """People and households asked are different interviews."""
    wholes = {
        unit: next((s for s in tables if s.indicator.id.startswith("sector_") and s.indicator.sector == sector), None)
        for unit, tables in needs.items()
    }
    person, household = wholes.get("person"), wholes.get("household")
    if person is None or household is None:
        return
    for place in person.places.nodes:
        if place not in household.places.nodes or person.places.level(place) not in {"province", "canton"}:
            continue
        for group in GROUPS:
            both = board.note(("both", sector, place, group), None)
            board.adds(
                both,
                (
                    board.index["asked", person.indicator.id, place, group],
                    board.index["asked", household.indicator.id, place, group],
                ),
            )
            board.at_most(both, board.index[_place_key("interviews", base["person"], place, "person", group)])
