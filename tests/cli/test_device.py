"""`fieldsurvey device`: join, newer project, people, verify, card; and what is refused."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.canonical import canonical
from fieldsurvey.cli import device
from fieldsurvey.project.keys import lock_escrow
from fieldsurvey.project.model import Person
from fieldsurvey.project.policy import Argon2, Policy
from fieldsurvey.project.shares import split
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import open_locked
from tests.fieldwork.conftest import OTHER_WORDS, WORDS, SyntheticProject


@pytest.fixture
def project() -> SyntheticProject:
    """Its policy puts Argon2id at the floor."""
    made = SyntheticProject()
    made.policy = Policy(argon2=Argon2(memory_kib=19 * 1024, iterations=2, lanes=1), people_per_device=2)
    return made


class Shell:
    """Runs commands in a home and a working folder of their own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.home = folder / "home"
        monkeypatch.setenv("FIELDSURVEY_HOME", str(self.home))
        monkeypatch.chdir(folder)
        for role, words in (("DEVICE", WORDS), ("PERSON", OTHER_WORDS)):
            file = folder / f"{role}.txt"
            file.write_text(words + "\n")
            monkeypatch.setenv(f"FIELDSURVEY_PASSPHRASE_FILE_{role}", str(file))

    def file(self, data: bytes, name: str = "project.fsp") -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and everything printed."""
        result = CliRunner().invoke(device.app, list(words))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    def json(self, *words: str) -> dict[str, Any]:
        """The object that `--json` prints on standard output."""
        result = CliRunner().invoke(device.app, [*words, "--json"])
        found: dict[str, Any] = json.loads(result.stdout)
        return found | {"exit": result.exit_code}


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """In an empty folder."""
    return Shell(tmp_path, monkeypatch)


def test_join_makes_a_card_for_the_steward(shell: Shell, project: SyntheticProject) -> None:
    """The card is self-signed and of this project; the vault opens with the passphrase; the words were shown."""
    code, output = shell.run("join", shell.file(project.publish()), "--name", "Portátil 3", "--person", "E01")
    assert code == 0, output
    [card_file] = shell.folder.glob("*.fsd")
    card = DeviceCard.from_bytes(card_file.read_bytes())
    assert (card.project, card.name) == (project.id, "Portátil 3")
    with open_locked(shell.home / "vault.db").unlock(WORDS) as vault:
        assert (vault.device, vault.person) == (card.device, "E01")
    assert WORDS not in output


def test_the_card_goes_on_the_stick_and_is_found(
    shell: Shell, project: SyntheticProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a stick: on that stick, and its whole path is said. On one that cannot be written: in the laptop's folder.
    --card: there."""
    stick = shell.folder / "stick"
    (stick / "fieldsurvey").mkdir(parents=True)
    (stick / "fieldsurvey" / "project.fsp").write_bytes(project.publish())
    code, output = shell.run("join", str(stick), "--person", "E01")
    assert code == 0, output
    [card] = stick.glob("*.fsd")
    assert str(card) in output.replace("\n", "")
    assert list(shell.folder.glob("*.fsd")) == []
    monkeypatch.setenv("FIELDSURVEY_HOME", str(shell.folder / "second"))
    named = shell.json("join", str(stick), "--person", "E01", "--card", "mine.fsd")
    assert named["card"] == str(shell.folder / "mine.fsd")
    assert DeviceCard.from_bytes((shell.folder / "mine.fsd").read_bytes()).device == named["device"]
    third = shell.folder / "third"
    monkeypatch.setenv("FIELDSURVEY_HOME", str(third))
    real = os.open

    def protected(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_CREAT and str(stick) in str(path):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", protected)
        found = shell.json("join", str(stick), "--person", "E01")
    assert Path(found["card"]).parent == third
    assert shell.json("card")["card"].startswith(str(shell.folder))


def test_joining_again_takes_the_newer_project(shell: Shell, project: SyntheticProject) -> None:
    """The device stays, the pin moves on; an older file and a foreign root are refused with a reason and exit 1."""
    old = shell.file(project.publish(), "old.fsp")
    first = shell.json("join", old, "--person", "E01")
    project.add_form(b"<x/>", "another", "1")
    again = shell.json("join", shell.file(project.publish()))
    assert (again["updated"], again["version"], again["exit"]) == (True, 2, 0)
    assert open_locked(shell.home / "vault.db").device_card().device == first["device"]
    assert shell.json("join", old)["error"] == "refused.older_project"
    foreign = shell.json("join", shell.file(project.publish(RootKey.generate()), "foreign.fsp"))
    assert (foreign["error"], foreign["exit"]) == ("refused.foreign_root", 1)


def test_join_refuses_what_it_cannot_trust(shell: Shell, project: SyntheticProject) -> None:
    """A missing file, a cut file, an unlisted code: exit 1, a sentence, and no vault."""
    data = project.publish()
    assert shell.json("join", str(shell.folder / "nothing.fsp"), "--person", "E01")["exit"] == 1
    assert shell.json("join", shell.file(data[:-1]), "--person", "E01")["error"].startswith("untrusted")
    assert shell.json("join", shell.file(data), "--person", "E09")["error"] == "fieldwork.unknown_person"
    (shell.folder / "DEVICE.txt").write_text("casa mapa")
    assert shell.json("join", shell.file(data), "--person", "E01")["error"] == "passphrase.weak"
    assert not (shell.home / "vault.db").exists()


def test_people_come_and_go(shell: Shell, project: SyntheticProject) -> None:
    """Added with a passphrase of their own, listed, removed; the policy's limit holds."""
    project.people += (Person(code="E03", label="Enumerator 3"),)
    shell.run("join", shell.file(project.publish()), "--person", "E01")
    assert shell.json("people", "add", "E02") == {"slot": 2, "person": "E02", "exit": 0}
    assert [one["person"] for one in shell.json("people", "list")["people"]] == ["E01", "E02"]
    with open_locked(shell.home / "vault.db").unlock(OTHER_WORDS) as vault:
        assert vault.person == "E02"
    assert shell.json("people", "add", "E03")["error"] == "vault.full"
    assert shell.json("people", "remove", "E02")["exit"] == 0
    assert shell.json("people", "remove", "E02")["error"] == "vault.no_person"
    assert shell.json("people", "remove", "E01")["error"] == "vault.last_person"
    assert shell.json("people", "add", "E77")["error"] == "fieldwork.unknown_person"


def test_who_is_on_it_already_is_said_before_new_words(shell: Shell, project: SyntheticProject) -> None:
    """Nobody writes six words down for nothing: the passphrase, too weak here, is not even looked at."""
    shell.run("join", shell.file(project.publish()), "--person", "E01")
    (shell.folder / "PERSON.txt").write_text("casa mapa")
    assert shell.json("people", "add", "E02")["error"] == "passphrase.weak"
    assert shell.json("people", "add", "E01")["error"] == "vault.person_exists"


def test_verify_says_whole_or_names_the_fault(shell: Shell, project: SyntheticProject) -> None:
    """A whole vault: exit 0 with counts. A slot overwritten: exit 1, named, without and with the passphrase."""
    shell.run("join", shell.file(project.publish()), "--person", "E01")
    shell.run("people", "add", "E02")
    found = shell.json("verify")
    assert (found["whole"], found["people"], found["exit"]) == (True, 2, 0)
    assert shell.run("verify", "--locked")[0] == 0
    open_locked(shell.home / "vault.db").store.connection.execute("UPDATE slot SET slot = zeroblob(9) WHERE number = 2")
    for words in (("verify",), ("verify", "--locked")):
        code, output = shell.run(*words)
        assert code == 1
        assert "slot 2" in output


def test_the_card_can_be_written_again(shell: Shell, project: SyntheticProject) -> None:
    """`device card OUT` writes the same card, without a passphrase."""
    shell.run("join", shell.file(project.publish()), "--person", "E01")
    [first] = shell.folder.glob("*.fsd")
    out = shell.folder / "again.fsd"
    assert shell.json("card", str(out))["exit"] == 0
    assert out.read_bytes() == first.read_bytes()
    assert out.read_bytes().startswith(canonical({})[:1])


@pytest.mark.parametrize(
    "words",
    [("verify",), ("card",), ("people", "list"), ("people", "add", "E02"), ("people", "passwd"), ("backup", "x"),
     ("new-vault",), ("recover", "E01"), ("retire",)],
)  # fmt: skip
def test_before_joining_everything_says_how_to_join(shell: Shell, words: tuple[str, ...]) -> None:
    """No vault: exit 1 and the command to use."""
    found = shell.json(*words)
    assert (found["error"], found["exit"]) == ("vault.none", 1)
    assert "device join" in found["advice"]


def test_a_wrong_passphrase_is_one_sentence(shell: Shell, project: SyntheticProject) -> None:
    """Exit 1 and the sentence that says nothing about why."""
    shell.run("join", shell.file(project.publish()), "--person", "E01")
    (shell.folder / "DEVICE.txt").write_text("not the words")
    assert shell.json("people", "list")["error"] == "unlock"


@pytest.mark.parametrize(
    "words",
    [(), ("join",), ("people",), ("people", "add"), ("people", "passwd"), ("verify",), ("card",), ("backup",),
     ("restore",), ("new-vault",), ("recover",), ("retire",)],
)  # fmt: skip
def test_help_teaches(shell: Shell, words: tuple[str, ...]) -> None:
    """Each command has a help text of its own."""
    code, output = shell.run(*words, "--help")
    assert code == 0
    assert "Usage" in output


def _passphrase(shell: Shell, role: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shell.folder / f"{role}.txt"
    file.write_text(words + "\n")
    monkeypatch.setenv(f"FIELDSURVEY_PASSPHRASE_FILE_{role}", str(file))


def test_a_passphrase_is_changed(shell: Shell, project: SyntheticProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new words open, the old ones do not; weak ones are refused and change nothing."""
    shell.run("join", shell.file(project.publish()), "--person", "E01")
    _passphrase(shell, "NEW", "casa mapa", monkeypatch)
    assert shell.json("people", "passwd")["error"] == "passphrase.weak"
    _passphrase(shell, "NEW", OTHER_WORDS, monkeypatch)
    assert shell.json("people", "passwd") == {"person": "E01", "exit": 0}
    assert shell.json("people", "list")["error"] == "unlock"
    _passphrase(shell, "DEVICE", OTHER_WORDS, monkeypatch)
    assert shell.json("people", "list")["exit"] == 0


def test_backup_and_restore(shell: Shell, project: SyntheticProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup without a passphrase; restored elsewhere it is a new device whose card names the old log's end."""
    joined = shell.json("join", shell.file(project.publish()), "--person", "E01")
    made = shell.json("backup", str(shell.folder / "backups"))
    assert (made["device"], made["seq"], made["exit"]) == (joined["device"], 0, 0)
    assert shell.json("restore", str(shell.folder / "backups"))["error"] == "vault.exists"
    (shell.folder / "DEVICE.txt").write_text("not the words")
    again = shell.folder / "again"
    assert shell.json("restore", str(shell.folder / "backups"), "--into", str(again))["error"] == "unlock"
    (shell.folder / "DEVICE.txt").write_text(WORDS)
    restored = shell.json("restore", made["file"], "--into", str(again), "--card", str(shell.folder / "new.fsd"))
    assert restored["parent"]["device"] == joined["device"]
    card = DeviceCard.from_bytes((shell.folder / "new.fsd").read_bytes())
    assert (card.device, card.parent is not None) == (restored["device"], True)
    monkeypatch.setenv("FIELDSURVEY_HOME", str(again))
    found = shell.json("verify")
    assert (found["whole"], found["former_logs"]) == (True, 1)


def test_a_restore_says_of_which_day_and_where_its_card_is(shell: Shell, project: SyntheticProject) -> None:
    """The backup's day as people write it; the whole path of the card, which lies in the working folder."""
    shell.json("join", shell.file(project.publish()), "--person", "E01")
    shell.json("backup", str(shell.folder / "backups"))
    former = set(shell.folder.glob("*.fsd"))
    said = shell.run("restore", str(shell.folder / "backups"), "--into", str(shell.folder / "again"))[1]
    assert re.search(r"made \d\d/\d\d/20\d\d, 0 records", said)
    [card] = set(shell.folder.glob("*.fsd")) - former
    assert str(card) in said.replace("\n", "")


def test_what_is_no_backup_is_named(shell: Shell) -> None:
    """An empty folder, a text, nothing: exit 1 with a sentence, and no vault made."""
    empty = shell.folder / "empty"
    empty.mkdir()
    text = shell.file(b"a text", "text.fsv")
    assert shell.json("restore", str(empty))["error"] == "vault.no_backup"
    assert shell.json("restore", text)["error"] == "vault.backup_damaged"
    assert shell.json("restore", str(shell.folder / "nothing.fsv"))["exit"] == 1
    assert not (shell.home / "vault.db").exists()


def test_a_damaged_vault_is_backed_up_and_said(shell: Shell, project: SyntheticProject) -> None:
    """Exit 1 with the count and the place; the whole backup made before is as it was."""
    shell.run("join", shell.file(project.publish()), "--person", "E01")
    whole = Path(shell.json("backup", str(shell.folder / "backups"))["file"])
    before = whole.read_bytes()
    open_locked(shell.home / "vault.db").store.connection.execute("UPDATE slot SET slot = zeroblob(9)")
    found = shell.json("backup", str(shell.folder / "backups"))
    assert (found["error"], found["exit"]) == ("refused.damaged_backup", 1)
    assert whole.read_bytes() == before
    assert len(list(whole.parent.iterdir())) == 2


def test_a_new_vault_and_words_found_again(
    shell: Shell, project: SyntheticProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New words open at once; a second device with its card; the old words, found, are taken once."""
    old = shell.json("join", shell.file(project.publish()), "--person", "E01")["device"]
    _passphrase(shell, "OLD", WORDS, monkeypatch)
    (shell.folder / "DEVICE.txt").write_text("casa mapa")
    assert shell.json("new-vault", "--person", "E01")["error"] == "passphrase.weak"
    (shell.folder / "DEVICE.txt").write_text(OTHER_WORDS)
    assert shell.json("new-vault", "--person", "E99")["error"] == "fieldwork.unknown_person"
    made = shell.json("new-vault", "--person", "E01")
    assert (made["exit"], made["drafts_left"]) == (0, 0)
    assert made["device"] != old
    assert Path(made["card"]).exists()
    assert shell.json("verify")["former_logs"] == 1
    assert shell.json("new-vault", "--found-words") == {"drafts": 0, "exit": 0}
    assert shell.json("new-vault", "--found-words")["error"] == "unlock"


def test_recovery_takes_the_escrow_key_or_two_sheets(
    shell: Shell, project: SyntheticProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the policy asks for it: two sheets, or the key's file, give the person new words; one sheet is refused."""
    project.policy = project.policy.model_copy(update={"recovery_slot": True})
    shell.run("join", shell.file(project.publish()), "--person", "E01")
    sheets = [shell.file(words.encode(), f"sheet-{n}.txt") for n, words in enumerate(split(project.escrow.seed))]
    _passphrase(shell, "NEW", OTHER_WORDS, monkeypatch)
    assert shell.json("recover", "E01", "--sheet", sheets[0])["error"] == "input.escrow_key"
    assert shell.json("recover", "E01")["error"] == "input.escrow_key"
    assert shell.json("recover", "E02", "--sheet", sheets[0], "--sheet", sheets[2])["error"] == "vault.no_recovery"
    assert shell.json("recover", "E01", "--sheet", sheets[0], "--sheet", sheets[2]) == {"person": "E01", "exit": 0}
    assert shell.json("people", "list")["error"] == "unlock"
    key = shell.file(lock_escrow(project.id, project.escrow, OTHER_WORDS, FLOOR), "escrow.key")
    _passphrase(shell, "ESCROW", OTHER_WORDS, monkeypatch)
    _passphrase(shell, "NEW", WORDS, monkeypatch)
    assert shell.json("recover", "E01", "--escrow-key", key)["exit"] == 0
    assert shell.json("people", "list")["exit"] == 0


def test_retire_needs_the_name_and_wipes(shell: Shell, project: SyntheticProject) -> None:
    """Without the typed name: refused, nothing changed. With it: nothing of ours is left in the folder."""
    shell.run("join", shell.file(project.publish()), "--name", "Portátil 3", "--person", "E01")
    assert shell.json("retire")["error"] == "fieldwork.retire_not_confirmed"
    assert shell.json("retire", "--confirm", "Portátil")["error"] == "fieldwork.retire_not_confirmed"
    assert (shell.home / "vault.db").exists()
    with open_locked(shell.home / "vault.db").unlock(WORDS) as vault:
        vault.drafts.create(b"f" * 32, b"", b"")
    assert shell.json("retire", "--confirm", "Portátil 3")["error"] == "fieldwork.not_acknowledged"
    done = shell.json("retire", "--force", "--confirm", "Portátil 3")
    assert (done["exit"], done["drafts"]) == (0, 1)
    assert list(shell.home.iterdir()) == []
    assert shell.json("verify")["error"] == "vault.none"
