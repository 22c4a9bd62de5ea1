"""The body: controls in the order in which they are asked."""

from __future__ import annotations

import re

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.definition.actions import parse_actions
from fieldsurvey.xforms.definition.context import Parsing
from fieldsurvey.xforms.definition.model import Action, Control, Item, Itemset, NodeDef
from fieldsurvey.xforms.definition.texts import itext_id, text_of
from fieldsurvey.xforms.definition.xml import Element
from fieldsurvey.xforms.xpath.ast import FunctionCall, render
from fieldsurvey.xforms.xpath.errors import XPathSyntaxError
from fieldsurvey.xforms.xpath.parser import parse

SEARCH_ARGUMENTS = frozenset({1, 4, 6})
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")

CONTROLS = {
    "input": "input",
    "secret": "input",
    "textarea": "input",
    "select": "select",
    "select1": "select1",
    "rank": "rank",
    "trigger": "trigger",
    "range": "range",
    "upload": "upload",
}


def repeat_paths(body: Element | None, parsing: Parsing, root: str) -> set[str]:
    """The paths that the body repeats, known before the tree is built."""
    found: set[str] = set()
    if body is None:
        return found

    def visit(element: Element, context: str) -> None:
        for child in element.elements:
            here = context
            if child.local in {"group", "repeat"}:
                reference = (
                    child.get("nodeset") if child.local == "repeat" else child.get("ref") or child.get("nodeset")
                )
                if reference.strip():
                    here = _join(context, reference.strip(), parsing) or context
                    if child.local == "repeat":
                        found.add(here)
                visit(child, here)

    visit(body, f"/{root}")
    return found


def _join(context: str, reference: str, parsing: Parsing) -> str | None:
    anchor = NodeDef("", "", "", context, None)
    return parsing.path(reference, anchor)


class BodyParser:
    """Turns the body into controls; `actions` collects those that stand in controls."""

    def __init__(self, parsing: Parsing, root: NodeDef, languages: tuple[str, ...]) -> None:
        self.parsing = parsing
        self.root = root
        self.languages = languages
        self.actions: list[Action] = []
        self.primary: set[int] = set()

    def parse(self, body: Element) -> list[Control]:
        """The top-level controls."""
        for stray in body.all("label"):
            self.parsing.problem(
                "body.label",
                _("A label stands outside of any question or group."),
                origin=self.parsing.origin_of("", "label", stray.line),
            )
        made = self.controls(body, None, self.root)
        number_controls(made)
        return made

    def controls(self, element: Element, parent: Control | None, context: NodeDef) -> list[Control]:
        made: list[Control] = []
        for child in element.elements:
            control = self.control(child, parent, context)
            if control is not None:
                made.append(control)
        return made

    def control(self, element: Element, parent: Control | None, context: NodeDef) -> Control | None:
        local = element.local
        if local == "group":
            return self.group(element, parent, context)
        if local == "repeat":
            return self.repeat(element, parent, context)
        if local in CONTROLS:
            return self.question(element, parent, context)
        return None

    def target(self, element: Element, context: NodeDef) -> NodeDef | None:
        """The node a control is bound to; a problem is kept when there is none."""
        if bound := element.get("bind"):
            node = self.parsing.by_bind_id.get(bound)
            if node is None:
                self.parsing.problem(
                    "bind.id",
                    _("A question names the bind {id}, which is not in the form.").format(id=bound),
                    origin=self.parsing.origin_of("", "", element.line),
                )
            return node
        reference = element.get("ref") or element.get("nodeset")
        if not reference.strip():
            self.parsing.problem(
                "ref.missing",
                _("A question says nothing about where its answer goes."),
                _("Give it a ref."),
                self.parsing.origin_of("", "", element.line),
            )
            return None
        return self.parsing.node(reference, context, element.local, element.line)

    def group(self, element: Element, parent: Control | None, context: NodeDef) -> Control | None:
        reference = element.get("ref") or element.get("nodeset")
        node = self.parsing.node(reference, context, "group", element.line) if reference.strip() else None
        if reference.strip() and node is None:
            return None
        control = self.made("group", element, parent, node, context)
        control.children = self.controls(element, control, node or context)
        if len(control.children) == 1 and control.children[0].kind == "repeat" and node is None:
            return self.around_repeat(control, control.children[0].ref)
        if node is not None and node.kind == "repeat":
            return self.around_repeat(control, node)
        return control

    def around_repeat(self, group: Control, node: NodeDef | None) -> Control:
        """The group that forms put around a repeat to give it a label."""
        group.ref = None
        inner = group.children[0] if len(group.children) == 1 else None
        if inner is None or inner.kind != "repeat" or inner.ref is not node:
            return group
        inner.parent = group.parent
        inner.label = inner.label or group.label
        inner.hint = inner.hint or group.hint
        inner.appearance = tuple(dict.fromkeys((*inner.appearance, *group.appearance)))
        return inner

    def repeat(self, element: Element, parent: Control | None, context: NodeDef) -> Control | None:
        node = self.target(element, context)
        if node is None:
            return None
        if node.kind != "repeat":
            self.parsing.problem(
                "repeat.target",
                _("{ref} cannot be repeated.").format(ref=node.path),
                _("Repeat a group inside the form."),
                self.parsing.origin_of(node.path, "", element.line),
            )
            return None
        control = self.made("repeat", element, parent, node, context)
        if "jr:count" in element.attributes and element.get("jr:count").strip():
            control.count = self.parsing.expression(element.get("jr:count"), beside(node), "repeat_count", element.line)
        flag = element.get("jr:noAddRemove").strip()
        control.no_add_remove = flag in {"true()", "true"}
        control.children = self.controls(element, control, node)
        return control

    def question(self, element: Element, parent: Control | None, context: NodeDef) -> Control | None:
        node = self.target(element, context)
        if node is None:
            return None
        control = self.made(CONTROLS[element.local], element, parent, node, context)
        for name, value in element.attributes.items():
            if name not in {"ref", "bind", "appearance", "nodeset"}:
                control.parameters[name.rpartition(":")[2]] = value
        if control.kind == "range":
            self.range(control, element.line)
            labels = element.find("itemset")
            control.ticks = self.itemset(labels, node) if labels is not None else None
        if control.kind in {"select", "select1", "rank"}:
            self.choices(element, control, node)
        query = element.get("query")
        if query.strip():
            control.itemset = Itemset(
                self.parsing.expression(query, node, "choice_filter", element.line),
                "name",
                self.parsing.expression("label", None, "label", element.line),
            )
            control.kind = "select1"
        return control

    def range(self, control: Control, line: int) -> None:
        """A range needs numbers for its start, end and step."""
        for name in ("start", "end", "step"):
            text = control.parameters.get(name)
            if text is None or not _NUMBER.fullmatch(text.strip()):
                self.parsing.problem(
                    "range.number",
                    _("The {name} of a range is not a number: {text}.").format(name=name, text=text or ""),
                    _("Write it in `parameters`, such as start=0 end=10 step=1."),
                    self.parsing.origin_of(control.ref.path if control.ref else "", "parameters", line),
                )

    def made(
        self, kind: str, element: Element, parent: Control | None, node: NodeDef | None, context: NodeDef
    ) -> Control:
        """A control with what all have: label, hint, appearance, actions, origin."""
        here = node or context
        control = Control(kind, node, parent, tuple(element.get("appearance").split()))
        control.label = text_of(element.find("label"), self.parsing, here, "label")
        control.hint = text_of(element.find("hint"), self.parsing, here, "hint")
        control.origin = self.parsing.origin_of(here.path, "", element.line)
        if (
            node is not None
            and (kind != "group" or node.kind != "repeat")
            and (node.control is None or node.control.kind == "group")
        ):
            node.control = control
        self.actions.extend(parse_actions(element, self.parsing, here))
        return control

    def choices(self, element: Element, control: Control, node: NodeDef) -> None:
        items: list[Item] = []
        for item in element.all("item"):
            value = item.find("value")
            label = text_of(item.find("label"), self.parsing, node, "label")
            items.append(Item(value.content().strip() if value else "", label))
        control.items = tuple(items)
        itemset = element.find("itemset")
        if itemset is not None:
            control.itemset = self.itemset(itemset, node)
        appearance = element.get("appearance").strip()
        if appearance.startswith("search(") or " search(" in appearance:
            self.search(control, node, appearance, element.line)

    def search(self, control: Control, node: NodeDef, appearance: str, line: int) -> None:
        """`search(...)` in an appearance: choices from a CSV file, by Collect's rules."""
        start = appearance.index("search(")
        end = appearance.rindex(")") + 1 if ")" in appearance else len(appearance)
        control.appearance = tuple((appearance[:start] + " " + appearance[end:]).split())
        origin = self.parsing.origin_of(node.path, "appearance", line)
        try:
            call = parse(appearance[start:end])
        except XPathSyntaxError as error:
            self.parsing.problem(error.code, f"{error.message} {appearance[:200]}", origin=origin)
            return
        if not isinstance(call, FunctionCall) or len(call.args) not in SEARCH_ARGUMENTS:
            self.parsing.problem(
                "search.arguments",
                _("search() takes a file, then how, where and what to look for, then a column and its value."),
                origin=origin,
            )
            return
        control.search = tuple(self.parsing.expression(render(arg), node, "appearance", line) for arg in call.args)

    def itemset(self, element: Element, node: NodeDef) -> Itemset | None:
        nodeset = element.get("nodeset")
        if not nodeset.strip():
            self.parsing.problem(
                "itemset.nodeset",
                _("A list of choices says nothing about where they come from."),
                origin=self.parsing.origin_of(node.path, "type", element.line),
            )
            return None
        value = element.find("value") or element.find("copy")
        label = element.find("label")
        reference = label.get("ref").strip() if label else ""
        expression = self.parsing.expression(nodeset, node, "choice_filter", element.line)
        made = Itemset(expression, (value.get("ref").strip() if value else "") or "name", None)
        if reference:
            inner = reference
            if reference.startswith("jr:itext(") and itext_id(reference) is None:
                inner = reference[len("jr:itext(") : -1].strip()
                made.label_itext = True
            elif "(" in reference and not reference.startswith("jr:itext("):
                self.parsing.problem(
                    "itemset.label",
                    _("The label of a choice must be a path, or jr:itext() of one: {ref}.").format(ref=reference),
                    origin=self.parsing.origin_of(node.path, "type", label.line if label else 0),
                )
            made.label = self.parsing.expression(inner, None, "label", element.line)
        return made


def beside(node: NodeDef) -> NodeDef:
    """A stand-in for a repeat as its count sees it: one place among its siblings, outside of its instances."""
    return NodeDef(node.name, node.prefix, node.ns, node.path, node.parent, frame=node.outer)


def number_controls(controls: list[Control]) -> None:
    """Give every control its number in the body and its place among its siblings."""
    stack = [(controls, 0)]
    count = 0
    while stack:
        siblings, at = stack.pop()
        if at >= len(siblings):
            continue
        control = siblings[at]
        control.number, control.place = count, at
        count += 1
        stack.append((siblings, at + 1))
        stack.append((control.children, 0))
