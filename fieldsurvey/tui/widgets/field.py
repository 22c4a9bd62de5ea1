"""A question on the card: what is read aloud, what instructs the enumerator, the editor, and what stands under it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, TextArea

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.answers import beside
from fieldsurvey.tui.returned import hmu_says
from fieldsurvey.tui.scales import pebbles_line, scale
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.typed import in_words
from fieldsurvey.tui.widgets.choices import FILTER_FROM, ChoiceList
from fieldsurvey.tui.widgets.editors import BoxEditor, LineEditor, Now, RankEditor, has_calendar, make_editor
from fieldsurvey.tui.widgets.picture import PictureEditor
from fieldsurvey.tui.widgets.points import PointsEditor
from fieldsurvey.tui.widgets.tally import TallyEditor
from fieldsurvey.tui.widgets.text import Complaint, Hung, Words, bracketed, keys
from fieldsurvey.tui.wording import Wording
from fieldsurvey.xforms.contract import Question


@dataclass(frozen=True)
class Around:
    """What stands around a question on its card.

    `offered`: the missing codes that it allows, as (key shown, label); `recorded`: the label of the one recorded, if
    one is. `own`: code -> key, where the codes are choices of the question itself: their rows then show the keys.
    `pebbles`: how many the others leave for a question of pebbles. `takes_file`: a picture can be taken in.
    `comment`: what the HMU says to it, where the interview came back.
    """

    offered: tuple[tuple[str, str], ...] = ()
    recorded: str | None = None
    own: tuple[tuple[str, str], ...] = ()
    pebbles: int | None = None
    takes_file: bool = False
    comment: str = ""


class Field(Vertical):
    """Posts `Edited` when what the editor holds changed, and `Done` when Enter is through with it."""

    DEFAULT_CSS = """
    Field { height: auto; margin-bottom: 1; }
    Field.-tally { margin-bottom: 0; }
    Field.-tally .instruction { margin-bottom: 0; }
    """

    class Edited(Message):
        """The editor holds something else now. `settled`: a choice was made (save at once); else somebody types."""

        def __init__(self, field: Field, *, settled: bool) -> None:
            super().__init__()
            self.field = field
            self.settled = settled

    class Done(Message):
        """Enter in the editor."""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

    class Picked(Message):
        """Enter on the place of a picture: it is to be taken in."""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

    class Stayed(Message):
        """Enter did something in the editor, and the cursor stays there: what waited for Enter need wait no more."""

    def __init__(self, question: Question, around: Around, now: Now, *, note_key: str = "F3", letter: str = "") -> None:
        super().__init__()
        self.note_key = note_key
        self.set_class(bool(letter), "-tally")
        self.question = question
        self.around = around
        self.now = now
        self.editor = make_editor(question, now, letter, takes_file=around.takes_file)
        self._hint_keys()

    @property
    def ref(self) -> str:
        """The question's reference."""
        return self.question.ref

    def stored(self) -> str | None:
        """What the editor holds, as it would be stored; the stored answer where there is nothing to edit."""
        if self.editor is None or self.question.read_only:
            return self.question.raw if self.question.raw is not None else self.question.value
        return self.editor.stored()

    @property
    def touched(self) -> bool:
        """Whether the editor may hold something else than was given to it; also before its messages have arrived."""
        if isinstance(self.editor, LineEditor):
            return self.editor.value != self.editor.given
        return self.editable and self.stored() != self.question.value

    @property
    def place(self) -> str:
        """Where a picture lies that is to be taken in; "" for none, and in other editors."""
        return self.editor.value.strip() if isinstance(self.editor, PictureEditor) else ""

    @property
    def editable(self) -> bool:
        """Whether there is something to type into."""
        return self.editor is not None and not self.question.read_only

    def compose(self) -> ComposeResult:
        """From what is said to what is wrong."""
        yield Words(self._aloud(), classes="aloud")
        yield Words(classes="comment")
        yield Hung(classes="instruction")
        if self.editor is not None:
            self.editor.disabled = self.question.read_only
            yield self.editor
        yield Words(classes="echo")
        yield Words(classes="missing")
        yield Complaint()

    def on_mount(self) -> None:
        """Fill in what may change."""
        self._dress()

    def show(self, question: Question, around: Around, *, editor: bool = True) -> None:
        """Another language, other options, another state; with `editor` False what is being typed stays as it is."""
        self.question = question
        self.around = around
        self._hint_keys()
        if self.editor is not None and editor:
            self.editor.show(question)
        self.query_one(".aloud", Words).say(self._aloud())
        self._dress()

    def _aloud(self) -> str:
        return "" if isinstance(self.editor, TallyEditor) else self.question.label  # a tally's row has its own

    def _dress(self) -> None:
        question = self.question
        self.query_one(".comment", Words).say(hmu_says(self.around.comment) if self.around.comment else "")
        lines = beside(question, f"[{self.note_key}]", takes_file=self.around.takes_file)
        then = Content(f"{symbols().then} ")
        self.query_one(".instruction", Hung).hang([(then, line, "") for line in lines])
        self._echo()
        self.query_one(".missing", Words).say(self._missing_line())

    def _hint_keys(self) -> None:
        if isinstance(self.editor, ChoiceList):
            self.editor.hints = dict(self.around.own)

    def _missing_line(self) -> Content | str:
        if not self.around.offered or (self.around.own and len(self.question.choices) < FILTER_FROM):
            return ""
        if self.around.recorded is not None:
            mark = symbols().single[1]
            said = _("{mark} Recorded: {label}").format(mark=mark, label=self.around.recorded)
            return Content.styled(said, "bold $success")
        return keys(self.around.offered)

    def _echo(self) -> None:
        text: str | Content = ""
        if isinstance(self.editor, BoxEditor):
            text = bracketed(_("[Enter] starts a new line."))
        elif isinstance(self.editor, PictureEditor):
            text = bracketed(self.editor.status())
        elif isinstance(self.editor, ChoiceList | PointsEditor):
            text = self.editor.status()
        elif isinstance(self.editor, RankEditor):
            text = _("Shift+↑ and Shift+↓ move; Space keeps the order as it stands")
        elif isinstance(self.editor, LineEditor):
            text = self._line_echo(self.editor.value)
        self.query_one(".echo", Words).say(text)

    def _line_echo(self, typed: str) -> str | Content:
        """How what is typed is understood, where it stands, what it leaves."""
        if self.around.pebbles is not None:
            return pebbles_line(self.around.pebbles, typed)
        if self.question.type == "range":
            return scale(self.question, typed)
        words = in_words(self.question.type, typed, self.now(), self.question.appearance)
        if has_calendar(self.question):
            return bracketed("   ".join([f"= {words}"] * bool(words) + [_("[↓] calendar")]))
        return f"= {words}" if words else ""

    def blame(self, wording: Wording | None) -> None:
        """Put a violation under the editor, or take it away."""
        line = self.query_one(Complaint)
        if wording is None:
            line.clear()
            return
        line.set_class(wording.symbol == "!", "-warning")
        sign = symbols().stop if wording.symbol == "✗" else symbols().caution
        line.blame(sign, wording.reason, wording.remedy)
        self.call_after_refresh(self._into_sight)

    def _into_sight(self) -> None:
        """A complaint takes room once it is laid out: it and the cursor must not be below the screen then, or Enter
        seems to do nothing.
        """
        seen: Widget | None = self.screen.focused
        if self.has_focus_within and isinstance(self.parent, Widget):
            fits = self.outer_size.height <= self.parent.scrollable_content_region.height
            seen = self if fits else self.query_one(Complaint)
        if seen is not None:
            seen.scroll_visible(animate=False)

    @property
    def blamed(self) -> bool:
        """Whether a violation is shown."""
        return bool(self.query_one(Complaint).text)

    def take_focus(self) -> bool:
        """Put the cursor into the editor; returns whether there is one."""
        if not self.editable or self.editor is None:
            return False
        self.editor.focus(scroll_visible=True)
        return True

    # -- what the editors say, as one pair of messages

    def on_input_changed(self, event: Input.Changed) -> None:
        """Somebody types."""
        event.stop()
        self._echo()
        self.post_message(self.Edited(self, settled=False))

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Somebody types in a box."""
        event.stop()
        self.post_message(self.Edited(self, settled=False))

    def on_choice_list_chosen(self, event: ChoiceList.Chosen) -> None:
        """A choice was made or taken back."""
        event.stop()
        self.post_message(self.Edited(self, settled=True))

    def on_choice_list_typed(self, event: ChoiceList.Typed) -> None:
        """The filter changed."""
        event.stop()
        self._echo()

    def on_rank_editor_ranked(self, event: RankEditor.Ranked) -> None:
        """The order changed."""
        event.stop()
        self.post_message(self.Edited(self, settled=True))

    def on_tally_editor_counted(self, event: TallyEditor.Counted) -> None:
        """One more, one less. The card wants to know too."""
        del event
        self.post_message(self.Edited(self, settled=False))

    def on_tally_editor_entered(self, event: TallyEditor.Entered) -> None:
        """Enter."""
        event.stop()
        self.post_message(self.Done(self))

    def on_points_editor_edited(self, event: PointsEditor.Edited) -> None:
        """A point is typed, or came, went, moved."""
        event.stop()
        self._echo()
        if event.settled:
            self.blame(None)
            self.post_message(self.Stayed())
        self.post_message(self.Edited(self, settled=event.settled))

    def on_points_editor_refused(self, event: PointsEditor.Refused) -> None:
        """Enter on something that is no place: it stays where it is."""
        event.stop()
        self.blame(Wording("✗", event.reason, _("Write latitude and longitude, like 0.3512 -78.1223.")))
        self.post_message(self.Stayed())

    def on_points_editor_entered(self, event: PointsEditor.Entered) -> None:
        """Enter on nothing."""
        event.stop()
        self.post_message(self.Done(self))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        self.post_message(self.Picked(self) if self.place else self.Done(self))

    def on_choice_list_entered(self, event: ChoiceList.Entered) -> None:
        """Enter."""
        event.stop()
        self.post_message(self.Done(self))
