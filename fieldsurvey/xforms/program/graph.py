"""The graph of triggers: who reads what, in which order all is worked out once, and which of it goes in a circle."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.program.references import below
from fieldsurvey.xforms.program.triggers import CALCULATE, CHOICES, COUNT, RELEVANT, WRITES, Trigger, merged

Edge = tuple[Trigger, int]
"""A trigger that reads a definition, and how many frames it shares with what it reads."""
After = dict[Trigger, dict[Trigger, None]]
"""The triggers that have to wait for a trigger."""


class Graph:
    """Who reads what. `readers` and `shifted` are by the index of the definition read.

    `triggers` is in the order in which they run: what is read is worked out before whoever reads it. `cycles` holds
    the triggers that go in a circle, each circle in order: every one uses what the next one writes.
    """

    def __init__(self, triggers: list[Trigger], count: int) -> None:
        self.triggers = triggers
        self.readers: list[list[Edge]] = [[] for _node in range(count)]
        self.shifted: list[list[Edge]] = [[] for _node in range(count)]
        for trigger in triggers:
            for node, bound in merged(trigger.reads, trigger.unnamed) if trigger.unnamed else trigger.reads:
                self.readers[node.index].append((trigger, bound))
            for node, bound in trigger.positions:
                self.shifted[node.index].append((trigger, bound))
        self.cycles: list[list[Trigger]] = []
        self._sort()

    def _sort(self) -> None:
        """Find the circles, and give every trigger its order.

        A count that depends on what it counts is no circle in ODK, where instances are made as one moves on: such
        counts are `lazy`, and an instance is made when one gets there and the count asks for it. Lists that depend on
        one another's answers are none either: they say what may be chosen, and are asked in turn until they agree.
        """
        after = self._after({trigger: dict(trigger.reads) for trigger in self.triggers}, WRITES)
        while True:
            self.cycles = [found for found in components(after) if len(found) > 1 or found[0] in after[found[0]]]
            lazy = [trigger for found in self.cycles for trigger in found if trigger.kind == COUNT]
            if not lazy:
                break
            for trigger in lazy:
                trigger.lazy = True
            after = {one: {t: None for t in many if not t.lazy} for one, many in after.items() if not one.lazy}
        place = {trigger: number for number, found in enumerate(reversed(list(components(after)))) for trigger in found}
        self.cycles = sorted((circle(found, after) for found in self.cycles), key=lambda found: found[0].target.index)
        order = self._ordered(place)
        done = set(order)
        rest = [trigger for trigger in self.triggers if trigger not in done]
        rest.sort(key=lambda trigger: trigger.kind != COUNT)
        self.triggers = order + rest
        for number, trigger in enumerate(self.triggers):
            trigger.order = number

    def _ordered(self, place: dict[Trigger, int]) -> list[Trigger]:
        """All that writes, in order; where lists go in a circle, everything else keeps its `place`."""
        reads = {trigger: dict(trigger.reads) | dict(trigger.unnamed) for trigger in self.triggers}
        after = self._after(reads, WRITES | {CHOICES})
        writers: dict[NodeDef, list[Trigger]] = {}
        for trigger in after:
            writers.setdefault(trigger.target, []).append(trigger)
        for trigger, later in after.items():
            if trigger.kind == COUNT:  # a new instance works out all that is in it
                for node in (trigger.target, *below(trigger.target)):
                    later.update((one, None) for one in writers.get(node, ()) if one is not trigger)
            elif trigger.kind == CALCULATE:  # what a form gives must be offered
                later.update((one, None) for one in writers[trigger.target] if one.kind == CHOICES)
        order: list[Trigger] = []
        for found in components(after):
            order.extend(sorted(found, key=lambda trigger: place.get(trigger, len(place)), reverse=True))
        order.reverse()
        return order

    def _after(self, reads: dict[Trigger, dict[NodeDef, int]], kinds: frozenset[int]) -> After:
        """Of the triggers of some kinds: who has to wait for whom."""
        writing = [trigger for trigger in self.triggers if trigger.kind in kinds and not trigger.lazy]
        readers: dict[int, list[Trigger]] = {}
        for trigger in writing:
            for node in reads[trigger]:
                readers.setdefault(node.index, []).append(trigger)
        after: After = {}
        for trigger in writing:
            found = after[trigger] = dict.fromkeys(readers.get(trigger.target.index, ()))
            if trigger.kind in {RELEVANT, COUNT} and trigger.target.children:
                for node in below(trigger.target):
                    for reader in readers.get(node.index, ()):
                        found[reader] = None
        return after


def circle(found: list[Trigger], after: After) -> list[Trigger]:
    """The shortest circle through the first, in form order, of triggers that all reach one another."""
    first = min(found, key=lambda trigger: (trigger.target.index, trigger.kind))
    inside = set(found)
    uses: dict[Trigger, list[Trigger]] = {trigger: [] for trigger in found}
    for trigger in found:
        for reader in after[trigger]:
            if reader in inside:
                uses[reader].append(trigger)
    came: dict[Trigger, Trigger] = {}
    waiting = deque([first])
    while waiting:
        at = waiting.popleft()
        for used in uses[at]:
            if used is first:
                path = [at]
                while path[-1] is not first:
                    path.append(came[path[-1]])
                return path[::-1]
            if used not in came:
                came[used] = at
                waiting.append(used)
    return found


def components(after: After) -> Iterator[list[Trigger]]:
    """Strongly connected components, the last in order first (Tarjan 1972, without recursion)."""
    index: dict[Trigger, int] = {}
    low: dict[Trigger, int] = {}
    on_stack: set[Trigger] = set()
    stack: list[Trigger] = []
    for start in after:
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
                    yield _popped(stack, on_stack, node)


def _popped(stack: list[Trigger], on_stack: set[Trigger], node: Trigger) -> list[Trigger]:
    component: list[Trigger] = []
    while True:
        member = stack.pop()
        on_stack.discard(member)
        component.append(member)
        if member is node:
            return component
