"""What can be done, apart from the keys that do it. Footer, help, palette, user keymaps and `--plain` derive from here.

Every F key has a twin without F: terminals send Ctrl+4 … Ctrl+7 as the control characters 0x1c … 0x1f, which Textual
names ctrl+backslash, ctrl+right_square_bracket, ctrl+circumflex_accent and ctrl+underscore. No default key is one
that edits text in an Input or a TextArea (a test reads their bindings). Knows nothing of widgets.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fieldsurvey.base.i18n import gettext, n_


class Scope(StrEnum):
    """Where an action is offered."""

    EVERYWHERE = "everywhere"
    UNLOCK = "unlock"
    HOME = "home"
    INTERVIEW = "interview"
    REPEAT = "repeat"
    REVIEW = "review"
    EVENING = "evening"
    SYNC = "sync"
    CENTRAL = "central"
    CENTRAL_DEVICE = "central_device"
    CENTRAL_CASES = "central_cases"
    CENTRAL_RETURNED = "central_returned"
    CENTRAL_STICK = "central_stick"
    CENTRAL_LOG = "central_log"
    RELAY = "relay"


@dataclass(frozen=True, slots=True)
class Action:
    """`name` is the Textual action without `action_`; `keys` are Textual's key names, the first is shown."""

    id: str
    name: str
    scope: Scope
    keys: tuple[str, ...]
    label: str  # message id; at most 10 letters or so: it stands in the footer
    help: str  # message id
    plain: str = ""  # message id of the command word of --plain, where there is one
    rank: int = 0  # > 0: in the footer, in this order
    priority: bool = True  # False where a focused editor has the first word (text undo)

    @property
    def shown(self) -> str:
        """The label in the user's language."""
        return gettext(self.label)


_E, _I, _H, _R, _S = Scope.EVERYWHERE, Scope.INTERVIEW, Scope.HOME, Scope.REVIEW, Scope.SYNC
_C = Scope.CENTRAL
_BACK = ("escape", "pageup")
_CTRL4 = ("ctrl+backslash", "ctrl+4")
_CTRL5 = ("ctrl+right_square_bracket", "ctrl+5")
_CTRL6 = ("ctrl+circumflex_accent", "ctrl+6")
_CTRL7 = ("ctrl+underscore", "ctrl+7")

# fmt: off
ACTIONS: tuple[Action, ...] = (
    Action("help", "help", _E, ("f1", "ctrl+o"), n_("Help"),
           n_("What the keys of this screen do"), n_("help"), rank=5),
    Action("language", "language", _E, ("f2", "ctrl+l"), n_("Language"),
           n_("The other language, in place"), n_("language")),
    Action("hide", "hide", _E, ("f4", *_CTRL4), n_("Hide"),
           n_("Cover the screen at once; the same key uncovers it; after a minute it locks"), n_("hide")),
    Action("lock", "lock", _E, ("f12", "ctrl+t"), n_("Lock"),
           n_("Save and lock: the passphrase is asked again"), n_("lock")),
    Action("quit", "quit", _E, ("ctrl+q",), n_("Quit"),
           n_("Save and leave the program"), n_("quit"), rank=6),
    Action("reveal", "reveal", Scope.UNLOCK, ("f6", *_CTRL6), n_("Show"),
           n_("Show or hide the passphrase while you type"), rank=2),
    Action("unlock_sync", "sync", Scope.UNLOCK, ("f9", "ctrl+r"), n_("Copy"),
           n_("Copy what is sealed to a stick; works without unlocking"), n_("copy"), rank=3),
    Action("open", "open", _H, ("enter",), n_("Open"),
           n_("Start the form or go on with the draft"), rank=1),
    Action("home_sync", "sync", _H, ("f9", "ctrl+r"), n_("Copy"),
           n_("Copy what is sealed to a stick and take receipts from it"), n_("copy"), rank=2),
    Action("discard", "discard", _H, ("delete",), n_("Erase"),
           n_("Erase the draft for good; asks first"), n_("erase"), rank=4),
    Action("practice", "practice", _H, ("f7", *_CTRL7), n_("Practise"),
           n_("Practise with the highlighted form: kept nowhere, never exported, gone at the lock"), n_("practise"),
           rank=3),
    Action("evening", "evening", _H, ("f8", "ctrl+f"), n_("Evening"),
           n_("Completed interviews that wait for the evening review: look, mend slips, seal"), n_("evening"), rank=4),
    Action("quotas", "quotas", _H, ("f5", *_CTRL5), n_("Quotas"),
           n_("How far each quota of the round is, parish by parish; counted on this laptop"), rank=4),
    Action("returned", "returned", _H, ("f6", *_CTRL6), n_("Returned"),
           n_("Interviews that the HMU sent back with comments: they stand first in the list"), n_("returned")),
    Action("withdrawal", "withdrawal", _H, ("f3", "ctrl+n"), n_("Withdrawal"),
           n_("Somebody brings a slip's code: what is held here, and erasing it"), n_("withdraw"), rank=4),
    Action("unlock_withdrawal", "withdrawal", Scope.UNLOCK, ("f3", "ctrl+n"), n_("Withdrawal"),
           n_("Somebody brings a slip's code: what is held here, and erasing it; works without unlocking"),
           n_("withdraw"), rank=4),
    Action("look", "look", Scope.EVENING, ("enter",), n_("Open"),
           n_("Look at the interview and mend slips; going back keeps it waiting"), rank=1),
    Action("seal_all", "seal_all", Scope.EVENING, ("f10", "ctrl+s"), n_("Seal all"),
           n_("Seal everything that waits: encrypted for the HMU, no more changes; asks first"), n_("seal"), rank=2),
    Action("evening_back", "close", Scope.EVENING, ("escape", "pageup", "f8", "ctrl+f"), n_("Back"),
           n_("Back to Home; what waits goes on waiting"), rank=3),
    Action("next", "next", _I, ("enter", "pagedown"), n_("Next"),
           n_("Save the answer and go on"), rank=1),
    Action("back", "back", _I, ("pageup", "ctrl+b"), n_("Back"),
           n_("Save and go back the way you came; never checks"), n_("back"), rank=2),
    Action("jump", "jump", _I, ("ctrl+g",), n_("Jump"),
           n_("A list of the questions; opens where you are"), n_("jump")),
    Action("note", "note", _I, ("f3", "ctrl+n"), n_("Note"),
           n_("A note of yours on this question"), n_("note")),
    Action("dont_know", "dont_know", _I, ("f5", *_CTRL5), n_("Doesn't know"),
           n_("Record “doesn't know”, where the question allows it"), n_("unknown")),
    Action("prefers_not", "prefers_not", _I, ("f6", *_CTRL6), n_("Prefers not to say"),
           n_("Record “prefers not to say”, where the question allows it"), n_("refuses")),
    Action("not_applicable", "not_applicable", _I, ("f7", *_CTRL7), n_("Not applicable"),
           n_("Record “not applicable”, where the question allows it"), n_("inapplicable")),
    Action("problem", "problem", _I, ("f8", "ctrl+f"), n_("Problem"),
           n_("Go to the first answer that needs attention"), n_("problem")),
    Action("review", "review", _I, ("f9", "ctrl+r"), n_("Review"),
           n_("All answers: given, missing, doubtful, notes; from there it is sealed"), n_("review"), rank=3),
    Action("save", "save", _I, ("ctrl+s",), n_("Leave"),
           n_("Save and go to Home; the draft opens at this question"), n_("leave"), rank=4),
    Action("undo", "undo", _I, ("ctrl+z",), n_("Undo"),
           n_("Take back the last answer and show its question"), n_("undo"), priority=False),
    Action("add", "add", Scope.REPEAT, ("plus", "insert"), n_("Add"),
           n_("Add one more to the table"), n_("add")),
    Action("remove", "remove", Scope.REPEAT, ("delete", "minus"), n_("Remove"),
           n_("Remove the row; asks first"), n_("remove")),
    Action("go", "go", _R, ("enter",), n_("Open"),
           n_("Go to the question; going on from there comes back here"), rank=1),
    Action("filter", "filter", _R, ("space", "tab"), n_("Filter"),
           n_("All, needing attention, without an answer, with notes"), rank=2),
    Action("seal", "seal", _R, ("f10", "ctrl+s"), n_("Seal"),
           n_("Finish: encrypted for the HMU, no more changes; asks first"), n_("seal"), rank=3),
    Action("review_back", "close", _R, ("escape", "pageup", "f9", "ctrl+r", "ctrl+b"), n_("Back"),
           n_("Back to the question"), rank=4),
    Action("export", "export", _S, ("enter",), n_("Copy"),
           n_("Copy to the chosen place and read it back"), rank=1),
    Action("rescan", "rescan", _S, ("f5", *_CTRL5), n_("Look again"),
           n_("Look for sticks again"), rank=2),
    Action("sync_back", "close", _S, ("escape", "pageup", "f9", "ctrl+r", "ctrl+b"), n_("Back"),
           n_("Back to where you were"), rank=4),
    Action("central_open", "open", _C, ("enter",), n_("Details"),
           n_("All that is known of the highlighted laptop: gaps, forks, what arrived and when"), rank=1),
    Action("central_take", "take", _C, ("f9", "ctrl+r"), n_("Import"),
           n_("Merge a stick, and put receipts and the project on it"), rank=2),
    Action("central_cases", "cases", _C, ("f8", "ctrl+f"), n_("Conflicts"),
           n_("Cases that somebody should look at: conflicts, proposals, originals that are missing"), rank=3),
    Action("central_returned", "returned", _C, ("f7", *_CTRL7), n_("Returned"),
           n_("Work that the HMU gave back for correction: what is pending, what came back"), rank=4),
    Action("central_log", "log", _C, ("f6", *_CTRL6), n_("Log"),
           n_("What was imported, exported, refused, erased and backed up, and when"), rank=4),
    Action("central_receipts", "receipts", _C, ("f3", "ctrl+n"), n_("Receipts"),
           n_("Put receipts for every laptop and the project on a stick, without importing"), rank=4),
    Action("central_backup", "backup", _C, ("f10", "ctrl+s"), n_("Back up"),
           n_("Copy central to another disk and check the copy; laptops purge only what is backed up"), rank=4),
    Action("central_again", "again", _C, ("f5", *_CTRL5), n_("Refresh"),
           n_("Read central again"), rank=4),
    Action("device_back", "close", Scope.CENTRAL_DEVICE, _BACK, n_("Back"),
           n_("Back to the laptops"), rank=1),
    Action("case_open", "open", Scope.CENTRAL_CASES, ("enter",), n_("Revisions"),
           n_("Which revisions of which laptops there are"), rank=1),
    Action("case_filter", "filter", Scope.CENTRAL_CASES, ("space", "tab"), n_("Filter"),
           n_("All, conflicts, proposals, originals that are missing"), rank=2),
    Action("cases_back", "close", Scope.CENTRAL_CASES, (*_BACK, "f8", "ctrl+f"), n_("Back"),
           n_("Back to the laptops"), rank=3),
    Action("returned_filter", "filter", Scope.CENTRAL_RETURNED, ("space", "tab"), n_("Filter"),
           n_("All, pending, come back"), rank=1),
    Action("returned_back", "close", Scope.CENTRAL_RETURNED, (*_BACK, "f7", *_CTRL7), n_("Back"),
           n_("Back to the laptops"), rank=2),
    Action("stick_start", "begin", Scope.CENTRAL_STICK, ("enter",), n_("Begin"),
           n_("Begin with the highlighted stick or the folder typed"), rank=1),
    Action("stick_rescan", "rescan", Scope.CENTRAL_STICK, ("f5", *_CTRL5), n_("Look again"),
           n_("Look for sticks again; new ones are also found by themselves"), rank=2),
    Action("stick_stop", "stop", Scope.CENTRAL_STICK, ("f8", "ctrl+f"), n_("Stop"),
           n_("Stop where nothing is lost; what was finished stays. A backup starts again from the beginning"),
           rank=3),
    Action("stick_back", "close", Scope.CENTRAL_STICK, (*_BACK, "f9", "ctrl+r"), n_("Back"),
           n_("Back to the laptops; what is under way goes on"), rank=4),
    Action("log_open", "open", Scope.CENTRAL_LOG, ("enter",), n_("Whole"),
           n_("The whole of the highlighted line"), rank=1),
    Action("log_filter", "filter", Scope.CENTRAL_LOG, ("space", "tab"), n_("Filter"),
           n_("All, problems only, and each kind of line"), rank=2),
    Action("log_find", "find", Scope.CENTRAL_LOG, ("f8", "ctrl+f"), n_("Find"),
           n_("Only lines that contain a word: a laptop, a place, a day"), rank=3),
    Action("log_export", "export", Scope.CENTRAL_LOG, ("f10", "ctrl+s"), n_("Save as CSV"),
           n_("Write the lines shown to a file"), rank=3),
    Action("log_back", "close", Scope.CENTRAL_LOG, (*_BACK, "f6", *_CTRL6), n_("Back"),
           n_("Back to the laptops"), rank=4),
    Action("relay_take", "take", Scope.RELAY, ("f9", "ctrl+r"), n_("Take"),
           n_("Take what laptops put on a stick, and put receipts on it"), rank=1),
    Action("relay_hand", "hand", Scope.RELAY, ("f10", "ctrl+s"), n_("Hand on"),
           n_("Put everything that is carried on a stick for central"), rank=2),
    Action("relay_push", "push", Scope.RELAY, ("f7", *_CTRL7), n_("Send"),
           n_("Send everything that is carried to central's server over the line; what comes back is taken"), rank=3),
    Action("relay_log", "log", Scope.RELAY, ("f6", *_CTRL6), n_("Log"),
           n_("What was imported, exported, refused, erased and backed up, and when"), rank=3),
    Action("relay_again", "again", Scope.RELAY, ("f5", *_CTRL5), n_("Refresh"),
           n_("Look at what is carried again"), rank=4),
)
# fmt: on

_BY_ID = {action.id: action for action in ACTIONS}


def action(action_id: str) -> Action:
    """The action of that id; KeyError is a bug."""
    return _BY_ID[action_id]


def of(*scopes: Scope) -> list[Action]:
    """The actions of these scopes, in registry order."""
    return [a for a in ACTIONS if a.scope in scopes]


_SHOWN = {
    "enter": n_("Enter"),
    "pagedown": n_("PgDn"),
    "pageup": n_("PgUp"),
    "delete": n_("Del"),
    "insert": n_("Ins"),
    "escape": n_("Esc"),
    "space": n_("Space"),
    "tab": n_("Tab"),
    "plus": "+",
    "minus": "−",
    "backspace": n_("Backspace"),
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "question_mark": "?",
    "backslash": "4",
    "right_square_bracket": "5",
    "circumflex_accent": "6",
    "underscore": "7",
}


def show_key(key: str) -> str:
    """A key as it is written on keyboards: `ctrl+right_square_bracket` is Ctrl+5 there."""
    *modifiers, last = key.split("+") if key != "+" else ["plus"]
    name = gettext(_SHOWN[last]) if last in _SHOWN else (last.upper() if len(last) <= 3 else last)
    return "+".join([*(m.capitalize() for m in modifiers), name])
