"""The first start: project file, its words compared, person, laptop's name, six words shown once and typed back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.visible import visible
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.screens.base import WORK_CSS, BaseScreen
from fieldsurvey.tui.screens.dialogs import Tell
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Complaint, Words, bracketed

if TYPE_CHECKING:  # loaded after the first paint: pydantic and the crypto cost start-up time
    from fieldsurvey.fieldwork import Laptop, Session
    from fieldsurvey.tui.joining import Joining

Asked = tuple[str, str, str, list[str], str | None]
"""Title, what to say, what stands out, options, what is typed (None: nothing is)."""
STEPS = ("file", "compare", "person", "name", "words", "back")


class JoinScreen(BaseScreen):
    """One step at a time; PgUp goes back."""

    CSS_PATH = WORK_CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup,ctrl+b", "previous", show=False, priority=True),
        Binding("enter,pagedown", "next", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.step = 0
        self.joining: Joining | None = None
        self.files: list[Path] = []
        self._busy = False

    def compose(self) -> ComposeResult:
        """The same few widgets for each step."""
        yield TopBar(Heading("fieldsurvey", right=_("first start")))
        with VerticalScroll(id="middle", can_focus=False), VerticalScroll(classes="panel", can_focus=False):
            yield Words("", classes="group")
            yield Words("", id="say")
            yield Words("", id="big", classes="aloud")
            yield OptionList(markup=False)
            yield Input(select_on_focus=False)
            yield Complaint()
            yield Words("", id="keys", classes="echo")
        yield KeyBar(of(Scope.EVERYWHERE), self.ours.keymap)

    def on_mount(self) -> None:
        """Look for a project file while the screen is painted."""
        self.call_after_refresh(self._begin)

    async def _load(self) -> None:
        home, clock = self.ours.home, self.ours.clock

        def load() -> tuple[Joining, list[Path]]:
            from fieldsurvey.tui.joining import Joining, project_files  # start-up: pydantic and the crypto
            from sync.drives import removable_drives

            return Joining(home, clock), project_files(removable_drives(), Path.cwd())

        self.joining, self.files = await self.ours.hand.do(load)
        self._show()

    def _begin(self) -> None:
        self.run_worker(self._load())

    def renewed(self) -> None:
        """In another language."""
        self._show()

    def _show(self) -> None:
        joining = self.joining
        if joining is None:
            return
        makers: dict[str, Callable[[Joining], Asked]] = {
            "file": self._ask_file, "compare": self._ask_compare, "person": self._ask_person,
            "name": self._ask_name, "words": self._ask_words, "back": self._ask_back,
        }  # fmt: skip
        title, say, big, options, typed = makers[STEPS[self.step]](joining)
        self.query_one(".group", Words).say(f"{self.step + 1}/{len(STEPS)}  {title}")
        self.query_one("#say", Words).say(bracketed(say))
        self.query_one("#big", Words).say(Content.styled(big, "bold") if big else "")
        self.query_one(Complaint).clear()
        choices = self.query_one(OptionList)
        choices.set_options([Option(o) for o in options])
        choices.display = bool(options)
        box = self.query_one(Input)
        box.display = typed is not None
        box.value = typed or ""
        keys = _("[Enter] goes on   [PgUp] goes back") if self.step else _("[Enter] goes on")
        self.query_one("#keys", Words).say(bracketed(keys))
        if typed is not None and not options:
            box.focus()
        elif options:
            choices.highlighted = 0
            choices.focus()
        else:
            self.set_focus(None)

    # -- the steps

    def _ask_file(self, joining: Joining) -> Asked:
        say = _("Choose the project file (.fsp) that the steward gave, or press [Tab] and type where it is.")
        if not self.files:
            say = _("Type where the project file (.fsp) is that the steward gave. Put its stick in first.")
        return (
            _("The project"),
            say,
            "",
            [visible(f"{f.name}   {f.parent}") for f in self.files],
            str(joining.source or ""),
        )

    def _ask_compare(self, joining: Joining) -> Asked:
        project = joining.project
        say = _("Compare with the words that the steward tells you by voice. If they differ, stop: another project.")
        if project is None:
            return "", say, "", [], None
        return visible(project.model.name), say, project.words, [], None

    def _ask_person(self, joining: Joining) -> Asked:
        people = [visible(f"{code}   {label}") for code, label in joining.people()]
        return _("Who are you?"), _("Choose or type your enumerator code."), "", people, joining.person

    def _ask_name(self, joining: Joining) -> Asked:
        say = _("What is this laptop called? A name that others recognise it by; not a person's.")
        return _("This laptop"), say, "", [], joining.suggested_name()

    def _ask_words(self, joining: Joining) -> Asked:
        say = _("These words open your work. Write them on paper now, away from the laptop. Shown only now.")
        return _("Your six words"), say, joining.make_words(), [], None

    @staticmethod
    def _ask_back(joining: Joining) -> Asked:
        del joining
        return _("Type them back"), _("From your paper, with a space between the words."), "", [], ""

    # -- going on

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the line."""
        event.stop()
        self._advance(event.value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter in the list."""
        event.stop()
        joining = self.joining
        if joining is None:
            return
        chosen = [str(f) for f in self.files] if STEPS[self.step] == "file" else [c for c, _label in joining.people()]
        self._advance(chosen[event.option_index])

    def action_next(self) -> None:
        """Enter where nothing is typed."""
        self._advance("")

    def action_previous(self) -> None:
        """One step back; what was given stays."""
        if self.step and not self._busy:
            self.step -= 1
            self._show()

    def _advance(self, text: str) -> None:
        if self.joining is not None and not self._busy:
            self._busy = True
            self.run_worker(self._advancing(self.joining, text))

    async def _advancing(self, joining: Joining, text: str) -> None:
        step = STEPS[self.step]
        try:
            if step == "file":
                await self.ours.hand.do(lambda: joining.choose(text))
            elif step == "person":
                joining.name_person(text)
            elif step == "name":
                joining.device_name = text.strip()
            elif step == "back":
                joining.check_words(text)
                await self._join(joining)
                return
        except FieldsurveyError as error:
            self.query_one(Complaint).blame(symbols().stop, error.message, error.advice)
            return
        finally:
            self._busy = False
        self.step += 1
        self._show()

    async def _join(self, joining: Joining) -> None:
        self.query_one("#say", Words).say(_("Making this laptop's keys …"))

        def make() -> tuple[Laptop, Session]:
            laptop = joining.join()
            return laptop, laptop.unlock(joining.words)

        self.ours.laptop, session = await self.ours.hand.do(make)
        joining.words = ""
        self.ours.unlocked(session)
        text = _("Hand this card to the steward, who enrols this laptop: {card}\n\nInterviewing may begin at once.")
        self.app.push_screen(Tell(_("This laptop has joined"), text.format(card=joining.card)))
