"""Where JavaRosa has no answer and the browsers' engines share one; and that JavaRosa's stands where it has one."""

from __future__ import annotations

import math

import pytest

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.xforms import evaluate
from fieldsurvey.xforms.xpath import EvaluationError, XPathNameError, evaluate_value
from fieldsurvey.xforms.xpath.functions.geo import RADIUS
from tests.xforms.xpath.support import value

PLOTS = "<data><plot>2</plot><plot>7</plot><text>soon</text><blank/></data>"


@pytest.mark.parametrize("text", ["'soon'", "'2026-13-01'", "'2026-02-30'", "'26'", "/data/text", "' '", "'-1000'"])
@pytest.mark.parametrize("name", ["date", "date-time"])
def test_an_invalid_date_is_false_and_a_text_but_never_a_value(name: str, text: str) -> None:
    """`if(date(x), …)` asks whether x is a date; nothing that would keep, count or compare the date goes on."""
    call = f"{name}({text})"
    assert value(f"boolean({call})", PLOTS) is False
    assert value(f"if({call}, 1, 2)", PLOTS) == 2.0
    assert value(f"not({call}) and true()", PLOTS) is True
    assert value(f"concat('on ', {call})", PLOTS) == "on Invalid Date"
    for kept in (call, f"if(true(), {call}, 1)"):
        with pytest.raises(EvaluationError):
            evaluate(kept, PLOTS)
    for used in (
        f"{call} + 1",
        f"{call} > today()",
        f"{call} = 'Invalid Date'",
        f"date({call})",
        f"decimal-date-time({call})",
        f"format-date({call}, '%Y')",
        f"coalesce({call}, 1)",
        f"max({call})",
        f"selected({call} + 0, '1')",
    ):
        with pytest.raises(EvaluationError):
            value(used, PLOTS)


@pytest.mark.parametrize("blank", ["''", "/data/blank", "/data/nothing", "number('x')", "true()"])
def test_a_blank_date_is_no_error(blank: str) -> None:
    """What has not been answered is blank, not wrong."""
    assert value(f"boolean(date({blank}))", PLOTS) is False
    assert value(f"string(date({blank}))", PLOTS) in {"", "NaN"}


@pytest.mark.parametrize("number", ["1 div 0", "-1 div 0", "9999999999", "-9999999999"])
def test_a_day_out_of_range_is_an_error_also_as_a_truth(number: str) -> None:
    """A number is not text that is no date: the calculation before it went wrong, as in JavaRosa."""
    with pytest.raises(EvaluationError):
        value(f"boolean(date({number}))")


def test_plain_xpath_takes_an_invalid_date_for_not_a_number() -> None:
    """Mode native has no errors of conversion."""
    assert math.isnan(evaluate_value("number(date('soon'))", mode="native").value)  # type: ignore[arg-type]
    assert evaluate_value("boolean(date('soon'))", mode="native").value is False
    assert evaluate_value("string(date('soon'))", mode="native").value == "Invalid Date"


def test_a_conversion_asked_for_takes_the_first_of_several_nodes() -> None:
    """XPath 1.0 sections 4.2 to 4.4; without the call several nodes stay the error that JavaRosa makes of them."""
    assert value("number(/data/plot)", PLOTS) == 2.0
    assert value("string(/data/plot)", PLOTS) == "2"
    assert value("boolean(/data/plot)", PLOTS) is True
    assert value("boolean(/data/blank | /data/nothing)", PLOTS) is False
    assert value("string(if(true(), /data/plot, 'x'))", PLOTS) == "2"
    for several in ("/data/plot + 1", "/data/plot = 2", "concat(int(/data/plot))", "if(/data/plot, 1, 2)"):
        with pytest.raises(EvaluationError):
            value(several, PLOTS)


SQUARE = "0 0;0 1;1 1;1 0;0 0"


def test_a_shape_written_out_is_measured_on_the_sphere() -> None:
    """A degree of longitude between the equator and 1° north is R² · π/180 · sin 1° large (a zone of a sphere)."""
    exact = RADIUS**2 * math.radians(1) * math.sin(math.radians(1))
    written, field = value(f"area('{SQUARE}')"), value("area(/a)", f"<a>{SQUARE}</a>")
    assert isinstance(written, float)
    assert isinstance(field, float)
    assert written == round(written, 2)
    assert math.isclose(written, exact, rel_tol=1e-4)  # sides along a parallel are taken as they are, not as arcs
    assert written != field
    assert math.isclose(written, field, rel_tol=1e-3)
    assert value("area(concat('0 0;0 1;', '1 1;1 0'))") == written  # closed by itself
    assert value("area('1 0;1 1;0 1;0 0')") == written  # whichever way round


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("area('0 0;0 1')", 0.0),
        ("area('here')", 0.0),
        ("area('1 1;1 1;1 1')", 0.0),
        ("area('')", math.nan),
        ("area(' ; ')", math.nan),
        ("enclosed-area('0 0;0 0;0 0;')", 0.0),
    ],
)
def test_a_shape_written_out_without_an_inside(call: str, expected: float) -> None:
    """Fewer than three points enclose nothing; a blank is not measured."""
    found = value(call)
    assert isinstance(found, float)
    assert found == expected or (math.isnan(found) and math.isnan(expected))


def test_a_shape_with_a_point_that_is_none_is_an_error() -> None:
    """Never an area of the points that are left."""
    for shape in ("'0 0;0 1;here'", "'0 0;0 1;1'", "'0 0;0 1;1 x'", "'0 0;0 1;1 1 1 1 1'"):
        with pytest.raises(EvaluationError):
            value(f"area({shape})")


def test_a_prefix_of_a_function_stands_for_its_namespace() -> None:
    """JavaRosa's functions under any prefix bound to its namespace, and under none that is bound to another."""
    text = "<model><itext><translation lang='en'><text id='one'><value>One</value></text></translation></itext></model>"
    ours, other = "http://openrosa.org/javarosa", "https://example.org/other"
    for prefix, uri in (("jr", ours), ("x", ours)):
        xml = text.replace("<model>", f"<model xmlns:{prefix}='{uri}'>")
        assert evaluate(f"string({prefix}:itext('one'))", xml) == "One"
    assert evaluate("string(jr:itext('one'))", text) == "One"  # the usual prefix needs no declaration
    for prefix, uri in (("jr", other), ("x", other)):
        xml = text.replace("<model>", f"<model xmlns:{prefix}='{uri}'>")
        with pytest.raises(XPathNameError):
            evaluate(f"{prefix}:itext('one')", xml)
    for call in ("nobody:itext('one')", "jr:count(*)", "itext('one')", "x:true()", ":itext('one')"):
        with pytest.raises(FieldsurveyError):
            evaluate(call, text)
