"""A row of a tally (appearance `tally`, several integers in a field-list): single keys count, from whatever row.

The row's letter counts one more, its capital one less; digits type the number, arrows go from row to row.
"""

from __future__ import annotations

from string import ascii_lowercase

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from fieldsurvey.tui.widgets.text import KEY
from fieldsurvey.xforms.contract import Question

MOST = 999_999
_STEPS = {"plus": 1, "space": 1, "right": 1, "minus": -1, "left": -1}


def tally_letters(questions: tuple[Question, ...]) -> dict[str, str]:
    """ref -> letter for the tallies of a page; none where there is only one, which is a counter of its own."""
    refs = [q.ref for q in questions if q.type == "integer" and "tally" in q.appearance and q.raw is None]
    return dict(zip(refs, ascii_lowercase, strict=False)) if len(refs) > 1 else {}


class TallyEditor(Widget, can_focus=True):
    """One line: letter, label, number. Posts `Counted` when the number changed, `Entered` on Enter."""

    DEFAULT_CSS = """
    TallyEditor { height: 1; padding: 0 1; }
    TallyEditor:focus { background: $block-cursor-blurred-background; }
    """

    class Counted(Message):
        """The number is another one."""

    class Entered(Message):
        """Enter: go on."""

    def __init__(self, question: Question, letter: str) -> None:
        super().__init__()
        self.letter = letter
        self.label = question.label
        self.count = _count(question)
        self._typing = False  # the next digit goes behind the last one

    # -- Editor

    def stored(self) -> str | None:
        """See Editor."""
        return None if self.count is None else str(self.count)

    def show(self, question: Question) -> None:
        """See Editor."""
        self.label, self.count = question.label, _count(question)
        self.refresh()

    def render(self) -> Content:
        """Letter and label left, the number right."""
        number = Content.styled("–" if self.count is None else str(self.count), "bold")
        lead = Content.assemble((f"[{self.letter}]", KEY), " ", " ".join(self.label.split()))
        room = min(self.size.width, 60) - number.cell_length - 1
        if lead.cell_length > room:
            lead = lead.truncate(max(room, 0), ellipsis=True)
        return lead + " " * max(room + 1 - lead.cell_length, 1) + number

    # -- keys

    def on_blur(self) -> None:
        """Digits typed later begin a new number."""
        self._typing = False

    def on_key(self, event: events.Key) -> None:
        """A letter counts in its own row and puts the cursor there."""
        rows = list(self.screen.query(TallyEditor))
        letters = {row.letter: row for row in rows}
        character = event.character or ""
        if event.key == "enter":
            self.post_message(self.Entered())
        elif character.lower() in letters:
            row = letters[character.lower()]
            row.focus()
            row.bump(-1 if character.isupper() else 1)
        elif event.key in {"up", "down"}:
            at = rows.index(self) + (1 if event.key == "down" else -1)
            if 0 <= at < len(rows):
                rows[at].focus()
        elif event.key in _STEPS:
            self.bump(_STEPS[event.key])
        elif not self._typed(event.key, character):
            return
        event.stop()
        event.prevent_default()

    def _typed(self, key: str, character: str) -> bool:
        if character.isascii() and character.isdigit():
            before = self.count or 0 if self._typing else 0
            self._put(min(before * 10 + int(character), MOST))
            self._typing = True
        elif key == "backspace" and self.count is not None:
            self._put(self.count // 10 if self.count > 9 else None)
            self._typing = True
        elif key == "delete":
            self._put(None)
        else:
            return False
        return True

    def bump(self, by: int) -> None:
        """Count one more or one less; never below nothing."""
        self._typing = False
        self._put(min(max((self.count or 0) + by, 0), MOST))

    def _put(self, count: int | None) -> None:
        if count != self.count:
            self.count = count
            self.refresh()
            self.post_message(self.Counted())


def _count(question: Question) -> int | None:
    return int(question.value) if question.value is not None else None
