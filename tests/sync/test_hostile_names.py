"""Names that strangers chose, through the real commands: they are shown, and do nothing to the terminal. All synthetic.

The control of each test finds the raw name in what the room below hands over: left as it is, it would be printed.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import fieldsurvey.cli
from fieldsurvey.base.i18n import set_language
from fieldsurvey.base.visible import visible_lines
from fieldsurvey.cli import central as central_commands
from fieldsurvey.cli import sync as sync_commands
from fieldsurvey.cli.common import result, say, tell
from fieldsurvey.project.keys import role_key_bytes
from fieldsurvey.records.receipt import Role
from sync.drives import Drive
from sync.journal import Journal
from sync.stick import Stick
from tests.sync.laptops import PROJECT, laptop
from tests.sync.projects import SyntheticProject, join, seal_some

run = CliRunner()
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="such file names cannot be there")
HOSTILE = "a\x1b[2J\x1b[1;1H\n3 new records merged.\r\x9b1A\u202efsb\u2066\u200b[bold red]x[/]"
FORGED = "3 new records merged."
ACTS = "\x1b\x9b\r\u202e\u2066\u200b"


def harmless(text: str) -> None:
    """Nothing in it acts, nothing is hidden, no line of it is a stranger's, and all of it can be encoded."""
    assert not set(ACTS) & set(text)
    assert text.encode("utf-8")
    assert [line for line in text.splitlines() if line.startswith(FORGED)] == []
    assert "\\x1b[2J" in text
    assert "[bold red]x[/]" in text  # markup is letters


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A laptop and central, whose laptop's name is hostile, and a stick."""
    set_language("en")
    project = SyntheticProject(PROJECT)
    joined = join(project, tmp_path / "laptop", HOSTILE)
    seal_some(joined, 2)
    signed = project.enrol(joined.locked.device_card())
    joined.close()
    folder = tmp_path / "office" / "steward"
    folder.mkdir(parents=True)
    (folder / "central.key").write_bytes(role_key_bytes(project.id, Role.CENTRAL, project.central))
    (folder / "project.fsp").write_bytes(signed.data)
    (tmp_path / "stick").mkdir()
    yield tmp_path
    set_language(None)


def call(place: Path, home: str, app: Any, *words: str) -> str:
    """Run a command in one of the homes; what it printed, and what it would print with `--json`."""
    done = run.invoke(app, list(words), env={"FIELDSURVEY_HOME": str(place / home)}, catch_exceptions=False)
    assert done.exit_code in {0, 1}
    return str(done.output)


@POSIX
def test_a_file_of_a_stick_cannot_rewrite_what_import_says(place: Path) -> None:
    """A batch under a hostile name, and one under a name that is no text: both named, on lines that are ours."""
    stick = Stick(place / "stick")
    call(place, "laptop", sync_commands.app, "export", str(stick.place))
    (batch,) = stick.batches.iterdir()
    batch.rename(stick.batches / f"{HOSTILE.replace('/', '|')}.fsb")
    (stick.batches / f"{HOSTILE.replace('/', '|')}-broken.fsb").write_bytes(b"FSB1 synthetic")
    Path(os.fsdecode(bytes(stick.batches / "half-") + b"\xff\xc3.fsb")).write_bytes(b"FSB1 synthetic")
    data = call(place, "office", sync_commands.app, "import", str(stick.place), "--json")
    names = [file["name"] for file in json.loads(data)["files"]]
    assert any("\x1b[2J" in name for name in names)  # the control: a program gets the name as it is
    assert not set(ACTS) & set(data)
    text = call(place, "office", sync_commands.app, "import", str(stick.place)).replace("|", "/")
    harmless(text)
    assert "half-\\udcff\\udcc3.fsb" in text


def test_a_laptops_name_cannot_rewrite_what_central_says(place: Path) -> None:
    """A card's name comes from its laptop: import, status, central shown as text; on the laptop too."""
    call(place, "laptop", sync_commands.app, "export", str(place / "stick"))
    harmless(call(place, "office", sync_commands.app, "import", str(place / "stick")))
    found = json.loads(call(place, "office", central_commands.app, "status", "--json"))
    assert found["devices"][0]["name"] == HOSTILE  # the control
    harmless(call(place, "office", central_commands.app, "status"))
    harmless(call(place, "office", central_commands.app, "show", "--plain"))
    harmless(call(place, "laptop", sync_commands.app, "status"))


def test_a_laptop_that_nobody_enrolled_cannot_either(place: Path) -> None:
    """Anybody can write a card and lay a batch on a stick: it is kept aside by a name that does nothing."""
    stranger = laptop(1, project=PROJECT, name=HOSTILE)
    (place / "stick" / "fieldsurvey" / "batches").mkdir(parents=True)
    (place / "stick" / "fieldsurvey" / "batches" / "x.fsb").write_bytes(stranger.batch())
    assert stranger.card.name == HOSTILE  # the control
    harmless(call(place, "office", sync_commands.app, "import", str(place / "stick")))


def test_a_stick_cannot_rewrite_status_nor_an_error(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The volume's label is part of its path: where it is listed, where it is asked for, where it is gone."""
    path = Path("/media") / HOSTILE.replace("/", "|")
    monkeypatch.setattr(sync_commands, "removable_drives", lambda: [Drive(path, path.name, 9 << 20, 9 << 20, True)] * 2)
    for words in (["status"], ["export"], ["export", str(path)]):
        text = call(place, "laptop", sync_commands.app, *words)
        harmless(text.replace("|", "/"))


def test_what_was_noted_cannot_rewrite_the_log(place: Path) -> None:
    """The journal keeps a place as it was called; `sync log` shows it."""
    journal = Journal(place / "laptop")
    journal.note("import", "laptop", place=HOSTILE, new=1)
    (line,) = journal.lines()
    assert line.place == HOSTILE  # the control
    harmless(call(place, "laptop", sync_commands.app, "log"))
    shown = call(place, "laptop", sync_commands.app, "log", "--json")
    assert not set(ACTS) & set(shown)
    assert json.loads(shown)["lines"][0]["place"] == HOSTILE


def test_commands_print_in_one_place_only() -> None:
    """`cli.common` makes harmless whatever goes out; a command that printed by itself would go around it."""
    folder = Path(fieldsurvey.cli.__file__).parent
    loose = [
        f"{path.name}:{node.lineno} {ast.unparse(node.func)}"
        for path in sorted(folder.rglob("*.py"))
        if path.name != "common.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        if ast.unparse(node.func) in {"print", "typer.echo", "typer.secho", "typer.prompt", "typer.confirm"}
    ]
    assert loose == []


def test_what_no_command_has_made_visible_stops_at_the_way_out(capfd: pytest.CaptureFixture[str]) -> None:
    """Lines keep their ends and tabs; all else that acts is shown. The control: printed by Python, it is there."""
    print(HOSTILE)
    assert "\x1b" in capfd.readouterr().out
    for told in (say, tell, partial(result, False, {})):
        told(HOSTILE)
        shown = "".join(capfd.readouterr())
        assert not set(ACTS) & set(shown)
        assert shown == visible_lines(HOSTILE) + "\n"
