"""Keys, editors and the card, through Pilot; the logic behind them is tested in test_sitting."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import pytest
from textual import events
from textual.widgets import Input, TextArea

from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.tui.screens.review import ReviewScreen
from fieldsurvey.tui.turnstile import Turnstile
from tests.tui.conftest import InterviewApp
from tests.tui.screens import press, rest, settled, text

Maker = Callable[..., InterviewApp]


async def test_type_and_go_on(interview_app: Maker) -> None:
    """Typing and Enter save the answer before the next question is shown; survey text is not markup."""
    app = interview_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        assert "unas preguntas [de prueba]" in text(app)
        await press(pilot, "enter", "=Barrio [b]uno[/b]", "enter")
        assert app.work.interview.question("/data/zone").value == "Barrio [b]uno[/b]"
        assert "¿Cuántas personas duermen aquí?" in text(app)


async def test_errors_stand_under_the_field_and_f5_records_the_code(interview_app: Maker) -> None:
    """A hard error has its sign, reason and remedy on the card; F5 and Ctrl+5 record the missing code."""
    for key in ("f5", "ctrl+right_square_bracket"):
        app = interview_app(at="/data/people")
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, "=99", "enter")
            assert "✗ Debe estar entre 1 y 30." in text(app)
            assert "[F5]" in text(app)
            await press(pilot, key)
            assert "(•) Recorded: No sabe" in text(app)
            await press(pilot, "enter")
            assert app.work.interview.question("/data/people_missing").value == "dont_know"
            assert app.sitting.page().ref == "/data/since"


async def test_choosing_by_code_letters_and_space(interview_app: Maker) -> None:
    """A code chooses, letters without accents filter, Enter takes what is found; Enter alone chooses nothing."""
    app = interview_app(at="/data/water")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        assert app.work.interview.question("/data/water").value is None
        await press(pilot, "2")
        assert "(•) No" in text(app)
        await press(pilot, "enter", "1", "3")
        assert app.work.interview.question("/data/needs").value == "food health"
        await press(pilot, "enter", "=angel", "enter")
        assert app.work.interview.question("/data/canton").value == "c07"
        await press(pilot, "pageup", "=zzz", "enter")
        assert app.work.interview.question("/data/canton").value == "c07"
        assert app.sitting.page().ref == "/data/canton"


async def test_a_filter_that_nothing_fits_says_how_all_come_back(interview_app: Maker) -> None:
    """The keys stand beside what was typed; Esc shows every option again and chooses nothing."""
    app = interview_app(at="/data/canton")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=zzq")
        assert "“zzq”: nothing fits. [Backspace] [Esc] show all" in text(app)
        await press(pilot, "escape")
        shown = text(app)
        assert "zzq" not in shown
        assert "[1]" in shown
        assert app.work.interview.question("/data/canton").value is None


@pytest.mark.parametrize(("dwell", "page"), [(600.0, "/data/hello"), (0.0, "/data/zone")])
async def test_a_double_press_does_not_skip_a_question(interview_app: Maker, dwell: float, page: str) -> None:
    """Enter thrice at once moves once: the others were meant for the page before. It does not move at all where nobody
    could have read the page yet: within the dwell.
    """
    app = interview_app()
    app.interview_screen.gate = Turnstile(dwell=dwell)
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        for _ in range(3):
            app.simulate_key("enter")
        await rest(pilot)
        assert app.sitting.page().ref == page


async def test_what_is_typed_is_saved_after_a_pause(interview_app: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause in typing saves without a key, and leaves the editor as it is."""
    monkeypatch.setattr("fieldsurvey.tui.screens.turning.PAUSE", 0.01)
    app = interview_app(at="/data/zone")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=Sinté")
        await settled(pilot, lambda: app.work.interview.question("/data/zone").value == "Sinté")
        assert app.screen.query_one(Input).value == "Sinté"
        assert "● saved" in text(app)


async def test_a_full_disk_is_said_and_nothing_is_lost(interview_app: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page stays, the header says NOT SAVED; with room again, Enter saves and goes on."""
    monkeypatch.setattr("fieldsurvey.tui.screens.turning.PAUSE", 3.0)  # Enter comes before it on a busy machine too
    app = interview_app(at="/data/zone")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=Sintética")
        app.work.fail = NoSpaceError(place="disk")
        await press(pilot, "enter")
        assert "There is no room left on disk." in text(app)
        await press(pilot, "enter")
        assert "NOT SAVED" in text(app)
        await pilot.pause(3.2)  # the pause in typing that would have saved it says nothing of its own
        assert "There is no room left on disk." not in text(app)
        app.work.fail = None
        await press(pilot, "enter")
        assert app.work.saved
        assert app.work.interview.question("/data/zone").value == "Sintética"
        assert app.sitting.page().ref == "/data/people"


async def test_a_warning_asks_for_a_reason(interview_app: Maker) -> None:
    """The second Enter asks why; Esc corrects; a reason goes on."""
    app = interview_app(at="/data/people")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=20", "enter")
        assert "! Son más de 15 personas." in text(app)
        await press(pilot, "enter", "escape")
        assert app.sitting.page().ref == "/data/people"
        await press(pilot, "enter", "=synthetic reason", "enter")
        assert app.sitting.page().ref == "/data/since"


async def test_a_date_by_mask_and_a_label_with_an_answer_in_it(interview_app: Maker) -> None:
    """A date typed by day is stored as ISO; the question before is quoted in the label."""
    app = interview_app(at="/data/people")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=4", "enter")
        assert "con 4 personas" in text(app)
        await press(pilot, "=5/3/2024")
        assert "= Tuesday 5 March 2024" in text(app)
        await press(pilot, "enter")
        assert app.work.interview.question("/data/since").value == "2024-03-05"


async def test_multiline_enter_is_a_new_line_and_pgdn_goes_on(interview_app: Maker) -> None:
    """Keys that edit are the editor's; the page keys are ours everywhere."""
    app = interview_app(at="/data/more")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=uno", "enter", "=dos")
        assert app.screen.query_one(TextArea).text == "uno\ndos"
        await press(pilot, "pagedown")
        assert app.work.interview.question("/data/more").value == "uno\ndos"
        assert app.sitting.page().ref == "/data/present"


async def test_a_field_list_moves_between_fields_and_shows_new_ones(interview_app: Maker) -> None:
    """Enter goes from field to field; a question that became relevant appears at once."""
    app = interview_app(at="/data/present")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=3", "enter")
        assert "Otras personas" not in text(app)
        await press(pilot, "=5", "enter")
        assert "Otras personas" in text(app)
        await press(pilot, "=1", "enter")
        values = {n: app.work.interview.question(f"/data/present/{n}").value for n in ("women", "men", "others")}
        assert values == {"women": "3", "men": "5", "others": "1"}


def burst(app: InterviewApp, keys: str) -> None:
    """Keys faster than a screen can follow; `/` is Enter."""
    for key in keys:
        name, character = ("enter", "\r") if key == "/" else (key, key)
        app.post_message(events.Key(name, character))


async def test_typing_ahead_reaches_the_field_it_was_meant_for(interview_app: Maker) -> None:
    """Number, Enter, number, Enter in one burst: each number is in its own field, none is joined to another."""
    app = interview_app(at="/data/present")
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        burst(app, "3/5/1/")
        await settled(pilot, lambda: app.work.interview.question("/data/present/others").value is not None)
        values = {n: app.work.interview.question(f"/data/present/{n}").value for n in ("women", "men", "others")}
        assert values == {"women": "3", "men": "5", "others": "1"}


@pytest.mark.parametrize("slow", [0.0, 0.5])
async def test_typing_ahead_waits_for_the_disk(
    interview_app: Maker, monkeypatch: pytest.MonkeyPatch, slow: float
) -> None:
    """However long saving takes, what is typed meanwhile is for the next field: longer than an Enter that leads nowhere
    keeps keys, too.
    """
    app = interview_app(at="/data/present")
    put_all = app.sitting.put_all

    def slowly(values: Mapping[str, str | None]) -> None:
        time.sleep(slow)
        put_all(values)

    monkeypatch.setattr(app.sitting, "put_all", slowly)
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        burst(app, "3/5/1")
        await settled(pilot, lambda: [field.stored() for field in app.interview_screen.card.fields] == ["3", "5", "1"])
        await rest(pilot)
        assert [field.stored() for field in app.interview_screen.card.fields] == ["3", "5", "1"]


async def test_typing_ahead_never_changes_the_answer_just_given(interview_app: Maker) -> None:
    """What is typed after the Enter that turns the page is dropped: it belongs to nothing anybody has seen."""
    app = interview_app(at="/data/people")
    async with app.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        burst(app, "4/27")
        await rest(pilot)
        await pilot.pause(0.5)
        assert app.work.interview.question("/data/people").value == "4"


async def test_a_table_adds_edits_and_removes(interview_app: Maker) -> None:
    """Plus adds and goes to the new row; Enter opens a row; Del asks before it removes."""
    app = interview_app(at="/data/person[1]/works")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        assert "[1] (nothing yet)" in text(app)
        await press(pilot, "+", "=40", "enter", "1", "enter")
        assert "40 · Sí" in text(app)
        await press(pilot, "up", "up", "delete")
        assert "Remove row 2?" in text(app)
        await press(pilot, "y")
        assert "40 · Sí" not in text(app)


async def test_language_in_place_keeps_answer_and_focus(interview_app: Maker) -> None:
    """F2 changes the words, not what is being typed nor where the cursor is."""
    app = interview_app(at="/data/zone")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=Sint", "f2")
        assert "What is this area called?" in text(app)
        await press(pilot, "=ética")
        assert app.screen.query_one(Input).value == "Sintética"


async def test_notes_jump_and_undo(interview_app: Maker) -> None:
    """F3 keeps a note, Ctrl+G jumps by number or words, Ctrl+Z takes the last answer back."""
    app = interview_app(at="/data/zone")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=Sintética", "f3", "=ruido", "f3")
        assert app.work.interview.note("/data/zone") == "ruido"
        await press(pilot, "ctrl+g", "=arriendo", "enter")
        assert app.sitting.page().ref == "/data/rent"
        await press(pilot, "ctrl+z")
        assert app.sitting.page().ref == "/data/zone"
        assert app.screen.query_one(Input).value == ""


async def test_review_jumps_there_and_comes_back_then_seals(interview_app: Maker) -> None:
    """Problems come first; Enter goes to one, going on from there returns; sealing asks, and says what was done."""
    app = interview_app(at="/data/zone")
    app.work.answer("/data/people", "4")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "f9")
        assert "needing attention" in text(app)
        assert "¿Tiene agua en la casa?" in text(app)
        await press(pilot, "f10")
        assert "1 answer still needs attention" in text(app)
        await press(pilot, "escape", "enter", "2", "enter")
        assert isinstance(app.screen, ReviewScreen)
        assert "ready to seal" in text(app)
        await press(pilot, "f10")
        assert "Only" not in text(app)
        await press(pilot, "y")
        assert app.work.ended == "sealed"
        assert "ABCD-EFGH" in text(app)


async def test_escape_only_closes_overlays(interview_app: Maker) -> None:
    """Escape on the card does nothing at all."""
    app = interview_app(at="/data/zone")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=Sint", "escape", "escape")
        assert app.screen is app.interview_screen
        assert app.screen.query_one(Input).value == "Sint"


async def test_hide_covers_everything_and_comes_back(interview_app: Maker) -> None:
    """One key, also over an overlay; nothing of the interview is on the cover."""
    app = interview_app(at="/data/people")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=4", "f3", "f4")
        assert text(app).split() == ["[F4]", "comes", "back"]
        await press(pilot, "ctrl+backslash")
        assert "Note on:" in text(app)


async def test_numbers_and_ranges_take_only_digits_and_arrows(interview_app: Maker) -> None:
    """Letters do not get into a number; a range moves with the arrows within its ends; rank keeps an order."""
    app = interview_app(at="/data/rent")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "=1a2,5", "enter")
        assert app.work.interview.question("/data/rent").value == "12.5"
        await press(pilot, "up", "up", "down", "enter")
        assert app.work.interview.question("/data/sure").value == "0"
        await press(pilot, "down", "shift+up", "enter")
        assert app.work.interview.question("/data/order").value == "work food health"
