"""Home: forms to start, drafts to go on with, what became of what was sealed. One key starts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork import DeviceStatus, DraftCard, FormCard
from fieldsurvey.fieldwork.clocks import clock_warning
from fieldsurvey.fieldwork.quotas import Counted
from fieldsurvey.fieldwork.returned import ReturnedCard
from fieldsurvey.fieldwork.waiting import WaitingCard
from fieldsurvey.tui.actions import Action, Scope, of, show_key
from fieldsurvey.tui.evening import draft_warning, waiting_line
from fieldsurvey.tui.plan import LINES, round_lines, round_whole
from fieldsurvey.tui.returned import discard_text, report_lines, returned_title
from fieldsurvey.tui.screens.base import WORK_CSS, BaseScreen, bindings
from fieldsurvey.tui.screens.dialogs import AskYes, Lines, Tell
from fieldsurvey.tui.screens.rows import HomeLine, returned_row, row, sealed_words, taken_up
from fieldsurvey.tui.sending import sent_line
from fieldsurvey.tui.standing import overdue_line, when
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.typed import day_in_words
from fieldsurvey.tui.whom import Whom
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Words

if TYPE_CHECKING:  # the engine loads with the first interview
    from fieldsurvey.fieldwork import Session, Work
    from fieldsurvey.project.policy import Round

REST: Final = 19
"""Lines of Home for anything but quotas and warnings: six of them are a few forms and a draft."""
_SENT = 5.0  # seconds between two looks at what the sending process says
ASSEMBLY = "assembly"  # the form whose screen a whole room looks at: it locks later (policy)


class HomeScreen(BaseScreen):
    """Where work begins and ends."""

    CSS_PATH = WORK_CSS
    SCOPES = (Scope.HOME,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.HOME)

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[HomeLine | None] = []
        self._busy = False
        self._here: HomeLine | None = None  # what the highlighted row opens
        self._reviewing = False
        self._sent = ("", False)
        self._named: Whom | None = None
        self._counted: Counted | None = None
        self._warnings: list[str] = []

    @property
    def session(self) -> Session:
        """Home is shown unlocked only."""
        session = self.ours.session
        if session is None:
            raise RuntimeError("home without a session")
        return session

    def compose(self) -> ComposeResult:
        """A list, and the truth about what was sealed."""
        name = self.session.project.model.name
        yield TopBar(Heading(name))
        yield Words("", id="plan", classes="echo")
        yield OptionList(id="work", markup=False)
        yield Words("", id="sealed", classes="standing")
        yield KeyBar(self._offered(), self.ours.keymap, lines=2)

    def on_mount(self) -> None:
        """Fill it."""
        self.renewed()
        if self.session.project.model.servers:
            self.set_interval(_SENT, self._look_at_sending)

    def _look_at_sending(self) -> None:
        """When the process that sends says something new, what it says is shown, and how far things got."""
        if self.is_current and sent_line(self.ours.home) != self._sent:
            self.run_worker(self._fill())

    def _offered(self) -> list[Action]:
        """What works here now: F7 on a form, erasing on a draft, the evening review where the policy has one."""
        line = self._here
        absent = {
            "practice": line is None or not (line.form or line.practice),
            "discard": line is None or (line.draft or line.returned) is None,
            "evening": not self._reviewing,
            "quotas": self._counted is None,
        }
        return [a for a in of(Scope.HOME, Scope.EVERYWHERE) if not absent.get(a.id)]

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Other keys work on another row."""
        self._here = self._lines[event.option_index] if event.option_index < len(self._lines) else None
        self.query_one(KeyBar).offer(self._offered())

    def on_screen_resume(self) -> None:
        """After an interview, a seal, a copy."""
        if self.is_mounted:
            self.run_worker(self._fill())

    def renewed(self) -> None:
        """Fill in what is not words."""
        person = _("Enumerator {code}").format(code=self.session.person)
        self.query_one(TopBar).show(state=person, section=day_in_words(self.ours.now().date()))
        self.run_worker(self._fill())
        self.query_one(OptionList).focus()

    async def _fill(self) -> None:
        session, laptop = self.session, self.ours.laptop
        try:
            report, drafts, sealed, status, waiting, returned, counted = await self.ours.hand.do(
                lambda: (
                    session.refresh_returned(),
                    session.drafts(),
                    session.sealed(10_000),
                    laptop.status() if laptop else None,
                    session.waiting(),
                    session.returned(),
                    session.counted(),
                )
            )
        except FieldsurveyError as error:
            self.ours.tell(error)
            return
        back = [HomeLine(returned=one) for one in returned] + [HomeLine(left=one) for one in report.left]
        self._lay_out(session.forms(), drafts, session.practice_drafts(), back)
        self._sent = sent_line(self.ours.home) if session.project.model.servers else ("", False)
        self.query_one("#sealed", Words).say(sealed_words(sealed, *self._sent))
        self._counted = counted
        self._warnings = self._standing(status)
        self._reviewing = bool(waiting) or session.policy.review_window_hours > 0
        self.query_one(KeyBar).offer(self._offered())
        self._warnings += [f"{symbols().caution} {said}" for said in report_lines(report)]
        if waiting:
            key = show_key(self.ours.keymap["evening"][0])
            self._warnings.append(f"{waiting_line(waiting)} [{key}]")
        self._say_plan()
        if (planned := self._round()) is not None and self._named is None:
            named = Whom(session.project)
            await self.ours.hand.do(lambda: named.learn(planned.quotas))
            self._named = named
            self._say_plan()

    def _standing(self, status: DeviceStatus | None) -> list[str]:
        """What somebody should know about this laptop and its project."""
        lines = []
        if status is not None and status.enrolment == "unknown":
            lines.append(_("This laptop is not enrolled yet: interviewing works, central waits for the steward."))
        if status is not None and status.enrolment == "revoked":
            lines.append(_("This laptop was revoked: speak with the steward before interviewing."))
        now, project = self.ours.now(), self.session.project
        if status is not None and status.expired:
            lines.append(_("The project's file has expired: interviewing and copying go on; ask for a new one."))
        elif project.expires_soon(now):
            text = _("The project expires in {n} days: ask the steward for a newer one.")
            lines.append(text.format(n=project.days_left(now)))
        if status is not None and (late := overdue_line(status)):
            lines.append(f"{symbols().caution} {late}")
        if doubt := clock_warning(project, self.session.vault.locked.signed_time(), now):
            lines.append(f"{symbols().caution} {doubt}")
        return lines

    def _round(self) -> Round | None:
        return self.session.project.model.plan.round_on(self.ours.now().date().isoformat())

    def _say_plan(self) -> None:
        """The round above the list, folded to what leaves room for forms and drafts; no code before it has a name."""
        width = max(self.size.width - 4, 20)
        taken = sum(len(textwrap.wrap(line, width)) for line in self._warnings)
        most = max(min(self.size.height - REST - taken, LINES), 0)
        key = show_key(self.ours.keymap["quotas"][0])
        named, counted = self._named, self._counted
        lines = round_lines(self._round(), counted, named, most=most, width=width, key=key) if named else []
        self.query_one("#plan", Words).say("\n".join(lines + self._warnings))

    def on_resize(self) -> None:
        """Another height, other lines."""
        self._say_plan()

    def action_quotas(self) -> None:
        """The round, parish by parish."""
        lines = round_whole(self._round(), self._counted, self._named) if self._named else []
        lines = lines or [_("No round of the plan is under way today.")]
        self.app.push_screen(Lines(_("The round's quotas"), lines, lead=""))

    def _lay_out(
        self,
        forms: Sequence[FormCard],
        drafts: Sequence[DraftCard],
        practice: Sequence[DraftCard],
        back: Sequence[HomeLine] = (),
    ) -> None:
        options = self.query_one(OptionList)
        at = options.highlighted
        rows: list[Option] = []
        self._lines = []
        number = 0
        if back:
            rows.append(Option(Content.styled(returned_title(), "bold"), disabled=True))
            self._lines.append(None)
        for came in back:
            number += 1
            rows.append(Option(returned_row(number, came)))
            self._lines.append(came)
        if back:
            rows.append(Option("", disabled=True))
            self._lines.append(None)
        rows.append(Option(Content.styled(_("Start an interview"), "bold"), disabled=True))
        self._lines.append(None)
        for form in forms:
            number += 1
            rows.append(Option(row(number, form.title, _("version {version}").format(version=form.version))))
            self._lines.append(HomeLine(form=form))
        if drafts:
            rows += [Option("", disabled=True), Option(Content.styled(_("Go on with a draft"), "bold"), disabled=True)]
            self._lines += [None, None]
        for draft in drafts:
            number += 1
            said = _("begun {began}").format(began=when(draft.started))
            warning = draft_warning(draft, self.session.policy, self.ours.now())
            rows.append(Option(row(number, draft.title, said, warning)))
            self._lines.append(HomeLine(draft=draft))
        if practice:
            rows += [
                Option("", disabled=True),
                Option(Content.styled(_("Practice, kept nowhere"), "bold"), disabled=True),
            ]
            self._lines += [None, None]
        for draft in practice:
            number += 1
            rows.append(Option(row(number, f"{_('PRACTICE')} {draft.title}", "")))
            self._lines.append(HomeLine(draft=draft, practice=True))
        options.set_options(rows)
        options.highlighted = at if at is not None and at < len(rows) and self._lines[at] else 1
        wanted, self.ours.start_form = self.ours.start_form, ""
        for line in self._lines:
            if line is not None and line.form is not None and line.form.id == wanted:
                self._open(line)

    # -- opening

    def on_key(self, event: events.Key) -> None:
        """A number starts or resumes at once."""
        if event.character and event.character in "123456789":
            numbered = [line for line in self._lines if line is not None]
            at = int(event.character) - 1
            if at < len(numbered):
                event.stop()
                self._open(numbered[at])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter."""
        event.stop()
        line = self._lines[event.option_index]
        if line is not None:
            self._open(line)

    def action_open(self) -> None:
        """Enter, when the list has no focus."""
        self.query_one(OptionList).action_select()

    def _open(self, line: HomeLine) -> None:
        if not self._busy:
            self._busy = True
            self.query_one(TopBar).show(right=_("opening …"))
            self.run_worker(self._opening(line))

    async def _opening(self, line: HomeLine) -> None:
        session = self.session

        def begin() -> tuple[Work, tuple[str, ...], str]:
            if line.waiting is not None:
                work = session.resume(line.waiting.draft_id)
                form_id = line.waiting.form_id
            elif line.draft is not None:
                work = session.resume(line.draft.draft_id)
                form_id = line.draft.form_id
            elif line.returned is not None or line.left is not None:
                work = taken_up(session, line)
                form_id = work.form_id
            else:
                form_id = line.form.id if line.form else ""
                work = session.start(form_id, practice=line.practice)
            return work, session.languages(form_id), form_id

        try:
            work, languages, form_id = await self.ours.hand.do(begin)
        except FieldsurveyError as error:
            self.ours.tell(error)
            return
        finally:
            self._busy = False
            self.query_one(TopBar).show(right="")
        from fieldsurvey.tui.screens.interview import InterviewScreen  # with the first interview
        from fieldsurvey.tui.sitting import Sitting

        policy = session.policy
        sitting = Sitting(work, required_waits=policy.required_waits_for_review, correction=work.returned)
        idle = policy.assembly_idle_minutes if form_id == ASSEMBLY else policy.idle_lock_minutes
        screen = InterviewScreen(sitting, work, languages, self.ours.now)
        self.ours.open_interview(screen, idle_minutes=idle)
        if work.completed or work.returned is not None:
            screen.call_after_refresh(screen.run_action, "review")

    def open_waiting(self, card: WaitingCard) -> None:
        """Look at a completed interview, at its review."""
        self._open(HomeLine(waiting=card))

    # -- the rest

    def action_practice(self) -> None:
        """An interview of the highlighted form that is kept nowhere."""
        at = self.query_one(OptionList).highlighted
        line = self._lines[at] if at is not None else None
        if line is not None and line.form is not None:
            self._open(HomeLine(form=line.form, practice=True))
        elif line is not None and line.practice:
            self._open(line)
        else:
            text = _("Highlight a form under “Start an interview”, then press this key again.")
            self.app.push_screen(Tell(_("Practice"), text))

    def action_evening(self) -> None:
        """What waits to be sealed."""
        from fieldsurvey.tui.screens.evening import EveningScreen  # not on the way to the first question

        self.app.push_screen(EveningScreen(self))

    def action_returned(self) -> None:
        """To the first interview that came back."""
        came = [at for at, line in enumerate(self._lines) if line is not None and (line.returned or line.left)]
        if came:
            self.query_one(OptionList).highlighted = came[0]
        else:
            self.app.push_screen(Tell(_("Returned"), _("Nothing came back from the HMU.")))

    def action_withdrawal(self) -> None:
        """Somebody brings a code."""
        from fieldsurvey.tui.screens.withdrawal import begin  # rarely needed

        if self.ours.laptop is not None:
            begin(self.ours, self.ours.laptop)

    def action_discard(self) -> None:
        """Erase a draft, after asking."""
        at = self.query_one(OptionList).highlighted
        line = self._lines[at] if at is not None else None
        draft = (line.draft or line.returned) if line is not None else None
        if draft is None:
            return

        async def decided(yes: bool | None) -> None:
            if yes:
                try:
                    await self.ours.hand.do(lambda: self.session.discard(draft.draft_id))
                except FieldsurveyError as error:
                    self.ours.tell(error)
                await self._fill()

        text = _("{title}, begun {began}. Its answers cannot be brought back.")
        if isinstance(draft, ReturnedCard):
            text = "{title}, {began}. " + discard_text()
        self.app.push_screen(
            AskYes(
                _("Erase this draft?"),
                text.format(title=draft.title, began=when(draft.started)),
                _("Erase it"),
                _("Keep it"),
            ),
            decided,
        )

    def action_sync(self) -> None:
        """To the sticks."""
        from fieldsurvey.tui.screens.sync import SyncScreen  # not on the way to the first question

        if self.ours.laptop is not None:
            self.app.push_screen(SyncScreen(self.ours.laptop))
