"""All answers of an interview at a glance: what the review shows, on the screen and in `--plain`. No widgets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_, ngettext
from fieldsurvey.tui.answers import answer_text
from fieldsurvey.tui.returned import hmu_says, unplaced, what_to_do
from fieldsurvey.tui.sitting import Sitting
from fieldsurvey.tui.wording import word
from fieldsurvey.xforms.contract import OutlineItem
from fieldsurvey.xforms.errors import NoSuchRefError

SILENT = frozenset({"note", "calculate", "hidden", "trigger"})


class Filter(Enum):
    """Views of the review, in the order in which they are gone through."""

    ATTENTION = n_("needing attention")
    COMMENTED = n_("with comments of the HMU")
    ALL = n_("all questions")
    BLANK = n_("without an answer")
    NOTES = n_("with notes")


@dataclass(frozen=True, slots=True)
class Line:
    """A question in the review. `kind`: attention, doubt, answered, blank."""

    ref: str
    number: int | None
    label: str
    answer: str
    kind: str
    said: tuple[str, ...]
    note: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """All lines, in form order. `said`: of one that came back, what to do, and what the HMU says to the whole or to
    questions that are not asked now.
    """

    every: tuple[Line, ...]
    said: tuple[str, ...] = ()

    @classmethod
    def of(cls, sitting: Sitting) -> Overview:
        """Reads the live tree once."""
        items = [i for i in sitting.outline() if i.kind == "question"]
        every = tuple(line for item in items if (line := _line(sitting, item)) is not None)
        return cls(every, _general(sitting, {line.ref for line in every if line.comment}))

    @property
    def blocking(self) -> int:
        """How many lines keep the interview from being sealed."""
        return sum(line.kind == "attention" for line in self.every)

    def lines(self, which: Filter) -> list[Line]:
        """The lines of a view."""
        if which is Filter.ATTENTION:
            return [line for line in self.every if line.kind in {"attention", "doubt"}]
        if which is Filter.COMMENTED:
            return [line for line in self.every if line.comment]
        if which is Filter.BLANK:
            return [line for line in self.every if not line.answer]
        if which is Filter.NOTES:
            return [line for line in self.every if line.note]
        return list(self.every)

    @property
    def first_lines(self) -> list[Line]:
        """What somebody should look at first: what needs attention, and what has a comment; all where nothing does."""
        attention = self.lines(Filter.ATTENTION) if self.blocking else []
        shown = [line for line in self.every if line in attention or line.comment]
        return shown or list(self.every)

    @property
    def filters(self) -> list[Filter]:
        """The views that there are: comments only where the HMU has some."""
        commented = bool(self.said) or any(line.comment for line in self.every)
        return [one for one in Filter if commented or one is not Filter.COMMENTED]

    def filter_words(self, which: Filter, count: int) -> str:
        """What the list shows now."""
        return _("Showing {count}: {which}").format(count=count, which=_(which.value))

    def summary(self) -> str:
        """`38 of 43 answered · 2 need attention · 1 doubtful · 1 with notes`."""
        answered = sum(bool(line.answer) for line in self.every)
        doubts = sum(line.kind == "doubt" for line in self.every)
        notes = sum(bool(line.note) for line in self.every)
        parts = [_("{answered} of {asked} answered").format(answered=answered, asked=len(self.every))]
        if self.blocking:
            parts.append(_("{count} need attention").format(count=self.blocking))
        if doubts:
            parts.append(_("{count} doubtful").format(count=doubts))
        commented = sum(bool(line.comment) for line in self.every)
        if commented:
            parts.append(ngettext("{n} with a comment", "{n} with comments", commented).format(n=commented))
        if notes:
            parts.append(_("{count} with notes").format(count=notes))
        if not self.blocking:
            parts.append(_("ready to seal"))
        return " · ".join(parts)


def _line(sitting: Sitting, item: OutlineItem) -> Line | None:
    question = sitting.question(item.ref)
    if question.type in SILENT or (question.read_only and question.value is None):
        return None
    missing = sitting.missing_of(question)
    answer = missing.label if missing is not None else answer_text(question)
    said: list[str] = []
    kind = "answered" if answer else "blank"
    violation = question.violation
    if violation is not None and not violation.accepted:
        wording = word(violation, question)
        said.append(wording.reason)
        kind = "attention" if violation.blocks else "doubt"
    elif violation is not None and violation.accepted:
        said.append(_("Unusual, accepted with a reason."))
    note = sitting.interview.note(item.ref) if item.note else ""
    label = " ".join(question.label.split())
    return Line(item.ref, item.number, label, answer, kind, tuple(said), note, sitting.comment(item.ref))


def _general(sitting: Sitting, placed: set[str]) -> tuple[str, ...]:
    if sitting.correction is None:
        return ()
    general = sitting.correction.general
    shown = {sitting.owner(ref) for ref in sitting.comments} & placed
    lost = [(ref, text) for ref, text in sitting.comments.items() if sitting.owner(ref) not in shown]
    return (
        what_to_do(),
        *([hmu_says(general)] if general else []),
        *(unplaced(_called(sitting, ref), text) for ref, text in lost),
    )


def _called(sitting: Sitting, ref: str) -> str:
    """What a question that is not asked now says; its reference where the row that it was in is gone."""
    try:
        return " ".join(sitting.interview.question(ref).label.split()) or ref
    except NoSuchRefError:
        return ref
