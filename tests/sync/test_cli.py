"""The commands as a person runs them: what they say, what they leave behind, how they exit."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli import central as central_commands
from fieldsurvey.cli import sync as sync_commands
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Role
from sync.drives import Drive
from sync.journal import Journal
from tests.sync.dumps import dump, spoil
from tests.sync.projects import SyntheticProject, join, seal_some

run = CliRunner()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[SyntheticProject, Path]:
    """A laptop's home with three records, and central's with its key and the project."""
    project = SyntheticProject()
    place = tmp_path_factory.mktemp("made")
    laptop = join(project, place / "laptop")
    seal_some(laptop, 3)
    signed = project.enrol(laptop.locked.device_card())
    laptop.close()
    steward = place / "office" / "steward"
    steward.mkdir(parents=True)
    (steward / "central.key").write_bytes(role_key_bytes(project.id, Role.CENTRAL, project.central))
    (steward / "project.fsp").write_bytes(signed.data)
    return project, place


@pytest.fixture
def place(made: tuple[SyntheticProject, Path], tmp_path: Path) -> Iterator[Path]:
    """Copies of both homes, and an empty stick."""
    shutil.copytree(made[1], tmp_path / "place")
    (tmp_path / "place" / "stick").mkdir()
    set_language("en")
    yield tmp_path / "place"
    set_language(None)


def call(place: Path, home: str, app: Any, *words: str, code: int = 0) -> str:
    """Run a command in one of the homes; what it printed."""
    done = run.invoke(app, list(words), env={"FIELDSURVEY_HOME": str(place / home)}, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return str(done.output)


def data(text: str) -> Any:
    """The one JSON object."""
    return json.loads(text)


def test_there_and_back_with_json(place: Path) -> None:
    """export → import → import → status: each says what it did, and the laptop ends with everything acknowledged."""
    stick = str(place / "stick")
    exported = data(call(place, "laptop", sync_commands.app, "export", stick, "--json"))
    assert (exported["written"], exported["up_to"]) == (3, 3)
    merged = data(call(place, "office", sync_commands.app, "import", stick, "--json"))
    assert (merged["role"], merged["new"], merged["refused"]) == ("central", 3, 0)
    assert [receipt["up_to"] for receipt in merged["receipts"]] == [3]
    taken = data(call(place, "laptop", sync_commands.app, "import", stick, "--json"))
    assert (taken["role"], len(taken["receipts"])) == ("laptop", 1)
    assert taken["project_version"] is not None
    status = data(call(place, "laptop", sync_commands.app, "status", "--json"))
    assert (status["acknowledged"], status["not_confirmed"]) == (3, 0)
    central = data(call(place, "office", central_commands.app, "status", "--json"))
    assert (central["counts"]["entries"], central["cases"]["current"]) == (3, 3)
    assert central["devices"][0]["whole_to"] == 3
    verified = data(call(place, "office", central_commands.app, "verify", "--json"))
    assert (verified["sound"], verified["entries"]) == (True, 3)


def test_there_and_back_in_words(place: Path) -> None:
    """The same for a person: counts, what is safe, what comes next."""
    stick = str(place / "stick")
    assert "3 records exist only on this laptop" in call(place, "laptop", sync_commands.app, "status")
    text = call(place, "laptop", sync_commands.app, "export", stick)
    assert "3 records copied" in text
    assert "can be taken out" in text
    assert "3 records were on it already" in call(place, "laptop", sync_commands.app, "export", stick)
    text = call(place, "office", sync_commands.app, "import", stick)
    assert "3 new records merged" in text
    assert "1 receipt is on the stick" in text
    assert "nothing new" in call(place, "office", sync_commands.app, "import", stick)
    text = call(place, "laptop", sync_commands.app, "import", stick)
    assert "Central holds your records up to 3" in text
    assert "confirmed already" in call(place, "laptop", sync_commands.app, "export", stick)
    assert "whole up to 3" in call(place, "office", central_commands.app, "status")
    assert "Everything holds" in call(place, "office", central_commands.app, "verify")


def test_what_went_by_line_is_not_called_copied(place: Path) -> None:
    """Times as people say them; what was pushed is named as sent by line, and no stick is named that it never saw."""
    stick = str(place / "stick")
    assert "copied to no stick yet" in call(place, "laptop", sync_commands.app, "status")
    call(place, "laptop", sync_commands.app, "export", stick)
    call(place, "office", sync_commands.app, "import", stick)
    call(place, "laptop", sync_commands.app, "import", stick)
    text = call(place, "laptop", sync_commands.app, "status")
    assert re.search(r"copied to sticks up to record 3, last to .*stick on \d\d/\d\d \d\d:\d\d$", text, re.MULTILINE)
    assert re.search(r"3 acknowledged by central, last on \d\d/\d\d \d\d:\d\d$", text, re.MULTILINE)
    assert "sent by line" not in text
    assert not re.search(r"\d{4}-\d\d-\d\dT", text)
    with sqlite3.connect(place / "laptop" / "vault.db") as connection:  # as if it had gone by line alone
        connection.execute("DELETE FROM copied")
    connection.close()
    device = data(call(place, "laptop", sync_commands.app, "status", "--json"))["device"]
    log = Journal(place / "laptop")
    log.note("push", "laptop", place="https://an-older.example", device=device, sent=1)
    log.note("push", "laptop", place="https://central.example", device=device, sent=2)
    log.note("push", "laptop", place="https://nothing-new.example", device=device, sent=0)
    text = call(place, "laptop", sync_commands.app, "status")
    assert re.search(r"sent by line, last to https://central.example on \d\d/\d\d \d\d:\d\d$", text, re.MULTILINE)
    assert "copied" not in text
    found = data(call(place, "laptop", sync_commands.app, "status", "--json"))
    assert (found["copied_to_sticks"], found["last_sent_by_line"]["server"]) == (0, "https://central.example")


def test_a_stick_of_another_project_is_said_truthfully(place: Path) -> None:
    """Its project is refused with the reason, what was copied is said, and nowhere that nothing was done. Control: the
    batch is there, and the project on the stick is as it was."""
    foreign = SyntheticProject().publish().data
    folder = place / "stick" / "fieldsurvey"
    folder.mkdir()
    (folder / "project.fsp").write_bytes(foreign)
    text = call(place, "laptop", sync_commands.app, "export", str(place / "stick"))
    assert "The project on the stick was refused." in text
    assert "Your project stays as it was" in text
    assert "3 records copied" in text
    assert "Nothing was changed" not in text
    assert len(list((folder / "batches").iterdir())) == 1
    assert (folder / "project.fsp").read_bytes() == foreign


def test_a_stick_that_is_not_plugged_in_becomes_no_folder(place: Path) -> None:
    """Refused before anything is written; the laptop does not count its records as copied."""
    call(place, "laptop", sync_commands.app, "export", str(place / "gone"), code=1)
    assert not (place / "gone").exists()
    assert data(call(place, "laptop", sync_commands.app, "status", "--json"))["copied"] == 0


def test_export_takes_the_receipts_that_wait_on_the_stick(place: Path) -> None:
    """One visit of the stick does both ways."""
    stick = str(place / "stick")
    call(place, "laptop", sync_commands.app, "export", stick)
    call(place, "office", sync_commands.app, "import", stick)
    again = data(call(place, "laptop", sync_commands.app, "export", stick, "--json"))
    assert len(again["received"]["receipts"]) == 1
    assert again["files"] == []


def test_a_refused_batch_is_named_and_exits_1(place: Path) -> None:
    """Truncated: exit 1, the file and the reason, nothing merged, central as it was."""
    stick = place / "stick"
    call(place, "laptop", sync_commands.app, "export", str(stick))
    (batch,) = (stick / "fieldsurvey" / "batches").iterdir()
    whole = batch.read_bytes()
    batch.write_bytes(whole[:-10])
    text = call(place, "office", sync_commands.app, "import", str(stick), code=1)
    assert batch.name in text
    assert "REFUSED" in text
    found = data(call(place, "office", sync_commands.app, "import", str(stick), "--json", code=1))
    assert (found["new"], found["refused"], found["files"][0]["code"]) == (0, 1, "untrusted.container")
    assert dump(place / "office" / "central.db")["entries"] == []
    batch.write_bytes(whole)
    assert data(call(place, "office", sync_commands.app, "import", str(stick), "--json"))["new"] == 3


def test_enrolling_counts_from_the_next_look(place: Path, made: tuple[SyntheticProject, Path]) -> None:
    """What was kept aside counts as soon as the steward's newer project is there, without another import."""
    project, _ = made
    newest = project.version
    known, project.devices = project.devices, {}
    stranger = project.publish(newest + 1).data
    project.devices = known
    enrolled = project.publish(newest + 2).data
    project.version = newest
    file = place / "office" / "steward" / "project.fsp"
    file.write_bytes(stranger)
    call(place, "laptop", sync_commands.app, "export", str(place / "stick"))
    text = call(place, "office", sync_commands.app, "import", str(place / "stick"))
    assert "Kept aside until the steward enrols them: synthetic laptop" in text
    assert "3 kept aside" in call(place, "office", central_commands.app, "status")
    file.write_bytes(enrolled)
    text = call(place, "office", central_commands.app, "status")
    assert "kept aside" not in text
    assert "Cases that count: 3" in text


def test_damage_in_central_exits_1(place: Path) -> None:
    """`central verify` says where; with --mend what was altered goes, and the stick that has it brings it again."""
    call(place, "laptop", sync_commands.app, "export", str(place / "stick"))
    call(place, "office", sync_commands.app, "import", str(place / "stick"))
    spoil(place / "office" / "central.db", "UPDATE bodies SET body = zeroblob(9) WHERE rowid = 1")
    assert "the record was altered" in call(place, "office", central_commands.app, "verify", code=1)
    assert not data(call(place, "office", central_commands.app, "verify", "--json", code=1))["sound"]
    said = call(place, "office", central_commands.app, "verify", "--mend", code=1)
    assert "1 altered record was taken out." in said
    assert "the record is missing" in said
    call(place, "office", sync_commands.app, "import", str(place / "stick"))
    assert data(call(place, "office", central_commands.app, "verify", "--mend", "--json"))["discarded"] == []


def test_a_key_that_the_project_does_not_name(place: Path) -> None:
    """Receipts that no laptop would believe are not written, and it is said before anything is imported."""
    call(place, "laptop", sync_commands.app, "export", str(place / "stick"))
    other = SyntheticProject()
    key = place / "office" / "steward" / "central.key"
    key.write_bytes(role_key_bytes(other.id, Role.CENTRAL, other.central))
    found = data(call(place, "office", sync_commands.app, "import", str(place / "stick"), "--json", code=1))
    assert found["error"] == "refused.central_key"


def test_where_there_is_nothing(place: Path) -> None:
    """No vault, no central, no stick, a wrong stick: each says what to do."""
    for app, words in (
        (sync_commands.app, ("status",)),
        (sync_commands.app, ("export", str(place / "stick"))),
        (central_commands.app, ("status",)),
        (central_commands.app, ("verify",)),
    ):
        found = data(call(place, "nowhere", app, *words, "--json", code=1))
        assert found["message"]
        assert found["advice"]
    found = data(call(place, "office", sync_commands.app, "import", str(place / "stick"), "--json", code=1))
    assert found["error"] == "refused.nothing_here"


def test_the_only_stick_is_taken_and_two_must_be_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a name: the one plugged in; with none or two the question is asked."""
    stick = Drive(place / "stick", "stick", 10 << 20, 20 << 20, writable=True)
    monkeypatch.setattr(sync_commands, "removable_drives", lambda: [stick])
    assert data(call(place, "laptop", sync_commands.app, "export", "--json"))["written"] == 3
    assert "10 MB free of 20 MB" in call(place, "laptop", sync_commands.app, "status")
    for drives in ([], [stick, stick]):
        monkeypatch.setattr(sync_commands, "removable_drives", lambda drives=drives: drives)
        found = data(call(place, "laptop", sync_commands.app, "export", "--json", code=1))
        assert found["error"] == "input.which_stick"


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (sync_commands.app, ("export",)),
        (sync_commands.app, ("import",)),
        (sync_commands.app, ("status",)),
        (central_commands.app, ("status",)),
        (central_commands.app, ("verify",)),
    ],
)
def test_help_teaches(app: Any, words: tuple[str, ...]) -> None:
    """Every command's help has an example and `--json`."""
    text = run.invoke(app, [*words, "--help"], env={"COLUMNS": "120"}).output
    assert "Example: fieldsurvey" in text
    assert "--json" in text
