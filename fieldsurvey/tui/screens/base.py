"""What every screen has: keys from the registry, help, hide, lock, quit. Escape closes overlays and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from fieldsurvey.tui.actions import Action, Scope, of

if TYPE_CHECKING:
    from fieldsurvey.tui.app import FieldsurveyApp

Result = TypeVar("Result")
HERE = Path(__file__).parent.parent
WORK_CSS = HERE / "work.tcss"  # for every screen but Unlock, which must not wait for it to be parsed
# An editor, a list or a button has the first word on these; the rest of the registry comes before the editors (F5 to F7
# select words in a TextArea, PgUp would move its cursor).
_EDITORS_FIRST = frozenset({"enter", "delete", "space", "tab", "escape", "plus", "minus", "insert"})

_NOWHERE = "f24"  # a binding needs a key; a keymap may give it another


def bindings(*scopes: Scope) -> list[BindingType]:
    """Textual bindings for the actions of these scopes. Keymaps replace the keys by the binding's id."""
    found: list[BindingType] = []
    for action in of(*scopes):
        first = tuple(k for k in action.keys if action.priority and k not in _EDITORS_FIRST)
        later = tuple(k for k in action.keys if k not in first)
        for keys, priority in ((first, True), (later, False)):
            found.append(
                Binding(
                    ",".join(keys) or _NOWHERE,
                    action.name,
                    show=False,
                    priority=priority,
                    id=binding_id(action, priority),
                )
            )
    return found


def binding_id(action: Action, priority: bool) -> str:
    """The id under which a keymap finds a binding."""
    return f"{action.id}.{'first' if priority else 'later'}"


def textual_keymap(keys: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Our keymap in Textual's terms: binding id -> keys joined by commas."""
    found: dict[str, str] = {}
    for action in of(*Scope):
        mine = keys[action.id]
        if mine == action.keys:
            continue
        first = [k for k in mine if action.priority and k not in _EDITORS_FIRST]
        found[binding_id(action, True)] = ",".join(first) or _NOWHERE
        found[binding_id(action, False)] = ",".join(k for k in mine if k not in first) or _NOWHERE
    return found


class _Common:
    """Shared by screens and overlays; `app` is ours."""

    SCOPES: ClassVar[tuple[Scope, ...]] = ()

    @property
    def ours(self) -> FieldsurveyApp:
        """The app, typed."""
        return cast("FieldsurveyApp", self.app)  # type: ignore[attr-defined]

    def keeps(self, key: events.Key) -> bool:
        """Whether a key waits until the screen is ready for it; see tui.waiting."""
        del key
        return False

    def after_key(self, key: events.Key) -> None:
        """A key has been passed on."""

    def accepts(self, at: float, key: str) -> bool:
        """Whether a key pressed at the monotonic time `at` was meant for what is on the screen."""
        del at, key
        return True

    async def save_pending(self) -> None:
        """Save what was typed and not yet saved; before locking, hiding, leaving."""

    def action_hide(self) -> None:
        """Cover everything."""
        self.ours.hide()

    async def action_lock(self) -> None:
        """Save and lock."""
        await self.ours.lock()

    async def action_quit(self) -> None:
        """Save and leave."""
        await self.ours.leave()


class BaseScreen(_Common, Screen[None]):
    """A whole screen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.EVERYWHERE)

    def action_help(self) -> None:
        """What the keys of this screen do."""
        from fieldsurvey.tui.screens.help import HelpScreen  # painted rarely; kept off the start path

        self.app.push_screen(HelpScreen((*self.SCOPES, Scope.EVERYWHERE)))

    async def action_language(self) -> None:
        """The program's other language."""
        self.ours.next_language()

    def renewed(self) -> None:
        """After the words were made anew in another language: fill in what is not words."""


class Overlay(_Common, ModalScreen[Result]):
    """A box over a screen. Escape closes it without a result."""

    CSS_PATH = HERE / "overlay.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        *[b for b in bindings(Scope.EVERYWHERE) if isinstance(b, Binding) and b.action in {"hide", "lock", "quit"}],
    ]

    def action_close(self) -> None:
        """Away with it."""
        self.dismiss(None)
