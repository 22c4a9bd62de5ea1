"""The state of one interview: frames, values, what is wrong, the journal of what changed. Navigation is elsewhere."""

from __future__ import annotations

import uuid
from typing import Any

from fieldsurvey.xforms.contract import ChangeKind, ViolationKind
from fieldsurvey.xforms.definition.model import NodeDef, Values
from fieldsurvey.xforms.live.actions import ACTION, Actions
from fieldsurvey.xforms.live.choices import SELECTS, Choices
from fieldsurvey.xforms.live.datatypes import given, read_datetime, stored
from fieldsurvey.xforms.live.env import InterviewEnv, World
from fieldsurvey.xforms.live.nodes import (
    LiveFrame,
    LiveNode,
    Range,
    add_instance,
    bring_back,
    build,
    drop_instance,
    fill,
    put_aside,
)
from fieldsurvey.xforms.live.settle import Settler
from fieldsurvey.xforms.live.texts import Texts
from fieldsurvey.xforms.live.validity import violation_kind
from fieldsurvey.xforms.program.program import Program
from fieldsurvey.xforms.program.slots import inside
from fieldsurvey.xforms.program.triggers import CALCULATE, COUNT, Trigger
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError
from fieldsurvey.xforms.xpath.nodes import ROOT, Node

KEPT = frozenset({CALCULATE, ACTION})
Entry = list[Any]
"""A change as JSON: what happened, the ref, and what it became."""


class State:
    """The live tree and everything kept up to date with it."""

    def __init__(self, program: Program, world: World, language: str) -> None:
        self.program = program
        self.world = world
        self.language = language
        self.root = build(program.form.root_frame, None, None)
        self.document = document(self.root)
        self.texts = Texts(self)
        self.choices = Choices(self)
        self.env = InterviewEnv(self, world)
        self.settler = Settler(self)
        self.actions = Actions(self)
        self.bad: dict[LiveNode, ViolationKind] = {}
        self.journal: list[Entry] = []
        self.notes: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.replaying = False
        self.dropped = False

    # -- starting ------------------------------------------------------------------------------------------------

    def begin(self, values: Values, *, first: bool) -> None:
        """Take the values, work everything out, run what runs when a form is opened; `first`: a blank one."""
        fill(self.root.first(), values)
        if first:
            self._cast()
        else:
            self._recast(self.root)
        self._fixed(self.root)
        if first:
            self.actions.preload()
        self.settler.push_frame(self.root)
        self.settler.settle()
        if first:
            unborn(self.root)
        self.actions.opened(first=first)
        if not first:
            self._rechoose(self.root)
            self.actions.finish()
        self.settler.changes.clear()

    def reread(self) -> None:
        """Take values of another version of the form: what follows from them is worked out, what is none set aside."""
        self._recast(self.root)
        self._fixed(self.root)
        self.settler.push_frame(self.root)
        self.settler.settle()
        self._refresh_all(self.root)
        self._rechoose(self.root)
        self.actions.finish()
        self.settler.changes.clear()

    def _recast(self, frame: LiveFrame) -> None:
        """Answers as this form's types have them; nothing is cut, what does not read is set aside."""
        for node in frame.leaves():
            bind = node.d.bind
            if bind is None or bind.calculate is not None or not node.text or bind.type in {"", "string"}:
                continue
            text = stored(node.text, bind.type)
            if text is None and read_datetime(node.text, None) is None:
                self.set_aside(node, node.text, "type")
            elif text is not None and text != node.text:
                node.put(text)

    def _rechoose(self, frame: LiveFrame) -> None:
        """Answers that are no choice any more are set aside."""
        for node in frame.leaves():
            if not node.text or not is_select(node.d):
                continue
            try:
                unknown = self.choices.unknown(node, node.text)
            except (EvaluationError, XPathNameError):
                continue  # the violation says why there is no list
            if unknown:
                self.set_aside(node, node.text, "choice", self.choices.rest(node, node.text))

    def _fixed(self, frame: LiveFrame) -> None:
        """A repeat that nobody may add to has at least one instance."""
        for slot in frame.slots:
            if type(slot) is Range:
                control = slot.d.control
                if control is not None and control.no_add_remove and control.count is None and not slot.instances:
                    add_instance(slot)
                for inner in slot.instances:
                    self._fixed(inner)

    def _cast(self) -> None:
        """Given values as their type has them, see datatypes.given.

        What does not read as the type is set aside with a violation, as if somebody had typed it.
        """
        for d in self.program.cast:
            assert d.bind is not None
            kind = d.bind.type
            for frame in inside(self.root, d.frame.chain()[1:]):
                node = frame.node(d)
                if not node.text:
                    continue
                text = given(node.text, kind, self.env.timezone)
                if text:
                    node.put(text)
                else:
                    self.set_aside(node, node.text, "type")

    def restore(self) -> None:
        """Work out conditions after values were put back; calculated values stay as they were kept."""
        settler, draws = self.settler, self.world.draws
        settler.push_frame(self.root)
        for order in [order for order in settler.dirty if settler.triggers[order].kind in {CALCULATE, COUNT}]:
            del settler.dirty[order]
        settler.heap[:] = sorted(settler.dirty)
        self.replaying = True
        kept, settler.readers = settler.readers, _without(settler.readers, {CALCULATE, COUNT})
        settler.settle()
        settler.readers = kept
        self._refresh_all(self.root)
        self.world.draws = draws  # looking again takes nothing from chance
        self.replaying = False
        settler.changes.clear()

    def _refresh_all(self, frame: LiveFrame) -> None:
        for slot in frame.slots:
            if type(slot) is LiveNode:
                self.refresh(slot)
            else:
                for inner in slot.instances:  # type: ignore[union-attr]
                    self._refresh_all(inner)

    # -- what the settler reports --------------------------------------------------------------------------------

    def value_changed(self, node: LiveNode) -> None:
        """Write the change down."""
        if self.replaying:
            return
        self.journal.append(["v", node.ref, node.kept])

    def _acted(self, node: LiveNode) -> None:
        """Somebody or an action changed a value: actions may wait for it. They do not wait for calculations."""
        if not self.replaying:
            self.actions.value_changed(node)

    def refresh(self, node: LiveNode) -> None:
        """Keep the list of what is wrong up to date."""
        kind = violation_kind(node)
        if kind is self.bad.get(node):
            return
        if kind is None:
            del self.bad[node]
        else:
            self.bad[node] = kind
        self.settler.mark(node, ChangeKind.VALID)

    def faulty(self, node: LiveNode, kind: int, message: str | None) -> None:
        """An expression failed, or does no longer. Drafts keep what a calculation said; the rest works out anew."""
        if not node.fault(kind, message):
            return
        if kind in KEPT and not self.replaying:
            self.journal.append(["e", node.ref, kind, message])
        self.settler.mark(node, ChangeKind.VALID)
        self.refresh(node)

    def check_choices(self, node: LiveNode, trigger: Trigger) -> None:
        """Set aside an answer that is not offered any more; take it back when it is."""
        self.choices.forget(node)
        candidate = node.raw if "choice" in node.wrong else node.text
        if not candidate:
            self.faulty(node, trigger.kind, None)
            return
        try:
            unknown = self.choices.unknown(node, candidate)
        except (EvaluationError, XPathNameError) as error:
            self.settler.failed(trigger, node, error)
            return
        self.faulty(node, trigger.kind, None)
        if not unknown:
            self.put(node, candidate)
        elif (rest := self.choices.rest(node, candidate)) != node.text or candidate != node.raw:
            self.set_aside(node, candidate, "choice", rest)

    # -- changing ------------------------------------------------------------------------------------------------

    def put(self, node: LiveNode, text: str) -> None:
        """A value; what did not parse before is forgotten."""
        self._clear_raw(node)
        if text != node.text:
            node.put(text)
            self.settler.value_changed(node)
            self._acted(node)
        self.refresh(node)

    def set_aside(self, node: LiveNode, raw: str, reason: str, rest: str = "") -> None:
        """Text that is no value: kept, with a violation; the value becomes what is left of it, `rest`."""
        node.raw = raw
        node.wrong = (node.wrong - {"choice", "type"}) | {reason}
        if node.text != rest:
            node.put(rest)
            self.settler.value_changed(node)
            self._acted(node)
        if not self.replaying:
            self.journal.append(["r", node.ref, raw, reason])
        self.settler.mark(node, ChangeKind.VALUE)
        self.refresh(node)

    def _clear_raw(self, node: LiveNode) -> None:
        if node.raw is not None:
            node.raw = None
            node.wrong = node.wrong - {"choice", "type"}
            if not self.replaying:
                self.journal.append(["r", node.ref, None, ""])
            self.settler.mark(node, ChangeKind.VALUE)

    def grow(self, owner: Range) -> LiveFrame:
        """One more instance of a repeat: the one put aside last, or a new one. Its triggers are pushed, not yet run."""
        if not self.replaying:
            self.journal.append(["+", owner.ref])
        back = bool(owner.aside)
        frame = bring_back(owner) if back else add_instance(owner)
        new, frame.born = not (back and frame.born), True
        node = frame.first()
        self.settler.spread(node)
        self.settler.mark(node, ChangeKind.ADDED)
        self.settler.appended(owner, frame)
        if back:
            self._refresh_all(frame)
        if new and not self.replaying:
            self._new(frame)
        return frame

    def _new(self, frame: LiveFrame) -> None:
        """Run what runs for a new instance and for those that it brings along inside."""
        self.actions.new_repeat(frame)
        for slot in frame.slots:
            if type(slot) is Range:
                for inner in slot.instances:
                    self._new(inner)

    def shrink(self, owner: Range, position: int, *, keep: bool = False) -> LiveNode:
        """Remove an instance; notes and reasons inside it go with it, those of later ones move up.

        `keep`: it is the last one, and `grow` brings it back with its answers, notes and reasons.
        """
        count = len(owner.instances)
        if not self.replaying:
            self.journal.append(["-", owner.ref, position])
        frame = put_aside(owner) if keep else drop_instance(owner, position)
        self.dropped = True
        self._forget(frame)
        for table in (self.notes, self.reasons) if not keep else ():
            renumber(table, owner.ref, position, count)
        node = frame.first()
        self.settler.mark(node, ChangeKind.REMOVED)
        self.settler.removed(owner, position, frame)
        return node

    def _forget(self, frame: LiveFrame) -> None:
        """Nothing of a removed instance is wrong, waits or changes any more."""
        for slot in frame.slots:
            if type(slot) is LiveNode:
                self.bad.pop(slot, None)
                self.choices.forget(slot)
            else:
                for inner in slot.instances:  # type: ignore[union-attr]
                    self._forget(inner)
        for waiting in self.settler.dirty.values():
            waiting.pop(frame, None)

    def keep_note(self, ref: str, text: str) -> None:
        """A note on a node; "" removes it."""
        self.journal.append(["n", ref, text])
        if text:
            self.notes[ref] = text
        else:
            self.notes.pop(ref, None)

    def language_changed(self) -> None:
        """Texts are part of what these expressions say, and of every choice."""
        self.choices.forget()
        for trigger in self.program.speaking:
            for frame in inside(self.root, trigger.target.frame.chain()[1:]):
                self.settler.push(trigger, frame)
        self.actions.finish()
        self.settler.changes.clear()

    # -- finding -------------------------------------------------------------------------------------------------

    def new_uuid(self) -> str:
        """A version 4 UUID from the interview's own randomness."""
        number = 0
        for _draw in range(4):
            number = (number << 32) | int(self.world.draw() * 2**32)
        return str(uuid.UUID(int=number, version=4))

    def blank_document(self) -> Node:
        """The form as it is when nothing was ever saved: every value blank."""
        frame = build(self.program.form.root_frame, None, None)
        for slot in frame.slots:
            if type(slot) is LiveNode:
                slot.put("")
        return document(frame)

    def ordered(self, nodes: list[LiveNode]) -> list[LiveNode]:
        """Nodes in form order."""
        return sorted(nodes, key=order_key)


def unborn(frame: LiveFrame) -> None:
    """What a blank form brings along beyond its counts is a new instance once a count asks for it."""
    for slot in frame.slots:
        if type(slot) is Range:
            for inner in slot.aside:
                inner.born = False
            for inner in (*slot.instances, *slot.aside):
                unborn(inner)


def document(root: LiveFrame) -> Node:
    """The node above the root element, where absolute paths begin."""
    top = Node(ROOT)
    node = root.first()
    top.children = [node]
    node.parent = top  # type: ignore[assignment]  # the one node whose parent is not live
    return top


def order_key(node: LiveNode) -> list[int]:
    """Where a node stands: the index of each repeat around it and its position there, then its own index."""
    key = [node.d.index]
    frame: LiveFrame | None = node.frame
    while frame is not None and frame.d.repeat is not None:
        key.append(frame.position)
        key.append(frame.d.repeat.index)
        frame = frame.outer
    return key[::-1]


def _without(readers: list[list[tuple[Trigger, int]]], kinds: set[int]) -> list[list[tuple[Trigger, int]]]:
    return [[edge for edge in edges if edge[0].kind not in kinds] if edges else edges for edges in readers]


def renumber(table: dict[str, str], owner: str, position: int, count: int) -> None:
    """Move what is kept by ref when an instance of `owner` is removed; there were `count`."""
    prefix = f"{owner}[{position}]"
    for ref in [ref for ref in table if ref == prefix or ref.startswith(prefix + "/")]:
        del table[ref]
    for number in range(position + 1, count + 1):
        before, after = f"{owner}[{number}]", f"{owner}[{number - 1}]"
        for ref in [ref for ref in table if ref == before or ref.startswith(before + "/")]:
            table[after + ref[len(before) :]] = table.pop(ref)


def is_select(d: NodeDef) -> bool:
    """Whether answers are chosen from a list."""
    return d.control is not None and d.control.kind in SELECTS
