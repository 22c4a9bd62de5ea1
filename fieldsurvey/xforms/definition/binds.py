"""Binds: what the model says about nodes."""

from __future__ import annotations

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.definition.context import Parsing
from fieldsurvey.xforms.definition.model import Bind, Expression, NodeDef
from fieldsurvey.xforms.definition.texts import message_text
from fieldsurvey.xforms.definition.xml import Element

TRUE = {"true()", "true"}
FALSE = {"false()", "false", ""}

TYPES = {
    "": "string",
    "text": "string",
    "int": "integer",
    "long": "integer",
    "integer": "integer",
    "double": "decimal",
    "float": "decimal",
    "number": "decimal",
    "decimal": "decimal",
    "datetime": "dateTime",
    "dateTime": "dateTime",
    "select1": "string",
    "select": "string",
    "rank": "string",
    "binary": "binary",
}
"""Names of data types as found in forms -> ours. Any other name of XForms stands for itself."""

_KNOWN = {"nodeset", "id", "type", "relevant", "required", "readonly", "constraint", "calculate"}


def data_type(name: str) -> str:
    """`xsd:int`, `int` -> `integer`; unknown names are text."""
    local = name.rpartition(":")[2]
    found = TYPES.get(local, local)
    return found if found in _TYPED else "string"


_TYPED = frozenset(
    {"string", "integer", "decimal", "boolean", "date", "time", "dateTime", "geopoint", "geotrace", "geoshape"}
    | {"binary", "barcode", "intent"}
)


def parse_binds(model: Element, root: NodeDef, parsing: Parsing) -> None:
    """Attach every bind to its node; binds in binds carry their parent's nodeset as context."""
    for element in model.all("bind"):
        _bind(element, root, root, parsing)
    _companions(root, parsing)


def _companions(root: NodeDef, parsing: Parsing) -> None:
    """What fs:missing names must be a question beside the one that it stands for."""
    pending = [root]
    while pending:
        node = pending.pop()
        pending.extend(node.children)
        if node.bind is None or not node.bind.missing:
            continue
        name = companion(node.bind.missing)
        if node.parent is None or node.parent.child(name) is None:
            parsing.problem(
                "missing.nothing",
                _("fs:missing names {name}, which is not a question beside {node}.").format(name=name, node=node.name),
                _("Name a select in the same group, which lists the reasons for having no answer."),
                parsing.origin_of(node.path, "bind::fs:missing", 0),
            )


def companion(text: str) -> str:
    """`age_missing`, `${age_missing}` or a path to it -> `age_missing`."""
    return text.strip().removeprefix("${").removesuffix("}").strip().rpartition("/")[2]


def _bind(element: Element, context: NodeDef, root: NodeDef, parsing: Parsing) -> None:
    reference = element.get("nodeset") or element.get("ref")
    if not reference.strip():
        parsing.problem(
            "bind.nodeset",
            _("A bind says nothing about which node it is for."),
            _("Give it a nodeset."),
            parsing.origin_of("", "", element.line),
        )
        return
    path = parsing.path(reference, None if reference.strip().startswith("/") else context)
    node = parsing.by_path.get(path) if path else None
    if node is None:
        parsing.warning(
            "ref.nothing",
            _("A bind refers to {ref}, which is not in the form; it has no effect.").format(ref=reference.strip()),
            _("Correct the reference, or remove the bind."),
            parsing.origin_of(path or "", "", element.line),
        )
        return
    if element.get("id"):
        parsing.by_bind_id[element.get("id")] = node
    bind = node.bind or Bind()
    node.bind = bind
    _fill(bind, element, node, parsing)
    for inner in element.all("bind"):
        _bind(inner, node, root, parsing)


def _condition(source: str, node: NodeDef, column: str, line: int, parsing: Parsing) -> Expression | None:
    """A condition; None when absent or constantly what it would be without it."""
    if not source.strip():
        return None
    return parsing.expression(source, node, column, line)


def _fill(bind: Bind, element: Element, node: NodeDef, parsing: Parsing) -> None:
    attributes, line = element.attributes, element.line
    bind.origin = parsing.origin_of(node.path, "", line)
    if "type" in attributes:
        bind.type = data_type(attributes["type"])
        if attributes["type"].rpartition(":")[2] == "rank":
            bind.extra["rank"] = "yes"
    for name, value in attributes.items():
        if name == "relevant":
            bind.relevant = _condition(value, node, "relevant", line, parsing)
        elif name == "required":
            bind.required = None if value.strip() in FALSE else _condition(value, node, "required", line, parsing)
        elif name == "readonly":
            bind.read_only = None if value.strip() in FALSE else _condition(value, node, "read_only", line, parsing)
        elif name == "constraint":
            bind.constraint = _condition(value, node, "constraint", line, parsing)
        elif name == "calculate":
            bind.calculate = _condition(value, node, "calculation", line, parsing)
        elif name == "jr:constraintMsg":
            bind.constraint_message = message_text(value, parsing, node, "constraint_message", line)
        elif name == "jr:requiredMsg":
            bind.required_message = message_text(value, parsing, node, "required_message", line)
        elif name == "jr:preload":
            bind.preload = value
        elif name == "jr:preloadParams":
            bind.preload_params = value
        elif name == "fs:warning":
            bind.warning = _condition(value, node, "bind::fs:warning", line, parsing)
        elif name in {"fs:warningMsg", "fs:warning_message"}:
            bind.warning_message = message_text(value, parsing, node, "bind::" + name, line)
        elif name == "fs:missing":
            bind.missing = value.strip()
        elif name not in _KNOWN:
            bind.extra[name] = value
