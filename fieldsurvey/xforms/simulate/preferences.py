"""Weights for simulated answers, as data.

    {"rules": [{"when": {name: [value, …]}, "weights": {name: {value: weight}}}]}

A later rule whose `when` holds (every question named there has one of the values) goes before an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fieldsurvey.base.errors import InputError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Question
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.simulate.interviews import Prefer


class PreferencesError(InputError):
    """A file of weights that is not in the format."""

    code = "preferences"
    template = "The weights cannot be used: {reason}."
    hint = "Nothing was changed. `fieldsurvey forms simulate --help` shows the format."


def preferences(data: Any) -> Prefer:
    """A `prefer` for simulate_interview. Raises PreferencesError."""
    rules = data.get("rules") if isinstance(data, dict) else None
    if not isinstance(rules, list):
        raise PreferencesError(reason=_("a list of rules is needed"))
    for rule in rules:
        weights, when = rule.get("weights"), rule.get("when", {})
        if not isinstance(weights, dict) or not isinstance(when, dict):
            raise PreferencesError(reason=_("a rule has `weights` and may have `when`"))
        for table in weights.values():
            if not isinstance(table, dict) or not all(
                isinstance(weight, int | float) and weight >= 0 for weight in table.values()
            ):
                raise PreferencesError(reason=_("weights are numbers from 0 by value"))

    def prefer(question: Question, interview: LiveInterview) -> Mapping[str, float] | None:
        for rule in reversed(rules):
            found: Mapping[str, float] | None = rule["weights"].get(question.name)
            if found is not None and _holds(rule.get("when", {}), interview):
                return found
        return None

    return prefer


def _holds(when: dict[str, list[str]], interview: LiveInterview) -> bool:
    if not when:
        return True
    answers = {node.name: node.text for node in interview.state.root.leaves() if node.name in when and node.relevant}
    return all(answers.get(name) in values for name, values in when.items())
