"""Labels, hints and messages of live nodes, in the interview's language; worked out when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fieldsurvey.xforms.definition.model import Expression, Forms, Text
from fieldsurvey.xforms.live.nodes import LiveNode
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.nodes import Node
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.live.state import State

MISSING = "-"
DEEPEST = 20
"""Texts inside one another, and lists inside lists."""
MOST_OUTPUTS = 10_000
"""Outputs of one text, with those of the texts in it."""


class Texts:
    """The texts of one interview."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.outputs = 0  # how many outputs were worked out so far
        self._depth = 0
        self._begun = 0  # what `outputs` was when the outermost text began

    def entry(self, text_id: str) -> Forms | None:
        """An itext entry in the interview's language, else in the form's default language."""
        form = self.state.program.form
        table = form.itext.get(self.state.language)
        found = table.get(text_id) if table is not None else None
        if found is None and form.default_language != self.state.language:
            table = form.itext.get(form.default_language)
            found = table.get(text_id) if table is not None else None
        return found

    def plain(self, text: Text | None, node: LiveNode, form: str = "") -> str:
        """The text at a node; "" when there is none."""
        if text is None:
            return ""
        if text.itext is not None:
            found = self.entry(text.itext)
            if found is None:
                return ""
            return self.join(_form(found, form), node)
        if form:
            return ""
        if text.dynamic is not None:
            return self._output(text.dynamic, node)
        return self.join(text.parts, node)

    def media(self, text: Text | None, node: LiveNode) -> dict[str, str]:
        """Image, audio and video of a label: kind -> address."""
        if text is None or text.itext is None:
            return {}
        found = self.entry(text.itext)
        if found is None or (len(found) < 2 and "" in found):
            return {}
        kinds = ("image", "big-image", "audio", "video")
        return {kind: self.join(found[kind], node) for kind in kinds if kind in found}

    def join(self, parts: Sequence[str | Expression], node: Node | None) -> str:
        """Literal parts and outputs put together."""
        if len(parts) == 1 and isinstance(parts[0], str):
            return parts[0]
        out: list[str] = []
        for part in parts:
            if isinstance(part, str):
                out.append(part)
            else:
                out.append(self._output(part, node))
        return "".join(out)

    def _output(self, expression: Expression, node: Node | None) -> str:
        """What an output shows; a dash where it cannot be worked out, since a label must never stop an interview."""
        if not self._depth:
            self._begun = self.outputs
        self.outputs += 1
        if self._depth >= DEEPEST or self.outputs - self._begun > MOST_OUTPUTS:
            return MISSING
        at = node if node is not None else self.state.root.first()
        context = Context(at, self.state.env, position=0)
        program = self.state.program
        self._depth += 1
        try:
            run = program.run_at(expression, "string", at.d) if isinstance(at, LiveNode) else None
            shown: str = (run or program.run(expression, "string"))(context)
        except EvaluationError:
            return MISSING
        finally:
            self._depth -= 1
        return shown


def _form(found: Forms, form: str) -> tuple[str | Expression, ...]:
    if form:
        return found.get(form, ())
    for name in ("", "long", "short"):
        if name in found:
            return found[name]
    return ()
