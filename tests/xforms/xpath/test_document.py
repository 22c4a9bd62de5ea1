"""`evaluate`: one expression against some XML, as callers outside the engine use it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.xforms.xpath import evaluate, evaluate_value
from fieldsurvey.xforms.xpath.errors import EvaluationError, XmlError, XPathNameError, XPathSyntaxError

NOW = datetime(2026, 5, 5, 3, 30, tzinfo=UTC)


def test_each_kind_of_result() -> None:
    """bool, float, str, date, moment, and nodes as (path, value)."""
    xml = "<d><a>1</a><a>2</a></d>"
    assert evaluate("1 = 1") is True
    assert evaluate("/d/a[2] * 2", xml) == 4.0
    assert evaluate("concat(., '!')", xml, "/d/a[1]") == "1!"
    assert evaluate("date('2026-05-04')") == date(2026, 5, 4)
    assert evaluate("/d/a", xml) == [("/d[1]/a[1]", "1"), ("/d[1]/a[2]", "2")]
    assert evaluate("name(/*)") == "root"


def test_clock_and_zone_are_handed_in() -> None:
    """The date is the one of the zone that was given; a clock may be a moment or a callable."""
    assert evaluate("today()", now=NOW, timezone="America/Guayaquil") == date(2026, 5, 4)
    assert evaluate("today()", now=lambda: NOW, timezone="Asia/Tokyo") == date(2026, 5, 5)
    assert evaluate("string(now())", now=NOW) == "2026-05-05T03:30:00.000Z"


def test_an_xform_is_understood() -> None:
    """Absolute paths from inside an instance start there; other instances and texts are found by name."""
    xml = (
        '<model><itext><translation lang="a"><text id="t"><value>A</value></text></translation>'
        '<translation lang="b" default="true()"><text id="t"><value>B</value></text></translation></itext>'
        '<instance><d><x>2</x></d></instance><instance id="l"><root>'
        "<item><k>2</k><v>two</v></item></root></instance></model>"
    )
    here = "/model/instance[1]/d/x"
    assert evaluate("/d/x + 1", xml, here) == 3.0
    assert evaluate("string(instance('l')/root/item[k = /d/x]/v)", xml, here) == "two"
    assert evaluate("string(jr:itext('t'))", xml, here) == "B"
    assert evaluate_value("string(jr:itext('t'))", xml, here, language="a").result() == "A"


def test_plain_xpath_on_request() -> None:
    """Native mode compares any of several nodes, takes the first as text, and knows no commas in numbers."""
    xml = "<d><a>1</a><a>2</a></d>"
    assert evaluate_value("/d/a = 2", xml, mode="native").result() is True
    assert evaluate_value("string(/d/a)", xml, mode="native").result() == "1"
    assert evaluate_value("boolean(/d/none)", xml, mode="native").result() is False
    assert str(evaluate_value("number('1,5')", mode="native").result()) == "nan"
    with pytest.raises(EvaluationError):
        evaluate("/d/a = 2", xml)


@pytest.mark.parametrize(
    ("expression", "truth"),
    [("true() > ''", False), ("true() < 2", True), ("false() < '1'", True), ("2 > true()", True), ("true() = 2", True),
     ("/d/a < 2", True), ("/d/a > 2", False), ("/d/a != 1", True), ("/d/a = /d/a", True), ("/d/a != /d/a", True),
     ("/d/none = /d/none", False), ("/d/none = ''", False), ("/d/none = false()", True), ("true() > /d/none", False),
     ("'a' < 'b'", False), ("/d/a = '2'", True), ("/d/a = true()", True), ("1 = '1.0'", True), ("'1' = '1.0'", False)],
)  # fmt: skip
def test_comparisons_of_plain_xpath(expression: str, truth: bool) -> None:
    """XPath 1.0 section 3.4: any pair of nodes will do, truths decide `=`, numbers decide `<`."""
    assert evaluate_value(expression, "<d><a>1</a><a>2</a></d>", mode="native").result() is truth


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("1 +", None, "/"), XPathSyntaxError),
        (("nosuch()", None, "/"), XPathNameError),
        (("date('x')", None, "/"), EvaluationError),
        (("1", "<a>", "/"), XmlError),
        (("1", "<a/>", "/b"), XPathNameError),
        (("1", "<a/>", "1"), XPathNameError),
    ],
)
def test_every_refusal_is_typed(arguments: tuple[str, str | None, str], error: type[FieldsurveyError]) -> None:
    """Each cause has its class, and each message its words."""
    with pytest.raises(error) as caught:
        evaluate(*arguments)
    assert str(caught.value)
    assert caught.value.advice


def test_an_unknown_zone_is_refused() -> None:
    """A time zone that does not exist is an error of ours."""
    with pytest.raises(EvaluationError):
        evaluate("now()", timezone="Nowhere/Here")
    with pytest.raises(EvaluationError):
        evaluate("now()", timezone="../etc/passwd")


FRAGMENTS = st.sampled_from([
    "1", "'x'", "/d/a", "/d/b", ".", "..", "*", "@i", "now()", "position()", "current()", "today()", "'%Y-%b'",
    "last()",
    "/d/*[", "]", "(", ")", ",", " + ", " and ", " = ", " | ", "//", "-", "if(", "concat(", "date(", "round(", "sum(",
    "count(", "regex(", "'[a-'", "substr(", "format-date(", "selected(", "indexed-repeat(", "distance(", "digest(",
    "randomize(", "uuid(", "ancestor::", "text()", "9e9", "1 div 0", "''", "'2026-05-04'", "$v", "jr:itext(",
])  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=10).map("".join), st.sampled_from(["xforms", "native"]))
def test_no_expression_fails_untyped(expression: str, mode: str) -> None:
    """Whatever is put together, the outcome is a value or one of our errors with words."""
    try:
        outcome: object = evaluate_value(
            expression, "<d><a>1</a><a>x</a><b i='2'/></d>", "/d/b", now=NOW, mode=mode
        ).result()
    except FieldsurveyError as error:
        outcome = str(error)
    assert outcome is not None
