"""Unlock, Home and the stick, in lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fieldsurvey.base import i18n, paths
from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import FieldsurveyError, UnlockError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.base.visible import filled, visible
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.clocks import clock_warning
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.carrying import carry, found_line, last_words, status_words
from fieldsurvey.tui.evening import draft_warning, report_text, waiting_line
from fieldsurvey.tui.exits import Exit
from fieldsurvey.tui.joining import Joining, project_files
from fieldsurvey.tui.plain.console import Command, Console, Leaving
from fieldsurvey.tui.plain.evening import evening, withdrawal
from fieldsurvey.tui.plain.interview import PlainInterview
from fieldsurvey.tui.plain.returned import pick_returned
from fieldsurvey.tui.plan import round_whole
from fieldsurvey.tui.returned import report_lines
from fieldsurvey.tui.sending import Sending, sent_line
from fieldsurvey.tui.sitting import Sitting
from fieldsurvey.tui.standing import state_line, when
from fieldsurvey.tui.typed import day_in_words
from fieldsurvey.tui.whom import Whom

T = TypeVar("T")
_HOME = [a for a in of(Scope.HOME, Scope.EVERYWHERE) if a.plain]
_UNLOCK = [a for a in of(Scope.UNLOCK, Scope.EVERYWHERE) if a.plain]


def run(home: Path, console: Console | None = None, clock: Clock | None = None) -> int:
    """Until it is left; returns the exit code. Raises FieldsurveyError when the laptop cannot be opened at all."""
    front = _Front(home, console or Console(), clock or SystemClock())
    try:
        front.begin()
    except Leaving as leaving:
        front.end()
        return leaving.code
    except KeyboardInterrupt:
        front.end()
        return Exit.QUIT
    return Exit.QUIT


class _Front:
    def __init__(self, home: Path, console: Console, clock: Clock) -> None:
        self.home = home
        self.console = console
        self.clock = clock
        self.session: Session | None = None
        self.sending: Sending | None = None

    def begin(self) -> None:
        """Unlock (or join), then Home."""
        if paths.vault_path().exists():
            laptop = Laptop.open(self.home, self.clock)
            if laptop.project.model.servers:
                self.sending = Sending(self.home)
            self.session = self._unlock(laptop)
        else:
            laptop, self.session = self._join()
        self.console.idle_minutes = self.session.policy.idle_lock_minutes
        while True:
            self._home(laptop, self.session)

    def end(self) -> None:
        """Nothing of the interview stays on the screen."""
        if self.session is not None:
            self.session.close()
            self.console.clear()

    # -- getting in

    def _unlock(self, laptop: Laptop) -> Session:
        say = self.console.say
        say(visible(f"{laptop.project.model.name}, {laptop.locked.device_card().name}"))
        say(_("/{copy} copies what is sealed to a stick without unlocking.").format(copy=_("copy")))
        while True:
            typed = self.console.secret(_("Your six words: "))
            if typed.startswith("/") and typed[1:].casefold() in {_("copy").casefold(), "copy"}:
                self._copy(laptop)
                continue
            if typed.startswith("/") and typed[1:].casefold() in {_("quit").casefold(), "quit"}:
                raise Leaving(Exit.QUIT)
            if typed.startswith("/") and typed[1:].casefold() in {_("withdraw").casefold(), "withdraw"}:
                withdrawal(self.console, laptop, self.clock)
                continue
            try:
                session = laptop.unlock(typed)
            except UnlockError as error:
                say(f"{error.message} {error.advice}")
                continue
            if said := report_text(session.at_unlock):
                say(said)
            return session

    def _join(self) -> tuple[Laptop, Session]:
        # what is plugged in is looked for only when a laptop joins
        from sync.drives import removable_drives

        say, line = self.console.say, self.console.line
        say(_("This laptop has not joined a project yet."))
        joining = Joining(self.home, self.clock)
        for path in project_files(removable_drives(), Path.cwd()):
            say(f"  {visible(path)}")
        project = self._until(lambda: joining.choose(line(_("Project file (.fsp): "))))
        say(visible(project.model.name))
        say(_("Compare with the words that the steward tells you by voice. If they differ, stop: another project."))
        say(f"    {project.words}")
        if not self.console.yes(_("Are they the same?")):
            raise Leaving(Exit.QUIT)
        for code, label in joining.people():
            say(visible(f"  {code} {label}"))
        self._until(lambda: joining.name_person(line(_("Your enumerator code: "))))
        joining.device_name = line(_("Name of this laptop [{name}]: ").format(name=joining.suggested_name())).strip()
        say(_("These words open your work. Write them on paper now, away from the laptop. Shown only now."))
        say(f"    {joining.make_words()}")
        line(_("[Enter] when they are written > "))
        self.console.clear()
        self._until(lambda: joining.check_words(line(_("Type them back: "))))
        say(_("Making this laptop's keys …"))
        laptop = joining.join()
        say(_("Hand this card to the steward, who enrols this laptop: {card}").format(card=joining.card))
        return laptop, laptop.unlock(joining.words)

    def _until(self, step: Callable[[], T]) -> T:
        while True:
            try:
                return step()
            except FieldsurveyError as error:
                self.console.say(f"{error.message} {error.advice}")

    # -- home

    def _home(self, laptop: Laptop, session: Session) -> None:
        say = self.console.say
        say(f"\n{visible(session.project.model.name)}. " + day_in_words(self.clock.now().date()))
        today = session.project.model.plan.round_on(self.clock.now().date().isoformat())
        named = Whom(session.project)
        named.learn(today.quotas if today is not None else ())
        for told in round_whole(today, session.counted(), named):
            say(told)
        if doubt := clock_warning(session.project, session.vault.locked.signed_time(), self.clock.now()):
            say(doubt)
        if laptop.project.model.servers and (told := sent_line(self.home)[0]):
            say(told)
        if laptop.project.is_expired(self.clock.now()):
            say(_("The project's file has expired: interviewing and copying go on; ask for a new one."))
        elif laptop.project.expires_soon(self.clock.now()):
            left = laptop.project.days_left(self.clock.now())
            say(_("The project expires in {n} days: ask the steward for a newer one.").format(n=left))
        forms, drafts = session.forms(), session.drafts()
        self._returned(session)
        for number, form in enumerate(forms, 1):
            text = _("{number} start {title}, version {version}")
            say("  " + filled(text, number=number, title=form.title, version=form.version))
        practised = {card.draft_id for card in session.practice_drafts()}
        drafts += session.practice_drafts()
        for number, draft in enumerate(drafts, len(forms) + 1):
            text = _("{number} go on with {title}, begun {began}, saved {saved}")
            began, saved = when(draft.started), when(draft.saved)
            if draft.draft_id in practised:
                text, saved = _("{number} PRACTICE, kept nowhere: go on with {title}, begun {began}"), ""
            warning = draft_warning(draft, session.policy, self.clock.now())
            line = "  " + text.format(number=number, title=draft.title, began=began, saved=saved)
            say(f"{line}. {warning}" if warning else line)
        if waiting := waiting_line(session.waiting()):
            say(waiting + " " + _("/{evening} shows them.").format(evening=_("evening")))
        counts = Counter(card.state for card in session.sealed(10_000))
        say(state_line(counts, counts.total()) if counts else _("Nothing sealed on this laptop yet."))
        given = self.console.ask(_HOME)
        if isinstance(given, Command):
            self._command(given, laptop, session, [d.draft_id for d in drafts], len(forms))
            return
        at = int(given) - 1 if given.strip().isdigit() else -1
        if 0 <= at < len(forms):
            self._interview(session, forms[at].id, None)
        elif len(forms) <= at < len(forms) + len(drafts):
            draft = drafts[at - len(forms)]
            self._interview(session, draft.form_id, draft.draft_id)
        elif given.strip():
            say(_("Type one of the numbers, or /{help}.").format(help=_("help")))

    def _returned(self, session: Session) -> None:
        """What came back, if anything did."""
        say = self.console.say
        report = session.refresh_returned()
        for said in report_lines(report):
            say(said)
        count = len(session.returned()) + len(report.left)
        if count:
            text = ngettext(
                "{n} interview came back from the HMU with comments: /{returned} shows it.",
                "{n} interviews came back from the HMU with comments: /{returned} shows them.",
                count,
            )
            say(text.format(n=count, returned=_("returned")))

    def _command(self, given: Command, laptop: Laptop, session: Session, drafts: list[str], forms: int) -> None:
        if given.action == "home_sync":
            self._copy(laptop)
        elif given.action == "withdrawal":
            withdrawal(self.console, laptop, self.clock)
            session.seal_waiting()  # one that waits is erased now
        elif given.action == "returned":
            draft_id = pick_returned(self.console, session)
            if draft_id:
                self._interview(session, "", draft_id)
        elif given.action == "evening":
            chosen = evening(self.console, session)
            if chosen is not None:
                self._interview(session, chosen.form_id, chosen.draft_id)
        elif given.action == "practice":
            at = int(given.rest) - 1 if given.rest.isdigit() else 0
            if at < forms:
                self._interview(session, session.forms()[at].id, None, practice=True)
        elif given.action == "discard":
            at = int(given.rest) - 1 - forms if given.rest.isdigit() else -1
            if 0 <= at < len(drafts) and self.console.yes(_("Erase this draft?")):
                session.discard(drafts[at])
        elif given.action == "help":
            self.console.list_commands(_HOME)
        elif given.action == "hide":
            self.console.hide()
        elif given.action == "language":
            self._language()
        elif given.action == "lock":
            raise Leaving(Exit.LOCKED)
        elif given.action == "quit":
            raise Leaving(Exit.QUIT)

    @staticmethod
    def _language() -> None:
        codes = list(i18n.LANGUAGES)
        i18n.set_language(codes[(codes.index(i18n.language()) + 1) % len(codes)])

    def _interview(self, session: Session, form_id: str, draft_id: str | None, *, practice: bool = False) -> None:
        try:
            work = session.resume(draft_id) if draft_id else session.start(form_id, practice=practice)
            languages = session.languages(work.form_id)
        except FieldsurveyError as error:
            self.console.say(f"{error.message} {error.advice}")
            return
        waits = session.policy.required_waits_for_review
        sitting = Sitting(work, required_waits=waits, correction=work.returned)
        hours = 0 if work.returned else session.policy.review_window_hours
        PlainInterview(self.console, sitting, work, languages, self.clock.now, review_hours=hours).run()
        session.seal_waiting()  # what was open when its window ended

    # -- the stick

    def _copy(self, laptop: Laptop) -> None:
        from sync.drives import removable_drives

        say = self.console.say
        say(status_words(laptop.status()))
        drives = removable_drives()
        for number, drive in enumerate(drives, 1):
            say(f"  {number} {found_line(drive)}")
        given = self.console.line(_("Number of the stick, or a folder > ")).strip()
        if not given:
            return
        at = int(given) - 1 if given.isdigit() else -1
        target = drives[at].path if 0 <= at < len(drives) else Path(given).expanduser()
        try:
            outcome = carry(laptop, target, self.clock, lambda *_told: None)
        except FieldsurveyError as error:
            say(f"{error.message} {error.advice}")
            return
        for _good, text in last_words(outcome):
            say(text)
