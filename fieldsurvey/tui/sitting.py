"""One interview as a front end leads it: pages, going on, what stands in the way, undo. No screen, no keys.

`forward` is the only place where an answer is checked before going on. Back, jump and leaving save and never check.
What is saved is saved before the next page is known, because `Work`'s methods are durable when they return.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from fieldsurvey.base.errors import RefusedError
from fieldsurvey.tui.answers import RECORDINGS, REMOVE_FILE, answer_text
from fieldsurvey.tui.missing import Missing, MissingOption, missing_now, missing_options
from fieldsurvey.tui.ports import WorkLike
from fieldsurvey.xforms.contract import End, Group, Interview, OutlineItem, Place, Question, Repeat, ViolationKind
from fieldsurvey.xforms.errors import NoSuchRefError, NotAnswerableError

if TYPE_CHECKING:  # start-up: nothing of the vault is needed here
    from fieldsurvey.fieldwork.saved import Correction


class MissingRefusedError(RefusedError):
    """The form does not allow this missing code for this question."""

    code = "form.missing_refused"
    template = "{reason}"
    hint = "The answer is as it was before."


class PageKind(Enum):
    """What the card shows."""

    QUESTION = "question"
    FIELDS = "fields"  # a field-list: several questions together
    SECTION = "section"  # the head of a section that the engine stops at
    REPEAT = "repeat"  # a table: add, edit, remove, go on
    END = "end"


@dataclass(frozen=True, slots=True)
class Row:
    """An instance of a repeat in its table."""

    ref: str
    position: int
    label: str
    problems: int


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on the card now. `ref` is the place; `section` the labels of the groups around it."""

    kind: PageKind
    ref: str
    title: str
    section: tuple[str, ...]
    questions: tuple[Question, ...] = ()
    rows: tuple[Row, ...] = ()
    can_add: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the interview is: questions that are asked, and how many of them have an answer."""

    number: int
    asked: int
    answered: int


class Step(Enum):
    """What came of `forward`."""

    MOVED = "moved"
    BLOCKED = "blocked"  # something hard stands in the way: it is under its field
    WARNED = "warned"  # a soft warning was shown; going on again asks for a reason
    REASON = "reason"  # the warning was seen and the answer stands: ask for the reason, then `accept`


class Sitting:
    """Leads one `Work`. `required_waits`: required blanks wait for the review (the project's policy)."""

    def __init__(self, work: WorkLike, *, required_waits: bool, correction: Correction | None = None) -> None:
        """`correction`: what the HMU says, where the interview is a record that came back."""
        self.work = work
        self.correction = correction
        self._comments = correction.by_ref if correction else {}
        self.required_waits = required_waits
        self._companions: dict[str, str] = {}  # companion -> the question it belongs to
        self._looked: set[str] = set()  # questions that were asked for their companion
        self._undo: list[dict[str, str | None]] = []  # what was there before, by ref
        self._warned: dict[str, str | None] = {}

    @property
    def interview(self) -> Interview:
        """For reading."""
        return self.work.interview

    # -- what the HMU says of it

    def comment(self, ref: str) -> str:
        """The HMU's comment to a question, its companion's with it; "" for none."""
        companions = (companion for companion, owner in self._companions.items() if owner == ref)
        return "\n".join(said for one in (ref, *companions) if (said := self._comments.get(one)))

    def owner(self, ref: str) -> str:
        """The question on whose card a companion stands; any other stands on its own."""
        return self._companions.get(ref, ref)

    @property
    def comments(self) -> Mapping[str, str]:
        """All of them by reference, also to questions that are not asked now."""
        return self._comments

    # -- what stands on the card

    def page(self) -> Page:
        """The page for the interview's place. A companion of a question just seen is shown with that question."""
        place = self.interview.current
        if isinstance(place, End):
            return Page(PageKind.END, "", "", ())
        if isinstance(place, Repeat):
            return Page(
                PageKind.REPEAT, place.ref, place.label, self._section(place.ref),
                rows=tuple(self._rows(place)), can_add=place.can_add,
            )  # fmt: skip
        if isinstance(place, Group):
            kind = PageKind.FIELDS if place.field_list else PageKind.SECTION
            found = [self._seen(self.interview.question(r)) for r in place.questions] if place.field_list else []
            companions = {q.missing_ref for q in found}
            shown = tuple(q for q in found if q.relevant and q.ref not in companions)
            return Page(kind, place.ref, place.label, self._section(place.ref), shown)
        question = self._seen(self.interview.question(place.ref))
        return Page(PageKind.QUESTION, question.ref, question.label, self._section(question.ref), (question,))

    def question(self, ref: str) -> Question:
        """A question as it stands."""
        return self._seen(self.interview.question(ref))

    def _seen(self, question: Question) -> Question:
        if question.missing_ref is not None:
            self._companions[question.missing_ref] = question.ref
        return question

    def _section(self, ref: str) -> tuple[str, ...]:
        labels: list[str] = []
        steps = ref.strip("/").split("/")
        for end in range(2, len(steps)):
            try:
                label = self.interview.group("/" + "/".join(steps[:end])).label
            except NoSuchRefError:
                continue
            if label and label not in labels[-1:]:
                labels.append(label)
        return tuple(labels)

    def _rows(self, place: Repeat) -> list[Row]:
        """The instances with what they hold, from the live tree."""
        inside: dict[int, list[OutlineItem]] = {}
        for item in self.interview.outline():
            if item.kind == "question" and item.ref.startswith(place.ref + "["):
                at, _bracket, _rest = item.ref[len(place.ref) + 1 :].partition("]")
                inside.setdefault(int(at), []).append(item)
        rows: list[Row] = []
        for position in range(1, place.count + 1):
            items = inside.get(position, [])
            parts = [answer_text(self.interview.question(i.ref)) for i in items[:6] if i.answered]
            problems = sum(i.violation is not None and i.violation.blocks for i in items)
            rows.append(Row(f"{place.ref}[{position}]", position, " · ".join([p for p in parts if p][:3]), problems))
        return rows

    def progress(self) -> Progress:
        """Counts over the live tree; a page of several questions counts as its first."""
        asked = [i for i in self.outline() if i.kind == "question"]
        here = self._place_ref()
        number = 0
        for count, item in enumerate(asked, 1):
            if item.ref == here or item.ref.startswith((here + "/", here + "[")):
                number = number or count
        if isinstance(self.interview.current, End):
            number = len(asked)
        return Progress(number, len(asked), sum(i.answered for i in asked))

    def _place_ref(self) -> str:
        place = self.interview.current
        return "" if isinstance(place, End) else place.ref

    # -- answering

    def put(self, ref: str, value: str | None) -> bool:
        """Save an answer as it would be stored (or text that does not parse); returns whether anything changed.

        An answer where a missing code stood replaces the code. Raises StorageError: then nothing was saved.
        """
        question = self.interview.question(ref)
        before = question.raw if question.raw is not None else question.value
        if value == before:
            if not self.work.saved:  # an earlier save failed: what is in memory must get to the disk
                self.work.save()
            return False
        changes = {ref: before}
        if value is not None and question.missing_ref:
            code = self.interview.question(question.missing_ref).value
            if code is not None:
                changes[question.missing_ref] = code
                self.work.answer(question.missing_ref, None)
        self._remember(changes)
        self.work.answer(ref, value)
        self._warned.pop(ref, None)
        return True

    def takes_file(self, question: Question) -> bool:
        """Whether a picture can be taken in here."""
        return question.type in RECORDINGS and self.work.takes_file(question.ref)

    def attach(self, ref: str, place: str) -> None:
        """Answer with the picture that lies there; "-" takes the one that is kept away.

        Raises CannotStripError, AttachmentRefusedError, StorageError: then nothing has changed.
        """
        before = {ref: self.interview.question(ref).value}
        if place == REMOVE_FILE:
            self.work.answer(ref, None)
        else:
            self.work.attach(ref, Path(place).expanduser())
        self._undo.append(before)

    def put_all(self, values: Mapping[str, str | None]) -> None:
        """Save several; what became irrelevant by an earlier one of them is left alone."""
        for ref, value in values.items():
            try:
                self.put(ref, value)
            except (NotAnswerableError, NoSuchRefError):
                continue

    def put_missing(self, ref: str, code: Missing) -> MissingOption | None:
        """Record a missing code for the question; None when it does not allow that code."""
        question = self.question(ref)
        option = missing_options(question, self.interview).get(code)
        if option is None:
            return None
        target = self.interview.question(option.ref)
        if target.value == code.value:
            return option
        before = {option.ref: target.value}
        if option.ref != ref and (question.value is not None or question.raw is not None):
            before[ref] = question.raw if question.raw is not None else question.value
            self.work.answer(ref, None)
        self.work.answer(option.ref, code.value)
        violation = self.interview.question(option.ref).violation
        if violation is not None and violation.kind is ViolationKind.CONSTRAINT:
            for changed, value in before.items():  # the form itself says that this code does not fit here
                self.work.answer(changed, value)
            raise MissingRefusedError(reason=violation.message or option.label)
        self._remember(before)
        return option

    def missing_of(self, question: Question) -> MissingOption | None:
        """The missing code that stands for this question's answer."""
        return missing_now(question, self.interview)

    def _remember(self, before: dict[str, str | None]) -> None:
        # Several saves of one question while it is being typed are one step back.
        if not self._undo or self._undo[-1].keys() != before.keys():
            self._undo.append(before)

    def undo(self) -> str | None:
        """Take the last changed answer back and go to its question; returns its ref, None when there is none."""
        while self._undo:
            before = self._undo.pop()
            ref = next(iter(before))
            try:
                for changed, value in before.items():
                    self.work.answer(changed, value)
                self.work.go_to(self._companions.get(ref, ref))
            except (NoSuchRefError, NotAnswerableError):  # it is not asked any more: the one before, then
                continue
            return ref
        return None

    # -- moving

    def forward(self, values: Mapping[str, str | None], *, stay: bool = False) -> Step:
        """Save, check the page, go on unless something stands in the way; with `stay`, only save and check."""
        self.put_all(values)
        page = self.page()
        for question in page.questions:
            violation = question.violation
            if violation is None or (violation.kind is ViolationKind.REQUIRED and self.required_waits):
                continue
            if violation.kind is ViolationKind.REQUIRED and (
                self.missing_of(question) is not None or (question.type in RECORDINGS and not self.takes_file(question))
            ):
                continue  # what cannot be recorded here must not trap anybody; the review says that it is missing
            if violation.blocks:
                return Step.BLOCKED
            if not violation.accepted:
                stands = question.value
                if question.ref in self._warned and self._warned[question.ref] == stands:
                    return Step.REASON
                self._warned[question.ref] = stands
                return Step.WARNED
        if not stay:
            self._next()
        return Step.MOVED

    def _next(self) -> None:
        place = self.work.next()
        while isinstance(place, Question) and place.ref in self._companions:
            place = self.work.next()

    def warned(self) -> Question | None:
        """The first question of the page whose warning is not yet accepted."""
        for question in self.page().questions:
            violation = question.violation
            if violation is not None and violation.kind is ViolationKind.WARNING and not violation.accepted:
                return question
        return None

    def accept(self, ref: str, reason: str) -> None:
        """Keep the reason why the warning does not hold."""
        self.work.accept_warning(ref, reason)

    def back(self, values: Mapping[str, str | None]) -> None:
        """Save and follow the path back; checks nothing."""
        self.put_all(values)
        before: Place | None = None
        place = self.work.previous()
        while isinstance(place, Question) and place.ref in self._companions and place != before:
            before, place = place, self.work.previous()

    def go_to(self, ref: str) -> None:
        """Jump; a companion's question is its owner."""
        self.work.go_to(self._companions.get(ref, ref))

    def add(self, ref: str) -> str:
        """Add an instance to the repeat and go to its first question; returns the instance's ref."""
        added = self.work.add_repeat(ref)
        self.open_row(added)
        return added

    def open_row(self, ref: str) -> None:
        """Go to the first question of a repeat's instance, `/data/person[2]`."""
        inside = [i.ref for i in self.interview.outline() if i.kind == "question" and i.ref.startswith(ref + "/")]
        self.work.go_to(inside[0] if inside else ref)

    def remove(self, ref: str, position: int) -> None:
        """Remove an instance; the table is shown again."""
        self.work.remove_repeat(ref, position)
        self._undo.clear()  # refs behind the row now name other rows

    # -- looking over it

    def outline(self) -> list[OutlineItem]:
        """The live tree without companions, which stand on their owners' cards; questions are counted anew."""
        items = self.interview.outline()
        for item in items:
            if item.kind == "question" and item.ref not in self._looked:
                self._looked.add(item.ref)
                self._seen(self.interview.question(item.ref))
        found: list[OutlineItem] = []
        gone = 0
        for item in items:
            if item.ref in self._companions:
                gone += item.number is not None
            else:
                found.append(replace(item, number=item.number - gone) if gone and item.number else item)
        return found

    def blocking(self) -> int:
        """How many problems keep the interview from being sealed."""
        return sum(violation.blocks for violation in self.interview.problems())

    def first_problem(self) -> str | None:
        """Where the first answer that needs attention is."""
        for violation in self.interview.problems():
            if violation.blocks or not violation.accepted:
                return violation.ref
        return None
