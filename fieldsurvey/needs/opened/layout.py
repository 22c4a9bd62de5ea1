"""How a form's answers lie in tables: one level for the record, one for each repeat; one column for each question.

A column has its question's name. Where a name occurs twice in a level, or is one of ours, the columns have the
question's path instead. Notes and the OpenRosa meta block hold no answers and have no column. Values are not read here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.live.datatypes import kind_of
from fieldsurvey.xforms.live.describe import question_type
from fieldsurvey.xforms.live.validity import QUESTIONS

Kind = Literal["integer", "decimal", "date", "boolean", "text", "select_one", "select_multiple", "rank", "acknowledge"]
TOP: Final = ""
"""The level of the record itself."""
KEYS: Final = ("_record",)
TOP_META: Final = (
    ("_case", "text"),
    ("_revision", "integer"),
    ("_device", "text"),
    ("_person", "text"),
    ("_form_version", "text"),
    ("_started", "text"),
    ("_finished", "text"),
    ("_language", "text"),
    ("_mode", "text"),
    ("_conflict", "boolean"),
    ("_proposal", "boolean"),
    ("_duplicate", "boolean"),
)
REPEAT_META: Final = (("_row", "text"), ("_parent", "text"), ("_position", "integer"))
FIELDWORK_DATE: Final = "fieldwork_date"
_CONTROLS: Final[dict[str, Kind]] = {
    "select1": "select_one",
    "select": "select_multiple",
    "rank": "rank",
    "trigger": "acknowledge",
}
_TYPES: Final[dict[str, Kind]] = {"integer": "integer", "decimal": "decimal", "date": "date", "boolean": "boolean"}
_NEVER_TWICE: Final = frozenset({"entry_date", "mode"})  # what differs when the same paper is typed in twice


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a level. `path` has no positions; `calculated`: nobody is asked for it."""

    name: str
    path: str
    kind: Kind
    calculated: bool


@dataclass(frozen=True, slots=True)
class Level:
    """The record ("") or a repeat: `name` as tables are called, `path` without positions, `depth` of repeats."""

    name: str
    path: str
    depth: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """All levels of one version of a form, the record first, then repeats in form order."""

    levels: tuple[Level, ...]
    fieldwork_date: str | None
    """The path of the question that says when the fieldwork was."""
    asked: frozenset[str]
    """The paths of questions whose answers tell whether two records are the same."""

    @property
    def has_repeats(self) -> bool:
        """Whether there is more than the record's own level."""
        return len(self.levels) > 1


def layout_of(nodes: Iterable[NodeDef]) -> Layout:
    """The layout of a form from its static tree."""
    repeats: dict[str, int] = {TOP: 0}
    found: dict[str, list[NodeDef]] = {TOP: []}
    for node in nodes:
        level, depth = _level(node)
        if node.kind == "repeat":
            repeats[node.path] = depth + 1
            found[node.path] = []
        elif _holds_answers(node):
            found[level].append(node)
    names = Counter(path.rpartition("/")[2] for path in repeats)
    levels = []
    for path, leaves in found.items():
        last = path.rpartition("/")[2]
        levels.append(Level(last if names[last] == 1 else path, path, repeats[path], _columns(leaves, path)))
    top = found[TOP]
    day = next((leaf.path for leaf in top if leaf.name == FIELDWORK_DATE), None)
    asked = (leaf for leaves in found.values() for leaf in leaves if _is_asked(leaf) and leaf.name not in _NEVER_TWICE)
    return Layout(tuple(levels), day, frozenset(leaf.path for leaf in asked))


def meta_of(level: str) -> tuple[tuple[str, str], ...]:
    """(name, kind) of the columns that every table of a level begins with."""
    return (*((name, "text") for name in KEYS), *(REPEAT_META if level else TOP_META))


def _columns(leaves: list[NodeDef], level: str) -> tuple[Column, ...]:
    names = Counter(leaf.name for leaf in leaves) + Counter(name for name, _kind in meta_of(level))
    return tuple(
        Column(
            leaf.name if names[leaf.name] == 1 else leaf.path,
            leaf.path,
            _kind(leaf),
            calculated=not _is_asked(leaf),
        )
        for leaf in leaves
    )


def _level(node: NodeDef) -> tuple[str, int]:
    """The path of the innermost repeat around a node ("" for none), and how many there are."""
    path, depth = TOP, 0
    outer = node.parent
    while outer is not None:
        if outer.kind == "repeat":
            path = path or outer.path
            depth += 1
        outer = outer.parent
    return path, depth


def _holds_answers(node: NodeDef) -> bool:
    if node.kind != "leaf" or node.is_attribute or node.parent is None:
        return False
    if node.parent.name == "meta" and node.parent.parent is not None and node.parent.parent.parent is None:
        return False
    if node.control is None:
        return True
    return node.control.kind in QUESTIONS and question_type(node) != "note"


def _is_asked(node: NodeDef) -> bool:
    return node.control is not None and (node.bind is None or node.bind.calculate is None)


def _kind(node: NodeDef) -> Kind:
    control = node.control.kind if node.control is not None else ""
    return _CONTROLS.get(control) or _TYPES.get(kind_of(node), "text")
