"""References as text: `/data/person[2]/age` to the live node or range it names."""

from __future__ import annotations

import re

from fieldsurvey.xforms.errors import NoSuchRefError
from fieldsurvey.xforms.live.nodes import LiveNode, Range
from fieldsurvey.xforms.live.state import State

_STEP = re.compile(r"(@?)(?:[\w.-]+:)?([\w.-]+?)(?:\[(\d+)\])?$")


class Refs:
    """Finds nodes by ref. Refs without repeats are found at once."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.known: dict[str, LiveNode] = {}

    def forget(self) -> None:
        """Positions have changed."""
        self.known.clear()

    def node(self, ref: str) -> LiveNode:
        """The node at `ref`; raises NoSuchRefError, also for a repeat without a position."""
        found = self.known.get(ref)
        if found is None:
            resolved = self.find(ref)
            if not isinstance(resolved, LiveNode):
                raise NoSuchRefError(ref=ref)
            found = self.known[ref] = resolved
        return found

    def range(self, ref: str) -> Range:
        """The repeat at `ref`, which has no position on its last step; raises NoSuchRefError."""
        found = self.find(ref)
        if isinstance(found, LiveNode) and found.d.kind == "repeat" and found.frame.range is not None:
            return found.frame.range
        if not isinstance(found, Range):
            raise NoSuchRefError(ref=ref)
        return found

    def find(self, ref: str) -> LiveNode | Range:
        """The node or the repeat at `ref`."""
        steps = ref.split("/")
        root = self.state.root.first()
        if len(steps) < 2 or steps[0] or _name(steps[1], ref)[1] != root.d.name:
            raise NoSuchRefError(ref=ref)
        current: LiveNode | Range = root
        for step in steps[2:]:
            if isinstance(current, Range):
                raise NoSuchRefError(ref=ref)
            current = self._step(current, step, ref)
        return current

    def _step(self, node: LiveNode, step: str, ref: str) -> LiveNode | Range:
        attribute, name, position = _name(step, ref)
        d = (
            node.d.child(name)
            if not attribute
            else next((c for c in node.d.children if c.is_attribute and c.name == name), None)
        )
        if d is None:
            raise NoSuchRefError(ref=ref)
        slot = node.frame.slots[d.outer_slot]
        if not isinstance(slot, Range):
            if position not in {None, 1}:
                raise NoSuchRefError(ref=ref)
            return slot
        if position is None:
            return slot
        if not 1 <= position <= len(slot.instances):
            raise NoSuchRefError(ref=ref)
        return slot.instances[position - 1].first()


def _name(step: str, ref: str) -> tuple[bool, str, int | None]:
    match = _STEP.fullmatch(step)
    if match is None:
        raise NoSuchRefError(ref=ref)
    return bool(match[1]), match[2], int(match[3]) if match[3] else None
