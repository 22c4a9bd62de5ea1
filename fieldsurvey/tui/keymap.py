"""The user's own keys: `keymap.toml` in FIELDSURVEY_HOME, over the defaults of the registry.

    [keys]
    next = ["enter", "ctrl+down"]
    dont_know = "f5"

Unknown actions, keys that edit text, and one key for two actions of the same screen are refused with the line's name,
so that a broken keymap says so at Unlock instead of leaving somebody without a way back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from fieldsurvey.base.errors import InputError
from fieldsurvey.tui.actions import ACTIONS, Action, Scope, show_key

FILE = "keymap.toml"
# What Input and TextArea of textual 8.2.8 take for editing; a test compares this with their bindings. F5 to F7 select
# words and lines in a TextArea; ours come first there.
EDITING = frozenset(
    {
        "left", "right", "up", "down", "home", "end", "backspace", "delete",
        "ctrl+a", "ctrl+c", "ctrl+d", "ctrl+e", "ctrl+k", "ctrl+u", "ctrl+v", "ctrl+w", "ctrl+x", "ctrl+y", "ctrl+z",
        "ctrl+left", "ctrl+right", "shift+left", "shift+right", "shift+up", "shift+down", "shift+home", "shift+end",
        "ctrl+shift+a", "ctrl+shift+k", "ctrl+shift+left", "ctrl+shift+right", "ctrl+backspace", "alt+backspace",
        "alt+delete", "super+backspace", "super+c", "super+x", "super+y", "super+z",
    }
)  # fmt: skip
_TYPING = frozenset({Scope.EVERYWHERE, Scope.INTERVIEW, Scope.UNLOCK, Scope.SYNC, Scope.CENTRAL_STICK})


class KeymapError(InputError):
    """keymap.toml cannot be used."""

    code = "input.keymap"
    template = "The keymap {path} cannot be used: {reason}."
    hint = "The default keys are in use. Mend or remove the file, then start again."


Keymap = Mapping[str, tuple[str, ...]]
"""Action id -> keys, the first is shown. Complete: every action of the registry is there."""


def default_keymap() -> dict[str, tuple[str, ...]]:
    """The registry's own keys."""
    return {a.id: a.keys for a in ACTIONS}


def read_keymap(home: Path) -> dict[str, tuple[str, ...]]:
    """The defaults with the user's own over them; raises KeymapError."""
    path = home / FILE
    keys = default_keymap()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return keys
    except (OSError, UnicodeError) as error:
        raise KeymapError(path=str(path), reason=type(error).__name__) from None
    import tomllib  # start-up: 15 ms for the few who have a keymap

    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KeymapError(path=str(path), reason=f"{type(error).__name__}: {error}") from None
    table = given.get("keys")
    if set(given) != {"keys"} or not isinstance(table, dict):
        raise KeymapError(path=str(path), reason="it needs one table, [keys]")
    for name, value in table.items():
        chosen = tuple(value) if isinstance(value, list) else (value,)
        if name not in keys:
            raise KeymapError(path=str(path), reason=f"there is no action `{name}`")
        if not chosen or not all(isinstance(k, str) and k.strip() for k in chosen):
            raise KeymapError(path=str(path), reason=f"`{name}` needs a key, or a list of keys")
        keys[name] = tuple(k.strip().lower() for k in chosen)
    if reason := _clash(keys):
        raise KeymapError(path=str(path), reason=reason)
    return keys


def _clash(keys: Keymap) -> str:
    """Why these keys cannot work together; "" when they can."""
    for scope in Scope:
        seen: dict[str, Action] = {}
        for action in _heard_in(scope):
            for key in keys[action.id]:
                if scope in _TYPING and action.priority and (key in EDITING or _types(key)):
                    return f"`{action.id}` takes {show_key(key)}, which edits text"
                if key in seen and seen[key] is not action:
                    return f"`{seen[key].id}` and `{action.id}` both take {show_key(key)}"
                seen[key] = action
    return ""


def _heard_in(scope: Scope) -> Iterable[Action]:
    here = {Scope.EVERYWHERE, scope} | ({Scope.INTERVIEW} if scope is Scope.REPEAT else set())
    return [a for a in ACTIONS if a.scope in here]


def _types(key: str) -> bool:
    """Whether the key writes a character."""
    return len(key) == 1 or key in {"space", "plus", "minus", "question_mark", "full_stop", "comma", "slash"}
