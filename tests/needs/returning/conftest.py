"""A synthetic steward, two laptops, a stick, a central and the HMU's commands, in one folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.i18n import set_language
from fieldsurvey.cli.needs import app
from fieldsurvey.fieldwork import Laptop, SealedCard
from fieldsurvey.project import keys, steward
from fieldsurvey.project.draft import Draft
from fieldsurvey.project.formfile import form_of
from fieldsurvey.project.policy import Plan, Policy, Round
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.envelope import open_record
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.slots import FLOOR
from sync.central import Central
from sync.folder import ReceiptsReport, collect, export_batches
from sync.importing import ImportReport, import_folder
from tests.needs.opened.forms import xform
from tests.sync.current import records

WORDS = "enero mapa nube cobre lila pauta"
HMU_WORDS = "zumo duna yate horno grato lunes"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ROUND = Round(id="r1", title="Synthetic round", start="2026-03-01", end="2026-03-08")
CANARY = "Zanahoria-canaria-4417 ñandú"


class Province:
    """Everybody in it; HOME of the HMU and central is `home`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.steward, self.stick = self.home / "steward", folder / "stick"
        self.clock = FixedClock(NOW)
        self.home.mkdir()
        policy = Policy(languages=("es", "en"))
        steward.new_project(self.steward, "Synthetic", root_pass=WORDS, hmu_pass=HMU_WORDS, policy=policy, argon2=FLOOR)

        def edit(draft: Draft) -> None:
            draft.add_form(form_of(xform("1")))
            draft.set_plan(Plan(rounds=(ROUND,)))

        steward.change(self.steward, WORDS, edit)

    @property
    def project(self) -> SignedProject:
        """As the steward last signed it."""
        return steward.read_steward(self.steward)

    @property
    def hmu(self) -> keys.HmuKeys:
        """hmu.key, opened."""
        return keys.unlock_hmu(self.steward / keys.HMU, HMU_WORDS)

    def join(self, name: str, *, enrolled: bool = True) -> Laptop:
        """A laptop of E01's."""
        made = Laptop.join(
            self.folder / name,
            self.project.data,
            device_name=name,
            person="E01",
            passphrase=WORDS,
            clock=self.clock,
            argon2=FLOOR,
        )
        if enrolled:
            steward.enrol(self.steward, made.locked.device_card().to_bytes(), root_pass=WORDS)
        return made

    def interview(self, laptop: Laptop, story: str = CANARY) -> SealedCard:
        """A house with two people, sealed."""
        session = laptop.unlock(WORDS)
        work = session.start("synthetic")
        work.answer("/data/fieldwork_date", "2026-03-02")
        work.answer("/data/a/same", story)
        work.answer("/data/size", "41")
        house = work.add_repeat("/data/house")
        for age in ("30", "300"):
            work.answer(work.add_repeat(f"{house}/person") + "/age", age)
        card = work.finalise()
        session.close()
        return card

    def carry(self, laptop: Laptop) -> tuple[ImportReport, ReceiptsReport]:
        """The stick goes from the laptop to central and back."""
        export_batches(laptop.locked, self.stick, clock=self.clock)
        with self.central() as central:
            imported = import_folder(central, self.stick, self.project, None, home=self.home)
        return imported, collect(laptop, self.stick)

    def central(self) -> Central:
        """Central of this home."""
        return Central.open(self.home / "central.db", clock=self.clock)

    def current(self, case: str) -> Payload:
        """What counts of a case at central, opened by the HMU."""
        with self.central() as central:
            [blob] = [
                blob for _, blob in records(central) if open_record(blob, *self.hmu.recipients).header.case == case
            ]
        return Payload.from_bytes(open_record(blob, *self.hmu.recipients).payload)

    def __call__(self, *words: str, code: int = 0) -> Result:
        """`fieldsurvey needs …`."""
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == code, done.output
        return done

    def json(self, *words: str, code: int = 0) -> Any:
        """What it prints with --json."""
        return json.loads(self(*words, "--json", code=code).stdout)


@pytest.fixture
def province(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Province:
    """The HMU's passphrase is in a file."""
    made = Province(tmp_path)
    (tmp_path / "words").write_text(HMU_WORDS, encoding="utf-8")
    monkeypatch.setenv("FIELDSURVEY_HOME", str(made.home))
    monkeypatch.setenv("FIELDSURVEY_PASSPHRASE_FILE_HMU", str(tmp_path / "words"))
    set_language("en")
    return made
