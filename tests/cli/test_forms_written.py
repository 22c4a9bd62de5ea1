"""`fieldsurvey forms xlsx|print`: what is written, and that it means the same form. All data is synthetic."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest

from fieldsurvey.xforms import load_form
from fieldsurvey.xforms.load.as_xlsx import LONGEST
from fieldsurvey.xforms.paper import languages
from forms.catalogue import folder as folder_of
from tests.cli.test_forms import run, survey

SURVEY = """type,name,label::English (en),label::Español (es),relevant,repeat_count,required,calculation,constraint
integer,age,Your age,Su edad,,,yes,,. < 120
,,,,,,,,
select_one yn,well,Well?,¿Bien?,${age} >= 18 and ${age} != 99,,,,
select_one town,town,A <town> & more,Pueblo,${well} = 'no',,,,
calculate,twice,,,,,,${age} * 2,
text,why,Why ${twice},Por qué ${twice},${twice} > 40,,,,
begin repeat,kid,Child,Niño,,${age},,,
text,call,Called,Llamado,"not(selected(${well}, 'no'))",,,,
end repeat,,,,,,,,
"""
CHOICES = "list_name,name,label::English (en),label::Español (es)\nyn,yes,Yes,Sí\nyn,no,No,No\n" + "".join(
    f"town,0{number},Town {number},Pueblo {number}\n" for number in range(40)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A form as a folder of sheets, with an empty row and codes that begin with zero."""
    place = tmp_path / "visit"
    place.mkdir()
    (place / "survey.csv").write_text(SURVEY, encoding="utf-8")
    (place / "choices.csv").write_text(CHOICES, encoding="utf-8")
    (place / "lists.csv").write_text("not,a,sheet\n", encoding="utf-8")
    return place


def test_the_workbook_is_the_same_form(folder: Path, tmp_path: Path) -> None:
    """What pyxform makes of the workbook is what it makes of the folder, to the byte; rows keep their numbers."""
    out = tmp_path / "other name.xlsx"
    code, _output = run("xlsx", str(folder), "--out", str(out))
    assert code == 0
    whole, read = load_form(folder), load_form(out)
    assert read.xml == whole.xml
    assert read.id == "visit"
    assert read.definition.by_path["/data/why"].origin == whole.definition.by_path["/data/why"].origin
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["survey", "choices", "settings"]
    assert [cell.value for cell in book["survey"][1]] == SURVEY.splitlines()[0].split(",")
    assert {type(cell.value) for row in book["choices"].iter_rows() for cell in row} == {str}
    assert book["choices"]["B4"].value == "00"


def test_the_same_form_gives_the_same_workbook(folder: Path, tmp_path: Path) -> None:
    """Nothing of the day or of the machine is in it, so it can be kept in git."""
    for name in ("one.xlsx", "two.xlsx"):
        assert run("xlsx", str(folder), "--out", str(tmp_path / name))[0] == 0
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


@pytest.mark.parametrize("name", ["needs", "assembly"])
def test_the_built_in_forms_go_through_a_workbook_unchanged(name: str, tmp_path: Path) -> None:
    """Byte for byte what the converter makes of their sheets."""
    out = tmp_path / "form.xlsx"
    assert run("xlsx", name, "--out", str(out))[0] == 0
    assert load_form(out).xml == load_form(folder_of(name)).xml


def test_what_has_no_sheets_or_does_not_fit_is_refused(folder: Path, tmp_path: Path) -> None:
    """An XForm; a cell longer than a spreadsheet holds, with its row; nothing is written."""
    path, out = tmp_path / "form.xml", tmp_path / "out.xlsx"
    path.write_bytes(load_form(folder).xml)
    code, output = run("xlsx", str(path), "--out", str(out))
    assert code == 1
    assert "no sheets" in output
    (folder / "choices.csv").write_text(CHOICES + f"yn,x,{'x' * (LONGEST + 1)},y\n", encoding="utf-8")
    code, output = run("xlsx", str(folder), "--out", str(out))
    assert code == 1
    assert "choices, row 44, column label::English (en)" in output
    assert not out.exists()


def test_files_to_send_along_are_named(tmp_path: Path) -> None:
    """A workbook does not hold the lists and pictures that it names."""
    path = tmp_path / "form.xlsx"
    path.write_bytes(survey(["select_one_from_file towns.csv", "a", "A"]))
    (tmp_path / "towns.csv").write_text("name,label\nx,X\n", encoding="utf-8")
    code, output = run("xlsx", str(path), "--out", str(tmp_path / "out.xlsx"), "--json")
    assert code == 0
    assert json.loads(output)["media"] == ["towns.csv"]


# -- paper ---------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The text of a page in one language, tags that are open, addresses that it names."""

    def __init__(self, html: str, language: str) -> None:
        super().__init__()
        self.language, self.text = language, ""
        self.open: list[tuple[str, bool]] = []
        self.addresses: list[str | None] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.addresses += [held[name] for name in ("src", "href") if name in held]
        if tag not in {"meta", "input", "br"}:
            other = "l" in (held.get("class") or "").split() and held.get("lang") != self.language
            self.open.append((tag, other))

    def handle_endtag(self, tag: str) -> None:
        opened = self.open.pop()
        assert opened[0] == tag, f"{opened[0]} ended by {tag}"
        if tag in {"p", "li", "h1", "h2", "h3", "h4"}:
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        if not any(other or tag == "style" for tag, other in self.open):
            self.text += data


def printed(folder: Path, language: str, *options: str) -> str:
    """The text of the page of a form, each paragraph on a line of its own."""
    out = folder.parent / "page.html"
    assert run("print", str(folder), "--out", str(out), *options)[0] == 0
    page = Page(out.read_text(encoding="utf-8"), language)
    assert not page.open or page.open == [("p", False)]
    assert not page.addresses
    return page.text


def test_paper_has_numbers_skips_in_words_and_codes(folder: Path) -> None:
    """Questions are numbered in order, conditions name them, choices carry what is typed later."""
    text = printed(folder, "en")
    for line in (
        "1* Your age",
        "Ask only if question 1 is at least 18 and question 1 is not 99.",
        "2 Well?",
        "Ask only if question 2 is “No”.",
        "A <town> & more",
        "Ask only if value W1 is more than 40.",
        "Must hold: the answer is less than 120.",
        "Code from the list “town” at the end:",
        "Child — 1",
        "Child — 3",
        "How many: question 1.",
        "Ask only if question 2 is not “No”.",
        "5 (3) Called",
        "question 1 × 2",
    ):
        assert line in text, line
    assert "Yes yes" in text
    assert "0039" not in text
    assert "Town 39" in text
    assert "Child — 4" not in text
    assert "Child — 4" in printed(folder, "en", "--copies", "4")


def test_paper_speaks_each_language_of_the_form(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our words follow the form's language, whatever this terminal speaks; the catalogue here is a stand-in."""
    monkeypatch.setattr(languages, "translator", lambda code: lambda message: f"{code}: {message}")
    text = printed(folder, "es")
    assert "1* Su edad" in text
    assert "Your age" not in text
    assert "es: Ask only if es: es: question 2 is “No”" in text
    assert "en: " not in text
    assert "en: Ask only if" in printed(folder, "en")


def test_paper_without_what_nobody_is_asked(tmp_path: Path) -> None:
    """Groups that are never relevant hold texts only; a language that is not there is refused."""
    path = tmp_path / "form.xlsx"
    head = ["type", "name", "label", "relevant"]
    path.write_bytes(
        survey(["text", "a", "A"], ["begin group", "m", "M", "false()"], ["note", "n", "N"], ["end group"], head=head)
    )
    out = tmp_path / "page.html"
    assert run("print", str(path), "--out", str(out))[0] == 0
    text = Page(out.read_text(encoding="utf-8"), "en").text
    assert re.search(r"\b1\s+A\b", text)
    assert not re.search(r"\bM\b", text)
    assert run("print", str(path), "--out", str(out), "--language", "fr")[0] == 1


def test_a_whole_built_in_form_is_printed(tmp_path: Path) -> None:
    """Every question of the compiled form has its number on the page, in both languages; no script."""
    out = tmp_path / "needs.html"
    assert run("print", "needs", "--out", str(out))[0] == 0
    html = out.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "http" not in html
    for language in ("es", "en"):
        text = Page(html, language).text
        numbers = {int(found) for found in re.findall(r"^\s*(\d+)(?:\*\d*)? ", text, re.MULTILINE)}
        assert set(range(1, max(numbers) + 1)) <= numbers
        assert len(numbers) > 60


def test_workbooks_are_not_made_from_pictures() -> None:
    """The helper of these tests can fail: it reads what it wrote."""
    assert openpyxl.load_workbook(io.BytesIO(survey(["text", "a", "A"])))["survey"]["B2"].value == "a"
