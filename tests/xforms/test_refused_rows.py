"""What is refused when a workbook is loaded: within bounds, and with the row that its author must mend."""

from __future__ import annotations

import pytest

from fieldsurvey.xforms import FormError, FormProblem, Origin, load_form
from fieldsurvey.xforms.load import workbook
from tests.xforms.scenario import form, table


def problem(data: bytes) -> FormProblem:
    """The first reason why a form is refused."""
    with pytest.raises(FormError) as caught:
        load_form(data)
    return caught.value.problems[0]


def many_groups(count: int) -> bytes:
    """That many groups, each in the one before it, none ended."""
    rows = "".join(f",begin group,g{number},G\n" for number in range(count))
    return f"survey,,,\n,type,name,label\n{rows}".encode()


def test_groups_nested_without_end_never_reach_the_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The converter needs memory by the square of the depth: 20,000 groups took 3 GB; it is not called at all."""

    def never(*_arguments: object, **_keywords: object) -> None:
        pytest.fail("the converter was called")

    monkeypatch.setattr("pyxform.xls2xform.convert", never)
    found = problem(many_groups(100_000))
    assert (found.code, found.origin) == ("sheet.depth", Origin("survey", workbook.MAX_NESTED + 2, "type"))


def test_ninety_groups_in_each_other_are_fine() -> None:
    """The bound is not one too low; repeats, which are two elements each, fit as well."""
    depth = workbook.MAX_NESTED
    rows = [f"| begin repeat | g{number} | G |" for number in range(depth)]
    rows += ["| text | a | A |", *["| end repeat | | |"] * depth]
    assert len(form("| type | name | label |\n" + "\n".join(rows)).nodes) > depth


def test_more_questions_than_anybody_asks_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The survey sheet has a bound of its own, with the first row beyond it."""
    monkeypatch.setattr(workbook, "MAX_QUESTIONS", 3)
    rows = "".join(f"| text | a{number} | A |\n" for number in range(4))
    found = problem(table("| type | name | label |\n" + rows))
    assert (found.code, found.origin) == ("sheet.size", Origin("survey", 5))


@pytest.mark.parametrize(
    ("data", "code", "origin", "words"),
    [
        (
            table("| type | name | label | calculation |\n| calculate | a | | instance('none')/root/item/label |"),
            "ref.list",
            Origin("survey", 2, "calculation"),
            "none",
        ),
        (
            table(
                "| type | name | label | bind::fs:missing |\n| integer | a | A | nowhere |",
                settings='| form_title | namespaces |\n| x | fs="https://fieldsurvey.org/xforms" |',
            ),
            "missing.nothing",
            Origin("survey", 2, "bind::fs:missing"),
            "nowhere",
        ),
        (
            table(
                "| type | name | label |\n| text | a | A |", settings="| form_title | instance_name |\n| x | concat( |"
            ),
            "xpath.syntax",
            Origin("settings", 2, "instance_name"),
            "",
        ),
        (
            table(
                "| type | name | label | repeat_count |\n| begin repeat | r | R | frob(1) |\n| text | a | A | |\n"
                "| end repeat | | | |"
            ),
            "xpath.name",
            Origin("survey", 2, "repeat_count"),
            "frob",
        ),
        (
            table("| type | name | label | trigger |\n| text | a | A | |\n| text | b | B | /data/a |"),
            "workbook",
            Origin("survey", 3, "trigger"),
            "${",
        ),
        (
            table(
                "| type | name | label | relevant |\n| begin loop over l | lo | L | |\n| text | a | A | frob() |\n"
                "| end loop | | | |",
                "| list_name | name | label |\n| l | x | X |\n| l | y | Y |",
            ),
            "xpath.name",
            Origin("survey", 3, "relevant"),
            "frob",
        ),
    ],
    ids=["instance()", "fs:missing", "instance_name", "repeat_count", "trigger", "in a loop"],
)
def test_each_refusal_names_the_cell(data: bytes, code: str, origin: Origin, words: str) -> None:
    """Sheet, row and column as the author sees them, also of what the converter puts elsewhere."""
    found = problem(data)
    assert (found.code, found.origin) == (code, origin)
    assert words in found.message
    assert found.remedy


def test_an_external_choice_list_needs_no_declaration() -> None:
    """`select_one_external` reads itemsets.csv, which no instance declares."""
    rows = "survey,,,,\n,type,name,label,choice_filter\n,text,p,P,\n,select_one_external c,a,A,p=${p}\n"
    found = load_form((rows + "external_choices,,,\n,list_name,name,label,p\n,c,x,X,1\n").encode())
    assert found.nodes


def test_every_file_that_a_form_names_is_listed() -> None:
    """With an address or without one: search(), external choices and pictures; what an answer names is not known."""
    rows = (
        "survey,,,,,,\n,type,name,label,appearance,image,choice_filter\n"
        ",select_one s,a,A,minimal search('towns'),a.png,\n,text,p,P,,${a}.png,\n,select_one_external c,b,B,,,p=${p}\n"
        ",csv-external,people,,,,\nchoices,,,\n,list_name,name,label\n,s,name,label\n"
        "external_choices,,,\n,list_name,name,label,p\n,c,x,X,1\n"
    )
    assert load_form(rows.encode()).media_names == ("a.png", "itemsets.csv", "people.csv", "towns.csv")
