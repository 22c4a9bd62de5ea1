"""Two people open a round by policy: whole command lines on a synthetic round, and what the ledger says of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli.needs import app
from fieldsurvey.needs.opened.store import load_dataset
from fieldsurvey.project import handing, keys, rotation, steward
from fieldsurvey.project.ledger import LEDGER
from tests.needs.opened.world import HMU_WORDS, ROUND, WORDS, World

FIRST, SECOND, THIRD = (
    "oliva afinar orden leal recreo conejo",
    "brasa cobre delfin enebro faro gruta",
    "papel nogal musgo lirio kiosco jarra",
)


class Hmu:
    """The HMU's machine: commands, and who gives passphrases."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.folder = home / "steward"
        self.patch = monkeypatch
        monkeypatch.setenv("FIELDSURVEY_HOME", str(home))
        set_language("en")

    def present(self, *passphrases: str) -> None:
        """These people are there, in this order."""
        for role, words in zip(("HMU", "HMU2"), passphrases, strict=False):
            (self.home / role).write_text(words)
            self.patch.setenv(f"FIELDSURVEY_PASSPHRASE_FILE_{role}", str(self.home / role))

    def __call__(self, *words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == code, done.output
        return done

    def openings(self) -> list[dict[str, Any]]:
        """What `needs ledger` says was opened."""
        found: list[dict[str, Any]] = json.loads(self("ledger", "--json").stdout)["openings"]
        return found


@pytest.fixture
def hmu(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hmu:
    """The world's steward and central, on a machine of its own."""
    shutil.copytree(world.folder / "steward", tmp_path / "steward")
    shutil.copy(world.central, tmp_path / "central.db")
    return Hmu(tmp_path, monkeypatch)


OPEN = ("open", "--round", ROUND.id, "--json")


def test_every_opening_is_in_the_ledger(hmu: Hmu) -> None:
    """With one person too: when, which round, how many, what for; chained and signed; damaged, it stops the next."""
    hmu.present(HMU_WORDS)
    first = json.loads(hmu(*OPEN).stdout)
    hmu(*OPEN, "--purpose", "tables (synthetic)")
    openings = hmu.openings()
    assert [(o["round"], o["count"], o["text"]) for o in openings] == [
        (ROUND.id, first["cases"], ""),
        (ROUND.id, first["cases"], "tables (synthetic)"),
    ]
    assert "tables (synthetic)" in hmu("ledger").stdout
    hmu.present(WORDS)
    hmu(*OPEN, code=1)
    assert len(hmu.openings()) == 2
    ledger = hmu.folder / LEDGER
    ledger.write_bytes(ledger.read_bytes().replace(b"tables", b"fables"))
    hmu.present(HMU_WORDS)
    assert json.loads(hmu(*OPEN, code=1).stdout)["error"] == "untrusted.key_ledger"


def test_two_people_open_a_round_and_say_what_for(hmu: Hmu) -> None:
    """By policy: two members and a purpose open what one opened before; one alone, one twice, without a purpose, or
    with the passphrase before: refused, and nothing in the ledger. Afterwards both codes are in it.
    """
    hmu.present(HMU_WORDS)
    before = json.loads(hmu(*OPEN).stdout)
    shares = {"H01": FIRST, "H02": SECOND, "H03": THIRD}
    handing.members(hmu.folder, shares, root_pass=WORDS, hmu=[HMU_WORDS])
    hmu.present(FIRST, THIRD)
    assert json.loads(hmu(*OPEN, code=1).stdout)["error"] == "needs.purpose"
    for pair, error in (
        ((FIRST, FIRST), "input.few_people"),
        ((FIRST, HMU_WORDS), "input.few_people"),
        ((HMU_WORDS, HMU_WORDS), "unlock"),
    ):
        hmu.present(*pair)
        assert json.loads(hmu(*OPEN, "--purpose", "x", code=1).stdout)["error"] == error
    assert len(hmu.openings()) == 1
    hmu.present(FIRST, THIRD)
    after = json.loads(hmu(*OPEN, "--purpose", "second release").stdout)
    assert after["rows"] == before["rows"]
    assert hmu.openings()[-1]["who"] == ["H01", "H03"]
    said = hmu("ledger").stdout
    assert "H01, H03" in said
    assert "second release" in said


def test_after_new_keys_a_round_opens_as_before(hmu: Hmu) -> None:
    """Operational, signing and dataset keys are replaced: the dataset made before is still read, and the round, whose
    records are sealed to the key before, opens with the same rows.
    """
    hmu.present(HMU_WORDS)
    before = json.loads(hmu(*OPEN).stdout)
    rotation.rotate(hmu.folder, ["operational", "hmu"], root_pass=WORDS, hmu=[HMU_WORDS])
    held = keys.open_hmu(hmu.folder, [HMU_WORDS])
    assert load_dataset(ROUND.id, held).quality.kept == before["kept"]
    assert json.loads(hmu(*OPEN).stdout)["rows"] == before["rows"]
    assert load_dataset(ROUND.id, held).quality.kept == before["kept"]
    assert steward.read_steward(hmu.folder).model.roles[0].retired
    assert len(hmu.openings()) == 2


def test_after_the_day_of_the_policy_nothing_is_opened_or_tabulated(hmu: Hmu) -> None:
    """Retention at the HMU: past the signed `hmu_until` a round that opened before is refused, by name and day; a later
    day in a newly signed policy opens it again.
    """
    hmu.present(HMU_WORDS)
    hmu(*OPEN)

    def keep_until(day: str) -> None:
        policy = steward.read_steward(hmu.folder).model.policy
        retention = policy.retention.model_copy(update={"hmu_until": day})
        steward.change(hmu.folder, WORDS, lambda draft: draft.set_policy(retention=retention))

    keep_until("2020-01-31")
    for asked in (OPEN, ("table", "--round", ROUND.id, "--json")):
        refused = json.loads(hmu(*asked, code=1).stdout)
        assert refused["error"] == "needs.retention"
        assert "2020-01-31" in refused["message"]
    assert len(hmu.openings()) == 1
    keep_until("2999-12-31")
    hmu(*OPEN)
