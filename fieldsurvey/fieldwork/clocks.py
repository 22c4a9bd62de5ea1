"""A laptop's clock that cannot be right is said, and stops nothing: interviewing, sealing and copying go on.

What is known for certain is signed: when the project was issued, and the latest time that its root or central signed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.project.signed import SignedProject

_SLACK: Final = timedelta(days=1)
_LONG_AFTER: Final = timedelta(days=2 * 365)


def clock_warning(project: SignedProject, signed: str, now: datetime) -> str:
    """One sentence, "" when there is nothing to doubt. `signed`: ISO 8601, "" when no signed time has been seen."""
    latest = max(_instant(text) for text in (project.model.issued, signed) if text)
    told = now.strftime("%Y-%m-%d %H:%M")
    if now.astimezone(UTC) < latest - _SLACK:
        text = _(
            "This laptop's clock says {now}, which is before {known}: correct it. Interviewing and copying go on; the"
            " day of an interview is what is answered in it."
        )
        return text.format(now=told, known=latest.date().isoformat())
    if now.astimezone(UTC) > _instant(project.model.expires) + _LONG_AFTER:
        text = _(
            "This laptop's clock says {now}, years after this project ended: is it right? Interviewing and copying go"
            " on; the day of an interview is what is answered in it."
        )
        return text.format(now=told)
    return ""


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
