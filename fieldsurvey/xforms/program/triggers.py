"""Triggers: what has to be worked out anew when something changes, in an order in which each is worked out once.

A trigger that writes what others read (calculation, relevance, count of a repeat) has its place in the order of
dependencies; the rest (required, read-only, constraint, warning, choices, label) comes after all of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fieldsurvey.xforms.definition.model import Control, Expression, Forms, NodeDef, Text
from fieldsurvey.xforms.program.references import References, below, calls
from fieldsurvey.xforms.xpath.ast import Expr, Path
from fieldsurvey.xforms.xpath.compiler import dependencies

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


@dataclass(slots=True, eq=False)
class Trigger:
    """One expression at one definition. `depth` is that of the frames in which it runs."""

    kind: int
    target: NodeDef
    expression: Expression
    depth: int
    order: int = -1
    reads: list[tuple[NodeDef, int]] = field(default_factory=list)
    positions: list[tuple[NodeDef, int]] = field(default_factory=list)
    lazy: bool = False


Edge = tuple[Trigger, int]
"""A trigger that reads a definition, and how many frames it shares with what it reads."""


Reads = list[tuple[NodeDef, int]]


def reads_of(expr: Expr, root: NodeDef, here: NodeDef | None) -> tuple[Reads, Reads]:
    """The definitions an expression reads with their bound depths, and those whose position it asks for."""
    references = References(root, here)
    positional = {arg for call in calls(expr, "position") for arg in call.args if isinstance(arg, Path)}
    unbound = {arg for call in calls(expr, "indexed-repeat") for arg in call.args if isinstance(arg, Path)}
    reads: dict[NodeDef, int] = {}
    positions: dict[NodeDef, int] = {}
    for reference in dependencies(expr):
        path = reference.path
        for target, bound in references.reached(path, reference.scope):
            kept = 0 if path in unbound else bound
            table = positions if path in positional else reads
            table[target] = min(table.get(target, kept), kept)
    return list(reads.items()), list(positions.items())


class Graph:
    """Who reads what. `readers` and `shifted` are by the index of the definition read."""

    def __init__(self, triggers: list[Trigger], count: int) -> None:
        self.triggers = triggers
        self.readers: list[list[Edge]] = [[] for _node in range(count)]
        self.shifted: list[list[Edge]] = [[] for _node in range(count)]
        for trigger in triggers:
            for node, bound in trigger.reads:
                self.readers[node.index].append((trigger, bound))
            for node, bound in trigger.positions:
                self.shifted[node.index].append((trigger, bound))
        self.cycle: list[Trigger] = []
        self._sort()

    def writes(self, trigger: Trigger) -> Iterator[NodeDef]:
        """The definitions whose value, relevance or instances a trigger may change."""
        yield trigger.target
        if trigger.kind in {RELEVANT, COUNT}:
            yield from below(trigger.target)

    def _sort(self) -> None:
        """Give every trigger its order; on a cycle, keep its path in `cycle`.

        A count that depends on what it counts is no cycle in ODK, where instances are made as one moves on: such
        counts are `lazy`, and an instance is made when one gets there and the count asks for it.
        """
        order = self._ordered(counts=True)
        if any(trigger.kind == COUNT for trigger in self.cycle):
            for trigger in self.cycle:
                trigger.lazy = trigger.kind == COUNT
            self.cycle = []
            order = self._ordered(counts=False)
        done = set(order)
        rest = [trigger for trigger in self.triggers if trigger not in done]
        rest.sort(key=lambda trigger: trigger.kind != COUNT)
        self.triggers = order + rest
        for number, trigger in enumerate(self.triggers):
            trigger.order = number

    def _ordered(self, *, counts: bool) -> list[Trigger]:
        kinds = WRITES if counts else WRITES - {COUNT}
        writing = [trigger for trigger in self.triggers if trigger.kind in kinds]
        after: dict[Trigger, list[Trigger]] = {}
        for trigger in writing:
            found: dict[Trigger, None] = {}
            for node in self.writes(trigger):
                for reader, bound in self.readers[node.index]:
                    if reader.kind in kinds and not (trigger.kind == COUNT and bound and reader.target is node):
                        found[reader] = None
            after[trigger] = list(found)
        order: list[Trigger] = []
        for component in components(writing, after):
            if len(component) > 1 and any(trigger.kind != RELEVANT for trigger in component):
                self.cycle = component
            if len(component) == 1 and component[0] in after[component[0]]:
                self.cycle = component
            order.extend(component)
        order.reverse()
        return order


def components(nodes: list[Trigger], after: dict[Trigger, list[Trigger]]) -> Iterator[list[Trigger]]:
    """Strongly connected components, the last in order first (Tarjan 1972, without recursion)."""
    index: dict[Trigger, int] = {}
    low: dict[Trigger, int] = {}
    on_stack: set[Trigger] = set()
    stack: list[Trigger] = []
    for start in nodes:
        if start in index:
            continue
        work: list[tuple[Trigger, Iterator[Trigger]]] = [(start, iter(after[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, successors = work[-1]
            for successor in successors:
                if successor not in index:
                    index[successor] = low[successor] = len(index)
                    stack.append(successor)
                    on_stack.add(successor)
                    work.append((successor, iter(after[successor])))
                    break
                if successor in on_stack:
                    low[node] = min(low[node], index[successor])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == index[node]:
                    component: list[Trigger] = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member is node:
                            break
                    yield component


def self_reading(trigger: Trigger) -> bool:
    """Whether a read-only condition asks about its own answer, which JavaRosa refuses as a cycle."""
    return trigger.kind == READ_ONLY and any(node is trigger.target for node, _bound in trigger.reads)


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
        for text in (control.label, control.hint):
            yield from ((LABEL, part) for part in outputs(text, itext))


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
