"""A supervisor's work from the command line: the key's way from the steward, sticks in, a stick on, the log; and what a
wrong stick, a wrong key and a second try are told. Everybody here is synthetic."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli import project as project_commands
from fieldsurvey.cli import rights as rights_commands
from fieldsurvey.cli import sync as sync_commands
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project import rotation, steward
from fieldsurvey.project.keys import SUPERVISOR
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.withdrawal import Tombstone
from fieldsurvey.tui.standing import when
from tests.sync.projects import SyntheticProject, join, seal_some, withdrawable

run = CliRunner()
WORDS = "synthetic words of the root, for a test"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The steward's office, and a laptop of another project, made once."""
    place = tmp_path_factory.mktemp("made")
    steward.new_project(
        place / "office" / "steward", "synthetic project", root_pass=WORDS, hmu_pass=WORDS[::-1], argon2=FLOOR
    )
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it, and empty sticks."""
    shutil.copytree(made, tmp_path / "place")
    for name in ("key stick", "stick", "road"):
        (tmp_path / "place" / name).mkdir()
    set_language("en")
    yield tmp_path / "place"
    set_language(None)


def call(place: Path, home: str, app: Any, *words: str, code: int = 0) -> str:
    """Run a command in one of the homes; what it printed."""
    done = run.invoke(app, list(words), env={"FIELDSURVEY_HOME": str(place / home)}, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return str(done.output)


def sync(place: Path, home: str, *words: str, code: int = 0) -> Any:
    """A `sync` command with `--json`."""
    env = {"FIELDSURVEY_HOME": str(place / home)}
    done = run.invoke(sync_commands.app, [*words, "--json"], env=env, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def supervisor(place: Path) -> None:
    """The steward's stick makes a laptop the supervisor's."""
    call(place, "office", project_commands.app, "supervisor", str(place / "key stick"))
    sync(place, "supervisor", "import", str(place / "key stick"), "--relay", "--yes")


def exported(place: Path) -> None:
    """A synthetic laptop of this very project puts three records on the stick."""
    signed = steward.read_steward(place / "office" / "steward")
    project = SyntheticProject(signed.model.id)
    laptop = join(project, place / "laptop")
    seal_some(laptop, 3)
    (place / "laptop" / "project.fsp").write_bytes(signed.data)
    pin = (signed.root_fingerprint, signed.model.version)
    laptop.locked.store.connection.execute("UPDATE device SET root = ?, project_version = ?", pin)
    laptop.close()
    sync(place, "laptop", "export", str(place / "stick"))


def test_the_keys_way(place: Path) -> None:
    """From `project supervisor` to the supervisor's laptop: the words are shown, the key leaves the stick, is private
    here, and opens nothing."""
    text = call(place, "office", project_commands.app, "supervisor", str(place / "key stick"))
    words = steward.read_steward(place / "office" / "steward").words
    assert words in text
    assert (place / "key stick" / "fieldsurvey" / SUPERVISOR).exists()
    text = call(place, "supervisor", sync_commands.app, "import", str(place / "key stick"), "--relay", "--yes")
    assert "This is a supervisor's laptop of synthetic project now." in text
    assert "The key was taken off the stick." in text
    assert words in text
    assert not (place / "key stick" / "fieldsurvey" / SUPERVISOR).exists()
    key = place / "supervisor" / "relay" / SUPERVISOR
    assert key.stat().st_mode & 0o077 == 0
    assert sync(place, "supervisor", "status") == {"relay": {"batches": [], "damaged": [], "erased": 0}}


def test_what_waits_is_said_with_its_day(place: Path) -> None:
    """Somebody withdraws at the relay whose record lies beside others': `rights` and `status` say until when it waits,
    nothing is called erased; handed on, it is erased here, and that is said too."""
    supervisor(place)
    exported(place)
    laptop = Laptop.open(place / "laptop", SystemClock())
    code = withdrawable(laptop)
    laptop.close()
    sync(place, "laptop", "export", str(place / "key stick"))
    sync(place, "supervisor", "import", str(place / "key stick"), "--relay")
    day = (SystemClock().now().date() + timedelta(days=5)).isoformat()
    text = call(place, "supervisor", rights_commands.app, code.text, "erase")
    assert f"wait until {when(day)} to be handed on" in text
    assert "Batches erased on this relay: 0." in text
    assert f"wait until {when(day)}" in call(place, "supervisor", sync_commands.app, "status")
    batches = sync(place, "supervisor", "status")["relay"]["batches"]
    assert day in [batch["waits_until"] for batch in batches]
    assert "1 batch with a withdrawn interview was erased here." in call(
        place, "supervisor", sync_commands.app, "export", str(place / "road"), "--relay"
    )
    assert "wait until" not in call(place, "supervisor", sync_commands.app, "status")


def due_today(place: Path) -> str:
    """A relay holds a batch with others and somebody whose withdrawal has its last day today; their code."""
    supervisor(place)
    exported(place)
    laptop = Laptop.open(place / "laptop", SystemClock())
    code = withdrawable(laptop)
    project = laptop.project.model.id
    laptop.close()
    sync(place, "laptop", "export", str(place / "key stick"))
    sync(place, "supervisor", "import", str(place / "key stick"), "--relay")
    asked = SystemClock().now().date() - timedelta(days=5)
    stone = Tombstone(project=project, code=code.raw, requested=asked.isoformat())
    Withdrawals(place / "supervisor").enter(stone)
    return code.text


def erasures(place: Path) -> int:
    """Batches, as the supervisor's log counts them."""
    lines = sync(place, "supervisor", "log")["lines"]
    return sum(line["counts"]["batches"] for line in lines if line["what"] == "erasure")


@pytest.mark.parametrize("way", ["nowhere", "unplugged", "push", "status", "rights"])
def test_the_last_day_is_kept_and_said_whatever_is_tried(
    place: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """No such folder, no stick, no server, only a look, another withdrawal's words: the batch goes, the answer says so,
    the log has one line of it."""
    code = due_today(place)
    said = "1 batch with a withdrawn interview was erased here."
    monkeypatch.setattr("fieldsurvey.cli.sync.removable_drives", list)
    ways = {
        "nowhere": (("export", str(place / "nowhere"), "--relay"), "input.no_folder"),
        "unplugged": (("export", "--relay"), "input.which_stick"),
        "push": (("push", "--relay"), "refused.no_server"),
    }
    if way == "status":
        assert said in call(place, "supervisor", sync_commands.app, "status")
    elif way == "rights":
        assert "Batches erased on this relay: 1." in call(place, "supervisor", rights_commands.app, code, "erase")
    else:
        words, error = ways[way]
        found = sync(place, "supervisor", *words, code=1)
        assert (found["error"], found["advice"].endswith(said)) == (error, True)
    assert sync(place, "supervisor", "status")["relay"]["erased"] == 0
    assert erasures(place) == 1


def test_the_whole_way(place: Path) -> None:
    """A laptop's stick is taken, handed on, merged; central's receipt comes back and the relay forgets; the laptop says
    received, then acknowledged; every step is in the log, and the log is a table."""
    supervisor(place)
    exported(place)
    taken = sync(place, "supervisor", "import", str(place / "stick"), "--relay")
    assert (taken["role"], taken["taken"], taken["refused"]) == ("relay", 1, 0)
    assert [receipt["up_to"] for receipt in taken["receipts"]] == [3]
    assert "entries 1 to 3" in call(place, "supervisor", sync_commands.app, "status")
    sync(place, "laptop", "import", str(place / "stick"))
    found = sync(place, "laptop", "status", "--records")
    assert (found["received"], found["acknowledged"]) == (3, 0)
    assert [record["state"] for record in found["records"]] == ["received"] * 3
    assert found["copies"][0]["up_to"] == 3
    assert "not acknowledged by central, since" in call(place, "laptop", sync_commands.app, "status")
    handed = sync(place, "supervisor", "export", str(place / "road"), "--relay")
    assert (handed["written"], handed["present"]) == (1, 0)
    merged = sync(place, "office", "import", str(place / "road"))
    assert (merged["new"], merged["backed_up"]) == (3, False)
    text = call(place, "office", sync_commands.app, "import", str(place / "road"))
    assert "NOBODY HAS BACKED CENTRAL UP." in text
    back = call(place, "supervisor", sync_commands.app, "import", str(place / "road"), "--relay")
    assert "1 batch that central has now was removed from here." in back
    sync(place, "supervisor", "import", str(place / "stick"), "--relay")
    sync(place, "laptop", "import", str(place / "stick"))
    assert sync(place, "laptop", "status")["acknowledged"] == 3
    text = call(place, "supervisor", sync_commands.app, "log")
    assert [word in text for word in ("import", "export", "receipt")] == [True] * 3
    assert len(sync(place, "supervisor", "log", "--last", "2")["lines"]) == 2
    assert sync(place, "supervisor", "log", "--csv", str(place / "log.csv"))["lines"] >= 4
    with (place / "log.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["role"] for row in rows} == {"relay"}
    assert str(place / "road") in {row["place"] for row in rows}


def test_a_refused_file_is_named_and_exits_1(place: Path) -> None:
    """Damaged on the way: named with its reason, nothing of it is taken, the log has it."""
    supervisor(place)
    exported(place)
    (victim,) = (place / "stick" / "fieldsurvey" / "batches").iterdir()
    victim.write_bytes(victim.read_bytes()[:-1])
    text = call(place, "supervisor", sync_commands.app, "import", str(place / "stick"), "--relay", code=1)
    assert f"{victim.name}: REFUSED." in text
    assert "Nothing of it was taken." in text
    assert "REFUSED" in call(place, "supervisor", sync_commands.app, "log")


def test_who_is_no_supervisor_is_told_how_to_become_one(place: Path) -> None:
    """Without a key, with a stick that is not ours, with somebody else's key: what is safe and what to do next."""
    exported(place)
    for words in (("import", str(place / "stick")), ("export", str(place / "road"))):
        found = sync(place, "nobody", *words, "--relay", code=1)
        assert found["error"] == "refused.no_relay"
        assert "project supervisor" in found["advice"]
    assert sync(place, "nobody", "import", str(place / "road"), "--relay", code=1)["error"] == "refused.nothing_here"
    other = place / "other.key"
    other.write_bytes((place / "office" / "steward" / "central.key").read_bytes())
    call(place, "office", project_commands.app, "supervisor", str(place / "key stick"))
    found = sync(place, "nobody", "import", str(place / "key stick"), "--relay", "--key", str(other), code=1)
    assert found["error"] == "refused.supervisor_key"
    assert not (place / "nobody" / "relay").exists()


def test_a_key_that_was_replaced(place: Path) -> None:
    """`project rotate --supervisor`: the old key vouches for nothing once the newer project is here; the steward's
    stick brings the new one and all that is carried is still here."""
    supervisor(place)
    exported(place)
    sync(place, "supervisor", "import", str(place / "stick"), "--relay")
    rotation.rotate(place / "office" / "steward", ["supervisor"], root_pass=WORDS)
    call(place, "office", project_commands.app, "publish", str(place / "stick"))
    for words in (("import", str(place / "stick")), ("export", str(place / "road"))):
        assert sync(place, "supervisor", *words, "--relay", code=1)["error"] == "refused.supervisor_key"
    assert sync(place, "supervisor", "status")["relay"]["problem"]["error"] == "refused.supervisor_key"
    supervisor(place)
    assert sync(place, "supervisor", "export", str(place / "road"), "--relay")["written"] == 1


@pytest.mark.parametrize(
    ("app", "words"),
    [(sync_commands.app, ("log",)), (project_commands.app, ("supervisor",)), (sync_commands.app, ("import",))],
)
def test_help_teaches(app: Any, words: tuple[str, ...]) -> None:
    """Each has an example."""
    text = run.invoke(app, [*words, "--help"], env={"COLUMNS": "120"}).output
    assert "Example: fieldsurvey" in text
    assert "--json" in text
