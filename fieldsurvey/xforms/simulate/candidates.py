"""Answers worth trying for a question: within what its constraint says, of its type, from its choices."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from fieldsurvey.xforms.contract import Question
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.simulate.limits import Bounds, Limits, Reader
from fieldsurvey.xforms.simulate.patterns import sample

_EPOCH = date(1970, 1, 1)
_WORDS = ("simulated", "sample", "example", "made-up", "invented", "synthetic")
TRIES = 24


def candidates(interview: LiveInterview, question: Question, rng: Random) -> Iterator[str]:
    """Texts to try, the likeliest first."""
    limits = Reader(interview, interview.refs.node(question.ref)).read()
    yield from rng.sample(limits.texts, len(limits.texts))
    kind = question.type
    if kind in {"select", "selectMultiple", "rank"}:
        yield from _chosen(question, limits, rng)
        return
    for pattern in limits.patterns:
        for _again in range(6):
            matching = sample(pattern, rng)
            if matching:
                yield matching
    today = interview.state.world.moment().date()
    for number in range(TRIES):
        text = _of_type(question, limits, rng, today, number)
        if text is None:
            return
        yield text


def _chosen(question: Question, limits: Limits, rng: Random) -> Iterator[str]:
    values = [choice.value for choice in question.choices if choice.value]
    if not values:
        return
    if question.type == "rank":
        for _again in range(6):
            yield " ".join(rng.sample(values, len(values)))
        return
    if question.type == "select":
        yield from rng.sample(values, min(len(values), 200))
        return
    low = int(limits.count.low or 1) + (1 if limits.count.open_low else 0)
    high = limits.count.high
    most = len(values) if high is None else max(1, int(high) - (1 if limits.count.open_high else 0))
    for _again in range(TRIES):
        size = rng.choice((1, 1, 2, 2, 3)) if low <= 1 else low
        yield " ".join(rng.sample(values, max(1, min(size, most, len(values)))))
    yield from rng.sample(values, min(len(values), 50))


def _of_type(question: Question, limits: Limits, rng: Random, today: date, attempt: int) -> str | None:
    kind = question.type
    if kind == "acknowledge":
        return "OK" if attempt == 0 else None
    if kind == "integer":
        return str(_whole(limits.value, rng, 0, 10 if attempt < 8 else 200))
    if kind == "decimal":
        real = _real(limits.value, rng)
        return f"{(round(real), round(real * 2) / 2, round(real, 2))[attempt % 3]:g}"
    if kind == "range":
        return _on_range(question, rng)
    if kind == "date":
        return _day(limits.value, rng, today).isoformat()
    if kind == "dateTime":
        return f"{_day(limits.value, rng, today).isoformat()}T{rng.randint(7, 17):02}:{rng.randint(0, 59):02}:00.000Z"
    if kind == "time":
        return f"{rng.randint(7, 17):02}:{rng.randint(0, 59):02}:00.000"
    if kind == "geopoint":
        return _point(rng)
    if kind == "geotrace":
        return "; ".join(_point(rng) for _corner in range(3))
    if kind == "geoshape":
        corners = [_point(rng) for _corner in range(3)]
        return "; ".join([*corners, corners[0]])
    if kind == "boolean":
        return rng.choice(("true", "false"))
    if kind in {"image", "audio", "video", "file"}:
        return f"simulated.{ {'image': 'jpg', 'audio': 'm4a', 'video': 'mp4'}.get(kind, 'bin') }"
    return _words(limits, rng, attempt)


def _words(limits: Limits, rng: Random, attempt: int) -> str:
    if attempt % 4 == 3 or limits.value.low is not None or limits.value.high is not None:
        return str(_whole(limits.value, rng, 1, 99))
    text = f"{rng.choice(_WORDS)} {rng.randint(1, 999)}"
    least = int(limits.length.low or 0) + (1 if limits.length.open_low else 0)
    most = limits.length.high
    text = text.ljust(min(least, 10_000), "x")
    return text if most is None else text[: max(1, int(most) - (1 if limits.length.open_high else 0))]


def _whole(bounds: Bounds, rng: Random, low: int, high: int) -> int:
    if bounds.low is not None and math.isfinite(bounds.low):
        low = math.floor(bounds.low) + 1 if bounds.open_low else math.ceil(bounds.low)
        high = max(high, low + 10) if bounds.high is None else high
    if bounds.high is not None and math.isfinite(bounds.high):
        high = math.ceil(bounds.high) - 1 if bounds.open_high else math.floor(bounds.high)
        low = min(low, high) if bounds.low is None else low
    return rng.randint(min(low, high), max(low, high))


def _real(bounds: Bounds, rng: Random) -> float:
    low = bounds.low if bounds.low is not None and math.isfinite(bounds.low) else None
    high = bounds.high if bounds.high is not None and math.isfinite(bounds.high) else None
    if low is None:
        low = 0.0 if high is None or high > 0 else high - 10
    if high is None:
        high = low + 10
    return low + (high - low) * rng.uniform(0.02, 0.98)


def _day(bounds: Bounds, rng: Random, today: date) -> date:
    now = (today - _EPOCH).days
    number = _whole(bounds, rng, now - 365, now) if bounds.low is None and bounds.high is None else None
    if number is None:
        low = bounds.low if bounds.low is not None else (bounds.high or now) - 365
        high = bounds.high if bounds.high is not None else max(now, low + 30)
        number = _whole(Bounds(low, high, bounds.open_low, bounds.open_high), rng, int(low), int(high))
    return _EPOCH + timedelta(days=max(-700_000, min(number, 2_900_000)))


def _on_range(question: Question, rng: Random) -> str:
    start, end, step = (float(question.parameters.get(name, default)) for name, default in _RANGE)
    steps = int(abs(end - start) / abs(step)) if step else 0
    value = start + rng.randint(0, steps) * math.copysign(step, end - start)
    return f"{value:g}"


_RANGE = (("start", "0"), ("end", "10"), ("step", "1"))


def _point(rng: Random) -> str:
    return f"{rng.uniform(-60, 60):.5f} {rng.uniform(-170, 170):.5f} 0 5"
