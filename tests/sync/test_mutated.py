"""10,000 mutated batches: none is accepted, each is refused by a typed error, and central stays as it was."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fieldsurvey.base.errors import RefusedError, UntrustedError
from fieldsurvey.records.container import Container
from fieldsurvey.records.signing import VerifyKey
from sync.central import Central
from tests.sync.dumps import dump
from tests.sync.laptops import laptop
from tests.sync.mutated_batches import KINDS, Genuine, Stock, mutated
from tests.sync.projects import enrol

MANY = 10_000
SLOW = 2.0
MIB = 1 << 20


@dataclass
class Outcome:
    """What became of them, by kind. `slowest`: CPU seconds of one; `peak`: bytes of Python memory that one held."""

    refused: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    untyped: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    codes: set[str] = field(default_factory=set)
    slowest: float = 0.0


@pytest.fixture(scope="module")
def stock() -> Stock:
    """Batches of three laptops: of several records, of one, with a withdrawal, with a record erased, of a clone."""
    one, two, three = laptop(4, name="one"), laptop(3, name="two"), laptop(2, name="three")
    one.seal(withdrawal="ab" * 32)
    twin = two.clone()
    twin.seal()
    three.seal()
    with_erased = three.clone()
    with_erased.erase(2)
    made = [(one, one.batch(1, 3)), (one, one.batch(4)), (two, two.batch()), (two, two.batch(1, 1))]
    made += [(twin, twin.batch()), (three, three.batch()), (three, with_erased.batch())]
    return [Genuine(each, data) for each, data in made]


@pytest.fixture(params=["nothing yet", "all of them"])
def central(request: pytest.FixtureRequest, tmp_path: Path, stock: Stock) -> Iterator[Central]:
    """A central to which the genuine ones are still to come, and one that has merged them."""
    with Central.open(tmp_path / "central.db") as made:
        enrol(made, *{item.laptop.device: item.laptop for item in stock}.values())
        made.merge(io.BytesIO(laptop(2, name="before").batch()))
        if request.param == "all of them":
            for item in stock:
                made.merge(io.BytesIO(item.data))
        yield made


def campaign(
    central: Central, stock: Stock, count: int, seed: int, watch: Callable[[bytes], None] | None = None
) -> Outcome:
    """Bring `count` of them to central."""
    found = Outcome()
    before = central.digest()
    for kind, data in mutated(stock, count, seed):
        started = time.process_time()
        try:
            central.merge(io.BytesIO(data))
            found.accepted[kind] += 1
        except (UntrustedError, RefusedError) as error:
            found.refused[kind] += 1
            found.codes.add(error.code)
        except Exception as error:  # noqa: BLE001  whatever it is, it is counted and fails the test
            found.untyped[f"{kind}: {error!r}"[:200]] += 1
        found.slowest = max(found.slowest, time.process_time() - started)
        now = central.digest()
        found.changed[kind] += now != before
        before = now
        if watch:
            watch(data)
    return found


def test_none_of_ten_thousand_is_accepted(central: Central, stock: Stock, tmp_path: Path) -> None:
    """Flips, cuts, splices, swapped and foreign frames, foreign signatures, oversized numbers, manifests with wrong
    chains signed anew by their own carrier: all refused, typed, none over 2 s; not a row of central differs. Then the
    genuine ones still merge (control).
    """
    before = dump(tmp_path / "central.db")
    found = campaign(central, stock, MANY // 2, seed=5)
    assert not found.accepted
    assert not found.untyped
    assert found.refused.total() == MANY // 2
    assert set(found.refused) == {kind.__name__ for kind in KINDS}
    assert not +found.changed
    assert found.slowest < SLOW
    assert len(found.codes) > 4, found.codes
    assert dump(tmp_path / "central.db") == before
    news = [central.merge(io.BytesIO(item.data)).new for item in stock]
    assert sum(news) in {0, 12}
    assert central.verify().sound


def test_memory_stays_small_whatever_a_file_claims(central: Central, stock: Stock) -> None:
    """What one of them makes central hold does not follow the lengths that it claims; holding 8 MiB shows (control)."""
    peaks: list[int] = []

    def peak(_data: bytes) -> None:
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.reset_peak()

    tracemalloc.start()
    try:
        campaign(central, stock, 390, seed=6, watch=peak)
        held = bytes(8 * MIB)
        control = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held
    assert max(peaks) < 4 * MIB < 8 * MIB <= control


def _unhashed(self: Container) -> Iterator[tuple[bytes, bytes]]:
    """Frames are not compared with their address."""
    stream = self._stream
    assert stream is not None
    for address, size in self.table:
        yield address, stream.read(size)


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "the frames are not hashed": lambda patch: patch.setattr(Container, "frames", _unhashed),
    "the carrier's signature is not verified": lambda patch: patch.setattr(Container, "verify", lambda *_: None),
    "no signature is verified": lambda patch: patch.setattr(VerifyKey, "verify", lambda *_args: None),
    "the chain is not verified": lambda patch: patch.setattr("sync.batches._verify_chain", lambda *_args: None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_check_that_is_left_out_is_found(central: Central, stock: Stock, fault: str) -> None:
    """Control: with one of the checks gone, some of them are accepted, or refused by nothing that is typed."""
    with pytest.MonkeyPatch.context() as patch:
        FAULTS[fault](patch)
        found = campaign(central, stock, 520, seed=7)
    assert found.accepted or found.untyped
