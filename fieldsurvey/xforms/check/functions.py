"""What functions may give of possible arguments: by calling them where there are few, else by what they promise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from fieldsurvey.xforms.check.knowledge import Env, Scope
from fieldsurvey.xforms.check.possible import (
    ANYTHING,
    BLANK,
    EITHER,
    NO,
    NUMBER,
    PRODUCT,
    TEXT,
    YES,
    Held,
    Possible,
    exactly,
    held,
    join,
    numbers,
    plain,
    without_blank,
)
from fieldsurvey.xforms.xpath.ast import FunctionCall
from fieldsurvey.xforms.xpath.convert import to_boolean, to_number, to_string
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.functions.registry import LIBRARY, Function

if TYPE_CHECKING:
    from fieldsurvey.xforms.check.meaning import Meaning

CONVERT: dict[str, Callable[[Any], Any]] = {"string": to_string, "number": to_number, "boolean": to_boolean}
PROMISED = {"number": NUMBER, "boolean": EITHER, "string": TEXT}
COUNTS = frozenset({"count", "position", "last", "count-non-empty", "count-selected"})
COUNT = Possible(None, 0, whole=True, blank=False, odd=False)


def by_function(meaning: Meaning, call: FunctionCall, scope: Scope, env: Env) -> Possible:
    """What a call may give."""
    handler = _HANDLERS.get(call.name)
    if handler is not None:
        return handler(meaning, call, scope, env)
    known = LIBRARY.get(call.name)
    if isinstance(known, Function):
        if known.pure and not known.context and "nodes" not in known.kinds:
            arguments = [meaning.value(arg, scope, env) for arg in call.args]
            return _called(meaning, known, arguments)
        return _promised(known)
    return ANYTHING


def _promised(known: Function) -> Possible:
    if known.name in COUNTS:
        return COUNT
    return PROMISED.get(known.result, ANYTHING)


def _called(meaning: Meaning, known: Function, arguments: list[Possible]) -> Possible:
    """Every combination of the arguments, when they are few and none is text of several choices."""
    listed = [argument.values for argument in arguments]
    size = math.prod(len(values) if values is not None else PRODUCT + 1 for values in listed)
    if size > PRODUCT:
        return _partly(known, arguments)
    meaning.spend(size)
    found: set[Held] = set()
    for combination in product(*(values for values in listed if values is not None)):
        given = [CONVERT.get(known.kind_of(index), _same)(plain(value)) for index, value in enumerate(combination)]
        try:
            value = held(known.call(*given))
        except EvaluationError:
            return _promised(known)
        if value is None:
            return _promised(known)
        found.add(value)
    return exactly(found)


def _same(value: Any) -> Any:
    return value


def _partly(known: Function, arguments: list[Possible]) -> Possible:
    """What is known of a call without its arguments' values."""
    if known.name == "count-selected" and arguments:
        chosen = arguments[0]
        if chosen.tokens is None:
            return COUNT
        least = max(len(chosen.must), 0 if chosen.blank else 1)
        return Possible(None, least, len(chosen.tokens), whole=True, blank=False, odd=False)
    return _promised(known)


def _if(meaning: Meaning, call: FunctionCall, scope: Scope, env: Env) -> Possible:
    if len(call.args) != 3:
        return ANYTHING
    condition, yes, no = call.args
    found = exactly(())
    truth = meaning.truth(condition, scope, env)
    for want, may, branch in ((True, truth[0], yes), (False, truth[1], no)):
        known = meaning.quickly(condition, want, scope, env) if may else None
        if known is not None:
            found = join(found, meaning.value(branch, scope, known))
    return found


def _coalesce(meaning: Meaning, call: FunctionCall, scope: Scope, env: Env) -> Possible:
    found = exactly(())
    for arg in call.args:
        one = meaning.value(arg, scope, env)
        found = join(found, without_blank(one))
        if _sure(one):
            return found
    return join(found, BLANK)


def _sure(one: Possible) -> bool:
    """Whether it is neither blank nor NaN, which coalesce takes for blank."""
    if one.values is not None:
        return "" not in one.values and not any(isinstance(v, float) and math.isnan(v) for v in one.values)
    return not one.blank and (one.pure or not one.odd)


def _concat(meaning: Meaning, call: FunctionCall, scope: Scope, env: Env) -> Possible:
    parts: set[str] = {""}
    for arg in call.args:
        one = meaning.value(arg, scope, env)
        if one.values is None or len(parts) * len(one.values) > PRODUCT:
            return TEXT
        meaning.spend(len(parts) * len(one.values) // 8)
        parts = {text + to_string(plain(value)) for text in parts for value in one.values}
    return exactly(parts)


def _length(meaning: Meaning, call: FunctionCall, scope: Scope, env: Env) -> Possible:
    if not call.args:
        return COUNT
    one = meaning.value(call.args[0], scope, env)
    if one.values is not None:
        return exactly(float(len(to_string(plain(value)))) for value in one.values)
    return replace(COUNT, low=1.0) if one.filled and (one.pure or not one.odd) else COUNT


def _selected(meaning: Meaning, call: FunctionCall, scope: Scope, env: Env) -> Possible:
    chosen, wanted = (meaning.value(arg, scope, env) for arg in call.args[:2])
    words = None if wanted.values is None else {to_string(plain(value)).strip() for value in wanted.values}
    if words is None:
        return EITHER
    if chosen.tokens is not None:
        if any(not word or " " in word for word in words):
            return EITHER
        if chosen.tokens.isdisjoint(words):
            return NO
        return YES if words <= chosen.must else EITHER
    if chosen.values is None or len(chosen.values) * len(words) > PRODUCT * 4:
        return EITHER
    meaning.spend(len(chosen.values) * len(words) // 8)
    found = {f" {word} " in f" {to_string(plain(value))} " for value in chosen.values for word in words}
    return EITHER if len(found) > 1 else YES if True in found else NO


def _number(meaning: Meaning, call: FunctionCall, scope: Scope, env: Env) -> Possible:
    if not call.args:
        return NUMBER
    one = meaning.value(call.args[0], scope, env)
    if one.values is not None:
        return exactly(to_number(plain(value)) for value in one.values)
    low, high, none = numbers(one)
    return Possible(None, low, high, one.whole, blank=False, odd=none)


def _string(meaning: Meaning, call: FunctionCall, scope: Scope, env: Env) -> Possible:
    if not call.args:
        return TEXT
    one = meaning.value(call.args[0], scope, env)
    if one.values is not None:
        return exactly(to_string(plain(value)) for value in one.values)
    return one if one.tokens is not None else Possible(blank=one.blank, pure=True)


def _choice_name(_meaning: Meaning, _call: FunctionCall, _scope: Scope, _env: Env) -> Possible:
    return TEXT


_HANDLERS: dict[str, Callable[[Meaning, FunctionCall, Scope, Env], Possible]] = {
    "if": _if,
    "coalesce": _coalesce,
    "selected": _selected,
    "is-selected": _selected,
    "concat": _concat,
    "string-length": _length,
    "number": _number,
    "string": _string,
    "jr:choice-name": _choice_name,
    "jr:itext": _choice_name,
}
