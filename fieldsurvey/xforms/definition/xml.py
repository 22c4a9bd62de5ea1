"""A bounded XML reader: no DTD, no entities of its own, limits on depth, elements and bytes. Keeps line numbers.

Attributes are keyed by local name, or `prefix:local` when they have a namespace; the namespaces that forms use get
their customary prefix whatever the document calls them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn
from xml.parsers import expat

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.errors import FormError, FormProblem

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 200
MAX_ELEMENTS = 1_000_000

XFORMS = "http://www.w3.org/2002/xforms"
XHTML = "http://www.w3.org/1999/xhtml"
PREFIXES = {
    XFORMS: "xf",
    XHTML: "h",
    "http://openrosa.org/javarosa": "jr",
    "http://openrosa.org/xforms": "orx",
    "http://www.opendatakit.org/xforms": "odk",
    "http://www.opendatakit.org/xforms/entities": "entities",
    "http://www.w3.org/2001/xml-events": "ev",
}
NAMESPACES = {prefix: uri for uri, prefix in PREFIXES.items()}
SEPARATOR = "\x1f"
_TAG = re.compile(
    rb"<!--(?:.*?-->|.*)|<!\[CDATA\[(?:.*?\]\]>|.*)|<\?(?:.*?\?>|.*)"
    rb"""|<[^\s<>/"'=!?]+(?:\s+[^\s<>/"'=]+\s*=\s*(?:"[^"]*"|'[^']*'))+""",
    re.DOTALL,
)
"""A comment, a CDATA section, an instruction, or a start tag up to the end of its last attribute."""


class Element:
    """An element: `text` is what stands before the first child, `tail` what follows the element."""

    __slots__ = ("attributes", "elements", "line", "local", "ns", "prefix", "tail", "text")

    def __init__(self, ns: str, local: str, prefix: str, attributes: dict[str, str], line: int) -> None:
        self.ns = ns
        self.local = local
        self.prefix = prefix
        self.attributes = attributes
        self.line = line
        self.elements: list[Element] = []
        self.text = ""
        self.tail = ""

    def get(self, name: str, default: str = "") -> str:
        """An attribute by its key."""
        return self.attributes.get(name, default)

    def find(self, local: str) -> Element | None:
        """The first child element called `local`."""
        for child in self.elements:
            if child.local == local:
                return child
        return None

    def all(self, local: str) -> Iterator[Element]:
        """Every child element called `local`."""
        return (child for child in self.elements if child.local == local)

    def walk(self) -> Iterator[Element]:
        """The element and everything in it, in document order."""
        stack = [self]
        while stack:
            element = stack.pop()
            yield element
            stack.extend(reversed(element.elements))

    def content(self) -> str:
        """The text of the element and of everything in it."""
        if not self.elements:
            return self.text
        return self.text + "".join(child.content() + child.tail for child in self.elements)


def refuse(code: str, message: str, remedy: str = "", line: int = 0) -> NoReturn:
    """One problem of an XML document, as a FormError."""
    origin = Origin("XML", line) if line else None
    raise FormError([FormProblem(code, message, remedy, origin)])


def new_parser() -> expat.XMLParserType:
    """An expat that joins text, keeps namespaces and refuses DTDs, and with them entities."""
    parser = expat.ParserCreate(namespace_separator=SEPARATOR)
    parser.namespace_prefixes = True
    parser.buffer_text = True

    def doctype(*_arguments: object) -> None:
        refuse(
            "xml.dtd",
            _("The file has a document type declaration (DTD)."),
            _("Remove it: forms need none."),
            parser.CurrentLineNumber,
        )

    parser.StartDoctypeDeclHandler = doctype
    return parser


def feed(parser: expat.XMLParserType, data: bytes) -> None:
    """Parse the whole of `data`. Raises FormError with the line for what is not well formed or too large."""
    if len(data) > MAX_BYTES:
        refuse("xml.size", _("The file is larger than {n} MiB.").format(n=MAX_BYTES // 2**20))
    try:
        parser.Parse(data.lstrip(b"\r\n\t "), True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        refuse("xml.syntax", _("The file is not well-formed XML: {reason}.").format(reason=reason), line=error.lineno)
    except (LookupError, ValueError) as error:  # an encoding that Python does not know
        refuse("xml.encoding", _("The file's encoding cannot be read: {reason}.").format(reason=error))


class _Builder:
    def __init__(self) -> None:
        self.parser = parser = new_parser()
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.StartNamespaceDeclHandler = self.declare
        self.stack: list[Element] = []
        self.root: Element | None = None
        self.last: Element | None = None
        self.count = 0
        self.names: dict[str, tuple[str, str, str]] = {}
        self.keys: dict[str, str] = {}
        self.namespaces: dict[str, str] = {}

    def declare(self, prefix: str | None, uri: str | None) -> None:
        if prefix and uri:
            self.namespaces.setdefault(prefix, uri)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        self.count += 1
        if self.count > MAX_ELEMENTS:
            refuse("xml.size", _("The file has more than {n} elements.").format(n=MAX_ELEMENTS), line=line)
        known = self.names.get(name)
        if known is None:
            parts = name.split(SEPARATOR)
            known = ("", parts[0], "") if len(parts) == 1 else (parts[0], parts[1], parts[2] if len(parts) > 2 else "")
            self.names[name] = known
        if attributes:
            keys = self.keys
            attributes = {keys.get(k) or self.key(k): v for k, v in attributes.items()}
        element = Element(known[0], known[1], known[2], attributes, line)
        stack = self.stack
        if stack:
            if len(stack) >= MAX_DEPTH:
                refuse("xml.depth", _("Elements are nested more than {n} deep.").format(n=MAX_DEPTH), line=line)
            stack[-1].elements.append(element)
        else:
            self.root = element
        stack.append(element)
        self.last = None

    def key(self, name: str) -> str:
        parts = name.split(SEPARATOR)
        if len(parts) == 1:
            key = name
        else:
            key = f"{PREFIXES.get(parts[0]) or (parts[2] if len(parts) > 2 else 'ns')}:{parts[1]}"
        self.keys[name] = key
        return key

    def end(self, _name: str) -> None:
        self.last = self.stack.pop()

    def text(self, data: str) -> None:
        if self.last is not None:
            self.last.tail += data
        elif self.stack:
            self.stack[-1].text += data


def parse_xml(data: bytes) -> tuple[Element, dict[str, str]]:
    """The root and the namespaces declared (prefix to URI).

    A bare `<` in an attribute is read as it is by JavaRosa's parser (kXML), and so it is here: forms are written by
    hand with `a < 5` in their expressions. Raises FormError with the line for what is not well formed otherwise, has
    a DTD, or exceeds the limits.
    """
    try:
        return _read(data)
    except FormError as error:
        mended = _TAG.sub(_escaped, data) if error.problems[0].code == "xml.syntax" else data
        if mended == data:
            raise
        return _read(mended)


def _escaped(match: re.Match[bytes]) -> bytes:
    found = match[0]
    return found if found[1:2] in b"!?" else b"<" + found[1:].replace(b"<", b"&lt;")


def _read(data: bytes) -> tuple[Element, dict[str, str]]:
    builder = _Builder()
    feed(builder.parser, data)
    if builder.root is None:
        refuse("xml.syntax", _("The file is empty."))
    return builder.root, builder.namespaces
