"""Live nodes as the contract's values: questions, groups, choices, languages."""

from __future__ import annotations

from fieldsurvey.xforms.contract import Choice, Group, Question
from fieldsurvey.xforms.definition.binds import TRUE, companion
from fieldsurvey.xforms.definition.model import FormDef, NodeDef
from fieldsurvey.xforms.errors import NoSuchRefError
from fieldsurvey.xforms.live.datatypes import kind_of
from fieldsurvey.xforms.live.navigation import Page
from fieldsurvey.xforms.live.nodes import LiveNode
from fieldsurvey.xforms.live.state import State
from fieldsurvey.xforms.live.validity import is_question, locked, violation
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError

_MEDIA = {"image": "image", "audio": "audio", "video": "video"}
_SELECTS = {"select": "selectMultiple", "select1": "select", "rank": "rank", "trigger": "acknowledge", "range": "range"}


def question_type(d: NodeDef) -> str:
    """The contract's name for the type of a question."""
    control = d.control
    assert control is not None
    if control.kind in _SELECTS:
        return _SELECTS[control.kind]
    kind = kind_of(d)
    if control.kind == "upload":
        return _MEDIA.get(control.parameters.get("mediatype", "").partition("/")[0], "file")
    if kind == "string":
        bind = d.bind
        constant = bind is not None and bind.read_only is not None and bind.read_only.source in TRUE
        return "note" if constant and bind is not None and bind.calculate is None else "text"
    return kind


def question(state: State, node: LiveNode) -> Question:
    """The question at a node; raises NoSuchRefError when it is none."""
    if not is_question(node):
        raise NoSuchRefError(ref=node.ref)
    d, texts = node.d, state.texts
    control = d.control
    assert control is not None
    kind = state.bad.get(node)
    ref = node.ref
    bind = d.bind
    return Question(
        ref=ref,
        name=d.name,
        type=question_type(d),
        label=texts.plain(control.label, node),
        hint=texts.plain(control.hint, node),
        guidance=texts.plain(control.hint, node, "guidance"),
        appearance=control.appearance,
        value=node.text or None,
        raw=node.raw,
        choices=offered(state, node),
        required=node.required,
        relevant=node.relevant,
        read_only=locked(node),
        violation=violation(node, kind, texts, accepted=ref in state.reasons) if kind is not None else None,
        parameters=parameters(d),
        media=texts.media(control.label, node),
        missing_ref=missing_ref(node) if bind is not None and bind.missing else None,
        origin=control.origin or d.origin,
        ticks=ticks(state, node) if control.ticks is not None else (),
    )


def offered(state: State, node: LiveNode) -> tuple[Choice, ...]:
    """The choices, none when the list cannot be worked out (the violation says why)."""
    try:
        return state.choices.offered(node)
    except (EvaluationError, XPathNameError):
        return ()


def ticks(state: State, node: LiveNode) -> tuple[Choice, ...]:
    """The labels along a range's scale, none when their list cannot be worked out."""
    try:
        return state.choices.ticks(node)
    except (EvaluationError, XPathNameError):
        return ()


def parameters(d: NodeDef) -> dict[str, str]:
    """Parameters of the control and of the bind: start, end, step, rows, quality, max-pixels."""
    control = d.control
    found = dict(control.parameters) if control is not None else {}
    if d.bind is not None:
        found.update({name.rpartition(":")[2]: value for name, value in d.bind.extra.items() if name != "rank"})
    if control is not None and control.search:
        found["search"] = ", ".join(part.source for part in control.search)
    return found


def missing_ref(node: LiveNode) -> str | None:
    """The companion of fs:missing: a question beside this one, by name."""
    assert node.d.bind is not None
    name = companion(node.d.bind.missing)
    parent = node.parent
    if parent is None:
        return None
    return next((child.ref for child in parent.children if isinstance(child, LiveNode) and child.name == name), None)


def group(state: State, page: Page, refs: tuple[str, ...], ref: str | None = None) -> Group:
    """A section; `ref` is that of its node, or of what it is around when it has none."""
    control = page.control
    assert control is not None
    at = page.frame.first()
    if control.ref is not None and control.kind == "group":
        at = page.frame.node(control.ref) if control.ref.frame is page.frame.d else at
    label = state.texts.plain(control.label, at)
    return Group(ref or at.ref, label, control.field_list, refs, control.appearance)


def in_range(d: NodeDef, text: str) -> bool:
    """Whether a number lies within the range of a range question, and on one of its steps."""
    control = d.control
    if control is None or control.kind != "range":
        return True
    try:
        number = float(text)
        start, end, step = (float(control.parameters[name]) for name in ("start", "end", "step"))
    except (KeyError, ValueError):
        return True
    low, high = min(start, end), max(start, end)
    if not low <= number <= high:
        return False
    if step == 0:
        return True
    steps = (number - start) / step
    return abs(steps - round(steps)) < 1e-6


def language(form: FormDef, wanted: str) -> str | None:
    """The form's language that `wanted` means: its whole name, or the code in `Español (es)`."""
    if wanted in form.languages:
        return wanted
    for name in form.languages:
        code = name.rpartition("(")[2].rstrip(")").strip().lower() if "(" in name else name.lower()
        if code == wanted.lower():
            return name
    return None


def meta(state: State) -> dict[str, str]:
    """The OpenRosa meta block: instanceID, instanceName, deprecatedID."""
    root = state.root.first()
    for child in root.children:
        if child.name == "meta":
            return {inner.name: inner.text for inner in child.children}
    return {}
