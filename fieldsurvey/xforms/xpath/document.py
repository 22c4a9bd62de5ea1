"""One expression against some XML: what `fieldsurvey.xforms.evaluate` and the conformance cases use.

An XForm given as the XML is understood: its secondary instances, its itext, and absolute paths from inside an
instance. Forms that are being answered do not come through here.
"""

from __future__ import annotations

import random as randomness
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.compiler import Compiler, compile_expr
from fieldsurvey.xforms.xpath.convert import unpack
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError
from fieldsurvey.xforms.xpath.namespaces import NAMESPACES
from fieldsurvey.xforms.xpath.nodes import ELEMENT, NAMESPACE, ROOT, Node, Value, descendants, elements, path_of
from fieldsurvey.xforms.xpath.parser import parse
from fieldsurvey.xforms.xpath.runtime import Context, Env
from fieldsurvey.xforms.xpath.xml import parse_xml

Result = bool | float | str | date | list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A result with the conversions of its mode, for callers that want one kind."""

    value: Value
    mode: str

    def result(self) -> Result:
        """The value; nodes as (path, string-value) pairs in document order. An invalid date is an error."""
        if isinstance(self.value, list):
            return [(path_of(node), node.string()) for node in self.value]
        return unpack(self.value)


class DocumentEnv(Env):
    """The world of one document."""

    def __init__(
        self, root: Node, *, now: datetime | Callable[[], datetime] | None, zone: tzinfo, language: str
    ) -> None:
        self.document = root
        self.timezone = zone
        self.language = language
        self._now = now
        self._random: randomness.Random | None = None

    def now(self) -> datetime:
        """The time handed in, else the clock's."""
        moment = self._now() if callable(self._now) else (self._now or SystemClock().now())
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self.timezone)

    def random(self) -> float:
        """From the system's source."""
        if self._random is None:
            self._random = randomness.SystemRandom()
        return self._random.random()

    def instance(self, name: str) -> Node | None:
        """The `instance` element with that id."""
        for node in descendants(self.document):
            if node.kind == ELEMENT and node.name == "instance" and node.attribute("id") == name:
                return node
        return None

    def itext(self, text_id: str, context: Context) -> Value:
        """The `value` elements of the text, in the language given or the default one."""
        del context
        translations = [n for n in descendants(self.document) if n.kind == ELEMENT and n.name == "translation"]
        chosen = [t for t in translations if t.attribute("lang") == self.language]
        chosen = chosen or [t for t in translations if any(a.name == "default" for a in t.attributes)] or translations
        for translation in chosen[:1]:
            for text in elements(translation, "text"):
                if text.attribute("id") == text_id:
                    return elements(text, "value")
        raise EvaluationError(_("the form has no text of that name"))


def _zone(timezone: str | tzinfo | None) -> tzinfo:
    if timezone is None or timezone == "UTC":
        return UTC
    if isinstance(timezone, tzinfo):
        return timezone
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise EvaluationError(_("there is no time zone called {name}").format(name=timezone)) from error


def _instance_of(node: Node) -> Node | None:
    """The `instance` element of a form's model that `node` is in."""
    step: Node | None = node
    while step is not None:
        if step.kind == ELEMENT and step.name == "instance" and step.parent is not None and step.parent.name == "model":
            return step
        step = step.parent
    return None


def _declared(root: Node) -> dict[str, str]:
    """Every prefix that the document declares, over the usual ones."""
    own: dict[str, str] = {}
    for node in descendants(root):
        for attribute in node.attributes:
            if attribute.kind == NAMESPACE and attribute.name:
                own.setdefault(attribute.name, attribute.text)
    return {**NAMESPACES, **own}


def evaluate_value(
    expression: str,
    xml: bytes | str | None = None,
    context: str = "/",
    *,
    now: datetime | Callable[[], datetime] | None = None,
    timezone: str | tzinfo | None = None,
    language: str = "",
    mode: str = "xforms",
) -> Evaluated:
    """As `evaluate`, with the value as it is and the choice of plain XPath 1.0 (`mode="native"`)."""
    root = Node(ROOT) if xml is None else parse_xml(xml, exact=True, bare_doctype=True)
    if xml is None:
        root.append(Node(ELEMENT, "root"))
    namespaces = _declared(root)
    env = DocumentEnv(root, now=now, zone=_zone(timezone), language=language)
    start = Context(root, env, position=1)
    here = compile_expr(parse(context), namespaces=namespaces)(start)
    if not isinstance(here, list) or len(here) != 1:
        raise XPathNameError(0, _("the context must be one node"))
    if mode != "native":
        env.root = _instance_of(here[0])
    run = Compiler(None, namespaces, mode).compile(parse(expression)).run
    return Evaluated(run(Context(here[0], env, position=1 if mode == "native" else 0)), mode)


def evaluate(
    expression: str,
    xml: bytes | str | None = None,
    context: str = "/",
    now: datetime | Callable[[], datetime] | None = None,
    timezone: str | tzinfo | None = None,
) -> Result:
    """The value of `expression` at the node `context` (a path) of `xml` (None: `<root/>`), with JavaRosa's semantics.

    bool, float, str, date (datetime for a moment), or a list of (path, string-value) for nodes. `now` is the clock,
    `timezone` an IANA name (UTC when left out).
    Raises XPathSyntaxError, XPathNameError, EvaluationError, XmlError.
    """
    return evaluate_value(expression, xml, context, now=now, timezone=timezone).result()
