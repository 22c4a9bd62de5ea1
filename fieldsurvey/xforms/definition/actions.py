"""Actions: setvalue, odk:setgeopoint, odk:recordaudio, and the events that run them."""

from __future__ import annotations

import re

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.definition.context import Parsing
from fieldsurvey.xforms.definition.model import Action, NodeDef
from fieldsurvey.xforms.definition.xml import Element

_PREDICATE = re.compile(r"\[[^\[\]]*\]")
ACTIONS = frozenset({"setvalue", "setgeopoint", "recordaudio"})
EVENTS = {
    "odk-instance-first-load": "odk-instance-first-load",
    "odk-instance-load": "odk-instance-load",
    "odk-new-repeat": "odk-new-repeat",
    "xforms-value-changed": "xforms-value-changed",
    "xforms-ready": "odk-instance-first-load",
    "jr-insert": "odk-new-repeat",
    "xforms-revalidate": "xforms-revalidate",
}
"""Events of the ODK XForms specification and their older names."""


def parse_actions(element: Element, parsing: Parsing, context: NodeDef, *, model: bool = False) -> list[Action]:
    """The actions that stand directly in `element` (the model, a control, a repeat)."""
    made: list[Action] = []
    for child in element.elements:
        if child.local not in ACTIONS:
            continue
        action = _action(child, parsing, context, model=model)
        if action is not None:
            made.append(action)
    return made


def _action(element: Element, parsing: Parsing, context: NodeDef, *, model: bool) -> Action | None:
    line = element.line
    names = (element.get("ev:event") or element.get("event")).split()
    unknown = [name for name in names if name not in EVENTS]
    if unknown or not names:
        parsing.problem(
            "action.event",
            _("An action waits for an event that does not exist: {names}.").format(names=", ".join(unknown) or "-"),
            _("Use one of: {names}.").format(names=", ".join(sorted(EVENTS))),
            parsing.origin_of(context.path, "", line),
        )
        return None
    if model and "odk-new-repeat" in names:
        parsing.problem(
            "action.place",
            _("An action that waits for a new repeat instance must stand in that repeat."),
            origin=parsing.origin_of(context.path, "", line),
        )
        return None
    if element.get("bind"):
        target = parsing.by_bind_id.get(element.get("bind"))
    else:
        target = parsing.node(_PREDICATE.sub("", element.get("ref")), context, element.local, line)
    if target is None:
        return None
    source = element.get("value")
    events = tuple(dict.fromkeys(EVENTS[name] for name in names))
    action = Action(element.local, target, events, origin=parsing.origin_of(target.path, "default", line))
    if source.strip():
        action.value = parsing.expression(source, target, "default" if model else "calculation", line)
    else:
        action.text = element.content()
    if element.local == "recordaudio":
        action.quality = element.get("odk:quality") or element.get("quality")
        parsing.warning(
            "action.recordaudio",
            _("The form asks to record sound in the background: it stays blank unless whoever runs the form records."),
            _("Remove the background recording, or collect it with another program."),
            action.origin,
        )
    if not model:
        action.source = context
    if "[" in element.get("ref"):
        action.where = parsing.expression(element.get("ref"), context, "trigger", line)
    return action
