"""XML bytes to nodes, with expat from the standard library. No DTD, no entities, bounded in depth and size.

It makes the tree of nodes.py and nothing else: it knows no form and writes no XML.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.parsers import expat

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.errors import XmlError
from fieldsurvey.xforms.xpath.nodes import COMMENT, ELEMENT, INSTRUCTION, NAMESPACE, ROOT, TEXT, Node

MAX_DEPTH = 400
"""Elements inside one another."""
MAX_BYTES = 256 * 1024 * 1024

_SEPARATOR = "\x1f"  # not an XML character, so it cannot be in a name or a URI
_BLANK = " \t\r\n"


def parse_xml(
    data: bytes | str,
    *,
    exact: bool = False,
    bare_doctype: bool = False,
    max_bytes: int = MAX_BYTES,
    node: Callable[..., Node] = Node,
) -> Node:
    """The root node of the document; its one child element is the document element.

    Without `exact`, what only lays the text out is left away: comments, instructions, namespace declarations, and
    blank text with a line break beside elements. `bare_doctype` lets `<!DOCTYPE name>` pass, which declares nothing.
    `node` makes elements: Node or a subclass, called like Node.
    Raises XmlError with the line for malformed XML, any other DTD, and beyond the bounds.
    """
    if len(data) > max_bytes:
        raise XmlError(_("it is larger than {limit} bytes").format(limit=max_bytes))
    builder = _Builder(exact, bare_doctype, node)
    encoding = None
    if isinstance(data, str):
        data, encoding = data.encode("utf-8", "surrogatepass"), "utf-8"
    try:
        builder.parser(encoding).Parse(data, True)
    except expat.ExpatError as error:
        reason = _("line {line}: {what}").format(line=error.lineno, what=expat.ErrorString(error.code))
        raise XmlError(reason) from error
    except (LookupError, ValueError) as error:  # an unknown encoding, or bytes that are not in the one declared
        raise XmlError(_("its encoding cannot be read")) from error
    return builder.root


class _Builder:
    __slots__ = ("bare_doctype", "current", "declared", "depth", "exact", "make", "root", "text")

    def __init__(self, exact: bool, bare_doctype: bool, make: Callable[..., Node]) -> None:
        self.exact = exact
        self.bare_doctype = bare_doctype
        self.make = make
        self.root = Node(ROOT)
        self.current: Node = self.root
        self.text: list[str] = []
        self.depth = 0
        self.declared: list[tuple[str, str]] = []

    def parser(self, encoding: str | None) -> expat.XMLParserType:
        parser = expat.ParserCreate(encoding, _SEPARATOR)
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.ordered_attributes = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text.append
        parser.StartDoctypeDeclHandler = self.doctype
        parser.EntityDeclHandler = self.refuse_entity
        if self.exact:
            parser.CommentHandler = self.comment
            parser.ProcessingInstructionHandler = self.instruction
            parser.StartNamespaceDeclHandler = self.namespace
        return parser

    def doctype(self, _name: str, system: str | None, public: str | None, has_subset: int) -> None:
        if not self.bare_doctype or system or public or has_subset:
            raise XmlError(_("it has a document type declaration"))

    def refuse_entity(self, *_details: object) -> None:
        raise XmlError(_("it declares an entity"))

    def flush(self) -> None:
        """Text that stands beside elements becomes a node."""
        text = "".join(self.text)
        self.text.clear()
        if self.current is self.root or (not self.exact and not text.strip(_BLANK) and "\n" in text):
            return
        self.add(Node(TEXT, text=text))

    def add(self, node: Node) -> None:
        node.parent = self.current
        children = self.current.children
        if isinstance(children, list):
            children.append(node)
        else:
            self.current.children = [node]

    def start(self, name: str, attributes: list[str]) -> None:
        if self.text:
            self.flush()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise XmlError(_("elements are nested too deeply"))
        if _SEPARATOR in name:
            uri, _sep, local = name.partition(_SEPARATOR)
            local, _sep, prefix = local.partition(_SEPARATOR)
            element = self.make(ELEMENT, local, namespace=uri, prefix=prefix)
        else:
            element = self.make(ELEMENT, name)
        if self.declared:
            for prefix, uri in self.declared:
                element.set_attribute(prefix, uri).kind = NAMESPACE
            self.declared.clear()
        for index in range(0, len(attributes), 2):
            uri, prefix, local = "", "", attributes[index]
            if _SEPARATOR in local:
                uri, _sep, local = local.partition(_SEPARATOR)
                local, _sep, prefix = local.partition(_SEPARATOR)
            element.set_attribute(local, attributes[index + 1], namespace=uri, prefix=prefix)
        self.add(element)
        self.current = element

    def end(self, _name: str) -> None:
        current = self.current
        if self.text:
            if current.children:
                self.flush()
            else:
                current.text = "".join(self.text)
                self.text.clear()
        self.depth -= 1
        self.current = current.parent or self.root

    def comment(self, text: str) -> None:
        if self.text:
            self.flush()
        self.add(Node(COMMENT, text=text))

    def instruction(self, target: str, text: str) -> None:
        if self.text:
            self.flush()
        self.add(Node(INSTRUCTION, target, text=text))

    def namespace(self, prefix: str | None, uri: str | None) -> None:
        self.declared.append((prefix or "", uri or ""))
