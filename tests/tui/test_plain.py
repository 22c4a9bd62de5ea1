"""--plain: the same interview in lines, driven by what a person types."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.tui.actions import Scope, of
from fieldsurvey.tui.exits import Exit
from fieldsurvey.tui.plain.console import Command, Console, Leaving
from fieldsurvey.tui.plain.interview import PlainInterview
from fieldsurvey.tui.plain.start import run
from fieldsurvey.tui.sitting import Sitting
from tests.tui.laptops import WORDS, joined, project_bytes
from tests.tui.memory import DATA, LANGUAGES, NOON, MemoryWork
from tests.tui.memory import interview as begun

Types = {"types": (DATA / "types.xml").read_bytes()}


def interview(
    *lines: str, at: str | None = None, required_waits: bool = False, form: str = "types"
) -> tuple[str, MemoryWork]:
    """What is said when these lines are typed; at the end of the lines the program is left."""
    work = MemoryWork(begun(form))
    if at is not None:
        work.go_to(at)
    heard = io.StringIO()
    console = Console(io.StringIO("".join(f"{line}\n" for line in lines)), heard)
    plain = PlainInterview(console, Sitting(work, required_waits=required_waits), work, LANGUAGES, lambda: NOON)
    with contextlib.suppress(Leaving):  # the end of the lines
        plain.run()
    return heard.getvalue(), work


def value(work: MemoryWork, name: str) -> str | None:
    """An answer."""
    return work.interview.question(f"/data/{name}").value


def test_one_question_a_line() -> None:
    """Question, number, instruction, then the answer; Enter goes on; /leave goes Home."""
    said, work = interview("", "Sintética", "/leave")
    assert "Question 2 of" in said
    assert "¿Cómo se llama esta zona?\nInstruction: Sin nombres de personas." in said
    assert value(work, "zone") == "Sintética"
    assert work.ended == "closed"


def test_survey_text_cannot_move_the_cursor() -> None:
    """Control characters of a label are written as escapes."""
    heard = io.StringIO()
    Console(io.StringIO(), heard).say("a\x1b[2Jb\x07c\nd")
    assert heard.getvalue() == "a\\x1b[2Jb\\x07c\nd\n"


def test_errors_missing_codes_and_warnings() -> None:
    """A hard error asks again with reason and remedy; a missing code goes on; a warning takes a reason."""
    said, work = interview("99", "/unknown", "/back", "20", "synthetic reason", at="/data/people")
    assert "Attention: Debe estar entre 1 y 30. Correct it." in said
    assert "/unknown No sabe" in said
    assert "Recorded: No sabe" in said
    assert "Attention: Son más de 15 personas." in said
    assert (value(work, "people"), value(work, "people_missing")) == ("20", None)
    assert work.interview.question("/data/people").violation is not None
    assert said.rstrip().endswith(">")


def test_a_required_blank_is_asked_again() -> None:
    """Enter on a required question says why it stays, unless required answers wait for the review."""
    said, _work = interview("", at="/data/people")
    assert "Attention: This needs an answer." in said
    said, _work = interview("", at="/data/people", required_waits=True)
    assert "Attention" not in said


@pytest.mark.parametrize(
    ("typed", "stored"), [("1", "yes"), ("no sabe", "dont_know"), ("pref", "prefers_not"), ("NO", "no")]
)
def test_options_by_code_or_letters(typed: str, stored: str) -> None:
    """A code, or letters that fit one option; a whole label wins over those that only begin like it."""
    _said, work = interview(typed, at="/data/water")
    assert value(work, "water") == stored


def test_options_that_are_not_clear_are_asked_again() -> None:
    """Several that fit are listed; none that fits is said; nothing is stored."""
    said, work = interview("s", "zzz", at="/data/water")
    assert "2 options fit:" in said
    assert "No option fits." in said
    assert value(work, "water") is None


def test_several_options() -> None:
    """Codes with spaces, or words with commas."""
    assert value(interview("3 1", at="/data/needs")[1], "needs") == "health food"
    assert value(interview("salud, comida", at="/data/needs")[1], "needs") == "health food"


def test_long_text_language_note_and_undo() -> None:
    """Several lines end with a point; the language changes in place; notes and undo are commands."""
    _said, work = interview("uno", "dos", ".", at="/data/more")
    assert value(work, "more") == "uno\ndos"
    said, work = interview("/language", "/note ruido", "Sintética", "/undo", at="/data/zone")
    assert "What is this area called?" in said
    assert work.interview.note("/data/zone") == "ruido"
    assert value(work, "zone") is None


def test_places_lines_and_areas() -> None:
    """A place is said back in words; points are added, replaced, moved and removed by lines; an area closes itself."""
    said, work = interview("0,35", "0,35 -78,12", at="/data/well", form="editors")
    assert "the longitude is missing" in said
    assert "= 0.35° north, 78.12° west" in said
    assert value(work, "well") == "0.35 -78.12 0.0 0.0"
    lines = ("0.1 -78.1", "0.1 -78.2", "x", "0.2 -78.2", "3 > 1", "2 = 0.4 -78.4", "/remove 3", "/remove 9", "")
    said, work = interview(*lines, at="/data/path", form="editors")
    assert "Attention: This is not a place." in said
    assert "There is no point 9." in said
    assert value(work, "path") == "0.2 -78.2 0.0 0.0; 0.4 -78.4 0.0 0.0"
    said, work = interview("0 0", "0 0.001", "", "0.001 0.001", "", at="/data/field", form="editors")
    assert "Attention: An area needs at least three points" in said
    assert "closed by itself" in said
    assert value(work, "field") == "0.0 0.0 0.0 0.0; 0.0 0.001 0.0 0.0; 0.001 0.001 0.0 0.0; 0.0 0.0 0.0 0.0"


def test_recordings_media_and_read_only_in_lines() -> None:
    """What cannot be recorded is said and skipped, a file that was there stays; pictures are named; a range says its
    ends; what the form filled in is read out."""
    said, work = interview("", "", "1", "", "7", "2,5", at="/data/photo", form="editors")
    assert "Instruction: A picture cannot be taken or kept here." in said
    assert "/note writes a note instead" in said
    assert "Instruction: Picture escala.png: not shown here." in said
    assert "  2 mal.png" in said
    assert "Instruction: Filled in by the form: Z-17" in said
    assert said.count("This goes from 0 to 5, by 0.5.") == 3
    assert (value(work, "photo"), value(work, "half")) == (None, "2.5")


def test_a_field_list_question_by_question() -> None:
    """One after the other; one that became relevant is asked too; back goes within the page."""
    said, work = interview("3", "/back", "4", "5", "1", at="/data/present")
    assert [value(work, f"present/{n}") for n in ("women", "men", "others")] == ["4", "5", "1"]
    assert said.count("Mujeres") == 2


def test_a_table() -> None:
    """Add, open by number, remove after asking, go on."""
    said, work = interview("", "", "/add", "40", "1", "/remove 2", "n", "/remove 2", "y", "", at="/data/person[1]/age")
    assert "  2 40 · Sí" in said
    assert "Gracias por su tiempo." in said
    assert not [i for i in work.interview.outline() if i.ref.startswith("/data/person[2]")]


def test_review_and_seal() -> None:
    """The review lists what keeps it from being sealed; mended, /seal asks and seals, and the code is said once."""
    said, work = interview("/review", "/seal", at="/data/thanks")
    assert "2 need attention" in said
    assert "2 answers still need attention." in said
    said, work = interview("4", "/review", "/seal", "/jump 6", "2", "/review", "/seal", "yes", at="/data/people")
    assert "1 answer still needs attention." in said
    assert "ready to seal" in said
    assert "ABCD-EFGH" in said
    assert work.ended == "sealed"


def test_a_full_disk_is_said() -> None:
    """NOT SAVED, the reason, and the same question again."""
    work = MemoryWork()
    work.go_to("/data/zone")
    work.fail = NoSpaceError(place="disk")
    heard = io.StringIO()
    console = Console(io.StringIO("Sintética\n"), heard)
    plain = PlainInterview(console, Sitting(work, required_waits=False), work, LANGUAGES, lambda: NOON)
    with pytest.raises(Leaving):
        plain.run()
    assert "NOT SAVED. There is no room left on disk." in heard.getvalue()
    assert heard.getvalue().count("¿Cómo se llama esta zona?") == 2


def test_commands_by_their_beginning_and_answers_with_a_slash() -> None:
    """`/la` is /language; `//x` is the text /x; an unknown command is said."""
    heard = io.StringIO()
    console = Console(io.StringIO("/nope\n/la rest\n//x\n"), heard)
    actions = of(Scope.INTERVIEW, Scope.EVERYWHERE)
    assert console.ask(actions) == Command("language", "rest")
    assert "There is no /nope here." in heard.getvalue()
    assert console.ask(actions) == "/x"


# -- the whole front end on a real laptop


def sit_down(home: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> tuple[str, int]:
    """Run `--plain` on a home with these lines."""
    monkeypatch.setenv("FIELDSURVEY_HOME", str(home))
    monkeypatch.setattr("sync.drives.removable_drives", list)
    heard = io.StringIO()
    code = run(home, Console(io.StringIO("".join(f"{line}\n" for line in lines)), heard), FixedClock(NOON))
    return heard.getvalue(), code


def test_from_unlock_to_the_stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong words, right words, an interview sealed, copied to a folder; then locked."""
    home, stick = tmp_path / "home", tmp_path / "stick"
    stick.mkdir()
    joined(home, Types, clock=FixedClock(NOON)).close()
    said, code = sit_down(
        home, monkeypatch, "wrong words", WORDS, "1", "", "Sintética", "4", "/jump 6", "1", "/review", "/seal", "yes",
        "/copy", str(stick), "/lock",
    )  # fmt: skip
    assert "That passphrase does not open this." in said
    assert "Record 1 is sealed." in said
    assert "1 sealed: 1 only here" in said
    assert f"1 record copied to {stick} and read back." in said
    assert "1 sealed: 1 copied" in said
    assert code == Exit.LOCKED
    assert list((stick / "fieldsurvey" / "batches").glob("*.fsb"))


def test_a_locked_laptop_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any passphrase: /copy works, /quit leaves."""
    home, stick = tmp_path / "home", tmp_path / "stick"
    stick.mkdir()
    joined(home, Types, clock=FixedClock(NOON)).close()
    said, code = sit_down(home, monkeypatch, "/copy", str(stick), "/quit")
    assert "Nothing is sealed yet." in said
    assert code == Exit.QUIT


def test_erase_a_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asks first; then the draft is gone from the list."""
    home = tmp_path / "home"
    joined(home, Types, clock=FixedClock(NOON)).close()
    said, _code = sit_down(home, monkeypatch, WORDS, "1", "/leave", "/erase 2", "no", "/erase 2", "yes", "/?", "/quit")
    assert said.count("2 go on with") == 2
    assert "/copy: " in said


@pytest.fixture
def small_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calibration would take seconds: the floor."""
    from fieldsurvey.records.slots import FLOOR

    monkeypatch.setattr("fieldsurvey.fieldwork.laptop.calibrate", lambda: FLOOR)


@pytest.mark.usefixtures("small_argon2")
def test_the_first_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Project file, words compared, person, name, six words typed back: joined, with a card for the steward."""
    (tmp_path / "synthetic.fsp").write_bytes(project_bytes(Types))
    monkeypatch.setattr("fieldsurvey.tui.joining.generate_passphrase", lambda bits: WORDS)
    monkeypatch.chdir(tmp_path)
    said, code = sit_down(
        tmp_path / "home", monkeypatch, "nothing.fsp", str(tmp_path / "synthetic.fsp"), "yes", "E99", "E01", "", "",
        "other words", WORDS, "/quit",
    )  # fmt: skip
    assert "There is no file nothing.fsp." in said
    assert "E02 Enumerador 2" in said
    assert "Those are not the words that were shown." in said
    assert "Nothing sealed on this laptop yet." in said
    assert code == Exit.QUIT
    assert list(tmp_path.glob("*.fsd"))
