"""An interview: the contract's protocol over state, navigation, serialisation and drafts."""

from __future__ import annotations

from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import (
    Change,
    ChangeKind,
    Draft,
    Dropped,
    End,
    Group,
    Instance,
    OutlineItem,
    Place,
    Question,
    Repeat,
    Violation,
    ViolationKind,
)
from fieldsurvey.xforms.definition.model import Control
from fieldsurvey.xforms.errors import NoSuchRefError, NotAnswerableError, NotReadyError
from fieldsurvey.xforms.live import describe, drafts, places
from fieldsurvey.xforms.live.audit import Audit, parameters
from fieldsurvey.xforms.live.datatypes import kind_of, stored
from fieldsurvey.xforms.live.navigation import END, PAGE, PROMPT, QUESTION, Navigator, Page, owner_of
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range
from fieldsurvey.xforms.live.outline import outline
from fieldsurvey.xforms.live.refs import Refs
from fieldsurvey.xforms.live.serialise import Writer, typed_values
from fieldsurvey.xforms.live.state import State, is_select
from fieldsurvey.xforms.live.validity import is_question, locked, violation
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError


class LiveInterview:
    """See contract.Interview. `form_hash` goes into drafts; `extra_meta` holds the meta elements the form lacks."""

    def __init__(self, state: State, form_hash: str) -> None:
        self.state = state
        self.form_hash = form_hash
        self.refs = Refs(state)
        self.navigator = Navigator(state)
        self.page = self.navigator.first()
        self.path: list[Page] = []
        self.extra_meta: dict[str, str] = {}
        self.dropped: tuple[Dropped, ...] = ()
        self.log: Audit | None = None

    # -- where we are --------------------------------------------------------------------------------------------

    @property
    def language(self) -> str:
        """The language of labels and messages."""
        return self.state.language

    @property
    def current(self) -> Place:
        """The place as it stands now."""
        return self._place(self.page)

    def watch(self, event: str) -> None:
        """Begin the audit log, when the form asks for one and the caller takes it."""
        wanted = parameters(self.state.program.form)
        if wanted is not None and self.state.world.audit is not None:
            self.log = Audit(self.state, wanted, self.navigator.questions)
            self.log.happened(event)
            self.log.at(self.page)

    def _place(self, page: Page) -> Place:
        control = page.control
        if page.kind == END or control is None:
            return End()
        if page.kind == QUESTION:
            node = next(self.navigator.questions(page), None)
            if node is None:  # it became irrelevant while we stood on it
                return self._place(self.navigator.next(page))
            return describe.question(self.state, node)
        if page.kind == PAGE:
            return self._group(page)
        assert control.ref is not None
        owner = owner_of(control.ref, page.frame)
        assert owner is not None
        return self._repeat(control, owner)

    def _group(self, page: Page) -> Group:
        refs = tuple(node.ref for node in self.navigator.questions(page))
        return describe.group(self.state, page, refs)

    def _repeat(self, control: Control, owner: Range) -> Repeat:
        label = self.state.texts.plain(control.label, owner.frame.first())
        return Repeat(owner.ref, label, len(owner.instances), self.navigator.can_add(control, owner))

    def _go(self, page: Page, *, back: bool = False) -> Place:
        if back:
            self.path.pop()
            self.state.journal.append(["<", places.key(page)])
        else:
            self.path.append(self.page)
            self.state.journal.append([">", places.key(page)])
        self.page = page
        self._moved()
        return self.current

    def _moved(self) -> None:
        if self.log is not None:
            self.log.at(self.page)

    def next(self) -> Place:
        """Go on; never validates."""
        if self.page.kind == END:
            return self.current
        return self._go(self.navigator.next(self.page))

    def previous(self) -> Place:
        """Go back along the path taken; at the first page, stay."""
        while self.path:
            page = self.path[-1]
            if page != self.page and self._stands(page):
                return self._go(page, back=True)
            self.path.pop()
            self.state.journal.append(["<"])
        page_before = self.navigator.previous(self.page)
        if page_before is not None:
            self.state.journal.append(["=", places.key(page_before)])
            self.page = page_before
            self._moved()
        return self.current

    def _stands(self, page: Page) -> bool:
        """Whether a page of the path is still there."""
        if not attached(page.frame):
            return False
        if page.kind == PROMPT:
            assert page.control is not None
            assert page.control.ref is not None
            owner = owner_of(page.control.ref, page.frame)
            return owner is not None and self.navigator.can_add(page.control, owner)
        return page.kind == END or next(self.navigator.questions(page), None) is not None

    def go_to(self, ref: str) -> Place:
        """Jump; raises NoSuchRefError when `ref` is not there or not relevant."""
        page = places.page_of(self.navigator, self.refs.find(ref))
        if page is None:
            raise NoSuchRefError(ref=ref)
        if self.log is not None:
            self.log.happened("jump")
        return self._go(page)

    # -- reading -------------------------------------------------------------------------------------------------

    def question(self, ref: str) -> Question:
        """The question as it stands."""
        return describe.question(self.state, self.refs.node(ref))

    def group(self, ref: str) -> Group:
        """The section as it stands."""
        node = self.refs.node(ref)
        if node.d.kind == "leaf":
            raise NoSuchRefError(ref=ref)
        control = node.d.control
        page = Page(PAGE, control or Control("group", node.d, None), node.frame)
        refs = tuple(shown.ref for shown in self.navigator.questions(page)) if control and control.field_list else ()
        return describe.group(self.state, page, refs, ref=node.ref)

    def outline(self) -> list[OutlineItem]:
        """The live tree in form order; only what is relevant."""
        return outline(self.state)

    def problems(self) -> list[Violation]:
        """Every violation and required blank, in form order."""
        bad = self.state.bad
        texts = self.state.texts
        return [
            violation(node, bad[node], texts, accepted=node.ref in self.state.reasons)
            for node in self.state.ordered(list(bad))
        ]

    # -- changing ------------------------------------------------------------------------------------------------

    def answer(self, ref: str, value: str | None) -> list[Change]:
        """Set or clear an answer; raises NotAnswerableError for what is read-only or not relevant."""
        state = self.state
        node = self.refs.node(ref)
        if not node.relevant:
            raise NotAnswerableError(ref=ref, reason=_("it is not relevant"))
        if not is_question(node):
            raise NotAnswerableError(ref=ref, reason=_("it is not a question"))
        if locked(node):
            raise NotAnswerableError(ref=ref, reason=_("it is read-only"))
        text = "" if value is None else value
        self.put(node, text)
        state.actions.finish()
        return self._changes(node)

    def put(self, node: LiveNode, text: str) -> None:
        """Store what was typed, or set it aside when it is no value of the question's type."""
        state = self.state
        state.reasons.pop(node.ref, None)
        if not text.strip():
            state.put(node, "")
            return
        d = node.d
        if is_select(d):
            self._choose(node, text)
            return
        kind = kind_of(d)
        read = text if kind == "string" else stored(text.strip(), kind)
        if read is None or not describe.in_range(d, read):
            state.set_aside(node, text, "type")
        else:
            state.put(node, read)

    def _choose(self, node: LiveNode, text: str) -> None:
        control = node.d.control
        assert control is not None
        text = text.strip() if control.kind == "select1" else " ".join(dict.fromkeys(text.split()))
        try:
            unknown = self.state.choices.unknown(node, text)
        except (EvaluationError, XPathNameError):
            unknown = False
            self.state.settler.recheck(node)  # which keeps the error at the question
        if unknown:
            self.state.set_aside(node, text, "choice", self.state.choices.rest(node, text))
        else:
            self.state.put(node, text)

    def _changes(self, first: LiveNode | None) -> list[Change]:
        """What changed since the last call; the answered node comes first."""
        changes = self.state.settler.changes
        made = []
        if first is not None:
            made.append(Change(first.ref, frozenset(changes.pop(first, {ChangeKind.VALUE}))))
        made.extend(Change(node.ref, frozenset(kinds)) for node, kinds in changes.items())
        changes.clear()
        if self.state.dropped:
            self._leave_dropped()
        self.state.journal.append(["d", self.state.world.draws])
        return made

    def _leave_dropped(self) -> None:
        """Instances are gone: the path forgets them, and if we stood in one, we go to where it was."""
        self.state.dropped = False
        self.refs.forget()
        self.path = [page for page in self.path if attached(page.frame)]
        frame = self.page.frame
        if attached(frame):
            return
        while frame.outer is not None and not attached(frame.outer):
            frame = frame.outer
        owner = frame.range
        assert owner is not None
        control = owner.d.control
        if control is None:
            self.page = self.navigator.first()
        else:
            prompt = Page(PROMPT, control, owner.frame)
            self.page = self.navigator.enter(control, owner.frame) or self.navigator.next(prompt)
        self.state.journal.append(["=", places.key(self.page)])

    def add_repeat(self, ref: str) -> str:
        """Append an instance to the repeat and return its ref; from its "add another?" we move into it."""
        owner = self.refs.range(ref)
        control = owner.d.control
        if control is None or not self.navigator.can_add(control, owner):
            raise NotAnswerableError(ref=ref, reason=_("the form decides how many there are"))
        frame = self.state.grow(owner)
        self.state.actions.finish()
        self.refs.forget()
        self._changes(None)
        if self.page.kind == PROMPT and self.page.control is control and self.page.frame is owner.frame:
            inside = places.page_of(self.navigator, frame.first())
            if inside is not None:
                self._go(inside)
        return frame.first().ref

    def remove_repeat(self, ref: str, position: int) -> list[Change]:
        """Remove the instance at `position` (from 1)."""
        owner = self.refs.range(ref)
        control = owner.d.control
        if not 1 <= position <= len(owner.instances):
            raise NoSuchRefError(ref=f"{ref}[{position}]")
        if control is None or control.count is not None or control.no_add_remove:
            raise NotAnswerableError(ref=ref, reason=_("the form decides how many there are"))
        self.state.shrink(owner, position)
        self.state.actions.finish()
        changes = self._changes(None)
        self._moved()
        if self.log is not None:
            self.log.happened("delete repeat", f"{owner.ref}[{position}]")
        return changes

    def set_language(self, language: str) -> None:
        """Labels, hints and messages from now on; raises NoSuchRefError for a language the form does not have."""
        found = describe.language(self.state.program.form, language)
        if found is None:
            raise NoSuchRefError(ref=language)
        self.state.language = self.state.env.language = found
        self.state.journal.append(["l", found])
        self.state.language_changed()

    def note(self, ref: str) -> str:
        """The enumerator's note on a question."""
        return self.state.notes.get(self.refs.node(ref).ref, "")

    def set_note(self, ref: str, text: str) -> None:
        """Keep a note on a question; "" removes it."""
        self.state.keep_note(self.refs.node(ref).ref, text)

    def accept_warning(self, ref: str, reason: str) -> None:
        """Accept a soft violation with a reason."""
        node = self.refs.node(ref)
        if self.state.bad.get(node) is not ViolationKind.WARNING:
            raise NotAnswerableError(ref=ref, reason=_("there is no warning to accept"))
        self.state.reasons[node.ref] = reason
        self.state.journal.append(["w", node.ref, reason])

    # -- keeping -------------------------------------------------------------------------------------------------

    def draft(self) -> Draft:
        """A snapshot."""
        form = self.state.program.form
        data = drafts.snapshot(self.state)
        data["place"] = places.key(self.page)
        data["path"] = [places.key(page) for page in self.path]
        data["meta"] = dict(self.extra_meta)
        data["dropped"] = [[one.ref, one.value] for one in self.dropped]
        return Draft(form.id, form.version, self.form_hash, data)

    def mark(self) -> int:
        """The number of changes made so far."""
        return len(self.state.journal)

    def changes_since(self, mark: int) -> dict[str, Any]:
        """The entries of the journal since `mark`."""
        return {"from": mark, "changes": [list(entry) for entry in self.state.journal[mark:]]}

    def finalise(self) -> Instance:
        """The instance; raises NotReadyError with the problems that block."""
        self.state.actions.ended()
        blocking = [found for found in self.problems() if found.blocks]
        if self.log is not None:
            self.log.left()
            self.log.happened("finalize error" if blocking else "form finalize")
            if blocking:
                self.log.at(self.page)
        if blocking:
            raise NotReadyError(blocking)
        return self.instance()

    def instance(self) -> Instance:
        """The instance as it stands, whatever is wrong with it."""
        form = self.state.program.form
        xml = Writer(form).document(self.state.root.first(), self.extra_meta)
        meta = describe.meta(self.state)
        instance_id = meta.get("instanceID") or self.extra_meta.get("instanceID", "")
        name = meta.get("instanceName", "") or form.title
        return Instance(form.id, form.version, instance_id, name, xml, typed_values(self.state.root))


def attached(frame: LiveFrame) -> bool:
    """Whether a frame is still part of the interview."""
    while frame.range is not None and frame.outer is not None:
        instances = frame.range.instances
        if not 0 < frame.position <= len(instances) or instances[frame.position - 1] is not frame:
            return False
        frame = frame.outer
    return True
