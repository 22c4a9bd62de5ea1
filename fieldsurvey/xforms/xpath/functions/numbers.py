"""Numbers: int, round, min, max, sum, powers, logarithms, angles. Outside its domain a function is NaN, as in Java."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from decimal import Context as Arithmetic
from typing import TYPE_CHECKING

from fieldsurvey.xforms.xpath.ast import FunctionCall
from fieldsurvey.xforms.xpath.compiled import Compiled
from fieldsurvey.xforms.xpath.convert import NAN, to_number
from fieldsurvey.xforms.xpath.functions.registry import function, special
from fieldsurvey.xforms.xpath.functions.strings import each
from fieldsurvey.xforms.xpath.nodes import Value
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.xpath.compiler import Compiler


_EXACT = Arithmetic(prec=400)  # any double, any of the places allowed
_MOST = 2**31 - 1


def whole(number: float) -> int:
    """A number where only a whole one makes sense: without its fraction, a blank as 0 (Java's intValue)."""
    if math.isnan(number):
        return 0
    return int(max(min(number, _MOST), -_MOST - 1))


@function("int", "number -> number")
def int_(number: float) -> float:
    """Without its fraction."""
    return math.copysign(float(int(number)), number) if math.isfinite(number) else number


@function("floor", "number -> number")
def floor(number: float) -> float:
    """The largest whole number that is not larger."""
    return float(math.floor(number)) if math.isfinite(number) else number


@function("ceiling", "number -> number")
def ceiling(number: float) -> float:
    """The smallest whole number that is not smaller."""
    return float(math.ceil(number)) if math.isfinite(number) else number


@function("round", "number, number? -> number")
def round_(number: float, places: float = 0.0) -> float:
    """To `places` decimals (negative: tens, hundreds, …), by the decimal digits that the number shows; halves go up."""
    if not math.isfinite(number):
        return number
    digits = whole(places)
    if abs(digits) > 30:
        return NAN
    up = ROUND_HALF_DOWN if number < 0 else ROUND_HALF_UP
    return float(Decimal(repr(number)).quantize(Decimal((0, (1,), -digits)), rounding=up, context=_EXACT))


@function("abs", "number -> number")
def abs_(number: float) -> float:
    """Without its sign."""
    return abs(number)


def _numbers(values: tuple[Value, ...]) -> list[float]:
    """The numbers among nodes and values; what is not one is left out (JavaRosa's max, min and sum)."""
    found = [number for value in values for number in each(value, to_number)]
    return [number for number in found if not math.isnan(number)]


@function("max", "value+ -> number")
def max_(*values: Value) -> float:
    """The largest; NaN when there is no number."""
    return max(_numbers(values), default=NAN)


@function("min", "value+ -> number")
def min_(*values: Value) -> float:
    """The smallest; NaN when there is no number."""
    return min(_numbers(values), default=NAN)


@special("sum", 1, 1)
def sum_(compiler: Compiler, call: FunctionCall) -> Compiled:
    """The sum over nodes; those that are not numbers are left out (in native mode they make it NaN)."""
    nodes = compiler.nodes(call.args[0])
    if compiler.mode == "native":
        number = compiler.to_number
        return Compiled("number", lambda ctx: float(sum(number([n]) for n in nodes(ctx))))

    def run(ctx: Context) -> float:
        total = 0.0
        for node in nodes(ctx):
            value = node.value()
            number = value if type(value) is float else to_number(value)
            if number == number:  # noqa: PLR0124  not NaN; the quickest way to ask
                total += number
        return total

    return Compiled("number", run)


def _guarded(call: Callable[..., float], *numbers: float) -> float:
    """`call`, with Java's answers where Python raises: NaN outside the domain, an infinity when too large."""
    try:
        return float(call(*numbers))
    except ValueError:
        return NAN
    except OverflowError:
        return math.inf


@function("pow", "number, number -> number")
def pow_(base: float, exponent: float) -> float:
    """`base` to the power of `exponent`."""
    if base == 0 and exponent < 0:
        odd = math.isfinite(exponent) and exponent % 2 == 1
        return math.copysign(math.inf, base) if odd else math.inf
    if abs(base) == 1 and not math.isfinite(exponent):
        return NAN
    try:
        return math.pow(base, exponent)
    except ValueError:
        return NAN
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf


@function("exp", "number -> number")
def exp(number: float) -> float:
    """e to that power."""
    return _guarded(math.exp, number)


@function("exp10", "number -> number")
def exp10(number: float) -> float:
    """10 to that power."""
    return pow_(10.0, number)


@function("log", "number -> number")
def log(number: float) -> float:
    """The natural logarithm; of 0 it is minus infinity."""
    return -math.inf if number == 0 else _guarded(math.log, number)


@function("log10", "number -> number")
def log10(number: float) -> float:
    """The logarithm to base 10; of 0 it is minus infinity."""
    return -math.inf if number == 0 else _guarded(math.log10, number)


@function("sqrt", "number -> number")
def sqrt(number: float) -> float:
    """The square root."""
    return _guarded(math.sqrt, number)


@function("pi", "-> number")
def pi() -> float:
    """3.141592653589793."""
    return math.pi


@function("sin", "number -> number")
def sin(angle: float) -> float:
    """The sine of an angle in radians."""
    return _guarded(math.sin, angle)


@function("cos", "number -> number")
def cos(angle: float) -> float:
    """The cosine of an angle in radians."""
    return _guarded(math.cos, angle)


@function("tan", "number -> number")
def tan(angle: float) -> float:
    """The tangent of an angle in radians."""
    return _guarded(math.tan, angle)


@function("asin", "number -> number")
def asin(number: float) -> float:
    """The angle in radians whose sine it is."""
    return _guarded(math.asin, number)


@function("acos", "number -> number")
def acos(number: float) -> float:
    """The angle in radians whose cosine it is."""
    return _guarded(math.acos, number)


@function("atan", "number -> number")
def atan(number: float) -> float:
    """The angle in radians whose tangent it is."""
    return math.atan(number)


@function("atan2", "number, number -> number")
def atan2(y: float, x: float) -> float:
    """The angle in radians of the point (x, y); y comes first."""
    return math.atan2(y, x)


@function("random", "-> number", pure=False)
def random(ctx: Context) -> float:
    """A number from 0 up to before 1, from the source that was handed in."""
    return ctx.env.random()
