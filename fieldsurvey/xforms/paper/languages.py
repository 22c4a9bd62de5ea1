"""Everything that is printed, in each language of the form; which one shows is chosen on the page, without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from fieldsurvey.base.i18n import translator
from fieldsurvey.xforms.check.lists import ChoiceList, Lists
from fieldsurvey.xforms.definition.model import Control, NodeDef
from fieldsurvey.xforms.form import LoadedForm
from fieldsurvey.xforms.paper.phrases import Phrases
from fieldsurvey.xforms.paper.plan import Plan
from fieldsurvey.xforms.paper.texts import Option, Texts

_CODE = re.compile(r"\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\)\s*$")


@dataclass(slots=True)
class Language:
    """One language of the form: our own words in it (English where there are none), its texts, its phrases."""

    name: str
    code: str
    say: Callable[[str], str]
    texts: Texts
    phrases: Phrases
    options: dict[int, list[Option]]


Words = Callable[[Language], str]


class Languages:
    """The languages of a form, the default first."""

    def __init__(self, form: LoadedForm, plan: Plan) -> None:
        self.form = form
        self.lists = Lists(form.definition, form.program)
        names = list(dict.fromkeys((form.default_language, *form.languages)))
        self.all = [self._language(name, plan) for name in names]

    def _language(self, name: str, plan: Plan) -> Language:
        found = _CODE.search(name)
        code = found[1].lower() if found else ""
        say = translator(code.partition("-")[0] or "en")
        options: dict[int, list[Option]] = {}
        phrases = Phrases(plan, say, lambda node, value: self._label(language, node, value))
        texts = Texts(self.form.definition, name, phrases.output, self.lists)
        language = Language(name, code, say, texts, phrases, options)
        return language

    def each(self, words: Words, tag: str = "span") -> str:
        """HTML of a text in every language; one element where all say the same, "" where none says anything."""
        found = [words(language) for language in self.all]
        if not any(found):
            return ""
        if len(set(found)) == 1:
            return f"<{tag}>{html(found[0])}</{tag}>"
        return "".join(
            f'<{tag} class="l l{number}"{_lang(language)}>{html(text)}</{tag}>'
            for number, (language, text) in enumerate(zip(self.all, found, strict=True))
        )

    def ours(self, message: str, **values: str) -> str:
        """A message of the program in every language."""
        return self.each(lambda language: language.say(message).format(**values))

    def list_of(self, control: Control) -> ChoiceList | None:
        """The list of a select, None when only an interview knows it."""
        return self.lists.of(control.ref) if control.ref is not None else None

    def options(self, control: Control, language: Language) -> list[Option]:
        """The choices of a select, made once."""
        key = id(control)
        if key not in language.options:
            language.options[key] = language.texts.options(control, self.list_of(control))
        return language.options[key]

    def _label(self, language: Language, node: NodeDef, value: str) -> str:
        control = node.control
        if control is None or control.kind not in {"select", "select1", "rank"}:
            return ""
        return next((option.label for option in self.options(control, language) if option.value == value), "")


def _lang(language: Language) -> str:
    return f' lang="{escape(language.code)}"' if language.code else ""


def html(text: str) -> str:
    """Plain text as HTML; lines are kept."""
    return escape(text, quote=False).replace("\n", "<br>")
