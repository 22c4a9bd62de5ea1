"""A form as readable text, line by line, so that a change in a workbook is a change in a diff."""

from __future__ import annotations

from collections.abc import Iterator

from fieldsurvey.xforms.definition.model import Control, Expression, FormDef, NodeDef, Text
from fieldsurvey.xforms.form import LoadedForm
from fieldsurvey.xforms.live.describe import language as find_language
from fieldsurvey.xforms.live.describe import question_type


def render_form(form: LoadedForm, language: str | None = None) -> str:
    """The whole form; labels in `language` (name or code), else in its default language."""
    definition = form.definition
    chosen = (find_language(definition, language) if language else None) or definition.default_language
    lines = [
        f"{form.title} — {form.id}, version {form.version or '-'}",
        f"languages: {', '.join(form.languages) or '-'}",
        "",
        *_controls(definition.controls, definition, chosen, 0),
    ]
    hidden = [node for node in form.nodes if node.kind == "leaf" and node.control is None and not node.is_attribute]
    if hidden:
        lines += ["", "not asked:"]
        for node in hidden:
            lines.append(f"  {node.path}")
            lines.extend(f"    {line}" for line in _rules(node, definition, chosen))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _controls(controls: list[Control], form: FormDef, language: str, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for control in controls:
        node = control.ref
        label = text_line(control.label, form, language)
        kind = control.kind if control.kind in {"group", "repeat"} or node is None else question_type(node)
        row = f" (row {control.origin.row})" if control.origin is not None and control.origin.sheet != "XML" else ""
        where = node.path if node is not None else "-"
        look = f" [{' '.join(control.appearance)}]" if control.appearance else ""
        yield f"{indent}{where}  {kind}{look}{row}"
        if label:
            yield f"{indent}  “{label}”"
        if hint := text_line(control.hint, form, language):
            yield f"{indent}  hint: {hint}"
        if control.count is not None:
            yield f"{indent}  count: {control.count.source}"
        if node is not None:
            yield from (f"{indent}  {line}" for line in _rules(node, form, language))
        for item in control.items:
            yield f"{indent}  - {item.value}: {text_line(item.label, form, language)}"
        if control.itemset is not None:
            yield f"{indent}  choices: {control.itemset.nodeset.source}"
        yield from _controls(control.children, form, language, depth + 1)


def _rules(node: NodeDef, form: FormDef, language: str) -> Iterator[str]:
    bind = node.bind
    if node.default:
        yield f"default: {node.default}"
    if bind is None:
        return
    rules: list[tuple[str, Expression | None, Text | None]] = [
        ("relevant", bind.relevant, None),
        ("required", bind.required, bind.required_message),
        ("read-only", bind.read_only, None),
        ("constraint", bind.constraint, bind.constraint_message),
        ("warning", bind.warning, bind.warning_message),
        ("calculation", bind.calculate, None),
    ]
    for name, expression, message in rules:
        if expression is not None:
            said = text_line(message, form, language)
            yield f"{name}: {expression.source}" + (f"  “{said}”" if said else "")
    if bind.preload:
        yield f"metadata: {bind.preload} {bind.preload_params}".rstrip()
    if bind.missing:
        yield f"missing: {bind.missing}"


def text_line(text: Text | None, form: FormDef, language: str) -> str:
    """A text on one line; outputs show their expression in braces."""
    if text is None:
        return ""
    parts = text.parts
    if text.dynamic is not None:
        parts = (text.dynamic,)
    if text.itext is not None:
        parts = form.itext.get(language, {}).get(text.itext, {}).get("", ())
    shown = "".join(part if isinstance(part, str) else f"{{{part.source}}}" for part in parts)
    return " ".join(shown.split())
