"""Labels, hints and messages: literal text with outputs, or itext by language."""

from __future__ import annotations

import re

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.definition.context import Parsing
from fieldsurvey.xforms.definition.model import Expression, Forms, NodeDef, Text
from fieldsurvey.xforms.definition.xml import Element

_ITEXT = re.compile(r"^\s*jr:itext\(\s*(?:'([^']*)'|\"([^\"]*)\")\s*\)\s*$")
_SPACES = re.compile(r"[ \t\r\n]+")

Parts = tuple[str | Expression, ...]


def itext_id(reference: str) -> str | None:
    """The id in `jr:itext('id')`, or None."""
    match = _ITEXT.match(reference)
    return (match[1] if match[1] is not None else match[2]) if match else None


def parts_of(element: Element, parsing: Parsing, context: NodeDef | None, column: str) -> Parts:
    """The mixed content of a label or itext value: text and the expressions of its outputs."""
    if not element.elements:
        return (element.text,) if element.text else ()
    parts: list[str | Expression] = [element.text] if element.text else []
    for child in element.elements:
        if child.local == "output":
            source = child.get("value") or child.get("ref")
            if source.strip():
                parts.append(parsing.expression(source, context, column, child.line))
        else:  # markup of other vocabularies: its text counts
            parts.append(child.content())
        if child.tail:
            parts.append(child.tail)
    return tuple(parts)


def text_of(element: Element | None, parsing: Parsing, context: NodeDef | None, column: str) -> Text | None:
    """A `label` or `hint` element."""
    if element is None:
        return None
    reference = element.get("ref") or element.get("value")
    if reference.strip():
        return reference_text(reference, parsing, context, column, element.line)
    return Text(_trim(parts_of(element, parsing, context, column)))


def reference_text(reference: str, parsing: Parsing, context: NodeDef | None, column: str, line: int) -> Text:
    """The text that `jr:itext('id')` or another expression gives."""
    known = itext_id(reference)
    if known is not None:
        return Text(itext=known)
    return Text(dynamic=parsing.expression(reference, context, column, line))


def message_text(source: str, parsing: Parsing, context: NodeDef | None, column: str, line: int) -> Text | None:
    """A message in an attribute: literal, or `jr:itext('id')`."""
    if not source.strip():
        return None
    if source.lstrip().startswith("jr:itext("):
        return reference_text(source, parsing, context, column, line)
    return Text((source,))


def parse_itext(model: Element, parsing: Parsing) -> tuple[dict[str, dict[str, Forms]], tuple[str, ...], str]:
    """Entries by language and id, the languages in order, and the default language ("" without itext)."""
    table: dict[str, dict[str, Forms]] = {}
    default = ""
    itext = model.find("itext")
    for translation in itext.all("translation") if itext else ():
        language = translation.get("lang")
        if language in table:
            parsing.problem("itext.twice", _("The language {name} is translated twice.").format(name=language))
            continue
        if "default" in translation.attributes and translation.get("default") not in {"false()", "false"}:
            default = language
        entries = table[language] = {}
        for entry in translation.all("text"):
            entries[entry.get("id")] = _forms(entry, parsing)
    languages = tuple(table)
    return table, languages, default or (languages[0] if languages else "")


def _forms(entry: Element, parsing: Parsing) -> Forms:
    forms: Forms = {}
    values = entry.elements
    if len(values) == 1 and not values[0].elements and not values[0].attributes:  # by far the most common
        return {"": (values[0].text.strip(),)}
    for value in entry.all("value"):
        owner = parsing.by_path.get(entry.get("id").rpartition(":")[0]) if value.elements else None
        forms[value.get("form")] = _trim(parts_of(value, parsing, owner, "label"))
    return forms


def _trim(parts: Parts) -> Parts:
    """Without white space at the ends."""
    if not parts:
        return parts
    trimmed = list(parts)
    if isinstance(trimmed[0], str):
        trimmed[0] = trimmed[0].lstrip()
    if isinstance(trimmed[-1], str):
        trimmed[-1] = trimmed[-1].rstrip()
    return tuple(part for part in trimmed if part != "")
