"""Typed answers straight from the bytes of an instance: one pass of expat over a table made once for a form.

It says what `Interview.finalise` said of the same instance. It builds no tree, and it does not validate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.definition.xml import MAX_DEPTH, NAMESPACES, SEPARATOR, feed, new_parser, refuse
from fieldsurvey.xforms.errors import FormError, FormProblem
from fieldsurvey.xforms.live.datatypes import kind_of, python_value
from fieldsurvey.xforms.live.validity import QUESTIONS

MAX_ELEMENTS = 1_000_000
_TEMPLATE = f"{NAMESPACES['jr']}{SEPARATOR}template"
Converter = Callable[[str], Any]


class _Step:
    """What may stand at one place of the instance. `tail` is its path below the nearest repeat around it."""

    __slots__ = ("by_name", "children", "convert", "leaf", "repeat", "tail")

    def __init__(self, d: NodeDef, tail: str) -> None:
        self.tail = tail
        self.repeat = d.kind == "repeat"
        below = "" if self.repeat else tail
        inner = [child for child in d.children if not child.is_attribute]
        self.leaf = d.kind == "leaf" or not inner
        self.convert = converter(d)
        self.children = {child.name: _Step(child, f"{below}/{child.name}") for child in inner}
        self.by_name: dict[str, _Step | None] = {}

    def child(self, name: str) -> _Step | None:
        """The step for an element by the name that expat gives it; None when the form has none."""
        local = name.split(SEPARATOR)[1] if SEPARATOR in name else name
        found = self.by_name[name] = self.children.get(local)
        return found


def converter(d: NodeDef) -> Converter | None:
    """Text to typed answer; None where the text is the answer."""
    control = d.control
    asked = control.kind if control is not None and control.kind in QUESTIONS else ""
    kind = kind_of(d)
    if asked in {"select", "rank"}:
        return str.split
    if kind not in {"integer", "decimal", "date", "dateTime", "boolean"}:
        return None
    return lambda text: python_value(text, kind, asked)


@dataclass(frozen=True, slots=True)
class Answers:
    """`values` are typed answers by ref, blanks left out; `instances` the refs of repeat instances, blank ones too."""

    values: dict[str, Any]
    instances: list[str]


class ValueReader:
    """Reads any number of instances of one form."""

    def __init__(self, root: NodeDef) -> None:
        self.name = root.name
        self.top = _Step(root, f"/{root.name}")

    def read(self, data: bytes) -> Answers:
        """Typed answers by ref and the instances of repeats, in the order of the instance document.

        Raises FormError for what is no XML of an instance of this form.
        """
        reading = _Reading(self)
        parser = new_parser()
        parser.StartElementHandler = reading.start
        parser.EndElementHandler = reading.end
        parser.CharacterDataHandler = reading.texts.append
        feed(parser, data)
        if not reading.count:
            refuse("xml.syntax", _("The file is empty."))
        return Answers(reading.found, reading.instances)


class _Reading:
    """One pass. `stack` holds what is around us: step, what refs begin with, how often each child was there."""

    __slots__ = (
        "count",
        "found",
        "inside",
        "instances",
        "leaf",
        "prefix",
        "reader",
        "seen",
        "skipped",
        "stack",
        "step",
        "texts",
    )

    def __init__(self, reader: ValueReader) -> None:
        self.reader = reader
        self.found: dict[str, Any] = {}
        self.instances: list[str] = []
        self.texts: list[str] = []
        self.stack: list[tuple[_Step, str, dict[_Step, int]]] = []
        self.step: _Step | None = None
        self.prefix = ""
        self.seen: dict[_Step, int] = {}
        self.leaf: _Step | None = None
        self.inside = 0  # elements within a leaf; their text is its text
        self.skipped = 0  # elements within something that the form does not have
        self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self.count += 1
        if self.leaf is not None or self.skipped:
            self._deeper()
            return
        here = self.step
        if here is None:
            self._root(name)
            return
        try:
            step = here.by_name[name]
        except KeyError:
            step = here.child(name)
        if step is None or (attributes and any(key.startswith(_TEMPLATE) for key in attributes)):
            self.skipped = 1
            return
        if step.repeat:
            self.seen[step] = position = self.seen.get(step, 0) + 1
            prefix = f"{self.prefix}{step.tail}[{position}]"
            self.instances.append(prefix)
            if step.leaf:
                self.stack.append((here, self.prefix, self.seen))
                self.prefix = prefix
        elif step in self.seen:
            self.skipped = 1  # only the first of what does not repeat
            return
        else:
            self.seen[step] = 1
            prefix = self.prefix
        if step.leaf:
            self.leaf = step
            self.texts.clear()
            return
        self.stack.append((here, self.prefix, self.seen))
        self.step, self.prefix, self.seen = step, prefix, {}
        if self.count > MAX_ELEMENTS:
            refuse("xml.size", _("The file has more than {n} elements.").format(n=MAX_ELEMENTS))

    def end(self, _name: str) -> None:
        """An element ends."""
        leaf = self.leaf
        if leaf is not None:
            if self.inside:
                self.inside -= 1
                return
            self.leaf = None
            texts = self.texts
            if texts:
                text = texts[0] if len(texts) == 1 else "".join(texts)
                if text and not text.isspace():
                    convert = leaf.convert
                    ref = self.prefix if leaf.repeat else self.prefix + leaf.tail
                    self.found[ref] = text if convert is None else convert(text)
            if leaf.repeat:
                _step, self.prefix, _seen = self.stack.pop()
        elif self.skipped:
            self.skipped -= 1
        elif self.stack:
            self.step, self.prefix, self.seen = self.stack.pop()

    def _deeper(self) -> None:
        if self.leaf is not None:
            self.inside += 1
        else:
            self.skipped += 1
        if self.inside + self.skipped + len(self.stack) >= MAX_DEPTH:
            refuse("xml.depth", _("Elements are nested more than {n} deep.").format(n=MAX_DEPTH))
        if self.count > MAX_ELEMENTS:
            refuse("xml.size", _("The file has more than {n} elements.").format(n=MAX_ELEMENTS))

    def _root(self, name: str) -> None:
        local = name.split(SEPARATOR)[1] if SEPARATOR in name else name
        reader = self.reader
        if local != reader.name:
            message = _("This is an instance of {other}, not of {name}.").format(other=local, name=reader.name)
            raise FormError([FormProblem("instance.other", message)])
        self.step = reader.top
        if reader.top.leaf:
            self.leaf = reader.top
