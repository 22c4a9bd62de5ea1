"""The ceremonies of a project as whole command lines: what is asked, what is said, what is left on disk. Synthetic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from click import Command
from click.testing import CliRunner as ClickRunner

from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli import project
from fieldsurvey.cli.project import ceremonies
from fieldsurvey.cli.translated import translated
from fieldsurvey.project import keys, recovery, steward
from fieldsurvey.project.signed import read_project
from tests.cli.test_project import Shell
from tests.project.conftest import HMU_PASS, card
from tests.project.test_steward import contents
from tests.project.worlds import IN_R1, WORDS, interview, opens

PLAN = '{"rounds": [{"id": "r1", "title": "Uno", "start": "2026-02-01", "end": "2026-02-28"}]}'


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """With a project, its plan, a laptop and two enumerators."""
    made = Shell(tmp_path, monkeypatch)
    made.say = lambda role, words: say(tmp_path, monkeypatch, role, words)  # type: ignore[attr-defined]
    made("new", "Prueba sintética", "--person", "E01=Uno", "--person", "E02=Dos")
    (tmp_path / "plan.json").write_text(PLAN)
    made("plan", str(tmp_path / "plan.json"))
    (tmp_path / "laptop.card").write_bytes(card(made.json("show")["id"]).to_bytes())
    made("enrol", str(tmp_path / "laptop.card"), "--name", "Otavalo 1")
    return made


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    """English again, whatever a test speaks."""
    set_language("en")
    yield
    set_language("en")


def say(folder: Path, monkeypatch: pytest.MonkeyPatch, role: str, words: str) -> None:
    """From now on the passphrase of that role is this."""
    (folder / f"{role}.txt").write_text(words + "\n")
    monkeypatch.setenv(f"FIELDSURVEY_PASSPHRASE_FILE_{role}", str(folder / f"{role}.txt"))


def home(shell: Shell) -> Path:
    return shell.folder / "home" / "steward"


def two(shell: Shell, name: str) -> list[str]:
    """--sheet and a file, twice."""
    files = sorted((home(shell) / "sheets").glob(f"{name}-[123].txt"))
    return ["--sheet", str(files[0]), "--sheet", str(files[2])]


def deeds(shell: Shell) -> list[str]:
    return [line["deed"] for line in shell.json("show")["ledger"]]


def test_sheets_are_rehearsed_and_recovered(shell: Shell) -> None:
    """rehearse says which key; recover root, escrow and hmu write it; each is in the ledger that `show` tells."""
    before = contents(home(shell))
    assert "an escrow key" in shell("rehearse", *two(shell, "escrow")).stdout
    assert shell.json("rehearse", *two(shell, "root"))["key"] == "root"
    assert contents(home(shell)) == before
    shell.say("NEW_ROOT", WORDS[0])  # type: ignore[attr-defined]
    shell("recover", "root", *two(shell, "root"))
    shell("renew", "--days", "30", code=1)  # signed with the passphrase before
    shell.say("ROOT", WORDS[0])  # type: ignore[attr-defined]
    assert shell.json("renew", "--days", "40")["days_left"] in {39, 40}
    shell.say("ESCROW", WORDS[1])  # type: ignore[attr-defined]
    assert shell.json("recover", "escrow", *two(shell, "escrow"))["path"] == str(home(shell) / keys.ESCROW)
    shell.say("NEW_HMU", WORDS[2])  # type: ignore[attr-defined]
    (home(shell) / keys.HMU).unlink()
    shell("recover", "hmu", *two(shell, "escrow"))
    assert keys.open_hmu(home(shell), [WORDS[2]])
    assert deeds(shell) == ["recovered"] * 3
    assert shell("show").stdout.count("recovered from sheets") == 3


def test_sheets_are_typed_from_paper(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal the words are typed, over several lines; a mistyped sheet is said at once and asked for again."""
    pages = [
        [line.split()[1] for line in path.read_text().splitlines() if line[:3].strip().isdigit()]
        for path in sorted((home(shell) / "sheets").glob("root-[12].txt"))
    ]
    wrong = [*pages[0][:4], "ibarra", *pages[0][5:]]
    lines = [" ".join(wrong), "", " ".join(pages[0][:20]), " ".join(pages[0][20:]).upper(), "", " ".join(pages[1]), ""]
    said: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: lines.pop(0))
    monkeypatch.setattr("typer.echo", lambda text, **_: said.append(text))
    typed = ceremonies._sheets(None)
    assert recovery.rehearse(home(shell), typed).what == "root"
    assert lines == []
    assert "Sheet 1: word 5" in "".join(said)


def test_sheets_that_do_not_fit_are_sentences(shell: Shell) -> None:
    """One sheet, another key's sheets, an unknown key, nobody to type: exit 1, what to do, nothing changed."""
    before = contents(home(shell))
    one = two(shell, "root")[:2]
    for words, said in (
        (["rehearse", *one], "2 different sheets"),
        (["rehearse", *one, *two(shell, "escrow")[:2]], "do not belong together"),
        (["recover", "root", *two(shell, "escrow")], "they give an escrow key"),
        (["recover", "hmu", *two(shell, "root")], "they give the root key"),
        (["recover", "bread", *one], "root, escrow, hmu"),
        (["rehearse"], "no terminal"),
        (["rehearse", "--sheet", "nowhere.txt", "--sheet", "nowhere.txt"], "nowhere.txt"),
    ):
        refused = shell(*words, code=1)
        assert said in refused.stderr
    assert contents(home(shell)) == before
    assert json.loads(shell("rehearse", *one, "--json", code=1).stdout)["error"] == "input.shares_few"


def test_a_round_gets_keys_and_loses_them(shell: Shell) -> None:
    """rotate --round, then destroy-keys: refused before its day and without a yes; then wiped, with the dataset."""
    done = shell.json("rotate", "--round", "r1")
    assert len(done["sheets"]) == 3
    blob = interview(steward.read_steward(home(shell)), IN_R1)
    assert opens(blob, keys.open_hmu(home(shell), [HMU_PASS]))
    assert "keys of its own" in shell("show").stdout
    assert "a day that the policy does not say yet" in shell("destroy-keys", "r1", "--yes", code=1).stderr
    assert "not confirmed" in shell("destroy-keys", "r1", "--force", code=1).stderr
    shell("policy", "retention.hmu_until=2026-03-31", "review_window_hours=4", "consent_forms=survey,followup")
    dataset = shell.folder / "home" / "needs" / "r1.fso"
    dataset.parent.mkdir()
    dataset.write_bytes(b"synthetic")
    said = shell("destroy-keys", "r1", "--yes").stdout  # the machine's clock is past that day
    assert said.count("shred") == 1
    assert not dataset.exists()
    assert not opens(blob, keys.open_hmu(home(shell), [HMU_PASS]))
    shown = shell("show").stdout
    for words in ("its keys were destroyed", "the keys of round r1 destroyed", "until 2026-03-31", "survey, followup"):
        assert words in shown


def test_keys_rotate_and_laptops_are_told(shell: Shell) -> None:
    """Each flag makes its keys; none, or one with --round, is refused with the flags that there are."""
    done = shell.json("rotate", "--operational", "--escrow", "--central", "--supervisor", "--hmu")
    assert [r["retired"] is None for r in done["recipients"]] == [False, False, True, True]
    assert [r["retired"] is None for r in done["roles"]] == [False] * 3 + [True] * 3
    assert "central.key" in shell("rotate", "--central").stdout
    shown = shell("show").stdout
    assert "only earlier records" in shown
    assert "no longer taken" in shown
    for words in ([], ["--round", "r1", "--escrow"]):
        assert "--supervisor" in shell("rotate", *words, code=1).stderr
    assert "no round r9" in shell("rotate", "--round", "r9", code=1).stderr


def test_a_root_hands_over(shell: Shell) -> None:
    """succeed: new words, new sheets, the old passphrase signs no more; who pinned the old root takes the file."""
    before = steward.read_steward(home(shell))
    shell.say("NEW_ROOT", WORDS[0])  # type: ignore[attr-defined]
    assert "not confirmed" in shell("succeed", code=1).stderr
    done = shell.json("succeed", "--yes")
    assert done["successions"] == [before.root_fingerprint]
    assert done["words"] != before.words
    assert read_project(home(shell) / "project.fsp", pinned=before.root_fingerprint).words == done["words"]
    assert "does not open" in shell("renew", code=1).stderr
    assert "follows 1 earlier" in shell("show").stdout


def test_root_sheets_are_printed_anew(shell: Shell) -> None:
    """sheets: a new set of the same root; two of it recover it, one of each set does not."""
    old = sorted((home(shell) / "sheets").glob("root-[123].txt"))
    made = shell.json("sheets")["sheets"]
    assert shell.json("rehearse", "--sheet", made[0], "--sheet", made[2])["key"] == "root"
    assert "do not belong together" in shell("rehearse", "--sheet", made[0], "--sheet", str(old[1]), code=1).stderr
    assert "shred the former" in shell("sheets").stdout


def test_two_people_and_a_handing_over(shell: Shell) -> None:
    """members shares the key; show and handover say who holds what; one leaves, one comes; the checklist says what was
    done and what is left; who left does not open it.
    """
    for code, words in (("H01", WORDS[0]), ("H02", WORDS[1]), ("H03", WORDS[2])):
        shell.say(f"HMU_{code}", words)  # type: ignore[attr-defined]
    done = shell.json("members", "--person", "H01=Ana", "--person", "H02=Luz")
    assert (done["policy"]["people_to_open"], done["policy"]["hmu_people"]) == (2, 2)
    assert {h["code"] for h in shell.json("handover")["holders"]} == {"E01", "E02", "H01", "H02", "–"}
    assert "H01  Ana  a passphrase that opens records" in shell("handover").stdout
    shell.say("HMU", WORDS[0])  # type: ignore[attr-defined]
    shell.say("HMU2", WORDS[1])  # type: ignore[attr-defined]
    assert "Nobody would be left" in shell("handover", "H01", "--yes", code=1).stderr
    assert "not confirmed" in shell("handover", "H01", "--to", "H03=Paz", code=1).stderr
    said = shell("handover", "H01", "--to", "H03=Paz", "--yes").stdout
    assert said.count("[x]") == 5
    assert "Publish the project" in said[said.index("Left for you to do") :]
    assert set(keys.open_hmu(home(shell), [WORDS[1], WORDS[2]]).people) == {"H02", "H03"}
    refused = shell("rotate", "--hmu", code=1)  # by those who opened before
    assert "passphrases of 2" in refused.stderr
    assert "H01  Ana  (HMU)  left" in shell("show").stdout
    assert shell.json("handover", "E01", "--yes")["left"]
    assert "nobody with the code E01" in shell("handover", "E01", "--yes", code=1).stderr
    assert deeds(shell)[-1] == "left"


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_revoked_laptop_has_its_sheet(shell: Shell, language: str) -> None:
    """revoke writes a page with the deadlines of the law, what is at risk, and no person's name; it is printable HTML
    without anything fetched from elsewhere.
    """
    out = shell.folder / "sheet.html"
    done = shell.json(
        *("revoke", "Otavalo 1", "--from", "41", "--reason", "stolen", "--state", "unlocked"),
        *("--known", "2026-03-13", "--sheet", str(out), "--language", language),
    )
    device = done["devices"][0]
    assert (device["status"], device["revoked_from"], device["revoked_reason"]) == ("revoked", 41, "stolen")
    page = out.read_text(encoding="utf-8")
    for day in ("2026-03-17", "2026-03-20", "2026-03-18"):  # 2, 5 and 3 working days after a Friday
        assert day in page
    for words in ("Otavalo 1", "ARCOTEL", "43", "46", f'lang="{language}"', "<title>"):
        assert words in page
    assert ("What is at risk" in page) == (language == "en")
    assert ("En riesgo" in page) == (language == "es")
    assert not any(word in page for word in ("http:", "https:", "<script", "Uno", "Dos"))
    assert "revoked from entry 41 (stolen)" in shell("show").stdout


def test_revoking_refuses_what_cannot_be(shell: Shell) -> None:
    """Unknown laptop, reason, state, language, day: a sentence each, and nothing written."""
    before = contents(home(shell))
    good = {"name": "Otavalo 1", "--from": "41", "--reason": "lost"}
    for changes in (
        {"name": "Ibarra"},
        {"--reason": "sold"},
        {"--state": "open"},
        {"--language": "qu"},
        {"--known": "today"},
    ):
        name, *options = {**good, **changes}.items()
        words = [name[1], *(word for option in options for word in option)]
        shell("revoke", *words, code=1)
    assert contents(home(shell)) == before


def test_rules_change_by_name(shell: Shell) -> None:
    """policy sets what is named; an unknown name, a value out of bounds, the number of people: refused."""
    done = shell.json("policy", "purge_after_receipts=false", "languages=es,en", "retention.draft_days=14", "k_cell=6")
    policy = done["policy"]
    assert (policy["purge_after_receipts"], policy["languages"], policy["k_cell"]) == (False, ["es", "en"], 6)
    assert policy["retention"]["draft_days"] == 14
    for words in ("k_cell=1", "bread=1", "people_to_open=2", "retention.bread=1", "k_cell", "review_window_hours=x"):
        shell("policy", words, code=1)
    assert shell.json("policy", "retention.hmu_until=2030-01-01", "retention.draft_days=20")["version"] == 6


def test_expiry_warns(shell: Shell) -> None:
    """A month before, show says how many days are left; long before it does not."""
    assert "expires in" not in shell("show").stdout
    shell("renew", "--days", "20")
    assert "It expires in 19 days" in shell("show").stdout or "It expires in 20 days" in shell("show").stdout


def test_every_command_teaches(shell: Shell) -> None:
    """--help of each ceremony has an example or says what is asked, in both languages."""
    for language in ("en", "es"):
        set_language(language)
        app = cast("Command", translated(project.app))
        for name in (
            "recover",
            "rehearse",
            "sheets",
            "rotate",
            "destroy-keys",
            "succeed",
            "members",
            "handover",
            "revoke",
        ):
            done = ClickRunner().invoke(app, [name, "--help"])
            assert done.exit_code == 0
            assert ("Example" in done.output) == (language == "en"), done.output
            assert ("Ejemplo" in done.output) == (language == "es"), done.output
