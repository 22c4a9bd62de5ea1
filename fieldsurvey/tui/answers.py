"""Answers, and what stands beside a question, in words: the same on the card, in the review and in `--plain`.

What a terminal cannot show (pictures, sound) is named; what cannot be recorded here is said, with what to do.
"""

from __future__ import annotations

from collections.abc import Mapping

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.tui.places import place_words
from fieldsurvey.tui.points import points_words
from fieldsurvey.tui.typed import shown
from fieldsurvey.xforms.contract import Choice, Question

REMOVE_FILE = "-"
"""Typed instead of the place of a picture: takes the one that is kept away."""
SELECTS = frozenset({"select", "selectMultiple", "rank"})
PATHS = frozenset({"geotrace", "geoshape"})
RECORDINGS: Mapping[str, str] = {
    "image": n_("A picture cannot be taken or kept here."),
    "audio": n_("Sound cannot be recorded or kept here."),
    "video": n_("A film cannot be recorded or kept here."),
    "file": n_("A file cannot be kept here."),
}
"""Types whose answers are files. Where the work takes none, nothing is asked for and nothing is changed."""
_SHOWN_MEDIA = {
    "image": n_("Picture {name}: not shown here."),
    "big-image": n_("Picture {name}: not shown here."),
    "audio": n_("Sound {name}: not played here."),
    "video": n_("Film {name}: not shown here."),
}


def choice_label(choice: Choice) -> str:
    """What a choice is called; one that has only a picture or a sound goes by the name of its file."""
    if choice.label.strip():
        return choice.label
    names = [_file_name(address) for address in choice.media.values()]
    return ", ".join(names) or choice.value


def answer_text(question: Question) -> str:
    """An answer as people say it: labels for choices; the raw text where it did not parse."""
    if question.raw is not None:
        return question.raw
    if question.value is None:
        return ""
    if question.type in SELECTS:
        labels = {c.value: choice_label(c) for c in question.choices}
        values = [question.value] if question.type == "select" else question.value.split()
        return ", ".join(labels.get(v, v) for v in values)
    if question.type == "geopoint":
        return place_words(question.value)
    if question.type in PATHS:
        return points_words(question.type, question.value)
    if "masked" in question.appearance:
        return "*" * 8  # over somebody's shoulder
    return shown(question.type, question.value, None, question.appearance)


def beside(question: Question, note: str, *, takes_file: bool = False) -> list[str]:
    """Lines for the enumerator under a question: instructions, pictures and sounds by name, what the form filled in.

    `note` is how a note is written here: a key, or a command. `takes_file`: a picture can be taken in.
    """
    lines = [text for text in (question.hint, question.guidance) if text]
    lines += dict.fromkeys(_media_line(kind, address) for kind, address in question.media.items())
    if question.type in RECORDINGS and not takes_file:
        lines.append(_(RECORDINGS[question.type]))
        lines.append(_("{note} writes a note instead: what was to be seen or heard, no names.").format(note=note))
        if question.value is not None:
            lines.append(_("What is there already stays as it is: {name}.").format(name=_file_name(question.value)))
    elif question.read_only and question.value:
        lines.append(_("Filled in by the form: {value}").format(value=answer_text(question)))
    return lines


def _media_line(kind: str, address: str) -> str:
    return _(_SHOWN_MEDIA.get(kind, n_("File {name}: not shown here."))).format(name=_file_name(address))


def _file_name(address: str) -> str:
    return address.rpartition("/")[2]
