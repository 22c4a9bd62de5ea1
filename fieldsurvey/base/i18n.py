"""The language of the program's own words. The languages of a form are the engine's business, not ours."""

from __future__ import annotations

import gettext as _catalogues
import os
from collections.abc import Callable
from pathlib import Path

_LOCALE = Path(__file__).resolve().parent.parent / "locale"
LANGUAGES = {"es": "Español", "en": "English"}
_current: _catalogues.NullTranslations = _catalogues.NullTranslations()
_language = "en"


def set_language(code: str | None) -> str:
    """Use `code` from now on and return it; None takes FIELDSURVEY_LANG, then LC_ALL, then LANG, then Spanish."""
    global _current, _language  # noqa: PLW0603  one process speaks one language
    wanted = code or os.environ.get("FIELDSURVEY_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "es"
    wanted = wanted.partition(".")[0].partition("_")[0].lower()
    _language = wanted if wanted in LANGUAGES else ("en" if wanted in {"c", "posix"} else "es")
    _current = _catalogues.translation("fieldsurvey", _LOCALE, [_language], fallback=True)
    return _language


def language() -> str:
    """The language in use, as a code of LANGUAGES."""
    return _language


def gettext(message: str) -> str:
    """`message` in the language in use; message ids are English."""
    return _current.gettext(message) if message else ""


def ngettext(one: str, many: str, n: int) -> str:
    """The plural form for `n`."""
    return _current.ngettext(one, many, n)


def translator(code: str) -> Callable[[str], str]:
    """`gettext` in one language whatever is in use; English where there is no catalogue for `code`."""
    found = _catalogues.translation("fieldsurvey", _LOCALE, [code], fallback=True)
    return lambda message: found.gettext(message) if message else ""


def n_(message: str) -> str:
    """Marks a message id for the catalogue where translation happens later."""
    return message
