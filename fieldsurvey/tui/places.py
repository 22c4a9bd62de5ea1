"""Places as people type them or paste them from a telephone: decimals with comma or point, degrees, minutes, seconds.

Latitude comes first unless letters say otherwise; O is oeste. Nothing is guessed: text that could mean two places is
refused with what to write instead. The stored form is that of the ODK XForms specification, `latitude longitude
altitude accuracy` in degrees (WGS 84) and metres; an altitude or accuracy that nobody knows is 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_

_NUMBER = r"[0-9]{1,16}(?:[.,][0-9]{1,16})?"
_SIGNED = rf"[+-]?{_NUMBER}"
_PLAIN = re.compile(_SIGNED)
_ANGLE = rf"([+-]?)({_NUMBER})(?:(?:\s*°\s*|\s+)({_NUMBER})(?:(?:\s*'\s*|\s+)({_NUMBER})\s*\"?|\s*'?)|\s*°?)"
_HALF = re.compile(rf"\s*{_ANGLE}\s*[,;]?\s*")
_DEGREES = re.compile(
    rf"\s*([+-]?)({_NUMBER})\s*°\s*(?:({_NUMBER})\s*'\s*(?:({_NUMBER})\s*\"\s*)?)?[,;\s]*"
)  # an angle without a letter: every part has its sign
_HEIGHT = re.compile(rf"[,;\s]*({_SIGNED})\s*m?(?:[,;\s]+(?:±\s*)?({_NUMBER})\s*m?)?[,;\s]*", re.IGNORECASE)
_GEO_URI = re.compile(
    r"geo:(-?N),(-?N)(?:,(-?N))?(?:;u=(N))?(?:[;?].*)?".replace("N", r"[0-9]{1,16}(?:\.[0-9]{1,16})?"), re.IGNORECASE
)  # RFC 5870
_SIGNS = str.maketrans(
    {"−": "-", "–": "-", "º": "°", "˚": "°", "’": "'", "‘": "'", "′": "'", "´": "'", "”": '"', "“": '"', "″": '"'}
)
_SIDES = {"N": (0, 1), "S": (0, -1), "E": (1, 1), "W": (1, -1), "O": (1, -1)}  # letter -> axis, sign
_WEIGHTS = (1.0, 1 / 60, 1 / 3600)  # of degrees, minutes, seconds; seven decimals are a centimetre on the ground
LIMITS = (90.0, 180.0)  # degrees of latitude and longitude
HEIGHTS = (-430.0, 8850.0)  # metres: the shore of the Dead Sea, the top of Everest

BLANK = n_("A place needs a latitude and a longitude.")
UNREADABLE = n_("This is not a place.")
ONE_NUMBER = n_("Only one number can be read: the longitude is missing, or there is no space between the two.")
LATITUDE = n_("The latitude goes from 90 south to 90 north; it comes first.")
LONGITUDE = n_("The longitude goes from 180 west to 180 east.")
SIXTY = n_("Minutes and seconds go up to 59.")
TWO_SIGNS = n_("A minus and a letter say the same twice: use one of them.")
SAME_AXIS = n_("One of the two must be north or south, the other east or west.")


class PlaceError(ValueError):
    """Why a text is no place; the argument is a message id."""


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees north and east, metres above the sea, metres of accuracy; 0 where the last two are not known."""

    latitude: float
    longitude: float
    altitude: float = 0.0
    accuracy: float = 0.0

    def stored(self) -> str:
        """As ODK stores it."""
        return " ".join(
            plain_number(number) for number in (self.latitude, self.longitude, self.altitude, self.accuracy)
        )

    def shown(self) -> str:
        """As it is typed: what is not known is left out."""
        numbers = [self.latitude, self.longitude]
        if self.altitude or self.accuracy:
            numbers += [self.altitude, self.accuracy]
        return " ".join(_short(number) for number in numbers)

    def words(self) -> str:
        """`0.3512° north, 78.1223° west`, and height and accuracy where they are known."""
        north = _("{degrees}° north") if self.latitude >= 0 else _("{degrees}° south")
        east = _("{degrees}° east") if self.longitude >= 0 else _("{degrees}° west")
        said = [
            north.format(degrees=_short(abs(self.latitude))),
            east.format(degrees=_short(abs(self.longitude))),
        ]
        if self.altitude:
            height = _("{metres} m high").format(metres=_short(self.altitude))
            odd = not HEIGHTS[0] <= self.altitude <= HEIGHTS[1]
            said.append(f"{height} ({_('no ground is there: check it')})" if odd else height)
        if self.accuracy:
            said.append(_("within {metres} m").format(metres=_short(self.accuracy)))
        return ", ".join(said)


def plain_number(number: float) -> str:
    """Digits and a point, never an exponent: 0.00001, not 1e-05."""
    text = str(number)
    return text if "e" not in text else re.sub(r"(?<=\d)0+$", "", format(number, ".12f"))


def _short(number: float) -> str:
    return plain_number(number).removesuffix(".0")


def parse_place(text: str) -> Place:
    """The place that `text` names. Raises PlaceError with what to mend."""
    text = text.strip().translate(_SIGNS).replace("''", '"')
    if not text:
        raise PlaceError(BLANK)
    if found := _GEO_URI.fullmatch(text):
        return _checked(*(float(number or 0) for number in found.groups()))
    letters = {letter for letter in text.upper() if letter.isalpha()}
    if letters & _SIDES.keys():
        if letters - _SIDES.keys() - {"M"}:
            raise PlaceError(UNREADABLE)
        return _with_letters(text.upper())
    return _with_signs(text) if "°" in text else _decimals(text)


def fault(text: str) -> str:
    """Why `text` is no place, in the user's language; "" when it is one."""
    try:
        parse_place(text)
    except PlaceError as error:
        return _(str(error))
    return ""


def place_words(text: str) -> str:
    """A stored place in words; the text itself where it is none."""
    try:
        return parse_place(text).words()
    except PlaceError:
        return text


def _checked(latitude: float, longitude: float, altitude: float = 0.0, accuracy: float = 0.0) -> Place:
    if abs(latitude) > LIMITS[0]:
        raise PlaceError(LATITUDE)
    if abs(longitude) > LIMITS[1]:
        raise PlaceError(LONGITUDE)
    return Place(latitude + 0.0, longitude + 0.0, altitude, accuracy)  # + 0.0: no minus before a zero


def _float(text: str) -> float:
    return float(text.replace(",", "."))


def _decimals(text: str) -> Place:
    """`0.35 -78.12`, `0,35 -78,12`, `0.35,-78.12`, `0,35; -78,12`, with height and accuracy after them."""
    if ";" in text:
        parts = [part.strip() for part in text.split(";")]
    elif any(c.isspace() for c in text):
        parts = [part.rstrip(",") for part in text.split()]
        parts = [re.sub(r"(?<=[0-9])m$", "", part.removeprefix("±")) for part in parts if part not in {"", "m", "±"}]
    else:
        parts = text.split(",")
        if not all("." in part for part in parts[:2]):  # 0,35,-78,12: which of the commas are decimal?
            raise PlaceError(ONE_NUMBER if all(_PLAIN.fullmatch(part) for part in parts) else UNREADABLE)
    if not all(_PLAIN.fullmatch(part) for part in parts):
        raise PlaceError(UNREADABLE)
    if len(parts) == 1:
        raise PlaceError(ONE_NUMBER)
    if len(parts) > 4 or (len(parts) == 4 and parts[3].startswith("-")):
        raise PlaceError(UNREADABLE)
    return _checked(*(_float(part) for part in parts))


def _with_signs(text: str) -> Place:
    """`0°21'4.3" -78°7'20"`: minus says south or west."""
    values: list[float] = []
    at = 0
    for _axis in (0, 1):
        found = _DEGREES.match(text, at)
        if found is None:
            raise PlaceError(ONE_NUMBER if values else UNREADABLE)
        values.append(_degrees(*found.groups()))
        at = found.end()
    return _checked(*values, *_height(text[at:]))


def _with_letters(text: str) -> Place:
    """`0°21'4.3"N 78°7'20"W`, `N 0.35 W 78.12`, `0 21 4 N, 78 7 20 O`; the letters say which is which."""
    at = [i for i, letter in enumerate(text) if letter in _SIDES]
    if len(at) != 2:
        raise PlaceError(SAME_AXIS if len(at) == 1 else UNREADABLE)
    first, second = at
    before = not text[:first].strip()  # the letter stands before its angle
    halves = [text[first + 1 : second], text[second + 1 :]] if before else [text[:first], text[first + 1 : second]]
    rest = "" if before else text[second + 1 :]
    found: dict[int, float] = {}
    for letter, half in zip((text[first], text[second]), halves, strict=True):
        axis, sign = _SIDES[letter]
        match = _HALF.fullmatch(half.strip(" ,;"))
        if match is None:
            raise PlaceError(UNREADABLE)
        if match[1]:
            raise PlaceError(TWO_SIGNS)
        found[axis] = sign * _degrees(*match.groups())
    if len(found) != 2:
        raise PlaceError(SAME_AXIS)
    return _checked(found[0], found[1], *_height(rest))


def _degrees(sign: str, degrees: str, minutes: str | None, seconds: str | None) -> float:
    """Decimal degrees; only the last part may have a fraction."""
    parts = [part for part in (degrees, minutes, seconds) if part]
    if any("." in part or "," in part for part in parts[:-1]):
        raise PlaceError(UNREADABLE)
    values = [_float(part) for part in parts]
    if any(value >= 60 for value in values[1:]):
        raise PlaceError(SIXTY)
    total = values[0] if len(values) == 1 else round(sum(v * w for v, w in zip(values, _WEIGHTS, strict=False)), 7)
    return -total if sign == "-" else total


def _height(rest: str) -> tuple[float, ...]:
    if not rest.strip(" ,;"):
        return ()
    found = _HEIGHT.fullmatch(rest)
    if found is None:
        raise PlaceError(UNREADABLE)
    return tuple(_float(number) for number in found.groups() if number)
