"""Drafts: everything needed to go on, as JSON-ready data, and the changes since.

`values` keeps what differs from a blank form, by ref, after the repeats were given their instances. Calculated values
are kept, not worked out again: what ran once stays as it was.
"""

from __future__ import annotations

from typing import Any

from fieldsurvey.xforms.errors import NoSuchRefError
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range, add_instance, drop_instance
from fieldsurvey.xforms.live.refs import Refs
from fieldsurvey.xforms.live.state import KEPT, State, renumber

FORMAT = 1


def snapshot(state: State) -> dict[str, Any]:
    """Instances, values, raw text, errors, notes and reasons."""
    repeats: list[list[Any]] = []
    values: dict[str, str | list[str]] = {}
    raw: dict[str, list[str]] = {}
    errors: list[list[Any]] = []
    _collect(state.root, repeats, values, raw, errors)
    return {
        "format": FORMAT,
        "repeats": repeats,
        "values": values,
        "raw": raw,
        "errors": errors,
        "notes": dict(state.notes),
        "reasons": dict(state.reasons),
        "language": state.language,
        "seed": state.world.seed,
        "draws": state.world.draws,
    }


def _collect(
    frame: LiveFrame,
    repeats: list[list[Any]],
    values: dict[str, str | list[str]],
    raw: dict[str, list[str]],
    errors: list[list[Any]],
) -> None:
    for slot in frame.slots:
        if type(slot) is Range:
            repeats.append([slot.ref, len(slot.instances)])
            for inner in slot.instances:
                _collect(inner, repeats, values, raw, errors)
        elif type(slot) is LiveNode:
            if slot.kept != slot.d.default:
                values[slot.ref] = slot.kept
            if slot.raw is not None:
                raw[slot.ref] = [slot.raw, "choice" if "choice" in slot.wrong else "type"]
            for kind, message in (slot.faults or {}).items():
                if kind in KEPT:
                    errors.append([slot.ref, kind, message])


def restore(state: State, data: dict[str, Any], changes: list[list[Any]], unmapped: list[str]) -> None:
    """Put a snapshot and the changes since back. Refs that the form no longer has are added to `unmapped`."""
    refs = Refs(state)
    for ref, count in data["repeats"]:
        try:
            owner = refs.range(ref)
        except NoSuchRefError:
            unmapped.append(ref)
            continue
        while len(owner.instances) < count:
            add_instance(owner)
    for ref, text in data["values"].items():
        _on(refs, ref, unmapped, lambda node, text=text: node.put_back(text))
    for ref, (raw, reason) in data["raw"].items():
        _on(refs, ref, unmapped, lambda node, raw=raw, reason=reason: _set_raw(node, raw, reason))
    for ref, kind, message in data["errors"]:
        _on(refs, ref, unmapped, lambda node, kind=kind, message=message: node.fault(kind, message))
    state.notes.update(data["notes"])
    state.reasons.update(data["reasons"])
    for change in changes:
        _replay(state, refs, change, unmapped)
    state.restore()


def _on(refs: Refs, ref: str, unmapped: list[str], do: Any) -> None:
    try:
        node = refs.node(ref)
    except NoSuchRefError:
        unmapped.append(ref)
        return
    do(node)


def _set_raw(node: LiveNode, raw: str | None, reason: str) -> None:
    node.raw = raw
    node.wrong = frozenset({reason}) if raw is not None else frozenset()


def _replay(state: State, refs: Refs, change: list[Any], unmapped: list[str]) -> None:
    """One entry of the journal; places and languages are the interview's business."""
    kind, *rest = change
    if kind == "v":
        _on(refs, rest[0], unmapped, lambda node: node.put_back(rest[1]))
    elif kind == "r":
        _on(refs, rest[0], unmapped, lambda node: _set_raw(node, rest[1], rest[2]))
    elif kind == "e":
        _on(refs, rest[0], unmapped, lambda node: node.fault(rest[1], rest[2]))
    elif kind == "+":
        add_instance(refs.range(rest[0]))
        refs.forget()
    elif kind == "-":
        owner = refs.range(rest[0])
        count = len(owner.instances)
        drop_instance(owner, rest[1])
        refs.forget()
        for table in (state.notes, state.reasons):
            renumber(table, rest[0], rest[1], count)
    elif kind == "n":
        state.notes[rest[0]] = rest[1]
        if not rest[1]:
            del state.notes[rest[0]]
    elif kind == "w":
        state.reasons[rest[0]] = rest[1]
    elif kind == "d":
        state.world.draws = rest[0]
