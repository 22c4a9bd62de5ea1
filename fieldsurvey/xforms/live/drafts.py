"""Drafts: everything needed to go on, as JSON-ready data, and the changes since.

`values` keeps what is not blank or differs from a blank form, by ref, after the repeats were given their instances.
Calculated values are kept, not worked out again: what ran once stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fieldsurvey.xforms.errors import NoSuchRefError
from fieldsurvey.xforms.live.nodes import (
    LiveFrame,
    LiveNode,
    Range,
    add_instance,
    bring_back,
    drop_instance,
    put_aside,
)
from fieldsurvey.xforms.live.refs import Refs
from fieldsurvey.xforms.live.state import KEPT, State, renumber

FORMAT = 1


def snapshot(state: State) -> dict[str, Any]:
    """Instances (also those beyond a count, put aside), values, raw text, errors, notes and reasons."""
    kept = _Kept()
    _collect(state.root, kept)
    return {
        "format": FORMAT,
        "repeats": kept.repeats,
        "aside": kept.aside,
        "values": kept.values,
        "raw": kept.raw,
        "errors": kept.errors,
        "notes": dict(state.notes),
        "reasons": dict(state.reasons),
        "language": state.language,
        "seed": state.world.seed,
        "draws": state.world.draws,
    }


@dataclass(slots=True)
class _Kept:
    repeats: list[list[Any]] = field(default_factory=list)
    aside: list[list[Any]] = field(default_factory=list)
    values: dict[str, str | list[str]] = field(default_factory=dict)
    raw: dict[str, list[str]] = field(default_factory=dict)
    errors: list[list[Any]] = field(default_factory=list)


def _collect(frame: LiveFrame, kept: _Kept) -> None:
    for slot in frame.slots:
        if type(slot) is Range:
            kept.repeats.append([slot.ref, len(slot.instances) + len(slot.aside)])
            for inner in (*slot.instances, *slot.aside[::-1]):
                _collect(inner, kept)
            if slot.aside:  # after those inside: outer instances must still be there when these go
                kept.aside.append([slot.ref, len(slot.aside), sum(not inner.born for inner in slot.aside)])
        elif type(slot) is LiveNode:
            if slot.kept != slot.d.default or (slot.text and not slot.d.is_attribute):  # defaults may change
                kept.values[slot.ref] = slot.kept
            if slot.raw is not None:
                kept.raw[slot.ref] = [slot.raw, "choice" if "choice" in slot.wrong else "type"]
            for kind, message in (slot.faults or {}).items():
                if kind in KEPT:
                    kept.errors.append([slot.ref, kind, message])


def restore(
    state: State, data: dict[str, Any], changes: list[list[Any]], dropped: dict[str, str], *, anew: bool = False
) -> None:
    """Put a snapshot and the changes since back. Answers for which the form has no place are added to `dropped`.

    `anew`: they are of another version of the form, so everything that follows from them is worked out by this one.
    """
    refs = Refs(state)
    for ref, count in data["repeats"]:
        try:
            owner = refs.range(ref)
        except NoSuchRefError:
            continue  # the answers in it say that they are dropped
        while len(owner.instances) < count:
            add_instance(owner)
    for ref, kept in data["values"].items():
        _put_back(refs, ref, kept, dropped)
    for ref, (raw, reason) in data["raw"].items():
        _set_raw(refs, ref, raw, reason, dropped)
    for ref, kind, message in data["errors"]:
        _fault(refs, ref, kind, message)
    for ref, count, unborn in data.get("aside", ()) if not anew else ():  # another version counts for itself
        _put_aside(refs, ref, count, unborn)
    state.notes.update(data["notes"])
    state.reasons.update(data["reasons"])
    for change in changes:
        _replay(state, refs, change, dropped)
    if anew:
        state.reread()
    else:
        state.restore()


def _put_aside(refs: Refs, ref: str, count: int, unborn: int) -> None:
    """The last instances of a repeat are beyond its count, the very last may never have been within it."""
    owner = refs.range(ref)
    for _instance in range(count):
        put_aside(owner)
    for frame in owner.aside[:unborn]:
        frame.born = False
    refs.forget()


def counted(owner: Range) -> bool:
    """Whether the form decides how many instances there are."""
    return owner.d.control is not None and owner.d.control.count is not None


def _leaf(refs: Refs, ref: str) -> LiveNode | None:
    """The node at `ref`, None when this form has none that holds a value."""
    try:
        node = refs.node(ref)
    except NoSuchRefError:
        return None
    return None if node.children else node


def _put_back(refs: Refs, ref: str, kept: str | list[str], dropped: dict[str, str]) -> None:
    node = _leaf(refs, ref)
    text = kept if isinstance(kept, str) else kept[0]
    if node is not None:
        node.put_back(kept)
    elif text:
        dropped[ref] = text
    else:
        dropped.pop(ref, None)


def _set_raw(refs: Refs, ref: str, raw: str | None, reason: str, dropped: dict[str, str]) -> None:
    node = _leaf(refs, ref)
    if node is not None:
        node.raw = raw
        node.wrong = frozenset({reason}) if raw is not None else frozenset()
    elif raw is not None:
        dropped[ref] = raw
    else:
        dropped.pop(ref, None)


def _fault(refs: Refs, ref: str, kind: int, message: str | None) -> None:
    node = _leaf(refs, ref)
    if node is not None:
        node.fault(kind, message)


def _replay(state: State, refs: Refs, change: list[Any], dropped: dict[str, str]) -> None:
    """One entry of the journal; places and languages are the interview's business."""
    kind, *rest = change
    if kind == "v":
        _put_back(refs, rest[0], rest[1], dropped)
    elif kind == "r":
        _set_raw(refs, rest[0], rest[1], rest[2], dropped)
    elif kind == "e":
        _fault(refs, rest[0], rest[1], rest[2])
    elif kind in {"+", "-"}:
        _resize(state, refs, kind, *rest)
    elif kind == "n":
        state.notes[rest[0]] = rest[1]
        if not rest[1]:
            del state.notes[rest[0]]
    elif kind == "w":
        state.reasons[rest[0]] = rest[1]
    elif kind == "d":
        state.world.draws = rest[0]


def _resize(state: State, refs: Refs, kind: str, ref: str, position: int = 0) -> None:
    """An instance more or less, where the form still has that repeat."""
    try:
        owner = refs.range(ref)
    except NoSuchRefError:
        return
    if kind == "+":
        if owner.aside:
            bring_back(owner).born = True
        else:
            add_instance(owner)
        refs.forget()
        return
    count = len(owner.instances)
    if not 1 <= position <= count:
        return  # another version of the form counts them itself
    refs.forget()
    if counted(owner):
        put_aside(owner)
        return
    drop_instance(owner, position)
    for table in (state.notes, state.reasons):
        renumber(table, ref, position, count)
