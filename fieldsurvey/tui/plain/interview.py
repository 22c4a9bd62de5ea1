"""An interview in lines: question, instruction, options, what stands; then an answer or a command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fieldsurvey.base.errors import FieldsurveyError, StorageError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.tui.actions import Scope, action, of
from fieldsurvey.tui.answers import PATHS, RECORDINGS, answer_text, beside, choice_label
from fieldsurvey.tui.exits import Exit
from fieldsurvey.tui.missing import Missing, missing_options
from fieldsurvey.tui.overview import Overview
from fieldsurvey.tui.plain.console import Command, Console, Leaving
from fieldsurvey.tui.plain.points import ask_points
from fieldsurvey.tui.plain.reading import LISTED, chooser_of, understand
from fieldsurvey.tui.ports import SealableWork
from fieldsurvey.tui.returned import hmu_says
from fieldsurvey.tui.scales import pebbles_left, pebbles_line, ticks
from fieldsurvey.tui.sealing import before_ending, ended_text
from fieldsurvey.tui.sitting import Page, PageKind, Sitting, Step
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.typed import in_words
from fieldsurvey.tui.wording import range_ends, word
from fieldsurvey.xforms.contract import Question

_ACTIONS = [a for a in of(Scope.INTERVIEW, Scope.EVERYWHERE) if a.plain]
_TABLE = [a for a in of(Scope.INTERVIEW, Scope.REPEAT, Scope.EVERYWHERE) if a.plain]
_REVIEW = [a for a in of(Scope.REVIEW, Scope.EVERYWHERE) if a.plain]
_SELECTS = frozenset({"select", "selectMultiple", "rank"})


class PlainInterview:
    """Runs until the interview is left or sealed."""

    def __init__(
        self, console: Console, sitting: Sitting, work: SealableWork, languages: tuple[str, ...],
        now: Callable[[], datetime], *, review_hours: int = 0,
    ) -> None:  # fmt: skip
        self.console = console
        self.sitting = sitting
        self.work = work
        self.languages = languages
        self.now = now
        self.review_hours = review_hours
        self._section: tuple[str, ...] | None = None
        self._left = self._sealed = False
        self._at = 0  # which question of a page of several

    def run(self) -> None:
        """Question after question."""
        self.console.say(self.work.title)
        if self.sitting.correction is not None:
            for said in Overview.of(self.sitting).said:
                self.console.say(said)
        while not self._left:
            try:
                self._page(self.sitting.page())
            except StorageError as error:
                self.console.say(f"{_('NOT SAVED')}. {error.message} {error.advice}")
            except FieldsurveyError as error:
                self.console.say(f"{error.message} {error.advice}")
        if not self._sealed:
            self.work.close()

    # -- a page

    def _page(self, page: Page) -> None:
        if page.section != self._section:
            self._section = page.section
            if page.section:
                self.console.say("\n" + _("Section: {name}").format(name=" - ".join(page.section)))
        if page.kind is PageKind.END:
            self.console.say("\n" + _("That was the last question."))
            self._review()
        elif page.kind is PageKind.REPEAT:
            self._table(page)
        elif not page.questions:
            if page.title:
                self.console.say("\n" + page.title)
            self._forward(page)
        else:
            if page.kind is PageKind.FIELDS and page.title and self._at == 0:
                self.console.say("\n" + page.title)
            self._at = min(self._at, len(page.questions) - 1)
            self._ask(page, page.questions[self._at])

    def _ask(self, page: Page, question: Question) -> None:
        self._read_out(question)
        takes_file = self.sitting.takes_file(question)
        silent = question.type == "note" or (question.type in RECORDINGS and not takes_file) or question.read_only
        if question.type in PATHS and not silent:
            line = ask_points(self.console, self.sitting, question)
            question = self.sitting.question(question.ref)
        else:
            line = self.console.ask(_ACTIONS, _("[Enter] goes on > ") if silent else "> ", places=takes_file)
        if isinstance(line, Command):
            self._command(line, question)
            return
        if silent or not line.strip():
            if question.type == "acknowledge" and question.value is None:
                self.sitting.put(question.ref, "OK")
            self._after(page, question)
            return
        if takes_file:
            self.sitting.attach(question.ref, line.strip())
            return  # shown again with what is kept; Enter goes on
        text = self._more_lines(question, line)
        understood = understand(question, text, self.now())
        if understood.ask_again:
            self.console.say(understood.ask_again)
            return
        self.sitting.put(question.ref, understood.value)
        if words := in_words(question.type, text, self.now(), question.appearance):
            self.console.say(f"= {words}")
        self._after(page, self.sitting.question(question.ref))

    def _more_lines(self, question: Question, first: str) -> str:
        if question.type != "text" or "multiline" not in question.appearance:
            return first
        lines = [first]
        while (line := self.console.line(". ")) != ".":
            lines.append(line)
        return "\n".join(lines)

    def _read_out(self, question: Question) -> None:
        say = self.console.say
        progress = self.sitting.progress()
        number = _("Question {number} of {asked}.").format(number=progress.number, asked=progress.asked)
        practice = f"{_('PRACTICE')}. " if self.work.practice else ""
        say(f"\n{practice}{number} {question.label}")
        if comment := self.sitting.comment(question.ref):
            say(hmu_says(comment))
        takes_file = self.sitting.takes_file(question)
        for text in beside(question, f"/{_(action('note').plain)}", takes_file=takes_file):
            say(_("Instruction: {text}").format(text=text))
        if question.type in _SELECTS:
            chooser = chooser_of(question)
            if len(question.choices) <= LISTED:
                for code, choice in zip(chooser.codes, question.choices, strict=True):
                    say(f"  {code} {choice_label(choice)}")
            else:
                say(_("{total} options: type letters to filter, or a code").format(total=len(question.choices)))
            if question.type != "select":
                say(_("Several: codes with spaces between them."))
        if "multiline" in question.appearance and question.type == "text":
            say(_("Several lines: end with a line that holds only a point."))
        if takes_file:
            say(_("Write the place of a picture: it is cleaned of place, time and camera. - takes one away."))
        if question.type == "range" and (ends := range_ends(question)):
            say("\n".join([ends, *(f"  {tick}" for tick in ticks(question))]))
        if (left := pebbles_left(question, self.sitting.interview)) is not None:
            say(pebbles_line(left, ""))
        missing = self.sitting.missing_of(question)
        answer = missing.label if missing else answer_text(question)
        if answer:
            say(_("Answer now: {answer}. [Enter] keeps it.").format(answer=answer))
        options = missing_options(question, self.sitting.interview) if question.type not in _SELECTS else {}
        for code, option in options.items():
            say(f"  /{_(action(code.value).plain)} {option.label}")

    def _after(self, page: Page, question: Question) -> None:
        """On to the next question of the page (the answer may have made one appear), or to the next page."""
        page = self.sitting.page() if page.kind is PageKind.FIELDS else page
        if self._at < len(page.questions) - 1 and not self._blame(question, required=False):
            self._at += 1
        else:
            self._forward(page)

    def _forward(self, page: Page) -> None:
        step = self.sitting.forward({})
        if step is Step.MOVED:
            self._at = 0
            return
        here = self.sitting.page()
        for number, question in enumerate(here.questions):
            if self._blame(question, required=not self.sitting.required_waits):
                self._at = number
                break
        if step in {Step.WARNED, Step.REASON}:
            self._reason(page)

    def _blame(self, question: Question, *, required: bool) -> bool:
        violation = question.violation
        if violation is None or violation.accepted or (violation.kind == "required" and not required):
            return False
        wording = word(violation, question)
        self.console.say(f"{_('Attention')}: {wording.reason}" + (f" {wording.remedy}" if violation.blocks else ""))
        return True

    def _reason(self, page: Page) -> None:
        question = self.sitting.warned()
        if question is None:
            return
        reason = self.console.line(_("A reason keeps it; [Enter] corrects it > ")).strip()
        if reason:
            self.sitting.accept(question.ref, reason)
            self._forward(page)

    # -- commands

    def _command(self, command: Command, question: Question | None) -> None:
        ref = question.ref if question is not None else ""
        name = command.action
        if name == "back":
            self._back()
        elif name in {code.value for code in Missing}:
            self._missing(Missing(name), ref)
        elif name == "language":
            self._language()
        elif name == "note" and ref:
            self._note(ref, command.rest)
        elif name == "review":
            self._review()
        elif name == "jump":
            self._jump(command.rest)
        elif name == "problem":
            self._problem()
        elif name == "undo":
            self._at = 0
            if self.sitting.undo() is None:
                self.console.say(_("There is nothing to take back."))
        elif name == "save":
            self._left = True
        else:
            self._anywhere(name)

    def _anywhere(self, name: str) -> None:
        if name == "help":
            self.console.list_commands(_TABLE)
        elif name == "hide":
            self.console.hide()
        elif name == "lock":
            self.work.close()
            raise Leaving(Exit.LOCKED)
        elif name == "quit":
            self.work.close()
            raise Leaving(Exit.QUIT)

    def _back(self) -> None:
        if self._at:
            self._at -= 1
        else:
            self.sitting.back({})

    def _missing(self, code: Missing, ref: str) -> None:
        option = self.sitting.put_missing(ref, code) if ref else None
        if option is None:
            self.console.say(_("This question does not offer that."))
        else:
            self.console.say(_("Recorded: {label}").format(label=option.label))
            self._after(self.sitting.page(), self.sitting.question(ref))

    def _language(self) -> None:
        if len(self.languages) > 1:
            now = self.sitting.interview.language
            at = self.languages.index(now) if now in self.languages else 0
            self.sitting.work.set_language(self.languages[(at + 1) % len(self.languages)])

    def _note(self, ref: str, text: str) -> None:
        now = self.sitting.interview.note(ref)
        if now:
            self.console.say(_("Note: {text}").format(text=now))
        text = text or self.console.line(_("Note (no names, no addresses) > ")).strip()
        if text:
            self.sitting.work.set_note(ref, text)

    def _jump(self, rest: str) -> None:
        items = [i for i in self.sitting.outline() if i.kind == "question"]
        if not rest:
            for item in items:
                mark = f"{symbols().said} " if self.sitting.comment(item.ref) else ""
                self.console.say(f"{item.number or ''} {mark}{' '.join(item.label.split())}")
            rest = self.console.line(_("Number > ")).strip()
        target = next((i for i in items if str(i.number) == rest), None)
        if target is None:
            self.console.say(_("There is no question {number}.").format(number=rest))
        else:
            self._at = 0
            self.sitting.go_to(target.ref)

    def _problem(self) -> None:
        ref = self.sitting.first_problem()
        if ref is None:
            self.console.say(_("Every answer so far is as the form asks."))
        else:
            self._at = 0
            self.sitting.go_to(ref)

    # -- tables, review

    def _table(self, page: Page) -> None:
        self.console.say("\n" + page.title)
        for row in page.rows:
            self.console.say(f"  {row.position} {row.label or _('(nothing yet)')}")
        add, remove = _(action("add").plain), _(action("remove").plain)
        count = len(page.rows)
        said = ngettext("{count} row.", "{count} rows.", count).format(count=count)
        keys = _("/{add} adds, /{remove} 2 removes, a number opens, [Enter] goes on.")
        self.console.say(f"{said} " + keys.format(add=add, remove=remove))
        line = self.console.ask(_TABLE)
        if isinstance(line, Command):
            if line.action == "add" and page.can_add:
                self.sitting.add(page.ref)
            elif line.action == "remove":
                self._remove(page, line.rest)
            else:
                self._command(line, None)
            return
        wanted = next((r for r in page.rows if str(r.position) == line.strip()), None)
        if wanted is not None:
            self.sitting.open_row(wanted.ref)
        elif not line.strip():
            self.sitting.forward({})

    def _remove(self, page: Page, rest: str) -> None:
        row = next((r for r in page.rows if str(r.position) == rest), None)
        if row is not None and self.console.yes(_("Remove row {position}?").format(position=row.position)):
            self.sitting.remove(page.ref, row.position)

    def _review(self) -> None:
        overview = Overview.of(self.sitting)
        self.console.say("\n" + overview.summary())
        for said in overview.said:
            self.console.say(said)
        for shown in overview.first_lines:
            comment = [hmu_says(shown.comment)] if shown.comment else []
            said = " ".join((shown.answer or _("no answer"), *shown.said, *comment))
            self.console.say(f"  {shown.number or ''} {shown.label}: {said}")
        seal = _(action("seal").plain)
        self.console.say(_("A number goes to that question, /{seal} seals, [Enter] goes back.").format(seal=seal))
        line = self.console.ask(_REVIEW)
        if isinstance(line, Command):
            if line.action == "seal":
                self._seal(overview)
            elif line.action == "help":
                self.console.list_commands(_REVIEW)
            else:
                self._anywhere(line.action)
        elif line.strip():
            self._jump(line.strip())
        elif self.sitting.page().kind is PageKind.END:
            self.sitting.back({})

    def _seal(self, overview: Overview) -> None:
        if overview.blocking:
            text = ngettext(
                "{count} answer still needs attention.", "{count} answers still need attention.", overview.blocking
            )
            self.console.say(text.format(count=overview.blocking))
            return
        title, text, _yes = before_ending(self.work, self.review_hours)
        self.console.say(text)
        if self.console.yes(title):
            self.console.say(ended_text(self.work.complete()))
            self._left = self._sealed = True
