"""Where an answer is written: boxes for digits, circles and squares for choices, lines for words."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from html import escape

from fieldsurvey.base.i18n import n_
from fieldsurvey.xforms.check.inspect import control_type
from fieldsurvey.xforms.check.trees import names_in
from fieldsurvey.xforms.definition.model import Control
from fieldsurvey.xforms.paper.languages import Language, Languages, Words, html
from fieldsurvey.xforms.paper.texts import Option

INLINE = 25
"""Longer lists, and those that other answers filter, stand at the end."""
WIDE = 9
"""From so many choices on, they stand in two columns."""
STEPS = 21
"""A range of at most so many steps is printed as a scale."""
BOX = '<i class="b"></i>'
SHORT, LONG = '<i class="w"></i>', '<i class="w long"></i>'


class Answers:
    """Answer areas. `later` collects the lists that stand at the end: name -> a select that uses it."""

    def __init__(self, languages: Languages) -> None:
        self.languages = languages
        self.later: dict[str, Control] = {}

    def area(self, control: Control) -> str:
        """The HTML of the answer area of a question."""
        kind = control_type(control)
        drawn = _FIXED.get(kind)
        if drawn is not None:
            return f"<p class=a>{drawn}</p>"
        if kind in {"select_one", "select_multiple", "rank"}:
            return self.choices(control, kind)
        if kind == "range":
            return self.range(control)
        if kind in _NAMED:
            return "".join(f"<p class=a>{self.languages.ours(name)} {SHORT}</p>" for name in _NAMED[kind])
        many = "multiline" in control.appearance or "rows" in control.parameters
        return f"<p class=a>{LONG}</p>" * (4 if many else 1)

    def choices(self, control: Control, kind: str) -> str:
        """The choices with their codes, or a line for the code of one from a list at the end."""
        found = self.languages.list_of(control)
        options = self.languages.options(control, self.languages.all[0])
        told = {
            "select_multiple": n_("Tick all that apply."),
            "rank": n_("Write 1 for the first, 2 for the second, and so on."),
        }.get(kind)
        head = f"<p class=how>{self.languages.ours(told)}</p>" if told else ""
        filtered = bool(found and found.filters)
        if not options or control.search:
            return f"{head}<p class=a>{self.languages.ours(n_('Write the answer:'))} {LONG}</p>"
        if len(options) <= INLINE and not filtered:
            return head + self.printed(control, kind, len(options))
        name = found.name if found is not None else control.ref.name if control.ref is not None else ""
        self.later.setdefault(name, control)
        where = self.languages.ours(n_("Code from the list “{name}” at the end:"), name=name)
        line = f"<p class=a>{where} {LONG if kind != 'select_one' else SHORT}</p>"
        columns = ", ".join(sorted(names_in(found.filters))) if found is not None and filtered else ""
        if columns:
            words = n_("Only those of the list that fit the answers before; compare its column {columns}.")
            line += f"<p class=how>{self.languages.ours(words, columns=columns)}</p>"
        return head + line

    def printed(self, control: Control, kind: str, count: int) -> str:
        """Each choice with a circle, a square or a box."""
        mark = {"select_one": '<i class="o"></i>', "select_multiple": '<i class="q"></i>'}.get(kind, BOX)
        lines = []
        for number in range(count):
            label = self.languages.each(_nth(self.languages, control, number))
            value = self.languages.options(control, self.languages.all[0])[number].value
            lines.append(f"<li>{mark} {label} <code>{escape(value)}</code></li>")
        return f"<ul class='{'two' if count >= WIDE else 'one'}'>{''.join(lines)}</ul>"

    def range(self, control: Control) -> str:
        """A scale of circles, or boxes with both ends told."""
        low, high = control.parameters.get("start", ""), control.parameters.get("end", "")
        steps = scale(low, high, control.parameters.get("step", ""))
        if steps:
            marks = "".join(
                f'<span class=s><i class="o"></i>{escape(step)} {self.languages.each(ticked(control, step))}</span>'
                for step in steps
            )
            return f"<p class=a>{marks}</p>"
        told = n_("from {low} to {high}")
        return f"<p class=a>{BOX * 6} {self.languages.ours(told, low=low, high=high)}</p>"


def _nth(languages: Languages, control: Control, number: int) -> Words:
    def words(language: Language) -> str:
        option: Option = languages.options(control, language)[number]
        return option.label or option.value

    return words


def ticked(control: Control, step: str) -> Words:
    """The label that a range has at a number."""
    return lambda language: language.texts.tick(control, step)


def scale(low: str, high: str, step: str) -> Sequence[str]:
    """`0`, `10`, `5` -> 0 5 10; none when there would be too many."""
    try:
        start, end, by = Decimal(low), Decimal(high), abs(Decimal(step))
        count = int(abs(end - start) / by) + 1
    except (InvalidOperation, ZeroDivisionError):
        return ()
    by = by if end >= start else -by
    return tuple(f"{start + by * number:f}" for number in range(count)) if count <= STEPS else ()


def table(languages: Languages, control: Control, most: int) -> str:
    """A list as a table: code, label, and the columns that filters compare."""
    found = languages.list_of(control)
    options = languages.options(control, languages.all[0])
    columns = sorted(names_in(found.filters)) if found is not None else []
    rows = []
    for number, option in enumerate(options[:most]):
        label = languages.each(_nth(languages, control, number))
        cells = ""
        if found is not None and columns:
            item = found.items[number - len(control.items)]
            held = {child.name: child.string() for child in item.children}
            cells = "".join(f"<td>{html(held.get(column, ''))}</td>" for column in columns)
        rows.append(f"<tr><td><code>{escape(option.value)}</code></td><td>{label}</td>{cells}</tr>")
    head = "".join(f"<th>{html(column)}</th>" for column in ("", "", *columns))
    return f"<table class=list><tr>{head}</tr>{''.join(rows)}</table>"


_DATE = f"{BOX * 2} / {BOX * 2} / {BOX * 4}"
_TIME = f"{BOX * 2} : {BOX * 2}"
_FIXED = {
    "integer": BOX * 6,
    "decimal": f"{BOX * 6} , {BOX * 3}",
    "date": f"{_DATE} <small>DD / MM / YYYY</small>",
    "time": f"{_TIME} <small>HH : MM</small>",
    "dateTime": f"{_DATE} &nbsp; {_TIME} <small>DD / MM / YYYY HH : MM</small>",
    "acknowledge": '<i class="q"></i> OK',
    "boolean": '<i class="q"></i>',
}
_NAMED: dict[str, tuple[str, ...]] = {
    "geopoint": (n_("Latitude:"), n_("Longitude:")),
    "geotrace": (n_("Latitude and longitude of each point, in order:"),) * 3,
    "geoshape": (n_("Latitude and longitude of each corner, in order:"),) * 4,
    "barcode": (n_("Code:"),),
    **dict.fromkeys(("image", "audio", "video", "file"), (n_("Number or name of the file:"),)),
}
