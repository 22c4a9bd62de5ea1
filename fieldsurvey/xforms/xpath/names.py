"""Short names of months and days for format-date, by the interview's language. English where a language has none."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "es": "ene feb mar abr may jun jul ago sep oct nov dic",
    "fr": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "pt": "jan fev mar abr mai jun jul ago set out nov dez",
}
_DAYS = {
    "en": "Mon Tue Wed Thu Fri Sat Sun",
    "es": "lun mar mié jue vie sáb dom",
    "fr": "lun. mar. mer. jeu. ven. sam. dim.",
    "pt": "seg ter qua qui sex sáb dom",
}
_AS = {"qu": "es", "qvi": "es", "quz": "es", "qug": "es"}  # Kichwa and Quechua forms here write dates in Spanish
_CODE = re.compile(r"\(([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*\)\s*$")
_NAMES = {"english": "en", "español": "es", "espanol": "es", "spanish": "es", "français": "fr", "português": "pt"}


def language_code(language: str) -> str:
    """A key of the tables: `language` is a form's name for it, "Español (es)", "es-EC" or "Spanish"."""
    match = _CODE.search(language)
    code = match[1] if match else re.split(r"[-_ ]", language.strip())[0]
    code = code.lower()
    code = _NAMES.get(code, code)
    code = _AS.get(code, code)
    return code if code in _MONTHS else "en"


def short_month(day: date, language: str) -> str:
    """Jan, ene, …"""
    return _MONTHS[language_code(language)].split()[day.month - 1]


def short_day(day: date, language: str) -> str:
    """Mon, lun, …"""
    return _DAYS[language_code(language)].split()[day.weekday()]
