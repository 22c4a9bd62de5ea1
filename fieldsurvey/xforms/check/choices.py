"""Lists of choices: never offered, without a match, twice the same, not separable, unused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.check.findings import Finding, error, note, warning
from fieldsurvey.xforms.check.knowledge import Env, Scope
from fieldsurvey.xforms.check.lists import ChoiceList
from fieldsurvey.xforms.check.possible import exactly, without_blank
from fieldsurvey.xforms.check.sheets import Sheets
from fieldsurvey.xforms.check.solver import Condition, Solver
from fieldsurvey.xforms.check.trees import names_in, operands
from fieldsurvey.xforms.check.wording import listed
from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.definition.xml import Element
from fieldsurvey.xforms.live.datatypes import given, kind_of, typed
from fieldsurvey.xforms.live.describe import in_range
from fieldsurvey.xforms.program.lists import below
from fieldsurvey.xforms.xpath.ast import Expr
from fieldsurvey.xforms.xpath.nodes import Node

KINDS = 3000
"""A list with more different rows than this (in the columns that its filter reads) is not asked about row by row."""
SEPARATED = frozenset({"select", "rank"})
CHECKED = frozenset({"integer", "decimal", "date", "time", "dateTime", "geopoint", "geotrace", "geoshape"})
"""Types that not every text is an answer of."""


class Choices:
    """The lists of one form."""

    def __init__(self, solver: Solver, sheets: Sheets, unreachable: set[int]) -> None:
        self.solver = solver
        self.meaning = solver.meaning
        self.lists = solver.meaning.domains.lists
        self.form = solver.meaning.form
        self.sheets = sheets
        self.unreachable = unreachable
        self.never: dict[str, tuple[NodeDef, ChoiceList, set[int]]] = {}
        """By list: a select of it, the list, and the places of the items that none of its selects offers."""

    def findings(self) -> Iterator[Finding]:
        """Everything found."""
        told: set[str] = set()
        for d in self.form.nodes:
            control = d.control
            if d.kind != "leaf" or control is None or control.kind not in {"select", "select1", "rank"}:
                continue
            values = self.lists.values(d)
            if values is None:
                continue
            found = self.lists.of(d)
            yield from self._separable(d, values, found)
            yield from self._default(d, values)
            name = found.name if found is not None else d.path
            if name not in told:
                told.add(name)
                yield from self._twice(d, values, found)
            if not values:
                yield error(
                    "choices.none", _("{name} has no choices.").format(name=d.name), _("Add them."), d.origin, d.path
                )
            elif found is not None and d.index not in self.unreachable:
                yield from self._filtered(d, found)
        for name in sorted(self.never):
            yield from self._never(*self.never[name])
        yield from self._unused()

    def origin(self, found: ChoiceList | None, number: int, d: NodeDef, column: str = "name") -> Origin | None:
        """Where the item at a place of a list stands: its row in `choices`, its line in an XForm, else the question."""
        if found is None:
            return d.origin
        rows = self.sheets.list_rows(found.name)
        if 0 <= number < len(rows):
            cell = rows[number].get(column) or next(iter(rows[number].values()))
            return Origin(cell.sheet, cell.row, cell.header if column in rows[number] else column)
        definition = self.form.secondary.get(found.name)
        if not self.sheets.there and definition is not None and isinstance(definition.data, Element):
            items = definition.data.elements
            if 0 <= number < len(items):
                return Origin("XML", items[number].line, column)
        return d.origin

    def _separable(self, d: NodeDef, values: tuple[str, ...], found: ChoiceList | None) -> Iterator[Finding]:
        control = d.control
        assert control is not None
        for number, value in enumerate(values):
            if len(value.split()) > 1 and control.kind in SEPARATED:
                yield error(
                    "choice.space",
                    _("The choice {value} has a space, which separates the answers of {name}.").format(
                        value=repr(value), name=d.name
                    ),
                    _("Write an underscore for each space."),
                    self.origin(found, number - len(control.items), d),
                    d.path,
                )
            elif not value.strip():
                yield warning(
                    "choice.blank",
                    _("A choice of {name} has no value: choosing it answers nothing.").format(name=d.name),
                    _("Fill in its name."),
                    self.origin(found, number - len(control.items), d),
                    d.path,
                )

    def _twice(self, d: NodeDef, values: tuple[str, ...], found: ChoiceList | None) -> Iterator[Finding]:
        """The same value twice: meant in cascades only, where other columns tell the rows apart."""
        counts = Counter(values)
        items: dict[str, Counter[tuple[tuple[str, str], ...]]] = {}
        for item in found.items if found is not None and found.filters else ():
            columns = tuple((child.name, child.string()) for child in item.children if not _label(child))
            items.setdefault(below(item, found.value if found is not None else "name"), Counter())[columns] += 1
        for number, value in enumerate(values):
            if counts[value] < 2 or not value.strip():
                continue
            counts[value] = 0
            if value in items and max(items[value].values()) == 1:
                continue
            yield warning(
                "choice.twice",
                _("The choice {value} is in the list twice.").format(value=repr(value)),
                _("Give one of the two another name."),
                self.origin(found, number, d),
                d.path,
            )

    def _default(self, d: NodeDef, values: tuple[str, ...]) -> Iterator[Finding]:
        control = d.control
        assert control is not None
        words = d.default.split() if control.kind in SEPARATED else [d.default] if d.default else []
        unknown = [word for word in words if word not in values]
        if unknown:
            yield warning(
                "default.unknown",
                _("The default {value} is not a choice of {name}.").format(value=repr(" ".join(unknown)), name=d.name),
                _("The choices are: {names}.").format(names=listed(list(dict.fromkeys(values)))),
                Origin(d.origin.sheet, d.origin.row, "default") if d.origin is not None else None,
                d.path,
            )

    # -- filters -----------------------------------------------------------------------------------------------------

    def _filtered(self, d: NodeDef, found: ChoiceList) -> Iterator[Finding]:
        origin = Origin(d.origin.sheet, d.origin.row, "choice_filter") if d.origin is not None else None
        columns = names_in(found.filters)
        missing = sorted(name for name in columns if name not in found.columns and found.items)
        if missing:
            yield warning(
                "filter.column",
                _("The choice filter of {name} reads the column {column}, which its list does not have.").format(
                    name=d.name, column=listed(missing)
                ),
                _("Add the column to the list, or write ${name} for a question.").replace(
                    "${name}", f"${{{missing[0]}}}"
                ),
                origin,
                d.path,
            )
        never = self._not_offered(d, found, columns)
        if never and len(never) == len(found.items):
            yield error(
                "choices.never",
                _("The choice filter of {name} never offers anything.").format(name=d.name),
                _("Correct the filter, or the columns that it compares."),
                origin,
                d.path,
            )
            never = set()
        before = self.never.get(found.name)
        self.never[found.name] = (d, found, never if before is None else before[2] & never)

    def _not_offered(self, d: NodeDef, found: ChoiceList, columns: frozenset[str]) -> set[int]:
        """The places of the items that the filter rules out whatever is answered.

        What a part of the filter that reads no answer rules out is left out on purpose, and does not count.
        """
        kinds = found.kinds(columns)
        if not found.filters or len(kinds) > KINDS:
            return set()
        reach = self.solver.reach(d)
        parts = [part for one in found.filters for part in conjuncts(one)]
        never: set[int] = set()
        for held, values in kinds:
            scope = Scope(d, held)
            asked = [Condition(part, scope) for part in parts if self.meaning.reads(part, scope)]
            fixed = [Condition(part, scope) for part in parts if not self.meaning.reads(part, scope)]
            if asked and self.solver.ask(fixed, alone=True).possible and not self.solver.ask([*reach, *asked]).possible:
                wanted = set(values)
                never.update(place for place, value in enumerate(found.values) if value in wanted)
        return never

    def _never(self, d: NodeDef, found: ChoiceList, never: set[int]) -> Iterator[Finding]:
        for place in sorted(never):
            yield warning(
                "choice.never",
                _("The choice {value} is never offered.").format(value=repr(found.values[place])),
                _("Correct its row, or the choice filter."),
                self.origin(found, place, d),
                d.path,
            )

    def broken_defaults(self) -> Iterator[Finding]:
        """Defaults that are no answer to their own question, or break its constraint."""
        for d in self.form.nodes:
            bind = d.bind
            if not d.default or bind is None or d.control is None or d.kind != "leaf":
                continue
            if misread(d):
                yield warning(
                    "default.type",
                    _("The default {value} is no answer to a question of this type.").format(value=repr(d.default)),
                    _("Write it as it is stored, such as 5, 2.5, 2026-03-14 or 10:30; a calculation names a question."),
                    Origin(d.origin.sheet, d.origin.row, "default") if d.origin is not None else None,
                    d.path,
                )
                continue
            if bind.constraint is None:
                continue
            value = typed(d.default, d)
            if isinstance(value, list) or (d.control.kind in SEPARATED):
                continue
            env = Env().knowing(d, without_blank(exactly({value})))  # bools do not come of defaults with constraints
            asked = [Condition(self.meaning.tree(bind.constraint), Scope(d))]
            if not self.solver.ask(asked, env, alone=True).possible:
                yield warning(
                    "default.constraint",
                    _("The default {value} breaks the constraint of its own question.").format(value=repr(d.default)),
                    _("Change one of the two."),
                    Origin(d.origin.sheet, d.origin.row, "default") if d.origin is not None else None,
                    d.path,
                )

    # -- lists -------------------------------------------------------------------------------------------------------

    def _unused(self) -> Iterator[Finding]:
        names: dict[str, int] = {}
        for row in self.sheets.rows("choices"):
            if "list_name" in row:
                names.setdefault(row["list_name"].text, row["list_name"].row)
        if not names:
            return
        words: set[str] = set()
        for row in self.sheets.rows("survey"):
            for cell in row.values():
                words.update(cell.text.replace("'", " ").replace('"', " ").replace("(", " ").replace(")", " ").split())
        for name, number in names.items():
            if name not in words:
                yield note(
                    "list.unused",
                    _("No question uses the list {name}.").format(name=name),
                    _("Remove it if it is not needed."),
                    Origin("choices", number, "list_name"),
                )


def conjuncts(expr: Expr) -> list[Expr]:
    """The parts of an `and`, else the expression itself."""
    parts, op = operands(expr)
    return [inner for part in parts for inner in conjuncts(part)] if op == "and" else [expr]


def _label(node: Node) -> bool:
    return node.name in {"label", "itextId"} or node.name.startswith(("label", "media"))


def misread(d: NodeDef) -> bool:
    """Whether the default of a question does not read as its type, or lies off its range."""
    kind = kind_of(d)
    return (kind in CHECKED and not given(d.default, kind, None)) or not in_range(d, d.default)
