"""The line breaks wherever it can; and what goes in one piece. A laptop pushes over real TLS. All synthetic."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest

from fieldsurvey.records.receipt import Level, Role, read_receipt
from sync.folder import at_central
from sync.http import web
from sync.http.limits import Limits
from sync.http.packs import cut, write_offer
from sync.http.wire import Offered, Refused
from tests.sync.http.conftest import RECORDS, SIZE
from tests.sync.http.lines import BreakingLine, Way
from tests.sync.http.pushes import EACH, Arrive, counted, digest, over, requests, send
from tests.sync.http.worlds import Place, asking
from tests.sync.laptops import OTHER_PROJECT, laptop

pytestmark = pytest.mark.usefixtures("small_packs")


def cuts(place: Place, arrive: Arrive, way: Way, each: int) -> list[int]:
    """Where to cut: between any two frames on the way up; at every answer on the way down."""
    other = Place(place.home.with_name("measured"), place.project, place.signed)
    other.home.mkdir()
    with other.running() as running, BreakingLine(running.port) as line:
        send(arrive(other), connect=over(line.port), max_entries=each)
    step = SIZE if way == "up" else 1000 if each > 1 else 3000
    return list(range(300, line.moved[way], step))


@pytest.mark.parametrize("each", [EACH, 1])
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_line_cut_after_every_frame(place: Place, arrive: Arrive, whole: str, way: Way, each: int) -> None:
    """Wherever it is cut, the same push goes on, sends nothing confirmed again, and central ends equal.

    In batches of several packs, and in batches of one record, each of which goes in one piece.
    """
    places = cuts(place, arrive, way, each)
    assert len(places) >= RECORDS - 2 or way == "down"
    for number, at in enumerate(places):
        other = Place(place.home.with_name(f"cut-{number}"), place.project, place.signed)
        other.home.mkdir()
        with other.running() as running, counted() as (_asked, kept), BreakingLine(running.port, at, way) as line:
            laptop = arrive(other)
            report = send(laptop, connect=over(line.port), max_entries=each)
            assert line.cuts == 1, at
            assert report.confirmed
            assert at_central(laptop.locked) == RECORDS
            assert set(kept.values()) == {1}
        assert digest(other) == whole


def test_one_record_is_one_request(place: Place, arrive: Arrive) -> None:
    """A batch no larger than a pack goes in one piece; the control: a larger one goes in packs, then an offer."""
    with place.running(), requests() as asked:
        laptop = arrive(place)
        assert send(laptop, max_entries=1).confirmed
        assert asked["POST /v1/batches/whole"] == RECORDS
        assert not [path for path in asked if path.startswith("PUT")]
        assert asked["POST /v1/batches"] == 0
    larger = Place(place.home.with_name("larger"), place.project, place.signed)
    larger.home.mkdir()
    with larger.running(), requests() as asked:
        assert send(arrive(larger)).confirmed
        assert asked["POST /v1/batches/whole"] == 0
        assert asked["POST /v1/batches"] == RECORDS // EACH


def test_a_small_batch_goes_in_one_piece(tmp_path: Path) -> None:
    """Merged and signed for as an offer is; again, it is nothing new; nothing is staged or left on the disk."""
    one = laptop(3)
    place = Place.make(tmp_path, one, limits=Limits(pack=1 << 20))
    with asking(place, one) as (asker, service):
        for number in range(2):
            answer = asker.ask("POST", "/v1/batches/whole", one.batch())
            assert answer.status_code == 200
            found = Offered.from_bytes(answer.content)
            assert (found.new, found.missing) == (3 * (number == 0), ())
            (receipt,) = (read_receipt(bytes.fromhex(r), place.signed.model.role_keys) for r in found.receipts)
            assert (receipt.by, receipt.level, receipt.up_to) == (Role.CENTRAL, Level.COMMITTED, 3)
        for _ in range(4):
            one.seal(size=40_000)  # more than is kept in memory
        assert Offered.from_bytes(asker.ask("POST", "/v1/batches/whole", one.batch()).content).new == 4
        assert not list(service.staging.folder.iterdir())


def test_a_batch_in_one_piece_is_verified_whole(tmp_path: Path) -> None:
    """Cut short, with more behind it, altered, another's, another project's, too long: nothing of it is merged."""
    one, other = laptop(3), laptop(1)
    data = one.batch()
    foreign = laptop(2, project=OTHER_PROJECT).batch()
    place = Place.make(tmp_path, one, other, limits=Limits(pack=1 << 16))
    with asking(place, one) as (asker, service):
        for body, status, reason in (
            (data[:-1], 422, "untrusted."),
            (data + b"x", 422, "untrusted."),
            (data + data, 422, "untrusted."),
            (data[:-40] + bytes([data[-40] ^ 1]) + data[-39:], 422, "untrusted."),
            (b"", 422, "untrusted."),
            (foreign, 422, "refused.foreign_project"),
            (other.batch(), 403, ""),
            (bytes((1 << 16) + 1), 413, ""),
        ):
            answer = asker.ask("POST", "/v1/batches/whole", body)
            assert answer.status_code == status, (len(body), answer.content)
            assert Refused.from_bytes(answer.content).reason.startswith(reason)
        with place.central() as central:
            assert central.store.counts().entries == 0
        assert Offered.from_bytes(asker.ask("POST", "/v1/batches/whole", data).content).new == 3  # the control
        assert not list(service.staging.folder.iterdir())


def test_a_disk_that_takes_no_more_of_a_body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a batch comes, the laptop is asked to come back; nothing is left behind; with room it is taken."""
    one = laptop(3)
    one.seal(size=90_000)
    batch = cut(lambda: iter([one.batch()]))
    ((name, data),) = batch.data(frozenset(batch.names))
    ways = [
        ("PUT", f"/v1/packs/{name}", data, 201),
        ("POST", "/v1/batches", write_offer(batch.head, batch.names), 200),
        ("POST", "/v1/batches/whole", one.batch(), 200),
    ]
    with asking(Place.make(tmp_path, one, limits=Limits(pack=1 << 20)), one) as (asker, service):
        with monkeypatch.context() as patch:
            patch.setattr(web, "SpooledTemporaryFile", lambda *_args, **_kwargs: Full())
            patch.setattr(Path, "open", lambda *_args, **_kwargs: Full())
            for method, path, body, _status in ways:
                answer = asker.ask(method, path, body)
                assert (answer.status_code, Refused.from_bytes(answer.content).code) == (507, "no_room")
                assert int(answer.headers["retry-after"]) > 0
        assert not list(service.staging.folder.iterdir())
        assert [asker.ask(method, path, body).status_code for method, path, body, _status in ways] == [
            status for *_rest, status in ways
        ]


class Full(io.BytesIO):
    """A file on a disk that is full."""

    def write(self, _data: object) -> int:
        """Takes nothing."""
        raise OSError(errno.ENOSPC, "synthetic")
