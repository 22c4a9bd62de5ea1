"""What the parts of the parser share: problems found, expressions met, origins, references to nodes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.definition.model import Expression, NodeDef
from fieldsurvey.xforms.errors import FormProblem

OriginOf = Callable[[str, str, int], Origin | None]
"""(node path, column, line in the XML) -> where its author wrote it."""

_STEP = re.compile(r"@?(?:[\w.-]+:)?([\w.-]+)$")


def xml_origin(_path: str, column: str, line: int) -> Origin | None:
    """The origin of something in a hand-written XForm: its line."""
    return Origin("XML", line, column)


@dataclass
class Parsing:
    """The state of one parse."""

    origin_of: OriginOf = xml_origin
    problems: list[FormProblem] = field(default_factory=list)
    warnings: list[FormProblem] = field(default_factory=list)
    expressions: list[Expression] = field(default_factory=list)
    by_path: dict[str, NodeDef] = field(default_factory=dict)
    by_bind_id: dict[str, NodeDef] = field(default_factory=dict)

    def problem(self, code: str, message: str, remedy: str = "", origin: Origin | None = None) -> None:
        """Keep a reason to refuse the form; all are told together."""
        self.problems.append(FormProblem(code, message, remedy, origin))

    def warning(self, code: str, message: str, remedy: str = "", origin: Origin | None = None) -> None:
        """Keep something the author should know that does not hinder."""
        self.warnings.append(FormProblem(code, message, remedy, origin))

    def expression(self, source: str, context: NodeDef | None, column: str, line: int) -> Expression:
        """An expression, registered so that it is parsed and checked when the form is loaded."""
        origin = self.origin_of(context.path if context else "", column, line)
        made = Expression(source.strip(), context, column, origin)
        self.expressions.append(made)
        return made

    def path(self, reference: str, context: NodeDef | None) -> str | None:
        """The absolute path without positions that a plain reference names, or None when it is not plain."""
        reference = reference.strip()
        steps = reference.split("/")
        if reference.startswith("/"):
            found: list[str] = []
            steps = steps[1:]
        else:
            found = context.path.split("/")[1:] if context else []
        for step in steps:
            if step in {".", "current()"}:
                continue
            if step == "..":
                if not found:
                    return None
                found.pop()
                continue
            match = _STEP.match(step)
            if match is None:
                return None
            found.append("@" + match[1] if step.startswith("@") else match[1])
        return "/" + "/".join(found)

    def node(self, reference: str, context: NodeDef | None, what: str, line: int) -> NodeDef | None:
        """The node that a plain reference names; a problem is kept when there is none."""
        path = self.path(reference, context)
        node = self.by_path.get(path) if path else None
        if node is None:
            self.problem(
                "ref.nothing",
                _("The {what} refers to {ref}, which is not in the form.").format(what=what, ref=reference.strip()),
                _("Correct the reference, or add the question it means."),
                self.origin_of(path or reference, "", line),
            )
        return node
