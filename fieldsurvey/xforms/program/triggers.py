"""Triggers: what has to be worked out anew when something changes, in an order in which each is worked out once.

A trigger that writes what others read (calculation, relevance, count of a repeat; choices, which set answers aside) has
its place in the order of dependencies, see graph.py; the rest (required, read-only, constraint, warning, label) comes
after all of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fieldsurvey.xforms.definition.model import Control, Expression, Forms, NodeDef, Text
from fieldsurvey.xforms.program.references import References, calls
from fieldsurvey.xforms.xpath.ast import Expr, Path
from fieldsurvey.xforms.xpath.dependencies import dependencies

CALCULATE, RELEVANT, COUNT, REQUIRED, READ_ONLY, CONSTRAINT, WARNING, CHOICES, LABEL = range(9)
WRITES = frozenset({CALCULATE, RELEVANT, COUNT})
OWN = frozenset({CONSTRAINT, WARNING})
"""Kinds that ask something of the node's own answer, whether or not the expression names it.

Choices do not: an answer is checked when it is given, and a list of thousands must not be worked out anew for that.
"""
NAMES = (
    "calculation",
    "relevant",
    "repeat_count",
    "required",
    "read_only",
    "constraint",
    "fs:warning",
    "choice_filter",
    "label",
)


Itext = dict[str, dict[str, Forms]]
Reads = list[tuple[NodeDef, int]]
"""Definitions that are read, each with how many frames are those of the reader's own instance."""


@dataclass(slots=True, eq=False)
class Trigger:
    """One expression at one definition. `depth` is that of the frames in which it runs."""

    kind: int
    target: NodeDef
    expression: Expression
    depth: int
    order: int = -1
    reads: Reads = field(default_factory=list)
    unnamed: Reads = field(default_factory=list)  # what it may read besides: it makes no circle, see unnamed.py
    positions: Reads = field(default_factory=list)
    lazy: bool = False


Edge = tuple[Trigger, int]
"""A trigger that reads a definition, and how many frames it shares with what it reads."""


def reads_of(expr: Expr, root: NodeDef, here: NodeDef | None) -> tuple[Reads, Reads]:
    """The definitions an expression reads with their bound depths, and those whose position it asks for."""
    references = References(root, here)
    asked = [call.args for call in calls(expr, "position")]
    positional = {arg for args in asked for arg in args if isinstance(arg, Path)}
    unbound = {arg for call in calls(expr, "indexed-repeat") for arg in call.args if isinstance(arg, Path)}
    reads: dict[NodeDef, int] = {}
    positions: dict[NodeDef, int] = {}
    if here is not None and here.kind == "repeat" and () in asked:
        positions[here] = here.frame.depth
    for reference in dependencies(expr):
        path = reference.path
        for target, bound in references.reached(path, reference.scope):
            kept = 0 if path in unbound else bound
            reads[target] = min(reads.get(target, kept), kept)
            if path in positional:  # it is another after a removal, and none where there is no node
                positions[target] = min(positions.get(target, kept), kept)
    return list(reads.items()), list(positions.items())


def merged(*several: Reads) -> Reads:
    """Each definition once, with the least that it is bound."""
    found: dict[NodeDef, int] = {}
    for reads in several:
        for node, bound in reads:
            found[node] = min(bound, found.get(node, bound))
    return list(found.items())


def self_reading(trigger: Trigger) -> bool:
    """Whether a condition asks about the answer it stands at; JavaRosa refuses that as a cycle, but in constraints."""
    asks = trigger.kind in {READ_ONLY, REQUIRED}
    return asks and any(node is trigger.target for node, _bound in trigger.reads)


def sources(node: NodeDef, control: Control | None, itext: Itext) -> Iterator[tuple[int, Expression]]:
    """The expressions of a node in the order in which they matter."""
    bind = node.bind
    if bind is not None:
        if bind.calculate is not None:
            yield CALCULATE, bind.calculate
        if bind.relevant is not None:
            yield RELEVANT, bind.relevant
        if bind.required is not None:
            yield REQUIRED, bind.required
        if bind.read_only is not None:
            yield READ_ONLY, bind.read_only
        if bind.constraint is not None:
            yield CONSTRAINT, bind.constraint
        if bind.warning is not None:
            yield WARNING, bind.warning
    if control is not None:
        if control.count is not None:
            yield COUNT, control.count
        if control.itemset is not None:
            yield CHOICES, control.itemset.nodeset
        yield from ((CHOICES, part) for part in control.search)
        for text in (control.label, control.hint, *(item.label for item in control.items)):
            yield from ((LABEL, part) for part in outputs(text, itext))


def own_control(node: NodeDef) -> Control | None:
    """The control that asks for a node, not one that it lies inside of."""
    control = node.control
    return control if control is not None and control.ref is node else None


def outputs(text: Text | None, itext: Itext) -> Iterator[Expression]:
    """The expressions inside a text, in whatever language."""
    if text is None:
        return
    if text.itext is not None:
        for entries in itext.values():
            for parts in entries.get(text.itext, {}).values():
                yield from (part for part in parts if isinstance(part, Expression))
    if text.dynamic is not None:
        yield text.dynamic
    for part in text.parts:
        if isinstance(part, Expression):
            yield part
