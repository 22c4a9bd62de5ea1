"""A supervisor's day, with the commands that people type: three laptops (one with two people, one locked), a stick that
goes round, a wrong stick and none, a relay, central, a withdrawal at the relay, work that the HMU sends back, and the
round's tables at the end. Everybody here is simulated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli import central as central_commands
from fieldsurvey.cli import needs as needs_commands
from fieldsurvey.cli import project as project_commands
from fieldsurvey.cli import rights as rights_commands
from fieldsurvey.cli import sync as sync_commands
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.laptop import VAULT
from fieldsurvey.project import steward
from fieldsurvey.project.draft import Draft
from fieldsurvey.project.formfile import form_of
from fieldsurvey.project.policy import Plan, Round
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import open_locked
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.simulate import simulate_interview
from forms import catalogue

run = CliRunner()
WORDS = "synthetic words for one day only"
APPS = {"sync": sync_commands.app, "central": central_commands.app, "needs": needs_commands.app,
        "rights": rights_commands.app, "project": project_commands.app}  # fmt: skip
Command = Callable[..., Any]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """A command with `--json` in one of the homes: the object that it printed."""
    (tmp_path / "words").write_text(WORDS, encoding="utf-8")
    for role in ("ROOT", "HMU"):
        monkeypatch.setenv(f"FIELDSURVEY_PASSPHRASE_FILE_{role}", str(tmp_path / "words"))
    set_language("es")

    def call(home: str, group: str, *words: str, code: int = 0) -> Any:
        env = {"FIELDSURVEY_HOME": str(tmp_path / home)}
        done = run.invoke(APPS[group], [*words, "--json"], env=env, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if done.stdout.strip() else None

    yield call
    set_language(None)


def office(home: Path) -> None:
    """A project with the built-in questionnaire of needs, and a round around today."""
    today = datetime.now(UTC)
    days = [(today + timedelta(days=n)).date().isoformat() for n in (-3, 3)]

    def edit(draft: Draft) -> None:
        draft.add_form(form_of(catalogue.compiled("needs"), name="needs"))
        draft.set_indicators(catalogue.indicators())
        draft.set_plan(Plan(rounds=(Round(id="r1", title="Ronda 1", start=days[0], end=days[1]),)))
        for code in ("E01", "E02", "E03", "E04"):
            draft.add_person(code, f"Synthetic {code}")

    steward.new_project(home / "steward", "Proyecto sintético", root_pass=WORDS, hmu_pass=WORDS, argon2=FLOOR)
    steward.change(home / "steward", WORDS, edit)


def joined(home: Path, person: str, central: Path) -> Laptop:
    """A laptop that joined and is enrolled."""
    data = steward.read_steward(central / "steward").data
    laptop = Laptop.join(
        home, data, device_name=home.name, person=person, passphrase=WORDS, clock=SystemClock(), argon2=FLOOR
    )
    steward.enrol(central / "steward", laptop.locked.device_card().to_bytes(), root_pass=WORDS)
    return laptop


def interviewed(session: Session, seed: str) -> list[str]:
    """Four sealed interviews with people who took part; the codes of their slips."""
    codes: list[str] = []
    for attempt in range(400):
        work = session.start("needs")
        done = simulate_interview(cast("LiveInterview", work.interview), Random(f"{seed}/{attempt}"))
        work.save()
        if done.ready and not any(item.ref.endswith("/thank_and_stop") for item in work.interview.outline()):
            codes.append(work.finalise().withdrawal_code or "")
            if len(codes) == 4:
                return codes
        else:
            work.discard()
    raise AssertionError(codes)


def test_a_day_of_a_supervisor(command: Command, tmp_path: Path) -> None:
    """Whatever went wrong on the way, central holds each record once, laptops know it, what was withdrawn is nowhere,
    what was returned is back, and the round's tables count the rest.
    """
    stick, wrong, road = (tmp_path / name for name in ("stick", "wrong", "road"))
    for place in (stick, wrong, road, tmp_path / "backups"):
        place.mkdir()
    central = tmp_path / "central"
    office(central)
    laptops = [joined(tmp_path / name, code, central) for name, code in (("l1", "E01"), ("l2", "E02"), ("l3", "E04"))]
    command("central", "project", "publish", str(stick))
    for laptop in laptops:
        laptop.close()
        command(laptop.home.name, "sync", "import", str(stick))
    codes = worked(laptops)

    command("l3", "sync", "export", str(tmp_path / "pulled"), code=1)  # no stick there: no folder is made
    assert not (tmp_path / "pulled").exists()
    steward.new_project(tmp_path / "other", "Otro proyecto", root_pass=WORDS, hmu_pass=WORDS, argon2=FLOOR)
    foreign = (tmp_path / "other" / "project.fsp").read_bytes()
    (wrong / "fieldsurvey").mkdir()
    (wrong / "fieldsurvey" / "project.fsp").write_bytes(foreign)
    command("l3", "sync", "import", str(wrong), code=1)

    command("central", "project", "supervisor", str(road))
    command("relay", "sync", "import", str(road), "--relay", "--yes")
    for name, count in (("l1", 4), ("l2", 8), ("l3", 4)):  # locked, all of them
        assert command(name, "sync", "export", str(stick))["written"] == count
    cut = next((stick / "fieldsurvey" / "batches").iterdir())
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-100])
    command("relay", "sync", "import", str(stick), "--relay", code=1)
    cut.write_bytes(whole)
    command("relay", "sync", "import", str(stick), "--relay")
    command("relay", "sync", "export", str(road), "--relay")
    assert command("central", "sync", "import", str(road))["new"] == 16
    assert command("central", "sync", "import", str(stick))["new"] == 0
    command("central", "central", "backup", str(tmp_path / "backups"))
    command("relay", "sync", "import", str(road), "--relay")
    command("relay", "sync", "import", str(stick), "--relay")
    for name, count in (("l1", 4), ("l2", 8), ("l3", 4)):
        command(name, "sync", "import", str(stick))
        assert command(name, "sync", "status")["acknowledged"] == count

    command("relay", "rights", codes[0], "erase", "--yes", "--to", str(stick))
    command("central", "sync", "import", str(stick))
    command("l1", "sync", "import", str(stick))
    returned(command, laptops[2], stick)
    opened = command("central", "needs", "open", "--round", "r1")
    assert (opened["cases"], opened["withdrawn"]) == (15, 1), opened
    command("central", "needs", "table", "--round", "r1")
    command("central", "needs", "report", "--round", "r1", "--out", str(tmp_path / "r1.html"))
    assert (tmp_path / "r1.html").stat().st_size > 10_000


def worked(laptops: list[Laptop]) -> list[str]:
    """Four interviews by each person; two people share the second laptop. The codes of slips."""
    codes: list[str] = []
    for number, laptop in enumerate(laptops):
        again = Laptop.open(laptop.home, SystemClock())
        session = again.unlock(WORDS)
        codes += interviewed(session, laptop.home.name)
        if number == 1:
            session.close()
            with open_locked(laptop.home / VAULT).unlock(WORDS) as vault:
                vault.people.add("E03", WORDS[::-1], FLOOR, None)
            session = again.unlock(WORDS[::-1])
            assert session.person == "E03"
            interviewed(session, "E03")
        session.close()
        again.close()
    return codes


def returned(command: Command, laptop: Laptop, stick: Path) -> None:
    """The HMU sends one interview back; it is sealed again, travels, and is back."""
    again = Laptop.open(laptop.home, SystemClock())
    session = again.unlock(WORDS)
    case = session.sealed()[0].case
    session.close()
    again.close()
    command("central", "needs", "return", case, "--comment", "sex=Revise", "--to", str(stick))
    command("l3", "sync", "import", str(stick))
    again = Laptop.open(laptop.home, SystemClock())
    session = again.unlock(WORDS)
    session.open_returned()
    (draft,) = session.returned()
    work = session.resume(draft.draft_id)
    assert work.finalise().revision == 2
    session.close()
    again.close()
    command("l3", "sync", "export", str(stick))
    assert command("central", "sync", "import", str(stick))["new"] == 1
