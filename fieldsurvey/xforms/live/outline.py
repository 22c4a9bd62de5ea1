"""The live tree as lines: for jump list, review and progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldsurvey.xforms.contract import OutlineItem
from fieldsurvey.xforms.live.navigation import locate, owner_of
from fieldsurvey.xforms.live.validity import violation

if TYPE_CHECKING:
    from fieldsurvey.xforms.definition.model import Control, NodeDef
    from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range
    from fieldsurvey.xforms.live.state import State


def outline(state: State) -> list[OutlineItem]:
    """Questions, groups, repeats and their instances, in form order; only what is relevant."""
    walk = _Walk(state)
    walk.controls(state.program.form.controls, state.root, 0)
    return walk.items


class _Walk:
    def __init__(self, state: State) -> None:
        self.state = state
        self.items: list[OutlineItem] = []
        self.number = 0

    def controls(self, controls: list[Control], frame: LiveFrame, depth: int) -> None:
        for control in controls:
            if control.kind == "repeat":
                self.repeat(control, frame, depth)
            elif control.kind == "group":
                self.group(control, frame, depth)
            else:
                self.question(control, frame, depth)

    def group(self, control: Control, frame: LiveFrame, depth: int) -> None:
        d = control.ref or _enclosing(control) or self.state.program.form.root
        node = locate(d, frame)
        if node is None or not node.relevant:
            return
        label = self.state.texts.plain(control.label, node)
        self.items.append(OutlineItem(node.ref, "group", label, depth, None, False, None, False))
        self.controls(control.children, frame, depth + 1)

    def repeat(self, control: Control, frame: LiveFrame, depth: int) -> None:
        assert control.ref is not None
        owner: Range | None = owner_of(control.ref, frame)
        if owner is None or not owner.frame.first().relevant:
            return
        label = self.state.texts.plain(control.label, owner.frame.first())
        self.items.append(OutlineItem(owner.ref, "repeat", label, depth, None, bool(owner.instances), None, False))
        for instance in owner.instances:
            node = instance.first()
            if node.relevant:
                named = f"{label} {instance.position}".strip()
                self.items.append(OutlineItem(node.ref, "instance", named, depth + 1, None, False, None, False))
                self.controls(control.children, instance, depth + 2)

    def question(self, control: Control, frame: LiveFrame, depth: int) -> None:
        assert control.ref is not None
        node: LiveNode | None = locate(control.ref, frame)
        if node is None or not node.relevant:
            return
        self.number += 1
        state = self.state
        kind = state.bad.get(node)
        ref = node.ref
        found = violation(node, kind, state.texts, accepted=ref in state.reasons) if kind is not None else None
        label = state.texts.plain(control.label, node)
        answered = bool(node.text or node.raw)
        self.items.append(OutlineItem(ref, "question", label, depth, self.number, answered, found, ref in state.notes))


def _enclosing(control: Control) -> NodeDef | None:
    """The node of the nearest control around a presentation group."""
    around = control.parent
    while around is not None and around.ref is None:
        around = around.parent
    return around.ref if around is not None else None
