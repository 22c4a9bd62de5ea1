"""The function library beyond the examples of docs/xpath.md: edges, and checks against other implementations."""

from __future__ import annotations

import base64
import hashlib
import math
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fieldsurvey.xforms.xpath import Context, EvaluationError, Node, compile_expr, parse
from fieldsurvey.xforms.xpath.convert import number_to_text, text_to_number
from fieldsurvey.xforms.xpath.functions.secrets import shuffle
from fieldsurvey.xforms.xpath.moments import parse_moment
from fieldsurvey.xforms.xpath.patterns import matches
from tests.xforms.xpath.support import context_at, value


def quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text else f"'{text}'"


plain = st.text(st.characters(exclude_characters="'\"", exclude_categories=["Cs", "Cc"]), max_size=12)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_text_has_no_exponent_and_reads_back(number: float) -> None:
    """XPath 1.0 section 4.2; below 10⁻¹² a number is written as 0, as JavaRosa does."""
    text = number_to_text(number)
    assert not set(text) & set("eE+")
    assert math.isclose(text_to_number(text), number, rel_tol=0 if abs(number) >= 1 else 1e-9, abs_tol=1e-12)


@pytest.mark.parametrize(
    "text", ["", " ", "-", ".", "1e3", "+1", "0x1", "1 2", "NaN", "Infinity", "1..2", "--1", "٣", "1_0", "\u00a05"]
)
def test_what_is_not_a_number(text: str) -> None:
    """Only plain decimal digits are a number: no exponents, signs, digits of other scripts or Python's underscores."""
    assert math.isnan(text_to_number(text))


@given(st.decimals(-10_000, 10_000, places=4), st.integers(-3, 4))
def test_round_goes_half_up(number: Decimal, places: int) -> None:
    """By the digits a person reads, halves towards positive infinity (XPath 1.0 section 4.4)."""
    unit = Decimal(1).scaleb(-places)
    exact = ((number / unit + Decimal("0.5")).to_integral_value(ROUND_FLOOR)) * unit
    rounded = value(f"round('{number}', {places})")
    assert isinstance(rounded, float)
    assert rounded == float(exact)


@given(plain, st.integers(-15, 15), st.integers(-15, 15))
def test_substr_is_a_slice(text: str, start: int, end: int) -> None:
    """Python's slices count from 0, exclude the end and take negative positions from the end, as substr does."""
    assert value(f"substr({quoted(text)}, {start}, {end})") == text[start:end]
    assert value(f"substr({quoted(text)}, {start})") == text[start:]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [("'12345', 1.5, 2.6", "234"), ("'12345', 0, 3", "12"), ("'12345', 0 div 0, 3", ""), ("'12345', 1, 0 div 0", ""),
     ("'12345', -42, 1 div 0", "12345"), ("'12345', -1 div 0, 1 div 0", ""), ("'12345', 2", "2345")],
)  # fmt: skip
def test_substring_as_the_specification_shows(arguments: str, found: str) -> None:
    """The examples of XPath 1.0 section 4.2."""
    assert value(f"substring({arguments})") == found


@given(plain, st.text("abcab", max_size=6), plain)
@example("aab", "aa", "xy")
def test_translate_by_definition(text: str, old: str, new: str) -> None:
    """The first occurrence in `old` decides; what has no counterpart goes."""
    wanted = "".join(c if c not in old else new[old.index(c) : old.index(c) + 1] for c in text)
    assert value(f"translate({quoted(text)}, {quoted(old)}, {quoted(new)})") == wanted


@given(st.lists(st.sampled_from(["a", "b", "ab", "c1"]), max_size=5), st.sampled_from(["a", "b", "ab", "c1", "c"]))
def test_selects_by_list(choices: list[str], choice: str) -> None:
    """selected, count-selected and selected-at are what they are on the list of choices."""
    text = " ".join(choices)
    assert value(f"selected('{text}', '{choice}')") is (choice in choices)
    assert value(f"count-selected('{text}')") == len(choices)
    for place in range(-1, len(choices) + 1):
        wanted = choices[place] if 0 <= place < len(choices) else ""
        assert value(f"selected-at('{text}', {place})") == wanted


moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28), timezones=st.just(UTC)).map(  # noqa: DTZ001  zoned
    lambda m: m.replace(microsecond=m.microsecond // 1000 * 1000)
)


@given(moments, st.sampled_from(["America/Guayaquil", "Asia/Kathmandu", "America/St_Johns", "UTC", "Europe/Berlin"]))
def test_moments_keep_their_instant_in_every_zone(moment: datetime, zone: str) -> None:
    """ISO text to moment to decimal and back is the same instant, to the millisecond."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.").rjust(20, "0") + f"{moment.microsecond // 1000:03d}Z"
    read = value(f"date-time('{text}')", zone=zone)
    assert read == moment
    decimal = value(f"decimal-date-time('{text}')", zone=zone)
    assert isinstance(decimal, float)
    exact = (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(days=1)
    assert math.isclose(decimal, exact, rel_tol=1e-14, abs_tol=1e-12)
    back = value(f"date-time({number_to_text(decimal)})", zone=zone)
    assert isinstance(back, datetime)
    assert abs(back - moment) <= timedelta(milliseconds=1)


@given(st.dates(date(1, 1, 2), date(9999, 12, 30)))
def test_dates_are_day_numbers(day: date) -> None:
    """A date is the whole days since 1970-01-01, in every zone, and `date` turns them back."""
    number = value(f"number(date('{day.isoformat()}'))")
    assert isinstance(number, float)
    assert number == (day - date(1970, 1, 1)).days
    assert value(f"date({number_to_text(number)})") == day
    assert value(f"string(date('{day.isoformat()}'))") == day.isoformat()
    assert value(f"decimal-date-time('{day.isoformat()}')", zone="UTC") == number


@pytest.mark.parametrize(
    "text",
    ["2026-13-01", "2026-02-30", "2026-00-10", "26", "2026-05", "2026-05-04T25:00", "2026-05-04T10:60",
     "2026-05-04 10:00", "2026-05-04T10:00+24:00", "x", "2026-05-04T", "0000-01-01",
     "9999-12-31T23:59:59-10:00", "2026/05/04"],
)  # fmt: skip
def test_what_is_not_a_date(text: str) -> None:
    """Days and hours that do not exist are errors, not other days."""
    with pytest.raises(EvaluationError):
        value(f"date('{text}')")


def test_days_and_their_parts() -> None:
    """A date counts from its midnight where the interview is; the part of a day is that of a number too."""
    assert value("decimal-date-time('1970-01-02')", zone="America/Guayaquil") == 1 + 5 / 24
    assert value("decimal-date-time('1970-01-01')", zone="Asia/Tokyo") == -9 / 24
    assert value("decimal-time(1.75)") == 0.75
    assert value("decimal-time(-0.25)") == 0.75
    assert value("decimal-time('2026-05-04T06:00:00Z')", zone="America/Guayaquil") == 1 / 24
    assert value("decimal-time('06:00:00.000Z')", zone="America/Guayaquil") == 1 / 24
    assert value("decimal-time(date('2026-05-04'))") == 0.0


def test_a_time_without_offset_is_local() -> None:
    """Text without an offset is the interview's own time, in summer and in winter."""
    berlin = ZoneInfo("Europe/Berlin")
    summer = parse_moment("2026-07-01T12:00", berlin)
    winter = parse_moment("2026-01-01T12:00", berlin)
    assert isinstance(summer, datetime)
    assert isinstance(winter, datetime)
    assert (summer.utcoffset(), winter.utcoffset()) == (timedelta(hours=2), timedelta(hours=1))


@pytest.mark.parametrize(("language", "text"), [("Español (es)", "lun 4 may"), ("English (en)", "Mon 4 May"),
                                                ("es-EC", "lun 4 may"), ("Kichwa (qvi)", "lun 4 may"),
                                                ("", "Mon 4 May"), ("fr", "lun. 4 mai"),
                                                ("Português (pt)", "seg 4 mai"),
                                                ("xx", "Mon 4 May")])  # fmt: skip
def test_names_of_days_and_months_follow_the_language(language: str, text: str) -> None:
    """The language is a form's name for it, with or without its code."""
    run = compile_expr(parse("format-date('2026-05-04', '%a %e %b')"))
    assert run(context_at("<d/>", language=language)) == text


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 40))
def test_a_shuffle_keeps_every_node_and_its_seed_decides(seed: int, size: int) -> None:
    """Nothing is lost or doubled, and the same seed gives the same order."""
    nodes = [Node(1, str(n)) for n in range(size)]
    shuffled = shuffle(nodes, seed)
    assert sorted(id(n) for n in shuffled) == sorted(id(n) for n in nodes)
    assert shuffle(nodes, seed) == shuffled


@given(st.integers(1, 2**31 - 2), st.integers(0, 30))
def test_a_shuffle_is_fisher_and_yates(seed: int, size: int) -> None:
    """Each node in turn is put last and then changes places with one drawn among all up to itself, exactly."""
    nodes = [Node(1, str(n)) for n in range(size)]
    wanted: list[Node] = []
    state = seed
    for index, node in enumerate(nodes):
        state = pow(7, 5, 2**31 - 1) * state % (2**31 - 1)
        place = math.floor(Fraction(state - 1, 2**31 - 2) * (index + 1))
        wanted.append(node)
        wanted[index], wanted[place] = wanted[place], wanted[index]
    assert shuffle(nodes, seed) == wanted


def test_the_generator_is_park_and_millers() -> None:
    """Their check: from seed 1 the 10,000th state is 1043618065 (Communications of the ACM 31 (1988), p. 1195).

    The shuffle's last place comes from that state, which shows in where the last of 10,000 nodes goes.
    """
    nodes = [Node(1, str(n)) for n in range(10_000)]
    place = int((1_043_618_065 - 1) / (2**31 - 2) * 10_000)
    assert shuffle(nodes, 1)[place].name == "9999"


@given(plain, st.sampled_from(["MD5", "SHA-1", "sha-256", "SHA384", "SHA-512"]))
def test_digests_are_those_of_the_library(text: str, algorithm: str) -> None:
    """Names in any case, with or without a dash; base64 unless hex is asked for."""
    expected = hashlib.new(algorithm.replace("-", "").lower(), text.encode()).digest()
    assert value(f"digest({quoted(text)}, '{algorithm}')") == base64.b64encode(expected).decode()
    assert value(f"digest({quoted(text)}, '{algorithm}', 'HEX')") == expected.hex()
    assert value(f"base64-decode('{base64.b64encode(text.encode()).decode()}')") == text


@pytest.mark.parametrize(
    ("pattern", "text", "whole"),
    [(r"\d+", "12", True), (r"\d+", "١٢", False), (r"\p{Lu}\p{Ll}*", "Ñandú", True), (r"[\p{L} ]+", "Río Napo", True),
     (r"\P{L}+", "123", True), (r"\P{L}+", "a", False), (r"\Qa.b\E", "a.b", True), (r"\Qa.b\E", "axb", False),
     (r"[a-c[x-z]]+", "ay", True), (r"a\z", "a", True), (r"[^\p{Punct}]+", "a.b", False), (r"(?i)AB", "ab", True),
     (r"\x{41}", "A", True), (r"[\w&&[^d]]", "a", None), (r"[[^a]]", "b", None), (r"\p{Nope}", "a", None),
     ("(", "", None), ("[a", "", None), ("\\", "", None), (r"(a)\1", "aa", True), ("a|b", "b", True),
     (r"a{2,3}", "aaaa", False)],
)  # fmt: skip
def test_patterns_are_javas(pattern: str, text: str, whole: bool | None) -> None:
    """Java's classes and quotes are translated; what Python cannot say is refused, never ignored."""
    if whole is None:
        with pytest.raises(EvaluationError):
            value(f"regex('{text}', {quoted(pattern)})")
    else:
        assert value(f"regex('{text}', {quoted(pattern)})") is whole


latitude, longitude = st.floats(-80, 80), st.floats(-179, 179)


@given(latitude, longitude, st.floats(0.001, 0.5), st.floats(0.001, 0.5))
def test_area_and_geofence_of_a_rectangle(south: float, west: float, high: float, wide: float) -> None:
    """A rectangle's area is its sides' product within the curvature, its centre is inside, what is beyond is not."""
    north, east = south + high, west + wide
    corners = [(south, west), (south, east), (north, east), (north, west), (south, west)]
    shape = ";".join(f"{y:.9f} {x:.9f} 0 0" for y, x in corners)
    area = value(f"area('{shape}')")
    metres = 6_378_100 * math.pi / 180
    flat = metres * high * metres * wide * math.cos(math.radians((south + north) / 2))
    assert isinstance(area, float)
    assert math.isclose(area, flat, rel_tol=0.06)
    assert value(f"geofence('{(south + north) / 2:.9f} {(west + east) / 2:.9f}', '{shape}')") is True
    assert value(f"geofence('{north + 0.01:.9f} {east + 0.01:.9f}', '{shape}')") is False


@given(latitude, longitude, latitude, longitude)
def test_distance_against_the_haversine(y1: float, x1: float, y2: float, x2: float) -> None:
    """The law of cosines and the haversine agree to metres; a way there and back is twice as long."""
    points = f"{y1:.9f} {x1:.9f}", f"{y2:.9f} {x2:.9f}"
    a, b = math.radians(y1), math.radians(y2)
    h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(x2 - x1) / 2) ** 2
    there = value(f"distance('{points[0]}', '{points[1]}')")
    assert isinstance(there, float)
    assert math.isclose(there, 2 * 6_378_100 * math.asin(min(1, math.sqrt(h))), rel_tol=1e-6, abs_tol=1)
    back = value(f"distance('{points[0]};{points[1]};{points[0]}')")
    assert isinstance(back, float)
    assert math.isclose(back, 2 * there, rel_tol=1e-12, abs_tol=1e-6)


NESTED = (
    "<d>"
    + "".join(f"<o><p>{o}</p>" + "".join(f"<i><v>{o}.{i}</v></i>" for i in (1, 2, 3)) + "</o>" for o in (1, 2))
    + "<k/></d>"
)


@pytest.mark.parametrize(
    ("expression", "here", "found"),
    [
        ("indexed-repeat(/d/o/i/v, /d/o, 2, /d/o/i, 3)", "/d", "2.3"),
        ("indexed-repeat(/d/o/i/v, /d/o/i, 3, /d/o, 2)", "/d", "2.3"),
        ("indexed-repeat(/d/o/i/v, /d/o/i, 2)", "/d/o[2]/p", "2.2"),
        ("indexed-repeat(/d/o/p, /d/o, /d/k)", "/d/o[2]/p", "1"),
        ("indexed-repeat(/d/o/p, /d/o, position(..))", "/d/o[2]/p", "2"),
        ("indexed-repeat(/d/o/i/v, /d/o, 2, /d/o/i, 4)", "/d", ""),
        ("indexed-repeat(../../o/p, ../../o, 1)", "/d/o[2]/p", "1"),
    ],
)
def test_indexed_repeat(expression: str, here: str, found: str) -> None:
    """Pairs in any order; a repeat that is not named stays the one the expression is in; a blank index counts as 1."""
    assert value(f"string({expression})", NESTED, here) == found


def test_position_of_a_repeat_instance() -> None:
    """With an argument, among its like; without one, in a predicate the row's, outside the instance's own."""
    assert value("position(..)", NESTED, "/d/o[2]/i[3]/v") == 3.0
    assert value("position(../..)", NESTED, "/d/o[2]/i[3]/v") == 2.0
    assert value("position()", NESTED, "/d/o[2]") == 2.0
    assert value("count(/d/o/i[position() = 2])", NESTED) == 2.0


@pytest.mark.parametrize("number", ["1 div 0", "-1 div 0", "0 div 0", "-1", "1e0", "9999999999999999999999", "0.5"])
@pytest.mark.parametrize("call", ["uuid({0})", "substr('abc', {0}, {0})", "substring('abc', {0}, {0})", "int({0})",
                                  "selected-at('a b', {0})", "round({0}, {0})", "date({0})", "date-time({0})",
                                  "decimal-time({0})", "decimal-date-time({0})", "format-date({0}, '%Y')",
                                  "pow({0}, {0})", "exp({0})", "sin({0})", "log({0})", "floor({0})", "ceiling({0})",
                                  "count(randomize(/, {0}))", "count(/*[{0}])", "checklist({0}, {0}, 1)",
                                  "indexed-repeat(/root, /root, {0})", "{0} mod {0}", "{0} div {0}",
                                      "string({0})"])  # fmt: skip
def test_no_number_is_too_strange(call: str, number: str) -> None:
    """Infinities, NaN and numbers without an end give a value or a typed error, in every function that takes one."""
    try:
        found: object = value(call.format(number.replace("1e0", "1")))
    except EvaluationError as error:
        found = str(error)
    assert found is not None


def test_randomness_and_the_clock_are_asked_for_each_time() -> None:
    """What is not pure is never folded, even without a node in it."""
    context = context_at("<d/>")
    for expression in ("random()", "uuid()", "uuid(9)"):
        run = compile_expr(parse(expression))
        assert run(context) != run(context)
    assert isinstance(context, Context)
    assert compile_expr(parse("now()"))(context) == datetime(2026, 5, 4, 20, 30, tzinfo=UTC)


def test_a_pattern_that_backtracks_without_end_is_an_error() -> None:
    """A form's regular expression cannot hang an interview: it is stopped, and the node says so."""
    with pytest.raises(EvaluationError):
        matches("(a|aa)+$", "a" * 60 + "!")
    assert matches("(a|aa)+", "a" * 60)
