"""The HTML page: the languages, sections and questions, values to work out, long lists. No script, no links."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fieldsurvey.base.i18n import n_
from fieldsurvey.xforms.definition.model import Expression, NodeDef, Text
from fieldsurvey.xforms.errors import FormError, FormProblem
from fieldsurvey.xforms.form import LoadedForm
from fieldsurvey.xforms.live.describe import language as find_language
from fieldsurvey.xforms.paper.answers import Answers, table
from fieldsurvey.xforms.paper.languages import Language, Languages, Words, html
from fieldsurvey.xforms.paper.phrases import ALWAYS, reasons
from fieldsurvey.xforms.paper.plan import Item, Plan
from fieldsurvey.xforms.paper.style import STYLE, shown

COPIES = 3
MOST = 1_000
"""So many rows of a list are printed."""
_RULES = {
    "relevant": (n_("Ask only if {words}."), n_("This part only if {words}.")),
    "constraint": (n_("Must hold: {words}."), ""),
    "warning": (n_("Check: {words}."), ""),
}


def print_form(form: LoadedForm, *, language: str | None = None, copies: int = COPIES) -> str:
    """The form as one HTML document that needs nothing else; bytes of it never change for the same form.

    `language` (name or code) is the one shown first; all can be chosen on the page. Each repeat that is not inside
    another is printed `copies` times. Raises FormError for a language that the form does not have.
    """
    if language is not None and find_language(form.definition, language) is None:
        have = ", ".join(form.languages)
        problem = FormProblem("language", f"{language}? {have}")
        raise FormError([problem])
    return "\n".join(_Page(form, language, copies).lines()) + "\n"


class _Page:
    def __init__(self, form: LoadedForm, language: str | None, copies: int) -> None:
        self.form = form
        self.plan = Plan(form)
        self.languages = Languages(form, self.plan)
        self.answers = Answers(self.languages)
        self.copies = copies
        self.needed: dict[str, Expression] = {}
        for node in form.nodes:
            required = node.bind.required if node.bind is not None and node.index in self.plan.numbers else None
            if required is not None and required.source not in ALWAYS:
                self.needed.setdefault(required.source, required)
        wanted = find_language(form.definition, language) if language else form.default_language
        names = [one.name or form.default_language for one in self.languages.all]
        self.first = names.index(wanted) if wanted in names else 0

    def lines(self) -> Iterator[str]:
        """The document."""
        title = escape(self.form.title or self.form.id)
        code = self.languages.all[self.first].code or "en"
        yield f'<!DOCTYPE html>\n<html lang="{escape(code)}"><head><meta charset="utf-8"><title>{title}</title>'
        yield f"<style>{STYLE}{shown(len(self.languages.all))}</style></head><body>"
        yield from self.chooser()
        yield f"<main><h1>{title}</h1>"
        yield from self.head()
        for item in self.plan.items:
            yield from self.item(item)
        yield from self.values()
        yield from self.lists()
        yield "</main></body></html>"

    def chooser(self) -> Iterator[str]:
        """Which language is shown, or all; never printed."""
        names = [language.name for language in self.languages.all]
        if len(names) < 2:
            return
        for number in range(len(names) + 1):
            checked = " checked" if number == self.first else ""
            yield f'<input type="radio" name="language" id="c{number}"{checked}>'
        labels = [f'<label for="c{number}">{html(name)}</label>' for number, name in enumerate(names)]
        every = self.languages.ours(n_("All languages"))
        yield f'<nav>{"".join(labels)}<label for="c{len(names)}">{every}</label></nav>'

    def head(self) -> Iterator[str]:
        """Which form, which sheet of paper, who asks; below, who enters it."""
        form, ours = self.form, self.languages.ours
        version = ours(n_("version {version}"), version=form.version or "-")
        yield f"<p class=id><code>{escape(form.id)}</code> {version}</p>"
        cells = (n_("Paper number"), n_("Enumerator code"), n_("Date of the interview"), n_("Begun at, ended at"))
        yield "<table class=head><tr>" + "".join(f"<td>{ours(cell)}</td>" for cell in cells) + "</tr></table>"
        told = n_("* must be answered. Codes in small print are what is typed when the paper is entered. Afterwards:")
        yield f"<p class=how>{ours(told)} {ours(n_('entered on'))} <i class=w></i> {ours(n_('by'))} <i class=w></i></p>"

        template = n_("*{letter}: must be answered if {words}.")
        for number, expression in enumerate(self.needed.values(), start=1):
            yield self.told(lettered(template, str(number), expression))

    def star(self, node: NodeDef) -> str:
        """`*` for what must be answered, `*2` where the second condition of the list says when."""
        required = node.bind.required if node.bind is not None else None
        if required is None:
            return ""
        if required.source in ALWAYS:
            return "*"
        return f"*{list(self.needed).index(required.source) + 1}"

    # -- items -------------------------------------------------------------------------------------------------------

    def item(self, item: Item, copy: str = "") -> Iterator[str]:
        """A section or a question."""
        if item.kind == "repeat":
            yield from self.repeat(item, copy)
        elif item.kind == "section":
            yield from self.section(item, copy)
        else:
            yield from self.question(item, copy)

    def section(self, item: Item, copy: str) -> Iterator[str]:
        """A heading, when it is asked, what is in it."""
        title = self.title(item)
        yield "<section>"
        if title:
            level = min(item.depth + 1, 5)
            yield f"<h{level}>{title}</h{level}>"
        yield from self.rules(item)
        for inner in item.inside:
            yield from self.item(inner, copy)
        yield "</section>"

    def repeat(self, item: Item, copy: str) -> Iterator[str]:
        """The same part several times; inside another repeat once, to be copied by hand."""
        count = 1 if copy else self.copies
        title = self.title(item) or (html(item.node.name) if item.node is not None else "")
        level = min(item.depth + 1, 5)
        expression = item.control.count
        for number in range(1, count + 1):
            yield "<section class=copy>"
            yield f"<h{level}>{title} — {copy}{number}</h{level}>"
            if number == 1:
                told = n_("One copy of this part for each; take more paper if these are not enough.")
                yield f"<p class=how>{self.languages.ours(told)}</p>"
                if expression is not None:
                    words = n_("How many: {words}.")
                    yield self.told(valued(words, expression))
                yield from self.rules(item)
            for inner in item.inside:
                yield from self.item(inner, f"{copy}{number}.")
            yield "</section>"

    def question(self, item: Item, copy: str) -> Iterator[str]:
        """Number, label, hints, rules, the answer's place."""
        control, node = item.control, item.node
        assert node is not None
        bind = node.bind
        label = self.title(item) or (html(node.name) if item.kind == "question" else "")
        number = f"<b class=n>{item.number}{self.star(node)}{of_copy(copy)}</b> " if item.number else ""
        yield f'<div class="{item.kind}">'
        yield from self.rules(item, when=True)
        yield f"<p class=t>{number}{label}</p>"
        for form in ("", "guidance"):
            hint = self.languages.each(texted(control.hint, form))
            if hint:
                yield f"<p class=h>{hint}</p>"
        if item.kind == "question":
            if bind is not None and bind.calculate is not None:
                yield self.told(valued(n_("Worked out: {words}."), bind.calculate))
            yield self.answers.area(control)
        yield from self.rules(item, when=False)
        yield "</div>"

    def title(self, item: Item) -> str:
        """The label in every language."""
        return self.languages.each(texted(item.control.label))

    def rules(self, item: Item, *, when: bool | None = None) -> Iterator[str]:
        """When it is asked (`when`), what must hold of the answer (`when` False), or both."""
        node = item.node
        if node is None:
            return
        for name, expression in reasons(node):
            if name not in _RULES:
                continue
            if when is not None and when != (name == "relevant"):
                continue
            asked, part = _RULES[name]
            template = part if part and item.kind in {"section", "repeat"} else asked
            message = None
            if node.bind is not None and name in {"constraint", "warning"}:
                message = node.bind.constraint_message if name == "constraint" else node.bind.warning_message
            yield self.told(ruled(template, expression, message), "skip" if name == "relevant" else "rule")

    def told(self, words: Words, kind: str = "rule") -> str:
        """A line of instruction."""
        return f"<p class={kind}>{self.languages.each(words)}</p>"

    # -- the end -----------------------------------------------------------------------------------------------------

    def values(self) -> Iterator[str]:
        """What conditions compare and nobody is asked for; wording one may ask for another."""
        told: list[str] = []
        done: set[int] = set()
        while len(done) < len(self.plan.worked_out):
            node = next(node for index, node in self.plan.worked_out.items() if index not in done)
            done.add(node.index)
            expression = self.plan.label_of(node)
            letter = self.plan.value_of(node)
            if expression is not None:
                said = self.languages.each(valued("{words}", expression))
            else:
                said = self.languages.ours(n_("filled in by the program"))
            told.append(f"<li><b>{letter}</b> <code>{escape(node.name)}</code>: {said}</li>")
        if told:
            yield f"<section class=end><h2>{self.languages.ours(n_('Values that the program works out'))}</h2>"
            yield f"<ul>{''.join(told)}</ul></section>"

    def lists(self) -> Iterator[str]:
        """The long lists."""
        for name, control in self.answers.later.items():
            heading = self.languages.ours(n_("List “{name}”"), name=name)
            yield f"<section class=end><h2>{heading}</h2>{table(self.languages, control, MOST)}"
            if len(self.languages.options(control, self.languages.all[0])) > MOST:
                more = n_("The list goes on; its first {n} rows are shown.")
                yield f"<p>{self.languages.ours(more, n=str(MOST))}</p>"
            yield "</section>"


def of_copy(copy: str) -> str:
    """`1.2.` -> ` (1.2)`: conditions name a question by its number, which is the same in every copy."""
    return f" ({copy[:-1]})" if copy else ""


def texted(text: Text | None, form: str = "") -> Words:
    """A text of the form."""
    return lambda one: one.texts.of(text, form)


def valued(template: str, expression: Expression) -> Words:
    """A message around the words of a value."""
    return lambda one: one.say(template).format(words=one.phrases.value(expression))


def lettered(template: str, letter: str, expression: Expression) -> Words:
    """A condition with the mark by which questions name it."""
    return lambda one: one.say(template).format(letter=letter, words=one.phrases.condition(expression))


def ruled(template: str, expression: Expression, message: Text | None) -> Words:
    """What the form says of a rule, else the rule in words."""

    def words(one: Language) -> str:
        return one.texts.of(message) or one.say(template).format(words=one.phrases.condition(expression))

    return words
