"""A form as Markdown."""

from __future__ import annotations

from fieldsurvey.xforms import load_form
from fieldsurvey.xforms.render import render_form
from tests.xforms.scenario import table

HEAD = (
    "| type | name | label::Español (es) | label::English (en) | hint::English (en) | relevant | constraint "
    "| constraint_message::English (en) | calculation |\n"
)
SURVEY = (
    HEAD
    + """| begin group | place | El lugar | The place | | | | | |
| select_one l | area | ¿Dónde? | Where? | Not read | | | | |
| integer | age | Edad de ${area} | Age in ${area} | | ${area} = 'n' | . > 0 and . < 120 | Zero to 120 | |
| end group | | | | | | | | |
| select_one t | town | Pueblo | Town | | | | | |
| calculate | twice | | | | | | | ${age} * 2 |
"""
)
TOWNS = "\n".join(f"| t | t{number} | Pueblo {number} | Town {number} |" for number in range(9))
CHOICES = f"""
| list_name | name | label::Español (es) | label::English (en) |
| l | n | Norte | North |
| l | s | Sur | South |
{TOWNS}
"""
EXPECTED = """\
# f

- id: `f`
- version: -
- languages: Español (es) (default), English (en)

## El lugar

group `place`
- en: The place

- **`area`** select_one `l`
  - es: ¿Dónde?
  - en: Where?
  - hint (en): Not read
    - `n` Norte / North
    - `s` Sur / South

- **`age`** integer
  - es: Edad de ${area}
  - en: Age in ${area}
  - relevant: `${area} = 'n'`
  - constraint: `. > 0 and . < 120`
    - message (en): Zero to 120

(end of group `place`)

- **`town`** select_one `t`
  - es: Pueblo
  - en: Town

## Not asked

- **`twice`** /data/twice
  - calculation: `${age} * 2`

- **`instanceID`** /data/meta/instanceID
  - read only: `true()`
  - metadata: uid

## Lists

### `t`

| name | es | en |
| --- | --- | --- |
"""


def rendered(survey: str = SURVEY, language: str | None = None, *, rows: bool = False) -> str:
    """The Markdown of a workbook."""
    source = table(survey, CHOICES, "| form_id | default_language |\n| f | Español (es) |")
    return render_form(load_form(source), language, rows=rows)


def test_a_form_reads_as_a_document() -> None:
    """Sections, questions, both languages, logic as written, short lists in place and long ones at the end."""
    text = rendered()
    assert text.startswith(EXPECTED)
    assert "| t8 | Pueblo 8 | Town 8 |\n" in text


def test_one_language_alone() -> None:
    """By its code; nothing of the other is left."""
    text = rendered(language="en")
    assert "Where?" in text
    assert "¿Dónde?" not in text
    assert "Norte" not in text


def test_a_row_more_changes_its_own_lines_only() -> None:
    """Without row numbers a diff shows what was added; with them every later row moves."""
    fewer = SURVEY.replace("| integer | age", "| text | name | Nombre | Name | | | | | |\n| integer | age")
    before, after = rendered().splitlines(), rendered(fewer).splitlines()
    added = ["- **`name`** text", "  - es: Nombre", "  - en: Name", ""]
    place = after.index(added[0])
    assert after[:place] + after[place + len(added) :] == before
    assert "(row 3)" in rendered(rows=True)
    assert "(row" not in rendered()


def test_bars_in_labels_keep_the_table_whole() -> None:
    """A bar ends a cell in Markdown."""
    from fieldsurvey.xforms.render import row

    assert row(["a", "b|c"]) == "| a | b\\|c |"
