"""Forms on their way into a project: what cannot be asked there is refused when it is added."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.project.formfile import read_form
from fieldsurvey.xforms import FormError


def test_a_form_that_a_terminal_cannot_ask_is_refused_with_its_row(tmp_path: Path) -> None:
    """An external application is refused when the form is added, never at the interview."""
    sheets = tmp_path / "form"
    sheets.mkdir()
    (sheets / "survey.csv").write_text("type,name,label,appearance\ntext,a,A,\ntext,b,B,ex:org.example.scan(x='1')\n")
    with pytest.raises(FormError) as caught:
        read_form(sheets)
    assert [(p.code, p.origin and p.origin.row) for p in caught.value.problems] == [("refused", 3)]
