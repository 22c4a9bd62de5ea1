"""The way through a form: pages in the order of the body, over what is relevant, and back along the path taken.

A page is a question, a field-list (a group, or an instance of a repeat, whose questions show together), the place
after the last instance of a repeat ("add another?"), or the end. Nothing here validates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldsurvey.xforms.definition.model import Control, NodeDef
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range, build
from fieldsurvey.xforms.program.triggers import COUNT, RELEVANT
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.live.state import State

QUESTION, PAGE, PROMPT, END = "q", "g", "r", "end"


@dataclass(frozen=True, slots=True)
class Page:
    """`frame` is the innermost frame around the control: for a page of a repeat, the instance itself."""

    kind: str
    control: Control | None
    frame: LiveFrame


def locate(d: NodeDef, frame: LiveFrame) -> LiveNode | None:
    """The live node of `d` seen from `frame`; None where a repeat between them has no instance."""
    at = frame
    chain = d.frame.chain()
    while at.d.depth >= len(chain) or chain[at.d.depth] is not at.d:
        assert at.outer is not None
        at = at.outer
    for level in chain[at.d.depth + 1 :]:
        owner = at.slots[level.range_slot]
        if type(owner) is not Range or not owner.instances:
            return None
        at = owner.instances[0]
    return at.node(d)


def owner_of(d: NodeDef, frame: LiveFrame) -> Range | None:
    """The range of the repeat `d` seen from `frame`."""
    at: LiveFrame | None = frame
    while at is not None and at.d is not d.outer:
        at = at.outer
    if at is None:
        parent = locate(d.parent, frame) if d.parent is not None else None
        at = parent.frame if parent is not None else None
    found = at.slots[d.frame.range_slot] if at is not None else None
    return found if type(found) is Range else None


class Navigator:
    """Pages of one interview. It moves nothing: the interview keeps where it is."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.controls = state.program.form.controls

    def first(self) -> Page:
        """The first page."""
        return self._from(self.controls, 0, None, self.state.root)

    def next(self, page: Page) -> Page:
        """The page after `page`, which may be gone or not relevant any more."""
        control = page.control
        if control is None:
            return page
        if page.kind == PAGE:
            return self._from(control.children, 0, control, page.frame)
        return self._after(control, page.frame)

    def previous(self, page: Page) -> Page | None:
        """The page before `page` by the form, None at the first."""
        before: Page | None = None
        for found in self.pages():
            if found == page:
                return before
            before = found
        return before

    def pages(self) -> Iterator[Page]:
        """Every page from the first to the end."""
        page = self.first()
        while True:
            yield page
            if page.kind == END:
                return
            page = self.next(page)

    def _from(self, siblings: list[Control], start: int, parent: Control | None, frame: LiveFrame) -> Page:
        """The first page at or after the sibling at `start`."""
        for control in siblings[start:]:
            found = self.enter(control, frame)
            if found is not None:
                return found
        if parent is None:
            return Page(END, None, self.state.root)
        if parent.kind == "repeat":
            return self._after_instance(parent, frame)
        return self._after(parent, frame)

    def _after(self, control: Control, frame: LiveFrame) -> Page:
        parent = control.parent
        siblings = parent.children if parent is not None else self.controls
        return self._from(siblings, control.place + 1, parent, frame)

    def _after_instance(self, control: Control, frame: LiveFrame) -> Page:
        """What follows an instance: the next one, "add another?", or what comes after the repeat."""
        owner, outer = frame.range, frame.outer
        assert owner is not None
        assert outer is not None
        self._grow(owner, frame.position)
        for later in owner.instances[frame.position :]:
            found = self.instance(control, later)
            if found is not None:
                return found
        if self.can_add(control, owner):
            return Page(PROMPT, control, outer)
        return self._after(control, outer)

    def enter(self, control: Control, frame: LiveFrame) -> Page | None:
        """The first page of a control, None when it has none now."""
        if control.kind == "repeat":
            return self._repeat(control, frame)
        if control.kind == "group":
            if control.ref is not None:
                node = locate(control.ref, frame)
                if node is None or not node.relevant:
                    return None
            if control.field_list and not paged(control):
                page = Page(PAGE, control, frame)
                return page if any(True for _node in self.questions(page)) else self._inside(control, frame)
            return self._inside(control, frame)
        if paged(control):
            return None
        assert control.ref is not None
        node = locate(control.ref, frame)
        return Page(QUESTION, control, frame) if node is not None and node.relevant else None

    def _inside(self, control: Control, frame: LiveFrame) -> Page | None:
        for child in control.children:
            found = self.enter(child, frame)
            if found is not None:
                return found
        return None

    def _repeat(self, control: Control, frame: LiveFrame) -> Page | None:
        assert control.ref is not None
        owner = owner_of(control.ref, frame)
        if owner is None:
            return None
        self._grow(owner, 0)
        for instance in owner.instances:
            found = self.instance(control, instance)
            if found is not None:
                return found
        return Page(PROMPT, control, owner.frame) if self.can_add(control, owner) else None

    def _grow(self, owner: Range, passed: int) -> None:
        """Make the next instance where the count depends on the instances themselves and asks for one more."""
        trigger = self.state.program.by_target.get(owner.d.index, {}).get(COUNT)
        if trigger is None or not trigger.lazy or len(owner.instances) > passed:
            return
        if self.state.settler.wanted(trigger, owner.frame) > len(owner.instances):
            self.state.grow(owner)
            self.state.actions.finish()

    def instance(self, control: Control, instance: LiveFrame) -> Page | None:
        if not instance.first().relevant:
            return None
        if control.field_list and not paged(control):
            page = Page(PAGE, control, instance)
            if any(True for _node in self.questions(page)):
                return page
        return self._inside(control, instance)

    def can_add(self, control: Control, owner: Range) -> bool:
        """Whether the form lets somebody add an instance now."""
        if control.count is not None or control.no_add_remove:
            return False
        parent = owner.frame.node(owner.d.parent) if owner.d.parent is not None else None
        if parent is not None and not parent.relevant:
            return False
        trigger = self.state.program.by_target.get(owner.d.index, {}).get(RELEVANT)
        if trigger is None:
            return True
        trial = build(owner.d.frame, owner.frame, owner)
        trial.position = len(owner.instances) + 1
        try:
            run = self.state.program.run(trigger.expression, "boolean")
            return bool(run(Context(trial.first(), self.state.env, position=0)))
        except EvaluationError:
            return True

    def questions(self, page: Page) -> Iterator[LiveNode]:
        """The relevant questions of a page, in order."""
        control = page.control
        assert control is not None
        if page.kind == QUESTION:
            assert control.ref is not None
            node = locate(control.ref, page.frame)
            if node is not None and node.relevant:
                yield node
        elif page.kind == PAGE:
            for child in control.children:
                yield from self._shown(child, page.frame)

    def _shown(self, control: Control, frame: LiveFrame) -> Iterator[LiveNode]:
        if control.kind == "repeat":
            assert control.ref is not None
            owner = owner_of(control.ref, frame)
            for instance in owner.instances if owner is not None else ():
                if instance.first().relevant:
                    for child in control.children:
                        yield from self._shown(child, instance)
            return
        node = locate(control.ref, frame) if control.ref is not None else None
        if control.ref is not None and (node is None or not node.relevant):
            return
        if control.kind == "group":
            for child in control.children:
                yield from self._shown(child, frame)
        elif node is not None:
            yield node

    def find(self, control: Control, frame: LiveFrame) -> Page | None:
        """The page on which a control shows."""
        around: Control | None = control
        top = control
        while around is not None:
            if around.field_list:
                top = around
            around = around.parent
        if top is control and not control.field_list:
            return self.enter(control, frame)
        depth_node = top.ref if top.kind == "repeat" else None
        at = frame
        if depth_node is not None:
            while at.d is not depth_node.frame and at.outer is not None:
                at = at.outer
        return Page(PAGE, top, at) if top.kind == "repeat" else self.enter(top, _frame_for(top, frame))


def _frame_for(control: Control, frame: LiveFrame) -> LiveFrame:
    """The frame of the innermost repeat around a control, seen from a frame inside it."""
    around = control.parent
    while around is not None and around.kind != "repeat":
        around = around.parent
    at = frame
    while around is not None and around.ref is not None and at.d is not around.ref.frame and at.outer is not None:
        at = at.outer
    if around is None:
        return frame.root
    return at


def paged(control: Control) -> bool:
    """Whether a control shows on the page of a field-list around it."""
    around = control.parent
    while around is not None:
        if around.field_list:
            return True
        around = around.parent
    return False
