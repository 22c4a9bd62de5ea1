"""The files that a form takes into a project, also those that no address in its XForm names. All data is synthetic."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fieldsurvey.project.errors import FormFileError
from fieldsurvey.project.formfile import read_form
from fieldsurvey.xforms import load_form

ROWS = (
    "survey,,,,,\n,type,name,label,appearance,choice_filter\n,select_one s,a,A,search('towns'),\n,text,p,P,,\n"
    ",select_one_external c,b,B,,p=${p}\nchoices,,,\n,list_name,name,label\n,s,name,label\n"
    "external_choices,,,,\n,list_name,name,label,p\n,c,x,X,1\n,c,y,Y,2\n"
)


def test_lists_of_search_and_external_choices_travel_with_the_form(tmp_path: Path) -> None:
    """On a laptop, from the compiled form and its files alone, both selects offer what they offered to the author."""
    path = tmp_path / "form.csv"
    path.write_text(ROWS, encoding="utf-8")
    with pytest.raises(FormFileError, match="towns"):
        read_form(path)
    (tmp_path / "towns.csv").write_text("name,label\nt,Town\n", encoding="utf-8")
    form = read_form(path)
    assert sorted(form.media) == ["itemsets.csv", "towns.csv"]
    interview = load_form(form.xform, form.media).start(now=lambda: datetime(2026, 3, 14, tzinfo=UTC), seed=1)
    interview.answer("/data/p", "2")
    assert [choice.value for choice in interview.question("/data/a").choices] == ["t"]
    assert [choice.value for choice in interview.question("/data/b").choices] == ["y"]
