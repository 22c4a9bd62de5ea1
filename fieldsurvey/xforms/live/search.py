"""`search()` in the appearance of a select: choices from a CSV file, by the rules of ODK Collect.

The choices written in the form name columns: the value's column, and the label's (several, separated by commas). Those
whose value is a whole number are choices as they stand. See https://docs.getodk.org/form-datasets/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Choice
from fieldsurvey.xforms.definition.model import Control
from fieldsurvey.xforms.live.nodes import LiveNode
from fieldsurvey.xforms.program.lists import below
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.nodes import Node
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.live.state import State

HOW: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda cell, text: text in cell,
    "startswith": lambda cell, text: cell.startswith(text),
    "endswith": lambda cell, text: cell.endswith(text),
    "matches": lambda cell, text: cell == text,
}


def searched(state: State, control: Control, node: LiveNode) -> Iterator[Choice]:
    """The choices now. Raises EvaluationError when there is no such file, or no such way to search."""
    context = Context(node, state.env, position=0)
    arguments = [state.program.run(part, "string")(context) for part in control.search]
    document = state.env.instance(arguments[0])
    if document is None:
        raise EvaluationError(_("there is no list called {name}").format(name=arguments[0]))
    rows = [item for root in document.children for item in root.children]
    keep = _keep(arguments)
    for item in control.items:
        label = state.texts.plain(item.label, node)
        if item.value.lstrip("-").isdigit():
            yield Choice(item.value, label)
            continue
        columns = [column.strip() for column in label.split(",") if column.strip()] or [item.value]
        seen: set[str] = set()
        for row in rows:
            value = below(row, item.value)
            if value and value not in seen and keep(row):
                seen.add(value)
                shown = " ".join(below(row, column) for column in columns)
                yield Choice(value, shown, {}, {child.name: child.string() for child in row.children})


def _keep(arguments: list[str]) -> Callable[[Node], bool]:
    """Whether a row is wanted."""
    if len(arguments) == 1:
        return lambda _row: True
    _file, how, where, what = arguments[:4]
    test = HOW.get(how.strip().lower())
    if test is None:
        raise EvaluationError(_("search() does not know how to look by {how}").format(how=how))
    columns = [column.strip() for column in where.split(",")]
    text = what.casefold()
    column, value = arguments[4:] if len(arguments) == 6 else ("", "")

    def keep(row: Node) -> bool:
        if column and below(row, column) != value:
            return False
        return any(test(below(row, name).casefold(), text) for name in columns)

    return keep
