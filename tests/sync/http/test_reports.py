"""Reports of erasure over a line: signed by whoever erased, and no more of them than anybody could mean. Synthetic."""

from __future__ import annotations

import io
import secrets
from pathlib import Path

import pytest

from fieldsurvey.fieldwork import erasures
from fieldsurvey.records.erased import ErasedCase, ErasureReport, write_erasure
from fieldsurvey.records.erased import Place as Where
from sync.http.wire import Taken, join_pieces
from tests.sync.http.worlds import Asker, Place, asking
from tests.sync.laptops import SyntheticLaptop, laptop


def said(one: SyntheticLaptop) -> bytes:
    """A report in a laptop's name, as its carrier key signs it, and so whoever has a copy of its disk."""
    report = ErasureReport(
        project=one.card.project,
        place=Where.LAPTOP,
        device=one.device,
        cases=(ErasedCase(tag=secrets.token_hex(32), records=0),),
        at="2026-03-02T09:00:00Z",
    )
    return write_erasure(report, one.carrier)


def hand_in(asker: Asker, *reports: bytes) -> int:
    """How many the server calls new."""
    return Taken.from_bytes(asker.ask("POST", "/v1/erased", join_pieces(list(reports))).content).new


def test_a_laptop_fills_no_central_with_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many of each laptop as it could need; another's still come in, and what is there stays."""
    monkeypatch.setattr("sync.erasing.MAX_OF_DEVICE", 5)
    one, other = laptop(1), laptop(1)
    place = Place.make(tmp_path, one, other)
    with asking(place, one) as (asker, _service), place.central() as central:
        assert hand_in(asker, *(said(one) for _ in range(3))) == 3
        assert hand_in(asker, *(said(one) for _ in range(9))) == 2
        assert hand_in(asker, said(other)) == 1
        assert len(list(central.store.notices("erasure"))) == 6


def test_a_request_full_of_reports_reads_the_cards_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom to trust is worked out for the request, not for each of its reports, of which there may be thousands."""
    asked: list[None] = []
    real = erasures.Trust.of.__func__  # type: ignore[attr-defined]

    def counted(cls: type[erasures.Trust], *args: object) -> erasures.Trust:
        asked.append(None)
        found: erasures.Trust = real(cls, *args)
        return found

    one = laptop(1)
    place = Place.make(tmp_path, one)
    report = said(one)
    with asking(place, one) as (asker, _service):
        monkeypatch.setattr(erasures.Trust, "of", classmethod(counted))
        assert hand_in(asker, *[report] * 50) == 1
    assert len(asked) == 1


def test_a_report_that_cannot_be_believed_stops_nothing(tmp_path: Path) -> None:
    """Of a laptop that central never heard of, in another's name, damaged: passed over, and given to nobody. Those
    beside them are taken, and so is the unknown laptop's once central knows it.
    """
    one, unknown = laptop(1), laptop(1)
    place = Place.make(tmp_path, one)
    true, early = said(one), said(unknown)
    forged = true.replace(one.device.encode(), unknown.device.encode())
    with asking(place, one) as (asker, _service), place.central() as central:
        assert hand_in(asker, early, forged, true[:-1], b"FSB1", true) == 1
        assert [notice.data for notice in central.store.notices("erasure")] == [true]
        central.merge(io.BytesIO(unknown.batch()))
        assert hand_in(asker, early, true) == 1
