"""OpenRosa submission XML: out without what is not relevant, in for editing and reading. The bytes are stable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from unicodedata import normalize

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Dropped
from fieldsurvey.xforms.definition.model import FormDef, NodeDef, Values
from fieldsurvey.xforms.definition.tree import values_of
from fieldsurvey.xforms.definition.xml import NAMESPACES, Element, parse_xml
from fieldsurvey.xforms.errors import FormError, FormProblem
from fieldsurvey.xforms.live.datatypes import kind_of, python_value
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode
from fieldsurvey.xforms.live.validity import QUESTIONS
from fieldsurvey.xforms.xpath.nodes import ATTRIBUTE

OPENROSA = "http://openrosa.org/xforms"
OWN_META = frozenset({"instanceID", "deprecatedID", "instanceName"})
"""What the program itself writes into the meta block of a form that has none."""


def escape(text: str) -> str:
    """Character data; characters that XML cannot hold become spaces."""
    if text.isalnum() and text.isascii():
        return text
    text = normalize("NFC", text)
    clean = "".join(c if c >= " " or c in "\t\n\r" else " " for c in text)
    clean = "".join(" " if "\ud800" <= c <= "\udfff" or c in "\ufffe\uffff" else c for c in clean)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _quoted(text: str) -> str:
    return '"' + escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;") + '"'


class Writer:
    """Writes the live tree of one interview."""

    def __init__(self, form: FormDef) -> None:
        self.form = form
        self.uris: dict[str, str] = {}
        self.meta: dict[str, str] = {}
        self.root: LiveNode | None = None

    def document(self, root: LiveNode, meta: dict[str, str] | None = None) -> bytes:
        """The whole instance. `meta` adds elements of the OpenRosa meta block that the form does not have."""
        body: list[str] = []
        self.root = root
        self.meta = dict(meta or {})
        self._children(root, body)
        if self.meta:
            self.uris["orx"] = OPENROSA
            body.append(f"<orx:meta>{self._meta('orx:')}</orx:meta>")
        name = self._name(root.d)
        head = "".join(self._attribute(node) for node in root.attributes)
        default = ""
        if root.d.ns and not root.d.prefix and root.d.ns != NAMESPACES["xf"]:
            default = f" xmlns={_quoted(root.d.ns)}"
        spaces = "".join(f" xmlns:{prefix}={_quoted(uri)}" for prefix, uri in sorted(self.uris.items()))
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}{default}{spaces}{head}>{"".join(body)}</{name}>'
        return text.encode("utf-8")

    def _meta(self, prefix: str) -> str:
        """The elements of the meta block that the form does not have, written once."""
        text = "".join(f"<{prefix}{name}>{escape(value)}</{prefix}{name}>" for name, value in self.meta.items())
        self.meta = {}
        return text

    def _name(self, d: NodeDef) -> str:
        if d.prefix:
            self.uris[d.prefix] = d.ns
            return f"{d.prefix}:{d.name}"
        return d.name

    def _attribute(self, node: Any) -> str:
        name = node.name
        if node.prefix:
            uri = NAMESPACES.get(node.prefix) or self.form.namespaces.get(node.prefix)
            if uri is None:
                return ""
            self.uris[node.prefix] = uri
            name = f"{node.prefix}:{name}"
        return f" {name}={_quoted(node.text)}"

    def _children(self, node: LiveNode, out: list[str]) -> None:
        for child in node.children:
            assert isinstance(child, LiveNode)
            if not child.relevant:
                continue
            name = self._name(child.d)
            attributes = "".join(self._attribute(a) for a in child.attributes) if child.attributes else ""
            if child.d.kind == "leaf" or not child.d.children:
                out.append(
                    f"<{name}{attributes}>{escape(child.text)}</{name}>" if child.text else f"<{name}{attributes}/>"
                )
                continue
            out.append(f"<{name}{attributes}>")
            self._children(child, out)
            if child.name == "meta" and child.parent is self.root:
                out.append(self._meta(f"{child.prefix}:" if child.prefix else ""))
            out.append(f"</{name}>")


def read_values(data: bytes, root: NodeDef) -> Values:
    """The data of an instance document of this form. Raises FormError when it is another form's."""
    return values_of(_instance(data, root), root)


def read_record(data: bytes, root: NodeDef) -> tuple[Values, list[Dropped]]:
    """The data of a record that may be of another version of the form, and what this form has no place for.

    The id and the version are those of the form. Raises FormError when it is another form's.
    """
    element = _instance(data, root)
    values = values_of(element, root)
    for name in ("id", "version"):
        values.attributes.pop(name, None)
    return values, list(_left_out(element, root, f"/{root.name}", values))


def _instance(data: bytes, root: NodeDef) -> Element:
    element, _namespaces = parse_xml(data)
    if element.local != root.name:
        message = _("This is an instance of {other}, not of {name}.").format(other=element.local, name=root.name)
        raise FormError([FormProblem("instance.other", message)])
    return element


def _left_out(element: Element, d: NodeDef, ref: str, values: Values) -> Iterator[Dropped]:
    """Texts in an instance for which `values_of` found no place, apart from ids that the program gives itself."""
    known = {child.name: child for child in d.children if not child.is_attribute}
    if d.kind == "leaf" or not known:
        if element.elements:  # a group became a question: its answers together are no answer to that
            values.text = ""
            yield from _texts(element, ref)
        return
    if element.text.strip() and not element.elements:  # a question became a group
        yield Dropped(ref, element.text)
    seen: Counter[str] = Counter()
    for child in element.elements:
        seen[child.local] += 1
        inner = known.get(child.local)
        below = f"{ref}/{child.local}"
        if inner is not None and inner.kind == "repeat":
            yield from _left_out(
                child, inner, f"{below}[{seen[child.local]}]", _held(values, child.local, seen[child.local])
            )
        elif inner is not None and seen[child.local] == 1:
            yield from _left_out(child, inner, below, _held(values, child.local, 1))
        else:
            found = _texts(child, below if seen[child.local] == 1 else f"{below}[{seen[child.local]}]")
            meta = f"{ref}/meta/"
            yield from (one for one in found if one.ref.removeprefix(meta) not in OWN_META)


def _held(values: Values, name: str, position: int) -> Values:
    """The part of `values` that came from the child of that name and position; a blank one for a template."""
    found = values.children.get(name, ())
    return found[position - 1] if position <= len(found) else Values()


def _texts(element: Element, ref: str) -> Iterator[Dropped]:
    if not element.elements:
        if element.text.strip():
            yield Dropped(ref, element.text)
        return
    seen: Counter[str] = Counter()
    twice = Counter(child.local for child in element.elements)
    for child in element.elements:
        seen[child.local] += 1
        place = f"[{seen[child.local]}]" if twice[child.local] > 1 else ""
        yield from _texts(child, f"{ref}/{child.local}{place}")


def typed_values(frame: LiveFrame) -> dict[str, Any]:
    """Typed answers by ref, blanks and what is not relevant left out."""
    found: dict[str, Any] = {}
    for node in frame.leaves():
        if node.text and node.relevant and node.kind != ATTRIBUTE:
            control = node.d.control
            kind = control.kind if control is not None and control.kind in QUESTIONS else ""
            found[node.ref] = python_value(node.text, kind_of(node.d), kind)
    return found
