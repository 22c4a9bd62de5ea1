"""A form ready to run: its graph of triggers and its closures, shared by every interview of the form."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import lru_cache
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.xforms.definition.model import Expression, FormDef, Frame, NodeDef
from fieldsurvey.xforms.errors import FormError, FormProblem
from fieldsurvey.xforms.program.graph import Graph
from fieldsurvey.xforms.program.lists import Lists
from fieldsurvey.xforms.program.references import calls
from fieldsurvey.xforms.program.slots import SlotResolver
from fieldsurvey.xforms.program.triggers import (
    CALCULATE,
    CHOICES,
    COUNT,
    NAMES,
    OWN,
    Trigger,
    merged,
    own_control,
    reads_of,
    self_reading,
    sources,
)
from fieldsurvey.xforms.program.unnamed import Unnamed
from fieldsurvey.xforms.xpath.ast import Expr, Literal, Path
from fieldsurvey.xforms.xpath.compiled import Compiled
from fieldsurvey.xforms.xpath.compiler import Compiler
from fieldsurvey.xforms.xpath.errors import XPathNameError, XPathSyntaxError
from fieldsurvey.xforms.xpath.namespaces import NAMESPACES
from fieldsurvey.xforms.xpath.parser import parse
from fieldsurvey.xforms.xpath.runtime import Context

CAST = frozenset({"integer", "decimal", "date", "time", "dateTime", "geopoint", "geotrace", "geoshape"})
"""Types whose given values are checked and rewritten as they are stored."""
REMEDIES = {
    "xpath.syntax": n_("Look just before that character for a missing bracket, quote, comma or operator."),
    "xpath.name": n_("`docs/xpath.md` lists every function with its arguments."),
}
MOST_CYCLES = 50
"""Circles that are told at once."""
Runner = Callable[[Context], Any]


@lru_cache(maxsize=4096)
def _parse(source: str) -> Expr:
    return parse(source)


class Program:
    """Built once for a form. Raises FormError for expressions that cannot be used and for cycles."""

    def __init__(self, form: FormDef, find_media: Callable[[str], bytes | None]) -> None:
        self.form = form
        self.namespaces = {**NAMESPACES, **form.namespaces}
        self.lists = Lists(form.secondary, find_media)
        self.compiled: dict[tuple[int, str], Runner] = {}
        self.parts: dict[int, tuple[Compiler, Compiled]] = {}
        self.warnings: list[FormProblem] = []
        problems = self._check()
        if problems:
            raise FormError(problems)
        self.graph = Graph(self._triggers(), len(form.nodes))
        self._refuse_cycles()
        self.readers = self.graph.readers
        self.triggers = self.graph.triggers
        self.speaking = [
            trigger
            for trigger in self.triggers
            if trigger.kind != COUNT and any(name in trigger.expression.source for name in ("jr:itext", "choice-name"))
        ]
        self.cast = [
            node
            for node in form.nodes
            if node.bind is not None
            and node.bind.type in CAST
            and node.bind.calculate is None
            and not node.is_attribute
        ]
        self.by_target: dict[int, dict[int, Trigger]] = {}
        self.by_frame: dict[int, list[Trigger]] = {}
        for trigger in self.triggers:
            self.by_target.setdefault(trigger.target.index, {})[trigger.kind] = trigger
            frame = trigger.target.outer if trigger.kind == COUNT else trigger.target.frame
            self.by_frame.setdefault(id(frame), []).append(trigger)

    def with_media(self, find_media: Callable[[str], bytes | None]) -> Program:
        """The same program over other files: all is shared but the lists that came from files."""
        other = copy(self)
        other.lists = self.lists.with_media(find_media)
        return other

    def parsed(self, expression: Expression) -> Expr:
        """The syntax tree; raises XPathSyntaxError."""
        return _parse(expression.source)

    def run(self, expression: Expression, kind: str) -> Runner:
        """The closure of an expression. `kind`: value, scalar, string, boolean, nodes, number."""
        key = (id(expression), kind)
        found = self.compiled.get(key)
        if found is None:
            compiler, compiled = self.parts[id(expression)]
            found = self.compiled[key] = compiler.convert(compiled, kind)
        return found

    def run_at(self, expression: Expression, kind: str, d: NodeDef) -> Runner:
        """The closure of an expression at a node of any definition: texts are shown where nobody wrote them."""
        context = expression.context
        if context is not None and context.frame is d.frame:
            return self.run(expression, kind)
        key = (id(expression), f"{kind} {d.index}")
        found = self.compiled.get(key)
        if found is None:
            compiler = Compiler(SlotResolver(self.form.root, d, self.namespaces), self.namespaces, "xforms")
            found = self.compiled[key] = compiler.convert(compiler.compile(self.parsed(expression)), kind)
        return found

    def triggers_of(self, frame: Frame) -> list[Trigger]:
        """The triggers that run once in each frame of this kind, in order."""
        return self.by_frame.get(id(frame), [])

    def _check(self) -> list[FormProblem]:
        """What is wrong with the form's expressions, each with its origin."""
        problems: list[FormProblem] = []
        for expression in self.form.expressions:
            try:
                tree = self.parsed(expression)
                resolver = SlotResolver(self.form.root, expression.context, self.namespaces)
                compiler = Compiler(resolver, self.namespaces, "xforms")
                self.parts[id(expression)] = (compiler, compiler.compile(tree))
            except (XPathSyntaxError, XPathNameError) as error:
                message = f"{error.message} {expression.source[:200]}"
                problems.append(FormProblem(error.code, message, _(REMEDIES[error.code]), expression.origin))
                continue
            problems.extend(self._indexed(tree, resolver, expression))
            problems.extend(self._unlisted(tree, expression))
            for name in dict.fromkeys(resolver.missing):
                problem = FormProblem(
                    "ref.nothing",
                    _("The expression refers to {name}, which is not in the form: {source}").format(
                        name=name, source=expression.source[:200]
                    ),
                    _("Correct the name, or add the question it means. Text belongs in quotes."),
                    expression.origin,
                )
                # a bare word is a child that is not there: blank, as in ODK; nearly always quotes were forgotten
                (self.warnings if name in resolver.bare else problems).append(problem)
        return problems

    def _indexed(self, tree: Expr, resolver: SlotResolver, expression: Expression) -> list[FormProblem]:
        """indexed-repeat() needs repeats, and a field that is inside of them."""
        problems: list[FormProblem] = []
        for call in calls(tree, "indexed-repeat"):
            paths = [arg for arg in (*call.args[:1], *call.args[1::2]) if isinstance(arg, Path)]
            found = [resolver.references.resolve(path, (), every=True) for path in paths]
            target = found[0] if found else None
            if target is None or target.missing:
                continue
            for group in found[1:]:
                if group is None or group.missing:
                    continue
                d = group.target
                if d.kind != "repeat" or not target.target.path.startswith(f"{d.path}/"):
                    message = _("indexed-repeat() looks for {field} in {group}, which is not a repeat around it.")
                    text = message.format(field=target.target.path, group=d.path)
                    problems.append(FormProblem("xpath.indexed_repeat", text, "", expression.origin))
        return problems

    def _unlisted(self, tree: Expr, expression: Expression) -> list[FormProblem]:
        """instance() needs a list that the form declares, as in JavaRosa; external choices are not declared."""
        control = expression.context.control if expression.context is not None else None
        if control is not None and "query" in control.parameters:
            return []
        known = {*self.form.secondary, self.form.root.name, self.form.id}
        named = [call.args[0].value for call in calls(tree, "instance") if isinstance(call.args[0], Literal)]
        return [
            FormProblem(
                "ref.list",
                _("The expression refers to the list {name}, which is not in the form: {source}").format(
                    name=name, source=expression.source[:200]
                ),
                _("Correct the name, or add the list: choices of that list_name, or a row of type csv-external."),
                expression.origin,
            )
            for name in dict.fromkeys(named)
            if name not in known
        ]

    def _triggers(self) -> list[Trigger]:
        made: list[Trigger] = []
        unnamed = Unnamed(self.form, _parse)
        for node in self.form.nodes:
            control = own_control(node)
            for kind, expression in sources(node, control, self.form.itext):
                context = expression.context or node
                depth = node.outer.depth if kind == COUNT else node.frame.depth
                trigger = Trigger(kind, node, expression, depth)
                trigger.reads, trigger.positions = reads_of(self.parsed(expression), self.form.root, context)
                if kind == COUNT:  # `.` is no instance of the repeat; it is the repeat all the same
                    trigger.reads = [(node if read.path == node.path else read, bound) for read, bound in trigger.reads]
                certain, trigger.unnamed = unnamed.of(expression, context)
                trigger.reads = merged(trigger.reads, certain)
                if kind != CALCULATE and "once(" in expression.source:
                    trigger.unnamed.append((node, depth))  # it asks for the node's own value
                if kind == CHOICES and control is not None:
                    trigger.unnamed.extend(unnamed.items(control, context))
                if kind in OWN and all(read is not node for read, _bound in trigger.reads):
                    trigger.reads.append((node, depth))  # a condition on an answer waits for the answer
                made.append(trigger)
        return made

    def _refuse_cycles(self) -> None:
        cycles = self.graph.cycles + [[trigger] for trigger in self.graph.triggers if self_reading(trigger)]
        if cycles:
            raise FormError([_told(cycle) for cycle in cycles[:MOST_CYCLES]])


def _told(cycle: list[Trigger]) -> FormProblem:
    """The path of a circle: each with its row, and every one uses the next."""
    names = [_member(trigger) for trigger in cycle]
    path = " → ".join([*names, cycle[0].target.path])
    return FormProblem(
        "cycle",
        _("These depend on one another in a circle: {path}.").format(path=path),
        _("Break the circle: one of them must not use the others."),
        cycle[0].expression.origin,
    )


def _member(trigger: Trigger) -> str:
    origin = trigger.expression.origin
    parts = [] if origin is None else [origin.sheet, _("row {row}").format(row=origin.row)]
    return f"{trigger.target.path} ({', '.join([*parts, NAMES[trigger.kind]])})"
