"""Loading the same bytes twice: what is shared, what never is, and how much is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from fieldsurvey.xforms import FormError, form, load_form
from fieldsurvey.xforms.load.kept import Kept, digest
from tests.xforms.scenario import now, table, xform

SURVEY = table(
    """
    | type | name | label | calculation |
    | select_one_from_file towns.csv | town | Town | |
    | integer | n | N | |
    | calculate | twice | | ${n} * 2 |
    """
)


def towns(*names: str) -> dict[str, bytes]:
    """A list file."""
    return {"towns.csv": ("name,label\n" + "".join(f"{name},{name}\n" for name in names)).encode()}


def test_the_same_bytes_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither conversion nor parsing happens again; hash, rows and warnings are the same."""
    first = load_form(SURVEY, towns("a"))
    monkeypatch.setattr(form, "parse_form", None)
    monkeypatch.setattr("fieldsurvey.xforms.load.source.convert_file", None)
    second = load_form(SURVEY, towns("a"))
    assert (second.hash, second.warnings) == (first.hash, first.warnings)
    assert [node.origin for node in second.nodes] == [node.origin for node in first.nodes]
    with pytest.raises(TypeError):
        load_form(SURVEY + b"\n", towns("a"))


def test_media_are_each_callers_own() -> None:
    """Two callers with different files see their own lists at the same time; no answer is shared."""
    one, other = load_form(SURVEY, towns("a", "b")), load_form(SURVEY, towns("c"))
    first, second = one.start(now=now, seed=1), other.start(now=now, seed=1)
    assert [choice.value for choice in first.question("/data/town").choices] == ["a", "b"]
    assert [choice.value for choice in second.question("/data/town").choices] == ["c"]
    first.answer("/data/n", "4")
    assert second.question("/data/n").value is None
    assert not one.missing_media()
    assert [problem.code for problem in load_form(SURVEY).missing_media()] == ["media.missing"]


def test_a_form_that_is_refused_is_refused_again() -> None:
    """Nothing of it is kept."""
    bad = xform("<a/>", '<bind nodeset="/data/a" calculate="nonsense("/>')
    for _again in range(2):
        with pytest.raises(FormError):
            load_form(bad)


def test_threads_may_load_the_same_form() -> None:
    """Eight at once, each with its own interview."""
    data = xform(
        "<a/><b/>",
        '<bind nodeset="/data/a" type="int"/><bind nodeset="/data/b" type="int" calculate="/data/a + 1"/>',
        '<input ref="/data/a"><label>A</label></input>',
    )

    def work(number: int) -> str:
        interview = load_form(data).start(now=now, seed=number)
        interview.answer("/data/a", str(number))
        return interview.refs.node("/data/b").text

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(64))) == [str(number + 1) for number in range(64)]


def test_what_is_kept_is_bounded() -> None:
    """By number and by weight; what was used longest ago goes first; too much at once is not kept at all."""
    kept: Kept[str] = Kept(most=3, weight=100)
    for name in "abc":
        kept.put(name, name, 10)
    assert kept.get("a") == "a"
    kept.put("d", "d", 10)
    assert [kept.get(name) for name in "abcd"] == ["a", None, "c", "d"]
    kept.put("e", "e", 95)
    assert [kept.get(name) for name in "acde"] == [None, None, None, "e"]
    kept.put("f", "f", 101)
    assert kept.get("f") is None
    assert len(kept) == 1
    kept.put("e", "again", 5)
    kept.put("g", "g", 90)
    assert (kept.get("e"), kept.get("g")) == ("again", "g")


def test_parts_of_a_hash_cannot_run_together() -> None:
    """`a` + `bc` is not `ab` + `c`."""
    assert digest("a", b"bc") != digest("ab", b"c")
