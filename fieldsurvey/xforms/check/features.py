"""How each feature of XLSForm runs here. The words are XLSForm's (https://xlsform.org, https://docs.getodk.org).

What is not listed runs in full. `Way.kind`: adapted, it works here in another way; attached, it needs a file that the
caller supplies; refused, it cannot run in a terminal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_


class Kind(StrEnum):
    """How a row runs, the best first."""

    FULL = "full"
    ADAPTED = "adapted"
    ATTACHED = "attached"
    REFUSED = "refused"


ORDER = {Kind.FULL: 0, Kind.ADAPTED: 1, Kind.ATTACHED: 2, Kind.REFUSED: 3}


@dataclass(frozen=True, slots=True)
class Way:
    """How a feature runs. `reason` and `remedy` are message ids, translated by `words`."""

    kind: Kind = Kind.FULL
    reason: str = ""
    remedy: str = ""

    def words(self) -> tuple[str, str]:
        """Reason and remedy in the user's language."""
        return (_(self.reason) if self.reason else "", _(self.remedy) if self.remedy else "")


FULL = Way()


def _adapted(reason: str, remedy: str = "") -> Way:
    return Way(Kind.ADAPTED, reason, remedy)


def _refused(reason: str, remedy: str) -> Way:
    return Way(Kind.REFUSED, reason, remedy)


_TYPED_PLACE = _adapted(
    n_("A terminal has no map and no receiver: coordinates are typed, in decimals or degrees."),
    n_("Give enumerators a device that shows coordinates, or ask for a place from a list."),
)
_NO_FILE = _refused(
    n_("It asks for a file: a terminal has no camera and no microphone, and records carry no files."),
    n_("Ask in words, or leave the row out here and collect the file with another program."),
)
_TYPED_CODE = _adapted(n_("The code is typed, or read by a scanner that types."))
_NO_PLACE = _adapted(
    n_("Nothing here measures places: it stays blank unless the program that runs the form supplies it."),
    n_("Ask for the place, or do not count on it."),
)
_NO_RECORDING = _adapted(
    n_("Nothing is recorded in the background: it stays blank unless the program that runs the form records."),
    n_("Remove it, or record with another device."),
)
_NO_PHONE = _adapted(
    n_("A laptop has no such number: it stays blank unless the program that runs the form supplies it."),
    n_("Do not count on it."),
)
_OSM = _refused(n_("OpenStreetMap features are edited on a map, which a terminal does not have."), n_("Ask in words."))
_INTENT = _refused(
    n_("It asks another app of the telephone for the answer; a terminal has no such apps."),
    n_("Ask for the answer with a type of XLSForm."),
)
_AUDIT = _adapted(
    n_(
        "The engine hands its events to the program that runs it; the application keeps no audit.csv, only how long an "
        "interview took, reasons and notes."
    ),
    n_("Do not count on it."),
)
LAST_SAVED = _adapted(
    n_("The application does not remember the record saved last: it is blank, as in a first interview."),
    n_("Do not count on it, or ask again."),
)
SIGNED = _adapted(
    n_("Nothing in the application checks signatures: what is extracted is blank, with an error at the question."),
    n_("Remove it."),
)
_NO_EMAIL = _adapted(n_("A project knows enumerators by their codes: it stays blank."), n_("Use username."))
_MADE_ENTITY = _adapted(
    n_("The entity is written into the record; no list here is changed by it."),
    n_("Apply it where records are opened, or on an ODK server."),
)

TYPES: dict[str, Way] = {
    "geopoint": _TYPED_PLACE,
    "geotrace": _TYPED_PLACE,
    "geoshape": _TYPED_PLACE,
    "image": _NO_FILE,
    "audio": _NO_FILE,
    "video": _NO_FILE,
    "file": _NO_FILE,
    "barcode": _TYPED_CODE,
    "start-geopoint": _NO_PLACE,
    "background-geopoint": _NO_PLACE,
    "background-audio": _NO_RECORDING,
    "simserial": _NO_PHONE,
    "subscriberid": _NO_PHONE,
    "phonenumber": _NO_PHONE,
    "email": _NO_EMAIL,
    "osm": _OSM,
    "audit": _AUDIT,
    "entity": _MADE_ENTITY,
}

ALIASES = {
    "int": "integer",
    "string": "text",
    "photo": "image",
    "picture": "image",
    "location": "geopoint",
    "gps": "geopoint",
    "datetime": "dateTime",
    "date time": "dateTime",
    "trigger": "acknowledge",
    "percentage": "integer",
    "phone number": "phonenumber",
    "sim id": "simserial",
    "subscriber id": "subscriberid",
    "device id": "deviceid",
    "imei": "deviceid",
    "select all that apply": "select_multiple",
    "select all that apply from": "select_multiple",
    "select multiple": "select_multiple",
    "select multiple from": "select_multiple",
    "select multiple using": "select_multiple",
    "select one": "select_one",
    "select one from": "select_one",
    "select one using": "select_one",
    "select1": "select_one",
    "select": "select_multiple",
    "select one external": "select_one_external",
}

_LAYOUT = _adapted(n_("Choices and questions stand one below the other: the layout has no effect."))
_CALENDAR = _adapted(
    n_("Dates are typed by the Gregorian calendar."), n_("Give enumerators a table of dates in both calendars.")
)
_CAMERA = _adapted(n_("There is no camera; it has no effect."))
_DRAWN = _adapted(n_("Nothing is drawn in a terminal."), n_("Draw on paper."))
_MAP = _adapted(n_("A terminal has no map: coordinates are typed."), n_("See the type of the question."))
_PICTURES = _adapted(
    n_("A terminal shows no pictures: choices are shown by their labels."), n_("Give every choice a label in words.")
)
_NO_EFFECT = _adapted(n_("It has no effect in a terminal."))
_PAIRS = _adapted(n_("Pairs are compared outside: how often each won is typed, or counted by halves with + and −."))
_TICKS = _adapted(n_("The scale shows where the number stands, without marks between its ends."))

APPEARANCES: dict[str, Way] = {
    **dict.fromkeys(
        ("columns", "columns-pack", "columns-flex", "horizontal", "horizontal-compact", "vertical"), _LAYOUT
    ),
    **dict.fromkeys(("compact", "quickcompact", "picker", "spinner", "no-buttons"), _LAYOUT),
    **dict.fromkeys(
        ("coptic", "ethiopian", "islamic", "islamic-civil", "bikram-sambat", "myanmar", "persian", "buddhist"),
        _CALENDAR,
    ),
    **dict.fromkeys(("new", "new-front", "front", "selfie"), _CAMERA),
    **dict.fromkeys(("signature", "draw", "annotate"), _DRAWN),
    **dict.fromkeys(("maps", "map", "placement-map", "hide-input"), _MAP),
    "image-map": _PICTURES,
    **dict.fromkeys(
        ("bearing", "url", "printer", "distress", "no-collapse", "hidden-answer", "dynamic-advanced", "no-ticks"),
        _NO_EFFECT,
    ),
    **dict.fromkeys(("likert", "label", "list", "list-nolabel", "table-list", "nolabel"), _LAYOUT),
    **dict.fromkeys(
        ("numbers", "thousands-sep", "thousand-sep", "quick", "short", "week-number", "randomized", "yes-no"),
        _NO_EFFECT,
    ),
    "pairwise": _PAIRS,
    **dict.fromkeys(
        ("rating", "analog-scale", "distance"), _adapted(n_("The number is typed or moved with the arrows."))
    ),
}
KNOWN = frozenset(
    {"minimal", "autocomplete", "search", "field-list", "multiline", "masked", "no-calendar", "month-year", "year"}
    | {"counter", "tally", "pebbles"}
)
_GRID = re.compile(r"(w\d+|columns-\d+|compact-\d+|quickcompact-\d+)")


def of_appearance(text: str) -> list[tuple[str, Way]]:
    """Each word of an appearance and how it runs; calls (`search(…)`, `ex:app(…)`) count as one word."""
    text = text.strip()
    for start, way in (("ex:", _INTENT), ("intent:", _INTENT)):
        if start in text.lower():
            return [(text, way)]
    if "printer:" in text:
        return [(text, _refused(n_("It drives a printer through another app."), n_("Print after the interview.")))]
    if "search(" in text:
        before = text[: text.index("search(")].split()
        return [*((word, _word(word)) for word in before), ("search()", FULL)]
    return [(word, _word(word)) for word in text.split()]


def _word(word: str) -> Way:
    plain = word.strip().lower()
    if plain in KNOWN:
        return FULL
    if plain in APPEARANCES:
        return APPEARANCES[plain]
    if _GRID.fullmatch(plain):
        return _LAYOUT
    return _adapted(n_("It is not known here and has no effect."), n_("Check its spelling, or remove it."))


PARAMETERS: dict[str, Way] = {
    **dict.fromkeys(("max-pixels", "quality", "app"), _CAMERA),
    **dict.fromkeys(("tick_interval", "tick-interval"), _TICKS),
    **dict.fromkeys(("capture-accuracy", "warning-accuracy", "allow-mock-accuracy", "incremental"), _MAP),
    **dict.fromkeys(("location-priority", "location-min-interval", "location-max-age"), _AUDIT),
    **dict.fromkeys(("track-changes", "track-changes-reasons", "identify-user"), _AUDIT),
}
"""Those not listed (start, end, step, randomize, seed, value, label, rows …) run in full."""

COLUMNS: dict[str, Way] = {
    **dict.fromkeys(
        ("image", "big-image", "audio", "video"),
        _adapted(n_("A terminal shows the name of the file."), n_("Say in the label what is to be seen or heard.")),
    ),
    "autoplay": _NO_EFFECT,
    "save_to": _MADE_ENTITY,
    "body::intent": _INTENT,
    "body::accuracythreshold": _MAP,
    "body::kb:flash": _NO_EFFECT,
    "compact_tag": _NO_EFFECT,
}

_BY_PROJECT = _adapted(n_("Records are sealed and carried as the project says; what the form says has no effect."))
SETTINGS: dict[str, Way] = {
    **dict.fromkeys(("public_key", "submission_url", "auto_send", "auto_delete", "client_editable"), _BY_PROJECT),
    **dict.fromkeys(
        (
            "sms_keyword",
            "sms_separator",
            "sms_allow_media",
            "sms_date_format",
            "sms_datetime_format",
            "prefix",
            "compact",
        ),
        _adapted(n_("Nothing is sent by text message; it has no effect.")),
    ),
    "style": _adapted(n_("The look of web forms has no effect here: one question, or one field-list, at a time.")),
    "clean_text_values": FULL,
}


def base_type(text: str) -> tuple[str, str]:
    """(the type, what follows it): `select_one yes_no or_other` -> ("select_one", "yes_no or_other")."""
    words = " ".join(text.split())
    plain = words.lower().replace("_", " ")
    for name in ("select_one_from_file", "select_multiple_from_file"):
        if plain.startswith(name.replace("_", " ") + " "):
            return name, words[len(name) :].strip()
    for known in sorted(ALIASES, key=len, reverse=True):
        if plain == known or (plain.startswith(known + " ") and ALIASES[known].startswith("select")):
            return ALIASES[known], words[len(known) :].strip()
    first, _space, rest = words.partition(" ")
    if first.lower() in {"begin", "end"} and rest:
        second, _gap, after = rest.partition(" ")
        return f"{first.lower()}_{second.lower()}", after
    for name in ("select_one_external", "select_one", "select_multiple", "rank"):
        if first.lower() == name:
            return name, rest
    return first, rest
