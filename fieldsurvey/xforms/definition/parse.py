"""XForm XML to FormDef. Every problem found is told at once."""

from __future__ import annotations

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.definition.actions import parse_actions
from fieldsurvey.xforms.definition.binds import parse_binds
from fieldsurvey.xforms.definition.body import BodyParser, repeat_paths
from fieldsurvey.xforms.definition.context import OriginOf, Parsing, xml_origin
from fieldsurvey.xforms.definition.model import FormDef, SecondaryInstance
from fieldsurvey.xforms.definition.texts import parse_itext
from fieldsurvey.xforms.definition.tree import build_tree, values_of
from fieldsurvey.xforms.definition.xml import Element, parse_xml, refuse
from fieldsurvey.xforms.errors import FormError


def parse_form(data: bytes, origin_of: OriginOf = xml_origin) -> FormDef:
    """The definition of an XForm; raises FormError with every problem."""
    document, namespaces = parse_xml(data)
    parsing = Parsing(origin_of)
    model, body, title = _parts(document)
    primary = _primary(model)
    root_element = primary.elements[0]
    repeats = repeat_paths(body, parsing, root_element.local)
    root, nodes, frame, _values = build_tree(root_element, repeats, parsing)
    itext, languages, default = parse_itext(model, parsing)
    parse_binds(model, root, parsing)
    builder = BodyParser(parsing, root, languages)
    controls = builder.parse(body) if body is not None else []
    actions = parse_actions(model, parsing, root, model=True) + builder.actions
    secondary = _secondary(model, primary, parsing)
    if parsing.problems:
        raise FormError(parsing.problems)
    submission = model.find("submission")
    return FormDef(
        id=root_element.get("id") or root_element.ns or root_element.local,
        version=root_element.get("version") or root_element.get("orx:version"),
        title=title,
        root=root,
        nodes=nodes,
        root_frame=frame,
        controls=controls,
        languages=languages,
        default_language=default,
        itext=itext,
        secondary=secondary,
        actions=actions,
        expressions=parsing.expressions,
        namespaces=namespaces,
        root_values=values_of(root_element, root),
        by_path=parsing.by_path,
        submission=dict(submission.attributes) if submission else {},
        warnings=parsing.warnings,
    )


def _parts(document: Element) -> tuple[Element, Element | None, str]:
    """The model, the body and the title."""
    head = document.find("head")
    model = head.find("model") if head else None
    if model is None:
        model = next((element for element in document.walk() if element.local == "model"), None)
    if model is None:
        refuse("xform.model", _("This XML is not an XForm: it has no model."), line=document.line)
    title = head.find("title") if head else None
    return model, document.find("body"), title.content().strip() if title else ""


def _primary(model: Element) -> Element:
    """The first instance without a source; it must hold one element."""
    first = next(model.all("instance"), None)
    if first is None or not first.elements:
        refuse(
            "xform.instance",
            _("The form has no primary instance."),
            _("Its model must begin with an instance that holds one element."),
            model.line,
        )
    return first


def _secondary(model: Element, primary: Element, parsing: Parsing) -> dict[str, SecondaryInstance]:
    found: dict[str, SecondaryInstance] = {}
    for element in model.all("instance"):
        if element is primary:
            continue
        name = element.get("id")
        origin = parsing.origin_of("", "", element.line)
        if name in found:
            parsing.problem("instance.twice", _("The list {name} is there twice.").format(name=name), origin=origin)
            continue
        data = element.elements[0] if element.elements else None
        found[name] = SecondaryInstance(name, element.get("src"), data, origin)
    return found
