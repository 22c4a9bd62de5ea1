"""Nonsense in, typed refusals out: expressions, forms, records and list files, mutated at random.

Whatever comes in, the engine answers, refuses with an error of its own kind, or says what is wrong at a node; it never
raises anything else, and it never hangs. The campaign runs ten minutes (`pytest -m long`); a few hundred cases
run always. A failure names the seed that repeats it.
"""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.xforms import Draft, End, LoadedForm, Question, Repeat, evaluate, load_form
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.xpath.functions.registry import LIBRARY
from tests.xforms.scenario import NOW, now, xform

PATIENCE = 120
"""Seconds after which one case counts as hanging. Nearly all take milliseconds; a form that asks for ten thousand
instances and looks at all of them from each takes seconds at every answer, until it is told that it looks too far."""
CAMPAIGN = 600

NAMES = ["a", "b", "c", "n", "r", "x", "g", "data", "sel", "many", "day", "where", "*", ".", "..", "@id", "text()"]
LITERALS = [
    "1",
    "-0.5",
    "1e9",
    "''",
    "'x y'",
    '"2026-03-14"',
    "'1 2 3 4;5 6 7 8'",
    "99999999999999999999",
    "true()",
    "()",
]
OPERATORS = [
    " + ",
    " - ",
    "*",
    " div ",
    " mod ",
    " = ",
    "!=",
    "<",
    ">=",
    " and ",
    " or ",
    "|",
    "/",
    "//",
    ",",
    "::",
    " ",
]
AXES = [
    "child::",
    "parent::",
    "ancestor-or-self::",
    "following-sibling::",
    "preceding::",
    "descendant::",
    "attribute::",
]
JUNK = [
    "",
    "(",
    ")",
    "[",
    "]",
    "'",
    '"',
    "$v",
    "\x00",
    "é",
    "\ud800",
    "#",
    "]]>",
    "&",
    "<",
    "..." * 9,
    "((((" * 60,
    "-" * 300,
]
EXTREMES = [
    "",
    " ",
    "0",
    "-1",
    "1e400",
    "NaN",
    "2026-02-30",
    "0000-00-00",
    "9" * 400,
    "\u202e",
    "\ud83d",
    "a" * 5000,
    "1 2 3",
    "x\x00y",
]
ELEMENTS = "<a>1</a><b/><c/><day/><where/><sel/><many/><n/><g><x/></g><r><x>1</x><c/></r>"
BINDS = """<bind nodeset="/data/a" type="int" required="true()" constraint=". &lt; 10"/>
<bind nodeset="/data/b" calculate="/data/a * 2"/><bind nodeset="/data/day" type="date" calculate="today()"/>
<bind nodeset="/data/where" type="geopoint"/><bind nodeset="/data/g" relevant="/data/a &gt; 0"/>
<bind nodeset="/data/n" type="int"/><bind nodeset="/data/r/c" calculate="position(..) + sum(/data/r/x)"/>"""
MODEL = '<instance id="list"><root><item><name>p</name><label>P</label><k>1</k></item></root></instance>'
BODY = """<input ref="/data/a"><label>A <output value="/data/b"/></label></input><input ref="/data/where"/>
<select1 ref="/data/sel"><itemset nodeset="instance('list')/root/item[k = /data/a]"><value ref="name"/>
<label ref="label"/></itemset></select1>
<select ref="/data/many"><item><label>1</label><value>1</value></item>
<item><label>2</label><value>2</value></item></select>
<input ref="/data/n"/><group ref="/data/g"><input ref="/data/g/x"/></group>
<group ref="/data/r"><label>R</label>
<repeat nodeset="/data/r" jr:count="/data/n"><input ref="/data/r/x">
<setvalue ref="/data/c" event="xforms-value-changed" value="concat(/data/c, .)"/></input></repeat></group>"""
FORM = xform(ELEMENTS, BINDS, BODY, MODEL)
CSV = b"name,label,k\np,P,1\nq,Q,2\n"
POINT = b'{"type":"Point","coordinates":[1,2]}'
FEATURE = b'{"type":"Feature","properties":{"name":"p"},"geometry":' + POINT + b"}"
GEOJSON = b'{"type":"FeatureCollection","features":[' + FEATURE + b"]}"


def expression(rng: random.Random, depth: int = 0) -> str:
    """Mostly an expression, now and then not."""
    kind = rng.randrange(10 if depth < 4 else 5)
    if kind < 2:
        return rng.choice(LITERALS)
    if kind < 5:
        path = "/".join(
            rng.choice(AXES) * (rng.random() < 0.2) + rng.choice(NAMES) for _step in range(rng.randint(1, 3))
        )
        return rng.choice(["", "/data/", "//", "instance('list')/root/item/"]) + path
    if kind == 5:
        return f"{expression(rng, depth + 1)}[{expression(rng, depth + 1)}]"
    if kind == 6:
        return rng.choice(JUNK)
    if kind == 7:
        return expression(rng, depth + 1) + rng.choice(OPERATORS) + expression(rng, depth + 1)
    name = rng.choice(sorted(LIBRARY))
    return f"{name}({', '.join(expression(rng, depth + 1) for _argument in range(rng.randrange(5)))})"


def mutated(rng: random.Random, data: bytes) -> bytes:
    """A few spans cut, doubled, swapped or replaced."""
    for _cut in range(rng.randint(1, 4)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice([1, 2, 5, 20, 80]))
        piece = rng.choice(
            [
                b"",
                data[start:end] * 2,
                rng.randbytes(3),
                b"<a>",
                b"</a>",
                b'"',
                b"\xef\xbb\xbf",
                b"&x;",
                b"<!DOCTYPE a>",
            ]
        )
        data = data[:start] + piece + data[end:]
    return data


def quoted(text: str) -> bytes:
    """Text inside an attribute."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return safe.encode("utf-8", "replace")


def strange_form(rng: random.Random) -> bytes:
    """The form above with other expressions, or broken."""
    data = FORM
    if rng.random() < 0.7:
        parts = data.split(b'"')
        for _swap in range(rng.randint(1, 3)):
            parts[rng.randrange(len(parts) // 2) * 2 + 1] = quoted(expression(rng))
        data = b'"'.join(parts)
    return mutated(rng, data) if rng.random() < 0.4 else data


def junk_answer(rng: random.Random) -> str | None:
    """Anything that could be typed."""
    return rng.choice([None, "1", "2", "p", "p q", "2026-03-14", "12:00", "1 2", *EXTREMES])


def use(interview: LiveInterview, form: LoadedForm, rng: random.Random) -> None:
    """Walk, answer, add, remove, save, go on, finalise."""
    for _page in range(rng.randint(1, 12)):
        place = interview.current
        if isinstance(place, Question):
            tolerated(interview.answer, place.ref, junk_answer(rng))
        elif isinstance(place, Repeat):
            tolerated(interview.add_repeat, place.ref)
        elif isinstance(place, End):
            break
        interview.next()
    for ref in ("/data/n", "/data/a"):
        tolerated(interview.answer, ref, rng.choice(["0", "1", "3"]))
    tolerated(lambda: interview.remove_repeat("/data/r", rng.randint(-1, 3)))
    interview.outline()
    interview.problems()
    interview.previous()
    draft = interview.draft()
    data = json.loads(json.dumps(draft.data))
    resumed = form.resume(
        Draft(draft.form_id, rng.choice([draft.form_version, "0"]), rng.choice([draft.form_hash, ""]), data), now=now
    )
    tolerated(resumed.finalise)
    xml = interview.instance().xml
    form.values(xml)
    form.resume_instance(xml, now=now)
    tolerated(lambda: form.values(mutated(rng, xml)))
    tolerated(lambda: form.resume_instance(mutated(rng, xml), now=now))


def tolerated(work: Callable[..., Any], *arguments: object) -> None:
    """An error of ours is an answer."""
    said = "-"
    try:
        work(*arguments)
    except FieldsurveyError as error:
        said = str(error)
    assert said


def one_expression(rng: random.Random) -> None:
    """Evaluate one expression."""
    source = expression(rng)
    xml = rng.choice([None, "<data><a>1</a><b>x</b><r><x>1</x></r><r><x>2</x></r></data>"])
    tolerated(lambda: evaluate(source, xml, rng.choice(["/", "/data/a", "/data/r[2]/x"]), now=NOW, timezone="UTC"))


def one_form(rng: random.Random) -> None:
    """Load one form, and use it when it loads."""

    def work() -> None:
        form = load_form(strange_form(rng))
        use(form.start(now=now, seed=1), form, rng)

    tolerated(work)


def one_list(rng: random.Random) -> None:
    """A form over a broken list file."""
    name, data = rng.choice(
        [("l.csv", CSV), ("l.geojson", GEOJSON), ("l.xml", b"<root><item><name>p</name></item></root>")]
    )
    model = f'<instance id="l" src="jr://file/{name}"/>'
    body = """<select1 ref="/data/a"><itemset nodeset="instance('l')/root/item"><value ref="name"/><label ref="label"/>
      </itemset></select1>"""
    binds = "<bind nodeset=\"/data/b\" calculate=\"pulldata('l', 'label', 'name', /data/a)\"/>"

    def work() -> None:
        form = load_form(xform("<a/><b/>", binds, body, model), {name: mutated(rng, data)})
        use(form.start(now=now, seed=1), form, rng)

    tolerated(work)


KINDS = [one_expression, one_expression, one_form, one_form, one_list]


class HangError(BaseException):
    """A case did not come to an end. No handler for errors may swallow it."""


@contextmanager
def watched() -> Iterator[None]:
    """Ends a case that hangs, where the platform can."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def hung(*_arguments: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def case(seed: int) -> None:
    """One case; a failure carries its seed."""
    rng = random.Random(seed)
    try:
        with watched():
            rng.choice(KINDS)(rng)
    except BaseException as error:
        error.add_note(f"repeat it with case({seed})")
        raise


def test_nonsense_is_refused_or_answered() -> None:
    """The same few hundred cases every time."""
    for seed in range(300):
        case(seed)


def test_a_case_that_hangs_or_breaks_is_found() -> None:
    """The control: what the campaign looks for is what it would see."""
    with pytest.raises(ZeroDivisionError), watched():
        tolerated(lambda: 1 // 0)
    if hasattr(signal, "setitimer"):
        with pytest.raises(HangError), watched():
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            while True:
                pass


@pytest.mark.long
def test_ten_minutes_of_nonsense() -> None:
    """Cases that were never seen before; a failure names its seed."""
    seed = random.SystemRandom().randrange(2**40)
    end = time.monotonic() + CAMPAIGN
    cases = 0
    while time.monotonic() < end:
        case(seed + cases)
        cases += 1
    assert cases > 1000
