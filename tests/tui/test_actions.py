"""Actions and the keys that do them."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Input, TextArea

from fieldsurvey.base import i18n
from fieldsurvey.tui.actions import ACTIONS, Scope, of, show_key
from fieldsurvey.tui.keymap import EDITING, FILE, KeymapError, default_keymap, read_keymap
from fieldsurvey.tui.widgets.bars import FOOTER_KEYS, KeyBar, ends

FUNCTION_KEYS = {f"f{n}" for n in range(1, 13)}


def editing_keys() -> set[str]:
    """What Input and TextArea bind, as Textual has it."""
    found: set[str] = set()
    for widget in (Input, TextArea):
        for binding in widget.BINDINGS:
            key = binding.key if isinstance(binding, Binding) else binding[0]
            found |= set(key.split(","))
    return found


def test_our_list_of_editing_keys_is_textuals() -> None:
    """The keys we keep away from are those that edit text; F5 to F7 and the page keys are ours on purpose."""
    assert editing_keys() - {"f5", "f6", "f7", "pageup", "pagedown", "enter"} <= EDITING


@pytest.mark.parametrize("scope", [Scope.EVERYWHERE, Scope.INTERVIEW, Scope.UNLOCK, Scope.SYNC])
def test_no_default_key_edits_text(scope: Scope) -> None:
    """Where something can be typed, a key that edits text is never taken from the editor."""
    assert [a.id for a in of(scope) if a.priority and set(a.keys) & EDITING] == []


def test_every_function_key_has_a_twin() -> None:
    """Whoever has no F keys reaches every action."""
    assert [a.id for a in ACTIONS if set(a.keys) <= FUNCTION_KEYS] == []


def test_ids_are_unique_and_every_interview_action_has_a_word_for_plain() -> None:
    """Keymaps go by id; --plain offers what the screen offers, but for Enter."""
    assert len({a.id for a in ACTIONS}) == len(ACTIONS)
    assert [a.id for a in of(Scope.INTERVIEW) if not a.plain] == ["next"]


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("width", [58, 78, 118])
def test_the_footer_fits(scope: Scope, width: int) -> None:
    """At most six keys, fewer where the terminal is narrow, help always among them."""
    bar = KeyBar(of(scope, Scope.EVERYWHERE), default_keymap())
    pairs = bar.shown(width)
    assert len(pairs) <= FOOTER_KEYS
    assert "F1" in [key for key, _words in pairs]
    assert sum(len(f"[{key}] {words}") for key, words in pairs) + 2 * (len(pairs) - 1) <= width


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("scope", list(Scope))
def test_the_footer_fits_in_spanish(scope: Scope) -> None:
    """The field's language is longer: what matters is still there at 80 columns."""
    shown = [key for key, _words in KeyBar(of(scope, Scope.EVERYWHERE), default_keymap()).shown(78)]
    least = {"F1"} | {show_key(a.keys[0]) for a in of(scope) if a.rank in {1, 2, 3}}
    assert least <= set(shown)


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("scope", [Scope.INTERVIEW, Scope.HOME, Scope.REVIEW, Scope.UNLOCK])
def test_command_words_are_one_for_one_and_typeable(scope: Scope) -> None:
    """--plain in Spanish: no word names two things, and any keyboard types it."""
    words = [i18n.gettext(a.plain) for a in of(scope, Scope.REPEAT, Scope.EVERYWHERE) if a.plain]
    assert len(set(words)) == len(words)
    assert [w for w in words if not w.isascii() or not w.isalpha()] == []


def test_keys_are_shown_as_on_the_keyboard() -> None:
    """Control characters that terminals send for Ctrl+5 are shown as Ctrl+5."""
    assert [show_key(k) for k in ("ctrl+right_square_bracket", "f5", "pageup", "plus")] == ["Ctrl+5", "F5", "PgUp", "+"]


def test_a_keymap_replaces_keys(tmp_path: Path) -> None:
    """The user's own keys stand over the defaults, which stay for the rest."""
    (tmp_path / FILE).write_text('[keys]\nreview = "f11"\nnext = ["enter", "ctrl+down"]\n', encoding="utf-8")
    keys = read_keymap(tmp_path)
    assert keys["review"] == ("f11",)
    assert keys["next"] == ("enter", "ctrl+down")
    assert keys["back"] == default_keymap()["back"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[keys\n", "TOML"),
        ('[keys]\nnothing = "f1"\n', "no action `nothing`"),
        ('[keys]\nreview = "f1"\n', "both take F1"),
        ('[keys]\nreview = "ctrl+w"\n', "edits text"),
        ('[keys]\nreview = "x"\n', "edits text"),
        ("[keys]\nreview = []\n", "needs a key"),
        ('[other]\na = "f1"\n', "[keys]"),
    ],
)
def test_a_broken_keymap_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    """Syntax, unknown names, clashes and keys that edit text are told apart."""
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(KeymapError) as caught:
        read_keymap(tmp_path)
    assert reason in caught.value.message


def test_a_long_title_gives_way_to_the_saved_state() -> None:
    """Both ends share the line; the right end, which says what is saved, is never cut."""
    line = ends(Content("x" * 200), Content("saved"), 40)
    assert line.cell_length == 40
    assert line.plain.endswith("  saved")
