"""The files that a form names: those with a jr:// address, and those that only expressions or controls mention."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fieldsurvey.xforms.definition.model import Expression, FormDef
from fieldsurvey.xforms.program.references import calls
from fieldsurvey.xforms.xpath.ast import Expr, Literal

_SESSION = "jr://instance/"
_SHOWN = frozenset({"image", "big-image", "audio", "video"})


def media_names(form: FormDef, parsed: Callable[[Expression], Expr]) -> tuple[str, ...]:
    """File names, each once, in alphabetical order."""
    return tuple(sorted({*_lists(form), *_texts(form), *_called(form, parsed)} - {""}))


def _base(address: str) -> str:
    return address.strip().rpartition("/")[2]


def _lists(form: FormDef) -> Iterator[str]:
    for instance in form.secondary.values():
        if instance.src and not instance.src.startswith(_SESSION):
            yield _base(instance.src)


def _texts(form: FormDef) -> Iterator[str]:
    for entries in form.itext.values():
        for forms in entries.values():
            for name, parts in forms.items():
                if name in _SHOWN and len(parts) == 1 and isinstance(parts[0], str):
                    yield _base(parts[0])


def _called(form: FormDef, parsed: Callable[[Expression], Expr]) -> Iterator[str]:
    """`search('towns')` and undeclared `pulldata('towns', …)` read towns.csv; external choices are in itemsets.csv."""
    for node in form.nodes:
        control = node.control
        if control is None:
            continue
        if "query" in control.parameters:
            yield "itemsets.csv"
        if control.search:
            named = parsed(control.search[0])
            if isinstance(named, Literal):
                yield f"{named.value}.csv"
    for expression in form.expressions:
        for call in calls(parsed(expression), "pulldata"):
            first = call.args[0] if call.args else None
            if isinstance(first, Literal) and first.value not in form.secondary:
                yield f"{first.value}.csv"
