"""Lines that hang under their first word stand right from their first layout, at whatever width."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.content import Content
from textual.css.styles import Styles

from fieldsurvey.tui.widgets.text import Complaint, Hanging

REASON = "That passphrase does not open this laptop, and nothing was changed."
REMEDY = "Type it again: capital letters and blanks count. Nothing on it is lost by a wrong try."
WORDS = st.text(alphabet="abc é\n", max_size=60)


class Watched(Complaint):
    """Keeps every height it has stood at."""

    heights: ClassVar[list[int]] = []

    def on_resize(self) -> None:
        """A layout gave it a size."""
        self.heights.append(self.size.height)


class Alone(App[None]):
    """A complaint and nothing else."""

    CSS = "Watched { width: 34; }"

    def compose(self) -> ComposeResult:
        """One widget."""
        yield Watched()


def height(hanging: Hanging, width: int) -> int:
    """Rows that are asked for."""
    return hanging.get_height(Styles().get_rules(), width)


@given(texts=st.lists(WORDS, min_size=1, max_size=4), width=st.integers(14, 90))
def test_the_rows_asked_for_are_the_rows_that_hang(texts: list[str], width: int) -> None:
    """What is asked of the layout is what is drawn, one width after another, none wider than it may be."""
    hanging = Hanging([(Content("- "), text, "") for text in texts])
    for asked in (width + 7, width):
        drawn = hanging.at(asked).plain.split("\n")
        assert height(hanging, asked) == len(drawn)
        assert max(len(row) for row in drawn) <= asked
        assert "".join(hanging.at(asked).plain.split()) == "".join("-" + "".join(text.split()) for text in texts)


async def test_a_complaint_has_its_height_at_once() -> None:
    """Hidden until it is needed, it knows no width; its first layout still gives it the rows its words take."""
    async with Alone().run_test(size=(80, 24)) as pilot:
        complaint = pilot.app.query_one(Watched)
        complaint.blame("!", REASON, REMEDY)
        await pilot.pause()
        shown = [strip.text[:34].strip() for strip in pilot.app.screen._compositor.render_strips()]
        assert " ".join(row for row in shown if row) == f"! {REASON} {REMEDY}"
        assert complaint.heights
        assert set(complaint.heights) == {sum(map(bool, shown))}
        before = complaint.visual
        complaint.blame("!", REASON, REMEDY)
        assert complaint.visual is before, "the same again is laid out again"
        complaint.clear()
        assert complaint.visual is not before
