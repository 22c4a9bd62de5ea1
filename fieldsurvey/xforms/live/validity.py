"""What is wrong with a node, as a value: at most one violation, the weightiest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldsurvey.xforms.contract import Violation, ViolationKind
from fieldsurvey.xforms.live.nodes import LiveNode

if TYPE_CHECKING:
    from fieldsurvey.xforms.live.texts import Texts

QUESTIONS = frozenset({"input", "select", "select1", "rank", "trigger", "range", "upload"})


def is_question(node: LiveNode) -> bool:
    """Whether somebody is asked for its value."""
    control = node.d.control
    return control is not None and control.kind in QUESTIONS


def violation_kind(node: LiveNode) -> ViolationKind | None:
    """The kind of violation that stands at a node now."""
    if not node.relevant:
        return None
    if node.raw is not None:
        return ViolationKind.CHOICE if "choice" in node.wrong else ViolationKind.TYPE
    if node.faults:
        return ViolationKind.ERROR
    control = node.d.control
    if control is None or control.kind not in QUESTIONS:
        return None
    if node.text == "":
        if node.required and not locked(node):
            return ViolationKind.REQUIRED
        return None
    if "constraint" in node.wrong:
        return ViolationKind.CONSTRAINT
    if "warning" in node.wrong:
        return ViolationKind.WARNING
    return None


def locked(node: LiveNode) -> bool:
    """Whether nobody may answer: read-only, itself or around it, or calculated."""
    if node.d.bind is not None and node.d.bind.calculate is not None:
        return True
    at: object = node
    while isinstance(at, LiveNode):
        if at.read_only:
            return True
        at = at.parent
    return False


def violation(node: LiveNode, kind: ViolationKind, texts: Texts, *, accepted: bool = False) -> Violation:
    """The violation with the form's own message, in the interview's language."""
    bind = node.d.bind
    message: str | None = None
    if kind is ViolationKind.ERROR:
        message = next(iter(node.faults.values())) if node.faults else None
    elif bind is not None:
        text = {
            ViolationKind.REQUIRED: bind.required_message,
            ViolationKind.CONSTRAINT: bind.constraint_message,
            ViolationKind.WARNING: bind.warning_message,
        }.get(kind)
        message = texts.plain(text, node) or None
    return Violation(node.ref, kind, message, accepted)
