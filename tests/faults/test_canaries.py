"""A whole round, from the laptop over a stick to central and back: no answer lies anywhere in the clear.

Every answer, note and reason is a canary; everything that any program wrote is searched, in every encoding. That the
HMU reads the same canaries out of the same files shows that they did travel.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project.model import RoleKey
from fieldsurvey.records.envelope import open_record
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import SigningKey
from sync.central import Central
from sync.folder import collect, export_batches
from sync.importing import import_folder
from tests.faults.rounds import CLOCK
from tests.fieldwork.conftest import WORDS, SyntheticProject, join
from tests.vault.canaries import search, spellings

CANARIES = [f"canario-Ñandú-{n}-é{n * 7919 + 611953}" for n in range(5)]


def a_round(place: Path) -> tuple[SyntheticProject, list[bytes]]:
    """Two interviews sealed, one left as a draft, one discarded; exported, merged, confirmed, collected."""
    project, central_key = SyntheticProject(), SigningKey.generate()
    project.roles = (RoleKey(role=Role.CENTRAL, label="central", public=central_key.public.bytes.hex()),)
    laptop = join(place / "home", project, CLOCK)
    session = laptop.unlock(WORDS)
    for end in ("sealed", "sealed", "left", "discarded"):
        work = session.start("synthetic")
        work.answer("/data/story", CANARIES[0])
        work.answer("/data/age", CANARIES[1])
        work.answer("/data/age", "30")
        work.set_note("/data/age", CANARIES[2])
        work.apply([{"add_repeat": "/data/person"}, {"answer": {"/data/person[1]/first": CANARIES[3]}}])
        work.answer("/data/age", "110")
        work.accept_warning("/data/age", CANARIES[4])
        {"sealed": work.finalise, "left": work.close, "discarded": work.discard}[end]()
    project.enrol(laptop.locked.device_card())
    laptop.update(project.publish())
    session.close()
    export_batches(laptop.locked, place / "stick", clock=CLOCK)
    with Central.open(place / "central.db", clock=CLOCK) as central:
        assert import_folder(central, place / "stick", laptop.project, central_key).new == 2
    assert len(collect(laptop, place / "stick").taken) == 1
    records = [record for _entry, record in laptop.locked.entries()]
    laptop.close()
    return project, records


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything is written: HOME, TMPDIR, the laptop, the stick, central."""
    for name in ("HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_no_canary_anywhere_after_a_whole_round(place: Path) -> None:
    """0 hits of any canary, the passphrase and the form's title in every file; the HMU finds each canary."""
    project, records = a_round(place)
    assert search(place, [*CANARIES, WORDS]) == []
    assert len(list(place.rglob("*.fsb"))) == 1
    assert sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) > 60_000
    for record in records:
        payload = Payload.from_bytes(open_record(record, project.operational).payload).to_bytes().decode()
        assert [canary for canary in CANARIES if canary not in payload] == [CANARIES[1]]  # an answer that was replaced
    Laptop.open(place / "home", CLOCK).close()


@pytest.mark.parametrize("kind", ["*.fsb", "*.fsr", "central.db", "vault.db", "project.fsp"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "hex", "json", "base64+1"])
def test_the_control_of_the_canaries(tmp_path: Path, kind: str, encoding: str) -> None:
    """Control: one canary in any kind of file, in any encoding, is found there."""
    path = tmp_path / kind.replace("*", "planted")
    path.write_bytes(b"\x00" * 999 + spellings(CANARIES[2])[encoding] + b"\xff" * 99)
    assert f"{path.name}: {CANARIES[2]} ({encoding})" in search(tmp_path, CANARIES)
