"""Whom a quota is about, in the words of the questionnaire's own choices, and the parish by its name. No widgets.

A plan holds codes. What they are called stands in the signed project's forms: the list that the question is asked with.
The groups that a form works out from an answer are in no list; their words are the report's.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, fromstring

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import language, n_
from fieldsurvey.needs.labels import read_labels

if TYPE_CHECKING:  # start-up: Home shows values that are there already
    from fieldsurvey.project.policy import Quota
    from fieldsurvey.project.signed import SignedProject

GROUPS: Final[Mapping[str, str]] = {
    "host": n_("Host community"),
    "mobility": n_("People in human mobility"),
    "family_abroad": n_("Host community with family abroad"),
    "not_said": n_("Mobility not said"),
}
"""What `host_mobility` makes of an answer."""
_QUESTIONS: Final = {"mobility": ("host_mobility", "mobility"), "sex": ("sex",), "age": ("age_band",)}
"""A quota's field -> the questions whose answers it may name (`project.quotas`)."""
_LIST: Final = re.compile(r"instance\(\s*['\"]([^'\"]+)['\"]\s*\)")
Named = dict[tuple[str, str], dict[str, str]]
"""(question, code) -> language -> label."""


class Whom:
    """Called with a quota: "Host community · Woman". A code that no form has a word for stays a code."""

    def __init__(self, project: SignedProject) -> None:
        self._project = project
        self._named: Named = {}
        self._read: set[str] = set()

    def learn(self, quotas: Iterable[Quota]) -> None:
        """Read the project's forms until every code has a name: 10 ms a form, once; not on the screen's thread."""
        wanted = {(field, code) for quota in quotas for field, code in _codes(quota)}
        for form in self._project.model.current_forms:
            if all(self._label(field, code) for field, code in wanted):
                return
            if form.hash not in self._read:
                self._read.add(form.hash)
                self._named = {**read_named(self._project.form_bytes(form.id)), **self._named}

    def __call__(self, quota: Quota) -> str:
        """ "" where it names nobody."""
        return " · ".join(self._label(field, code) or code for field, code in _codes(quota))

    def _label(self, field: str, code: str) -> str:
        if field == "mobility" and code in GROUPS:
            return _(GROUPS[code])
        found = next((found for name in _QUESTIONS[field] if (found := self._named.get((name, code)))), {})
        return found.get(language()) or next(iter(found.values()), "")


def read_named(xform: bytes) -> Named:
    """What the answers that quotas name are called in a compiled form, which comes from a signed project."""
    root = fromstring(xform)  # noqa: S314  the project's root signature covers these bytes
    labels = read_labels(xform)
    names = {name for questions in _QUESTIONS.values() for name in questions}
    return {
        (name, code): found
        for element in root.iter()
        if (name := element.get("ref", "").rpartition("/")[2]) in names
        for listed in _lists(element)
        for code, found in labels.lists.get(listed, {}).items()
        if found
    }


def _lists(question: Element) -> list[str]:
    return [match[1] for child in question if (match := _LIST.search(child.get("nodeset", "")))]


def _codes(quota: Quota) -> list[tuple[str, str]]:
    return [(field, code) for field in _QUESTIONS if (code := getattr(quota, field))]


@cache
def parish_names(code: str) -> dict[str, str]:
    """INEC's DPA code -> name, from the questionnaires' own list; `code` is the language."""
    text = (resources.files("forms") / "shared" / "parish.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    labels = [column for column in (rows[0] if rows else {}) if column.startswith("label")]
    own = next((column for column in labels if f"({code})" in column), labels[0] if labels else "")
    return {row["name"]: row[own] for row in rows if own}
