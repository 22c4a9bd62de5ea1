"""The sync log on the screen: filtered by kind, problems and words; newest first; names instead of numbers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import fieldsurvey
import sync
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import InputError, RefusedError, StorageError, UntrustedError
from fieldsurvey.base.i18n import set_language
from fieldsurvey.records.receipt import Level
from fieldsurvey.tui.central.journal import (
    CODES,
    PROBLEMS,
    REASONS,
    counted,
    log_cells,
    log_whole,
    newest,
    view_name,
    views,
    why,
)
from sync.journal import Journal
from tests.tui.central.province import NOW

DEVICE = "12" * 16


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Four lines, an hour apart."""
    clock = FixedClock(NOW)
    made = Journal(tmp_path, clock)
    made.note("import", "central", place="/media/AZUL", device=DEVICE, new=5, refused=0)
    clock.move(hours=1)
    made.note("refusal", "central", place="/media/AZUL/x.fsb", code="untrusted.container")
    clock.move(hours=1)
    made.note("import", "central", place="/media/ROJO", new=2, refused=1)
    clock.move(hours=1)
    made.note("backup", "central", place="/media/DISCO")
    return made


def test_the_newest_stands_first_and_views_filter(journal: Journal) -> None:
    """All, problems (a refusal, an import that refused something), a kind."""
    assert [line.what for line in newest(journal)] == ["backup", "import", "refusal", "import"]
    assert [line.what for line in newest(journal, PROBLEMS)] == ["import", "refusal"]
    assert [line.place for line in newest(journal, "import")] == ["/media/ROJO", "/media/AZUL"]
    assert views(journal.lines()) == ["", PROBLEMS, "import", "refusal", "backup"]
    assert [view_name(view) for view in ("", PROBLEMS, "backup")] == ["all", "problems", "backup"]


def test_words_filter_without_case_and_accents(journal: Journal) -> None:
    """Every word must be there: a place, a kind, a day."""
    assert len(newest(journal, "", "azul")) == 2
    assert len(newest(journal, "", "ázul REFUSED")) == 1
    assert len(newest(journal, "", "2026-03-02")) == 4
    assert newest(journal, "backup", "azul") == []


def test_a_row_says_who_and_how_many(journal: Journal) -> None:
    """Names for numbers, counts that are not nothing, the code of a refusal."""
    first = newest(journal)[-1]
    assert log_cells(first, {DEVICE: "Laptop 1"})[1:] == ("import", "Laptop 1", "/media/AZUL", "5 new")
    assert log_cells(first, {})[2] == DEVICE[:8]
    said = log_cells(newest(journal, "refusal")[0], {})[4]
    assert said == "damaged, altered or foreign (untrusted.container)"


def test_a_receipt_is_no_problem_and_its_level_is_said(tmp_path: Path) -> None:
    """A laptop's own log notes the level as the line's code; the control: what was refused is a problem."""
    log = Journal(tmp_path, FixedClock(NOW))
    log.note("receipt", "laptop", place="/media/AZUL", device=DEVICE, up_to=3, code="committed")
    log.note("erasure", "laptop", place="/media/AZUL", device=DEVICE, records=2, code="purged")
    log.note("refusal", "laptop", place="/media/AZUL", code="receipt.forged")
    assert [line.what for line in newest(log, PROBLEMS)] == ["refusal"]
    said = [log_cells(line, {})[4] for line in newest(log)[::-1]]
    assert said == [
        "up to 3, held by central",
        "2 records, backed up at central, removed here",
        "a receipt that does not hold (receipt.forged)",
    ]


def test_everything_that_is_counted_has_words() -> None:
    """Whatever the program notes: found in its source, and said in Spanish, one or many. Control: a made-up name."""
    noted = set()
    for path in (source for room in (fieldsurvey, sync) for source in Path(str(room.__path__[0])).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "note":
                noted |= {str(word.arg) for word in node.keywords}
    assert {"new", "sent", "receipts", "up_to"} <= noted
    set_language("es")
    try:
        bare = {name for name in noted if counted(name, 2) == f"2 {name}"}
        assert (counted("receipts", 1), counted("bytes", 3000)) == ("1 recibo", "3 KB")
    finally:
        set_language(None)
    assert counted("made_up", 2) == "2 made_up"
    assert bare == {"place", "device", "code", "first", "last", "up_to", "confirmed", "version", "secret"}


def test_every_code_that_is_noted_has_words() -> None:
    """Levels of receipts, and each branch that an error's code can begin with."""
    assert {level.value for level in Level} <= CODES.keys()
    branches = {one.code for one in (InputError, UntrustedError, StorageError, RefusedError)}
    assert branches <= REASONS.keys()
    assert why("unheard.of") == "unheard.of"


def test_the_whole_of_a_line_cuts_nothing(journal: Journal) -> None:
    """A long place is cut in the list and whole when it is asked for; what says nothing is left out."""
    line = journal.note("import", "central", place="/run/media/supervision/AZUL: 0001.fsb", first=3, last=5, new=3)
    assert line is not None
    assert log_cells(line, {})[3] == "…vision/AZUL: 0001.fsb"
    whole = log_whole(line, {})
    assert "place: /run/media/supervision/AZUL: 0001.fsb" in whole
    assert "how many: 3 new, entries 3 to 5" in whole
    assert not any(part.startswith("laptop") for part in whole)


def test_what_is_shown_can_be_saved(journal: Journal) -> None:
    """Only the lines of the view, with the head of the table."""
    rows = journal.as_csv(newest(journal, "backup")).splitlines()
    assert len(rows) == 2
    assert rows[0].startswith("at,what")
