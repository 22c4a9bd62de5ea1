"""Recalculation: what a change reaches is worked out anew, in order, and no further than values really change."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import ChangeKind
from fieldsurvey.xforms.definition.model import Expression, NodeDef
from fieldsurvey.xforms.live.datatypes import calculated, kind_of, to_text, typed
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range
from fieldsurvey.xforms.program.slots import inside
from fieldsurvey.xforms.program.triggers import CHOICES, COUNT, Trigger
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError
from fieldsurvey.xforms.xpath.nodes import Value
from fieldsurvey.xforms.xpath.runtime import MOST_VISITS, Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.live.state import State

MAX_REPEATS = 10_000
"""Instances of one repeat that a count may ask for."""
ROUNDS = 50
"""How often one trigger may run again for one change: only lists that depend on one another's answers, and what reads
their selects, run more than once."""


class Settler:
    """Brings an interview's state to rest. `evaluations` counts the closures run, for tests."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.program = state.program
        self.readers = state.program.readers
        self.shifted = state.program.graph.shifted
        self.triggers = state.program.triggers
        self.heap: list[int] = []
        self.dirty: dict[int, dict[LiveFrame, None]] = {}
        self.changes: dict[LiveNode, set[ChangeKind]] = {}
        self.evaluations = 0
        self.context: Context | None = None
        self.apply: tuple[Callable[[Trigger, LiveFrame], None], ...] = (
            self.calculate,
            self.relevant,
            self.count,
            self.required,
            self.read_only,
            self.constraint,
            self.warning,
            self.choices,
            self.label,
        )

    # -- marking -------------------------------------------------------------------------------------------------

    def mark(self, node: LiveNode, kind: ChangeKind) -> None:
        """Remember that something about a node became different."""
        kinds = self.changes.get(node)
        if kinds is None:
            self.changes[node] = {kind}
        else:
            kinds.add(kind)

    def value_changed(self, node: LiveNode) -> None:
        """The node's text is another: whoever reads it has to look again."""
        self.mark(node, ChangeKind.VALUE)
        self.push_readers(node.d.index, node.frame)
        self.state.value_changed(node)

    def push(self, trigger: Trigger, frame: LiveFrame) -> None:
        """Run `trigger` in `frame` when its turn comes."""
        order = trigger.order
        waiting = self.dirty.get(order)
        if waiting is None:
            self.dirty[order] = {frame: None}
            heappush(self.heap, order)
        else:
            waiting[frame] = None

    def push_readers(self, index: int, frame: LiveFrame) -> None:
        """Everything that reads the definition `index`, where the node in `frame` may be what it reads."""
        for trigger, bound in self.readers[index]:
            self.push_edge(trigger, bound, frame)

    def push_edge(self, trigger: Trigger, bound: int, frame: LiveFrame) -> None:
        """The frames of `trigger` that share `bound` frames with `frame`."""
        at = frame
        while at.d.depth > bound:
            at = at.outer  # type: ignore[assignment]  # depth 0 has no outer and is never above bound
        if trigger.depth == bound:
            self.push(trigger, at)
            return
        owner = trigger.target.outer if trigger.kind == COUNT else trigger.target.frame
        for inner in inside(at, owner.chain()[at.d.depth + 1 :]):
            self.push(trigger, inner)

    def recheck(self, node: LiveNode) -> None:
        """A select was given a value by the form itself: it must be one that is offered."""
        trigger = self.program.by_target.get(node.d.index, {}).get(CHOICES)
        if trigger is not None:
            self.push(trigger, node.frame)

    def push_frame(self, frame: LiveFrame) -> None:
        """Every trigger of a frame and of the repeats inside it."""
        for trigger in self.program.triggers_of(frame.d):
            self.push(trigger, frame)
        for slot in frame.slots:
            if type(slot) is Range:
                for inner in slot.instances:
                    self.push_frame(inner)

    # -- running -------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Run until nothing is left to run."""
        heap, dirty, triggers, apply = self.heap, self.dirty, self.triggers, self.apply
        context = self.context
        if context is None:
            context = self.context = Context(self.state.root.first(), self.state.env, position=0)
        self.state.env.visits = MOST_VISITS
        runs: dict[int, int] = {}
        highest = -1
        while heap:
            order = heappop(heap)
            frames = dirty.pop(order)
            if order <= highest:
                runs[order] = runs.get(order, 0) + 1
                if runs[order] > ROUNDS:
                    continue
            else:
                highest = order
            trigger = triggers[order]
            run = apply[trigger.kind]
            for frame in frames:
                run(trigger, frame)

    def evaluate(self, trigger: Trigger, node: LiveNode, kind: str) -> object:
        """The value of a trigger's expression at a node; None when it failed, which is then the node's error."""
        self.evaluations += 1
        context = self.context
        assert context is not None
        context.node = context.origin = node
        try:
            value: object = self.program.run(trigger.expression, kind)(context)
        except (EvaluationError, XPathNameError) as error:
            self.failed(trigger, node, error)
            return None
        if node.faults is not None:
            self.state.faulty(node, trigger.kind, None)
        return value

    def failed(self, trigger: Trigger, node: LiveNode, error: EvaluationError | XPathNameError) -> None:
        """Keep the error at the node, with the row that the author has to mend."""
        self.state.faulty(node, trigger.kind, located(trigger.expression, error))

    # -- one for each kind of trigger ----------------------------------------------------------------------------

    def calculate(self, trigger: Trigger, frame: LiveFrame) -> None:
        """A calculation: the node takes its value."""
        node: LiveNode = frame.slots[trigger.target.slot]  # type: ignore[assignment]
        value: Value | None = self.evaluate(trigger, node, "scalar")  # type: ignore[assignment]
        try:
            text = "" if value is None else to_text(value, kind_of(node.d), self.state.env.timezone)
        except EvaluationError as error:
            self.failed(trigger, node, error)
            value, text = None, ""
        if text != node.text:
            node.put(text, calculated(value, text, node.d))
            self.value_changed(node)
            self.recheck(node)
            self.state.refresh(node)
        elif text:
            kept = calculated(value, text, node.d)
            if not same(node.value(), kept if kept is not None else typed(text, node.d)):
                node.put(text, kept)
                self.value_changed(node)

    def relevant(self, trigger: Trigger, frame: LiveFrame) -> None:
        """A condition of relevance; a condition that fails leaves the node in."""
        node: LiveNode = frame.slots[trigger.target.slot]  # type: ignore[assignment]
        value = self.evaluate(trigger, node, "boolean")
        own = True if value is None else bool(value)
        if own != node.own:
            node.own = own
            self.spread(node)

    def spread(self, node: LiveNode) -> None:
        """Relevance of a node reaches everything inside it."""
        stack = [node]
        while stack:
            current = stack.pop()
            parent = current.parent
            effective = current.own and (parent is None or parent.relevant)
            if effective == current.relevant:
                continue
            current.relevant = effective
            self.mark(current, ChangeKind.RELEVANT)
            self.push_readers(current.d.index, current.frame)
            self.state.refresh(current)
            stack.extend(current.children)  # type: ignore[arg-type]  # live nodes only
            stack.extend(current.attributes)  # type: ignore[arg-type]

    def count(self, trigger: Trigger, frame: LiveFrame) -> None:
        """The number of instances that the form asks for; what is beyond is put aside, to come back."""
        if trigger.lazy:
            return  # Navigator makes them
        owner: Range = frame.slots[trigger.target.outer_slot]  # type: ignore[assignment]
        wanted = self.wanted(trigger, frame)
        while len(owner.instances) < wanted:
            self.state.grow(owner)
        while len(owner.instances) > wanted:
            self.state.shrink(owner, len(owner.instances), keep=True)

    def wanted(self, trigger: Trigger, frame: LiveFrame) -> int:
        """What a count comes to; no number is none."""
        parent = trigger.target.parent
        assert parent is not None
        value = self.evaluate(trigger, frame.node(parent), "number")
        wanted = int(value) if isinstance(value, float) and abs(value) < 1e9 else 0
        return max(0, min(wanted, MAX_REPEATS))

    def required(self, trigger: Trigger, frame: LiveFrame) -> None:
        """Whether a question must be answered."""
        node: LiveNode = frame.slots[trigger.target.slot]  # type: ignore[assignment]
        value = bool(self.evaluate(trigger, node, "boolean"))
        if value != node.required:
            node.required = value
            self.mark(node, ChangeKind.REQUIRED)
            self.state.refresh(node)

    def read_only(self, trigger: Trigger, frame: LiveFrame) -> None:
        """Whether a question may not be answered."""
        node: LiveNode = frame.slots[trigger.target.slot]  # type: ignore[assignment]
        value = bool(self.evaluate(trigger, node, "boolean"))
        if value != node.read_only:
            node.read_only = value
            self.mark(node, ChangeKind.READ_ONLY)
            self.state.refresh(node)

    def constraint(self, trigger: Trigger, frame: LiveFrame) -> None:
        """A hard condition; a blank answer is never against it."""
        self.condition(trigger, frame, "constraint")

    def warning(self, trigger: Trigger, frame: LiveFrame) -> None:
        """A soft condition."""
        self.condition(trigger, frame, "warning")

    def condition(self, trigger: Trigger, frame: LiveFrame, name: str) -> None:
        """Keep whether a condition on an answer holds."""
        node: LiveNode = frame.slots[trigger.target.slot]  # type: ignore[assignment]
        holds = node.text == "" or self.evaluate(trigger, node, "boolean") is not False
        if holds == (name in node.wrong):
            node.wrong = node.wrong - {name} if holds else node.wrong | {name}
        self.state.refresh(node)

    def choices(self, trigger: Trigger, frame: LiveFrame) -> None:
        """The list of a select: what is no longer offered is set aside, and comes back when it is offered again."""
        node: LiveNode = frame.slots[trigger.target.slot]  # type: ignore[assignment]
        self.mark(node, ChangeKind.CHOICES)
        self.evaluations += 1
        self.state.check_choices(node, trigger)

    def label(self, trigger: Trigger, frame: LiveFrame) -> None:
        """Labels are worked out when they are shown; here it is only said that one is different."""
        node: LiveNode = frame.slots[trigger.target.slot]  # type: ignore[assignment]
        self.mark(node, ChangeKind.LABEL)

    # -- repeats -------------------------------------------------------------------------------------------------

    def appended(self, owner: Range, frame: LiveFrame) -> None:
        """A new last instance: its own triggers run, and whoever reads the repeat or anything in it."""
        self.push_frame(frame)
        self.push_readers(owner.d.index, frame)
        for trigger, bound in self.shifted[owner.d.index]:
            if bound <= owner.frame.d.depth:
                self.push_edge(trigger, bound, owner.frame)
        self.contents(owner.d, owner.frame, frame)

    def contents(self, d: NodeDef, outer: LiveFrame, frame: LiveFrame) -> None:
        """Readers from outside an instance of what is inside it."""
        for node in d.frame.nodes:
            for trigger, bound in self.readers[node.index]:
                if bound <= outer.d.depth:
                    self.push_edge(trigger, bound, outer)
            if node.kind == "repeat" and node is not d:
                self.contents(node, outer, frame)

    def removed(self, owner: Range, position: int, frame: LiveFrame) -> None:
        """An instance is gone and the later ones have moved up."""
        outer = owner.frame
        self.contents(owner.d, outer, frame)
        for trigger, bound in self.shifted[owner.d.index]:
            if bound <= outer.d.depth:
                self.push_edge(trigger, bound, outer)
                continue
            chain = trigger.target.frame.chain()
            for later in owner.instances[position - 1 :]:
                for inner in inside(later, chain[later.d.depth + 1 :]):
                    self.push(trigger, inner)


def same(one: Value, other: Value) -> bool:
    """Whether two values are of one kind and equal: `0`, `false` and the text 0 are not."""
    return type(one) is type(other) and (one == other or one != one)  # noqa: PLR0124  NaN is NaN


def located(expression: Expression, error: EvaluationError | XPathNameError) -> str:
    """What went wrong, and the row of the form that has to be mended."""
    origin = expression.origin
    if origin is None:
        return error.message
    place = _("{sheet}, row {row}, column {column}: ").format(
        sheet=origin.sheet, row=origin.row, column=origin.column or expression.column
    )
    return place + error.message
