"""A form as Markdown, one thing a line, so that a change in a workbook is a change in a diff.

Rows are left out unless asked for, since one row more would change every line below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.check.inspect import control_type
from fieldsurvey.xforms.check.lists import Lists
from fieldsurvey.xforms.check.texts import MISSING, is_note
from fieldsurvey.xforms.check.wording import where, written
from fieldsurvey.xforms.definition.model import Action, Control, Expression, FormDef, NodeDef, Text
from fieldsurvey.xforms.form import LoadedForm
from fieldsurvey.xforms.live.describe import language as find_language
from fieldsurvey.xforms.program.lists import below
from fieldsurvey.xforms.xpath.nodes import Node

INLINE = 7
"""Longer lists, and those of several questions, stand at the end."""
MOST = 400
"""So many choices of a list are shown."""
DEEPEST = 6
WHOLE = 100_000
"""Expressions are not cut here."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A row of a list: its value, its label by language, and its other columns."""

    value: str
    labels: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]


def render_form(form: LoadedForm, language: str | None = None, *, rows: bool = False) -> str:
    """The whole form; labels in every language, or in `language` (name or code) alone; with `rows`, where each is."""
    return "\n".join(line.rstrip() for line in _Renderer(form, language, rows=rows).lines()) + "\n"


class _Renderer:
    def __init__(self, form: LoadedForm, language: str | None, *, rows: bool) -> None:
        self.form = form
        self.definition: FormDef = form.definition
        chosen = find_language(self.definition, language) if language else None
        self.languages = (chosen,) if chosen else form.languages or ("",)
        self.rows = rows
        self.lists = Lists(self.definition, form.program)
        self.users: dict[str, int] = {}
        for node in form.nodes:
            found = self.lists.of(node)
            if found is not None:
                self.users[found.name] = self.users.get(found.name, 0) + 1
        self.later: dict[str, tuple[Choice, ...]] = {}

    def lines(self) -> Iterator[str]:
        """The document."""
        form = self.form
        yield f"# {form.title or form.id}"
        yield ""
        yield f"- id: `{form.id}`"
        yield f"- version: {form.version or '-'}"
        if form.languages:
            names = [f"{name} (default)" if name == form.default_language else name for name in form.languages]
            yield f"- languages: {', '.join(names)}"
        yield from self.controls(self.definition.controls, 2)
        yield from self.hidden()
        yield from self.appendix()

    # -- questions ---------------------------------------------------------------------------------------------------

    def controls(self, controls: list[Control], depth: int) -> Iterator[str]:
        """Sections as headings, questions as items."""
        after: Control | None = None
        for control in controls:
            if control.kind in {"group", "repeat"}:
                yield from self.section(control, depth)
                after = control
                continue
            if after is not None:  # a heading does not end by itself
                yield ""
                yield f"(end of {after.kind} `{after.ref.name}`)" if after.ref is not None else f"(end of {after.kind})"
                after = None
            yield from self.question(control)

    def section(self, control: Control, depth: int) -> Iterator[str]:
        """A group or a repeat with what is in it."""
        node = control.ref
        titles = self.texts(control.label)
        name = node.name if node is not None else ""
        kind = control.kind + (f" [{' '.join(control.appearance)}]" if control.appearance else "")
        title = titles[0][1] if titles else name or kind
        yield ""
        yield f"{'#' * min(depth, DEEPEST)} {title}"
        yield ""
        yield f"{kind} `{name}`{self.place(control)}" if name else f"{kind}{self.place(control)}"
        for language, text in titles[1:]:
            yield f"- {language}: {text}"
        if control.count is not None:
            yield f"- count: {code(control.count)}"
        if node is not None:
            yield from self.rules(node, "")
        yield from self.controls(control.children, depth + 1)

    def question(self, control: Control) -> Iterator[str]:
        """One question: its name and type, then a line for each thing that it says or does."""
        node = control.ref
        kind = control_type(control)
        if node is not None and is_note(node):
            kind = "note"
        found = self.lists.of(node) if node is not None else None
        if found is not None:
            kind += f" `{found.name}`"
        look = f" [{' '.join(control.appearance)}]" if control.appearance else ""
        yield ""
        yield f"- **`{node.name if node is not None else '-'}`** {kind}{look}{self.place(control)}"
        yield from self.said("", control.label, "  ")
        yield from self.said("hint", control.hint, "  ")
        yield from self.said("guidance", control.hint, "  ", form="guidance")
        for form in ("image", "big-image", "audio", "video"):
            yield from self.said(form, control.label, "  ", form=form)
        yield from (f"  - {name}: {value}" for name, value in sorted(control.parameters.items()))
        if node is not None:
            yield from self.rules(node, "  ")
        yield from self.choices(control)

    def choices(self, control: Control) -> Iterator[str]:
        """Short lists of one question stand here, the others at the end."""
        for item in control.items:
            yield f"    - `{item.value}` {' / '.join(text for _language, text in self.texts(item.label))}".rstrip()
        if control.search:
            yield f"  - choices: search({', '.join(part.source for part in control.search)})"
        if control.itemset is None or control.ref is None:
            return
        found = self.lists.of(control.ref)
        if found is None:
            yield f"  - choices: {code(control.itemset.nodeset)}"
            return
        if found.filters:
            yield f"  - choice filter: {code(control.itemset.nodeset, filters_only=True)}"
        listed = tuple(self.choice(control, item, found.value) for item in found.items[: MOST + 1])
        if len(listed) <= INLINE and self.users.get(found.name, 0) < 2 and not any(one.columns for one in listed):
            yield from (f"    - `{one.value}` {' / '.join(filter(None, one.labels))}".rstrip() for one in listed)
        else:
            self.later.setdefault(found.name, listed)

    def choice(self, control: Control, item: Node, value: str) -> Choice:
        """A row of a list."""
        itemset = control.itemset
        assert itemset is not None
        source = itemset.label.source if itemset.label is not None else ""
        known = {value, source, "itextId", "label"}
        columns = tuple(
            (child.name, child.string()) for child in item.children if child.name not in known and child.string()
        )
        text = below(item, source) if source and "(" not in source else ""
        if not itemset.label_itext:
            return Choice(below(item, value), (text,), columns)
        labels = tuple(self.entry(text, language) for language in self.languages)
        return Choice(below(item, value), labels, columns)

    # -- logic -------------------------------------------------------------------------------------------------------

    def rules(self, node: NodeDef, indent: str) -> Iterator[str]:
        """What the workbook's columns say of a node, each with its message."""
        bind = node.bind
        if node.default and node.kind == "leaf":
            yield f"{indent}- default: `{node.default}`"
        for action in self.definition.actions:
            if action.target is node:
                yield f"{indent}- {self.action(action)}"
        if bind is None:
            return
        rules: list[tuple[str, Expression | None, Text | None]] = [
            ("relevant", bind.relevant, None),
            ("required", bind.required, bind.required_message),
            ("read only", None if is_note(node) else bind.read_only, None),
            ("constraint", bind.constraint, bind.constraint_message),
            ("warning", bind.warning, bind.warning_message),
            ("calculation", bind.calculate, None),
        ]
        for name, expression, message in rules:
            if expression is not None:
                yield f"{indent}- {name}: {code(expression)}"
                yield from self.said("message", message, indent + "  ")
        if bind.preload:
            yield f"{indent}- metadata: {bind.preload} {bind.preload_params}".rstrip()
        if bind.missing:
            yield f"{indent}- missing: `{bind.missing}`"
        yield from (f"{indent}- {name}: {value}" for name, value in sorted(bind.extra.items()) if name != "rank")

    def action(self, action: Action) -> str:
        """`set on odk-new-repeat: …`"""
        value = f": {code(action.value)}" if action.value is not None else f": `{action.text}`" if action.text else ""
        source = (
            f" of `{action.source.name}`" if action.source is not None and action.source is not action.target else ""
        )
        return f"{action.kind} on {', '.join(action.events)}{source}{value}"

    # -- texts -------------------------------------------------------------------------------------------------------

    def said(self, name: str, text: Text | None, indent: str, *, form: str = "") -> Iterator[str]:
        """A text in each language: `- es: …`, `- hint (es): …`."""
        for language, words in self.texts(text, form):
            label = f"{name} ({language})" if name and language else name or language
            yield f"{indent}- {label}: {words}" if label else f"{indent}- {words}"

    def texts(self, text: Text | None, form: str = "") -> list[tuple[str, str]]:
        """(language, words) of a text, empty ones left out; one without language when it is the same in all."""
        if text is None or (form and text.itext is None):
            return []
        if text.itext is None:
            words = joined((text.dynamic,) if text.dynamic is not None else text.parts)
            return [("", words)] if words else []
        found = [(short(language), self.entry(text.itext, language, form)) for language in self.languages]
        return [(language, words) for language, words in found if words]

    def entry(self, text_id: str, language: str, form: str = "") -> str:
        """An itext entry on one line, "" when there is none."""
        forms = self.definition.itext.get(language, {}).get(text_id, {})
        parts = forms.get(form, () if form else forms.get("long", forms.get("short", ())))
        return "" if parts == MISSING else joined(parts)

    def place(self, control: Control) -> str:
        """` (row 12)` when rows are wanted."""
        return f" ({where(control.origin)})" if self.rows and control.origin is not None else ""

    # -- the end -----------------------------------------------------------------------------------------------------

    def hidden(self) -> Iterator[str]:
        """What is not asked: calculations, metadata."""
        nodes = [
            node for node in self.form.nodes if node.kind == "leaf" and node.control is None and not node.is_attribute
        ]
        if nodes:
            yield ""
            yield f"## {_('Not asked')}"
        for node in nodes:
            yield ""
            yield f"- **`{node.name}`** {node.path}"
            yield from self.rules(node, "  ")

    def appendix(self) -> Iterator[str]:
        """The lists, each as a table."""
        if self.later:
            yield ""
            yield f"## {_('Lists')}"
        for name in sorted(self.later):
            choices = self.later[name]
            columns = list(dict.fromkeys(column for choice in choices for column, _value in choice.columns))
            languages = [short(language) or "label" for language in self.languages] if choices else []
            width = max((len(choice.labels) for choice in choices), default=0)
            yield ""
            yield f"### `{name}`"
            yield ""
            yield row(["name", *languages[:width], *columns])
            yield row(["---"] * (1 + width + len(columns)))
            for choice in choices[:MOST]:
                held = dict(choice.columns)
                yield row([choice.value, *choice.labels, *(held.get(column, "") for column in columns)])
            if len(choices) > MOST:
                yield ""
                yield _("The list goes on; its first {n} rows are shown.").format(n=MOST)


def code(expression: Expression, *, filters_only: bool = False) -> str:
    """An expression as the workbook has it, as inline code."""
    text = written(expression, WHOLE)
    if filters_only and "[" in text:
        text = text[text.index("[") + 1 : text.rindex("]")]
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def joined(parts: tuple[str | Expression, ...]) -> str:
    """A text on one line; outputs as `${name}`."""
    shown = [part if isinstance(part, str) else written(part, WHOLE) for part in parts]
    return " ".join("".join(shown).split())


def short(language: str) -> str:
    """`Español (es)` -> `es`; `default` is what converters call texts without a language."""
    if language == "default":
        return "label"
    return language.rpartition("(")[2].rstrip(")").strip() if language.endswith(")") else language


def row(cells: list[str]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
