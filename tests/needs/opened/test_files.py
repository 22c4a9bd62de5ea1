"""The way of a picture: laptop, stick, central, the HMU's folder; nothing that is not whole is written."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.needs.opened.files import save_file
from fieldsurvey.project.signed import read_project
from fieldsurvey.records.envelope import Opened, open_record
from fieldsurvey.records.errors import AttachmentError
from fieldsurvey.records.payload import Payload
from fieldsurvey.vault.attachments import FOLDER
from sync.central import Central
from sync.folder import export_batches
from sync.importing import import_folder
from tests.fieldwork.conftest import NOW, WORDS, SyntheticProject, join
from tests.fieldwork.forms import PICTURES
from tests.fieldwork.pictures import CANARY, drawing, jpeg
from tests.sync.current import records


class _Way:
    """One interview with a picture, at central."""

    def __init__(self, folder: Path) -> None:
        clock = FixedClock(NOW)
        self.project = SyntheticProject()
        self.project.add_form(PICTURES, "place", "1")
        self.project.forms[-1][1]["about_people"] = False
        laptop = join(folder / "home", self.project, clock)
        self._seal(laptop, folder)
        self.project.enrol(laptop.locked.device_card())
        signed = read_project(self.project.publish())
        export_batches(laptop.locked, folder / "stick", clock=clock)
        laptop.close()
        self.central = Central.open(folder / "central.db", clock=clock)
        import_folder(self.central, folder / "stick", signed, None)

    def _seal(self, laptop: Laptop, folder: Path) -> None:
        (folder / "in.jpg").write_bytes(jpeg())
        session = laptop.unlock(WORDS)
        work = session.start("place")
        work.attach("/data/front", folder / "in.jpg")
        work.finalise()
        session.close()

    def opened(self) -> tuple[Opened, Payload]:
        [(_, blob)] = records(self.central)
        opened = open_record(blob, self.project.operational)
        return opened, Payload.from_bytes(opened.payload)


@pytest.fixture
def way(tmp_path: Path) -> Iterator[_Way]:
    made = _Way(tmp_path)
    yield made
    made.central.close()


def test_a_picture_comes_to_the_hmu_and_only_its_record_is_a_case(way: _Way, tmp_path: Path) -> None:
    """Central counts one case; the file is the picture, without its metadata, readable by its owner alone."""
    opened, payload = way.opened()
    assert len(list(way.central.cases())) == 1
    (tmp_path / "out").mkdir()
    (attachment,) = payload.attachments
    path = save_file(attachment, opened.header, way.central.store.body, tmp_path / "out", way.project.operational)
    data = path.read_bytes()
    assert path == tmp_path / "out" / attachment.name
    assert path.stat().st_mode & 0o077 == 0
    assert CANARY not in data
    assert Image.open(io.BytesIO(data)).size == drawing().size
    assert list((tmp_path / "home" / FOLDER).iterdir()) == []


def test_a_part_that_did_not_come_leaves_no_file(way: _Way, tmp_path: Path) -> None:
    """Not even half of one."""
    opened, payload = way.opened()
    with pytest.raises(AttachmentError):
        save_file(payload.attachments[0], opened.header, lambda _: None, tmp_path, way.project.operational)
    assert [path.name for path in tmp_path.glob("*.jpg*")] == ["in.jpg"]


@pytest.mark.parametrize("name", ["../../escape.jpg", "/tmp/escape.jpg", "a.jpg", "con", "0123456789abcdef.jpg\n"])
def test_a_name_that_our_laptops_do_not_make_is_never_a_path(way: _Way, tmp_path: Path, name: str) -> None:
    """A hostile device may seal any name; control: its own name is taken."""
    opened, payload = way.opened()
    (attachment,) = payload.attachments
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AttachmentError):
        save_file(
            attachment.model_copy(update={"name": name}),
            opened.header,
            way.central.store.body,
            tmp_path,
            way.project.operational,
        )
    assert sorted(tmp_path.rglob("*")) == before
    assert save_file(attachment, opened.header, way.central.store.body, tmp_path, way.project.operational).exists()
