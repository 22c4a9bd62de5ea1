"""Pages as JSON: a control's number and the frame's prefix; and the page on which something shows."""

from __future__ import annotations

from typing import Any

from fieldsurvey.xforms.definition.model import Control
from fieldsurvey.xforms.errors import NoSuchRefError
from fieldsurvey.xforms.live.navigation import END, PROMPT, Navigator, Page, paged
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range
from fieldsurvey.xforms.live.refs import Refs
from fieldsurvey.xforms.live.validity import is_question


def key(page: Page) -> list[Any]:
    """What `restored` makes a page of again."""
    if page.control is None:
        return [END]
    target = page.control.ref.path if page.control.ref is not None else ""
    return [page.kind, page.control.number, target, page.frame.prefix()]


def after_removal(saved: list[Any], owner: str, position: int) -> list[Any] | None:
    """A saved page after an instance was removed: None inside it, moved up in a later one."""
    if len(saved) < 4 or not saved[3].startswith(f"{owner}["):
        return saved
    number, _bracket, rest = saved[3][len(owner) + 1 :].partition("]")
    if int(number) == position:
        return None
    return saved if int(number) < position else [*saved[:3], f"{owner}[{int(number) - 1}]{rest}"]


def restored(navigator: Navigator, refs: Refs, saved: list[Any]) -> Page | None:
    """The page, or None when the form no longer has it."""
    root = navigator.state.root
    if saved[0] == END:
        return Page(END, None, root)
    kind, number, target, prefix = saved
    control = _numbered(navigator.controls, number)
    if control is None or (control.ref.path if control.ref is not None else "") != target:
        control = _targeting(navigator.controls, target)
    if control is None:
        return None
    frame: LiveFrame = root
    if prefix:
        try:
            frame = refs.node(prefix).frame
        except NoSuchRefError:
            return None
    return Page(kind, control, frame)


def _numbered(controls: list[Control], number: int) -> Control | None:
    for control in controls:
        if control.number == number:
            return control
        if control.number < number and control.children:
            found = _numbered(control.children, number)
            if found is not None:
                return found
    return None


def _targeting(controls: list[Control], path: str) -> Control | None:
    for control in controls:
        if path and control.ref is not None and control.ref.path == path:
            return control
        found = _targeting(control.children, path)
        if found is not None:
            return found
    return None


def page_of(navigator: Navigator, target: LiveNode | Range) -> Page | None:
    """The page on which a question, group, instance or repeat shows; None when it is not relevant."""
    if isinstance(target, Range):
        control = target.d.control
        if control is None:
            return None
        if navigator.can_add(control, target):
            return Page(PROMPT, control, target.frame)
        return navigator.enter(control, target.frame)
    control = target.d.control
    if control is None or not target.relevant:
        return None
    if target.d.kind == "repeat":
        if paged(control) and target.frame.outer is not None:
            return navigator.find(control, target.frame.outer)
        return navigator.instance(control, target.frame)
    page = navigator.find(control, target.frame)
    if page is None and not is_question(target):
        return None
    return page
