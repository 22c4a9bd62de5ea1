"""The committed files are what the sources say, and pyxform has nothing against them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from forms import build, catalogue
from tests.forms.reading import FORMS, NAMES


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[bytes, bytes, list[str]]]:
    return {name: build.compile_form(FORMS / name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_compiled_form_is_current(made: dict[str, tuple[bytes, bytes, list[str]]], name: str) -> None:
    """Compiling the committed sheets gives the committed choices.csv and form.xml, byte for byte, without a warning."""
    choices, xform, warnings = made[name]
    assert (FORMS / name / "choices.csv").read_bytes() == choices
    assert (FORMS / name / "form.xml").read_bytes() == xform
    assert warnings == []


def test_a_change_is_noticed_and_made_current(tmp_path: Path) -> None:
    """A changed label is called not current by `check`, which writes nothing; a build then makes it current."""
    folder = tmp_path / "needs"
    shutil.copytree(FORMS / "needs", folder)
    survey = folder / "survey.csv"
    survey.write_text(
        survey.read_text(encoding="utf-8").replace("Muchas gracias por su tiempo", "Gracias por su tiempo"), "utf-8"
    )
    before = (folder / "form.xml").read_bytes()
    assert build.build(folder, check=True) == ["needs/form.xml: not current"]
    assert (folder / "form.xml").read_bytes() == before
    assert build.build(folder) == ["needs/form.xml: written"]
    assert build.build(folder, check=True) == []


SURVEY = "type,name,label::Español (es),label::English (en)\nselect_one {list},q,¿?,?\n"
LISTS = "list_name,name,label::Español (es),label::English (en)\n{rows}"


@pytest.mark.parametrize(
    ("asked", "rows", "said"),
    [
        ("nowhere", "", "neither"),
        ("yes_no", "spare,a,A,A\n", "nothing asks for spare"),
        ("yes_no", "yes_no,yes,Sí,Yes\n", "shared list too"),
    ],
)
def test_lists_that_do_not_fit_are_refused(tmp_path: Path, asked: str, rows: str, said: str) -> None:
    """A list that is nowhere, that nobody uses, or that is in two places stops the build with its name."""
    (tmp_path / "survey.csv").write_text(SURVEY.format(list=asked), "utf-8")
    (tmp_path / "lists.csv").write_text(LISTS.format(rows=rows), "utf-8")
    with pytest.raises(build.StaleListError, match=said):
        build.join_choices(tmp_path)


def test_documentation_stays_out_of_the_forms(made: dict[str, tuple[bytes, bytes, list[str]]]) -> None:
    """Columns that explain a shared list to people are in no compiled form; those that filters need are."""
    for choices, _, _ in made.values():
        header = choices.split(b"\n", 1)[0].decode().split(",")
        assert not build.DOCUMENTATION & set(header)
        assert {"canton", "parish"} <= set(header)


def test_the_command_says_when_all_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m forms.build --check` on what is committed exits 0 and says so."""
    assert build.main(["--check"]) == 0
    assert "current" in capsys.readouterr().out


def test_catalogue_hands_out_what_is_on_disk() -> None:
    """Forms and indicators come out as they lie in the package; an unknown id is a KeyError."""
    for form in catalogue.BUILT_IN:
        assert catalogue.compiled(form.id) == (FORMS / form.compiled).read_bytes()
        assert f'id="{form.id}"'.encode() in catalogue.compiled(form.id)
        assert f"<h:title>{form.title}</h:title>".encode() in catalogue.compiled(form.id)
    assert catalogue.indicators() == (FORMS / "indicators.csv").read_bytes()
    with pytest.raises(KeyError):
        catalogue.compiled("nothing")


def test_catalogue_lists_every_form_folder() -> None:
    """A folder with a survey sheet is in the catalogue, so that it is built and tested."""
    assert (
        {path.parent.name for path in FORMS.glob("*/survey.csv")}
        == {form.folder for form in catalogue.BUILT_IN}
        == set(NAMES)
    )
