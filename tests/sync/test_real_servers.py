"""What servers in the field get wrong, each by its name: identical pushes at once, a replay after a revision, two
offline revisions, a revision before its original, one record that does not open among many, a late revision of what
was taken back. All of it synthetic.
"""

from __future__ import annotations

import io
import itertools
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from fieldsurvey.needs.opened.opening import open_round
from fieldsurvey.records.envelope import record_hash
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.central import Central
from sync.http.packs import cut, write_offer
from sync.http.wire import Offered, join_pieces
from tests.needs.opened.world import ROUND, Maker, World
from tests.sync.current import records
from tests.sync.dumps import spoil
from tests.sync.http.worlds import Asker, Place, asking
from tests.sync.laptops import SyntheticLaptop, laptop
from tests.sync.projects import enrol

CASE = "5a" * 16
CLIENTS = 8


def merged(central: Central, *batches: bytes) -> list[int]:
    """Merge in turn; the new entries of each."""
    return [central.merge(io.BytesIO(data)).new for data in batches]


def shown(central: Central) -> tuple[str, object, list[bytes]]:
    """What anybody can see of a central: digest, cases, records that count."""
    return central.digest(), list(central.cases()), [body for _entry, body in records(central)]


@pytest.fixture
def centrals(tmp_path: Path) -> Iterator[Iterator[Central]]:
    """Empty centrals, as many as are asked for."""
    made: list[Central] = []

    def more() -> Iterator[Central]:
        for number in itertools.count():
            made.append(Central.open(tmp_path / f"central{number}.db"))
            yield made[-1]

    yield more()
    for central in made:
        central.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A whole survey up to an imported stick."""
    return Maker(tmp_path_factory.mktemp("world")).make()


def test_identical_pushes_at_the_same_moment(tmp_path: Path) -> None:
    """Eight clients push the same bytes at once, over connections of their own: every one is answered, each entry is
    new exactly once, and one copy is held.
    """
    device = laptop(12)
    data = device.batch()
    with Central.open(tmp_path / "central.db") as central:
        enrol(central, device)
    together = threading.Barrier(CLIENTS)

    def push(_number: int) -> int:
        with Central.open(tmp_path / "central.db") as mine:
            together.wait()
            return mine.merge(io.BytesIO(data)).new

    with ThreadPoolExecutor(CLIENTS) as pool:
        news = list(pool.map(push, range(CLIENTS)))
    assert sorted(news) == [0] * (CLIENTS - 1) + [12]
    with Central.open(tmp_path / "central.db") as central:
        counts = central.store.counts()
        assert (counts.entries, counts.bodies, counts.batches) == (12, 12, 1)
        assert central.verify().sound
        (receipt,) = central.receipts(device.device)
        assert receipt.up_to == 12


def test_a_replay_after_a_revision(centrals: Iterator[Central]) -> None:
    """The original comes once more after its revision: nothing is new, and the revision goes on counting."""
    central = next(centrals)
    device = SyntheticLaptop()
    enrol(central, device)
    original = device.seal(CASE)
    first = device.batch()
    revised = device.seal(CASE, revision=2, parent=record_hash(original).hex())
    assert merged(central, first, device.batch(2)) == [1, 1]
    before = shown(central)
    assert merged(central, first, first, device.batch(), device.batch(2)) == [0, 0, 0, 0]
    assert shown(central) == before
    (view,) = central.cases()
    assert view.current is not None
    assert view.current.record_hash == record_hash(revised)
    assert [version.record_hash for version in view.superseded] == [record_hash(original)]
    assert not view.in_conflict


def test_two_offline_revisions_of_one_record(centrals: Iterator[Central]) -> None:
    """Two copies of a laptop revise the same record without a line: both are kept, one counts, the other is listed as
    in conflict; the same one counts in whatever order they come.
    """
    device = SyntheticLaptop()
    original = device.seal(CASE)
    twin = device.clone()
    both = {
        one.seal(CASE, size=n, revision=2, parent=record_hash(original).hex()) for n, one in enumerate((device, twin))
    }
    states = []
    for order in itertools.permutations((device.batch(1, 1), device.batch(), twin.batch())):
        central = next(centrals)
        enrol(central, device)
        merged(central, *order)
        (view,) = central.cases()
        assert view.current is not None
        assert {view.current.record_hash, *(one.record_hash for one in view.concurrent)} == set(map(record_hash, both))
        assert view.in_conflict
        assert central.log(device.device).forks == (2,)
        assert all(central.store.body(record_hash(record)) == record for record in (original, *both))
        states.append(shown(central))
    assert all(state == states[0] for state in states)


def test_two_offline_revisions_on_two_devices(centrals: Iterator[Central]) -> None:
    """Two laptops revise one record: the one that made the case counts, the other's is kept as a proposal."""
    maker, other = SyntheticLaptop(), SyntheticLaptop()
    original = maker.seal(CASE)
    own, proposed = (one.seal(CASE, revision=2, parent=record_hash(original).hex()) for one in (maker, other))
    states = []
    for order in itertools.permutations((maker.batch(1, 1), maker.batch(2), other.batch())):
        central = next(centrals)
        enrol(central, maker, other)
        merged(central, *order)
        (view,) = central.cases()
        assert view.current is not None
        assert view.current.record_hash == record_hash(own)
        assert [one.record_hash for one in view.proposals] == [record_hash(proposed)]
        states.append(shown(central))
    assert all(state == states[0] for state in states)


def test_a_revision_that_arrives_before_its_original(centrals: Iterator[Central]) -> None:
    """The later batch comes first: the revision counts and the original is said to be missing, with the gap; once it
    has come, the state is that of the right order.
    """
    late, right = next(centrals), next(centrals)
    device = SyntheticLaptop()
    original = device.seal(CASE)
    revised = device.seal(CASE, revision=2, parent=record_hash(original).hex())
    for central in (late, right):
        enrol(central, device)
    merged(late, device.batch(2))
    (view,) = late.cases()
    assert view.original_missing
    assert view.current is not None
    assert view.current.record_hash == record_hash(revised)
    assert late.log(device.device).gaps == ((1, 1),)
    assert late.receipts(device.device) == []
    merged(late, device.batch(1, 1))
    merged(right, device.batch(1, 1), device.batch(2))
    assert shown(late) == shown(right)
    (view,) = late.cases()
    assert not view.original_missing
    assert [one.record_hash for one in view.superseded] == [record_hash(original)]
    (receipt,) = late.receipts(device.device)
    assert receipt.up_to == 2


def test_one_record_that_cannot_be_opened_among_many(world: World, tmp_path: Path) -> None:
    """One record's bytes are altered at central: it is counted under its reason, every other one of the round opens as
    before, and central's audit names its laptop and its place in the log. Control: before, it opened and was sound.
    """
    copy = tmp_path / "central.db"
    shutil.copy(world.central, copy)
    with Central.open(copy) as central:
        whole = open_round(central, world.project, world.hmu, ROUND)
        assert central.verify().sound
        victim = bytes.fromhex(whole.frame("needs")["_record"][0])
        body = central.store.body(victim)
    assert body is not None
    spoil(copy, "UPDATE bodies SET body = ? WHERE hash = ?", body[:-1] + bytes([body[-1] ^ 1]), victim)
    with Central.open(copy) as central:
        after = open_round(central, world.project, world.hmu, ROUND)
        (problem,) = central.verify().problems
        entry = next(one for one in central.store.entries(problem.device) if one.seq == problem.seq)
    assert entry.record_hash == victim
    assert after.quality.kept == whole.quality.kept - 1
    assert after.quality.not_opened["altered"] == whole.quality.not_opened.get("altered", 0) + 1
    assert set(after.frame("needs")["_record"]) == set(whole.frame("needs")["_record"]) - {victim.hex()}
    assert after.frame("assembly").equals(whole.frame("assembly"))


@pytest.mark.parametrize("whole", [True, False])
def test_a_late_revision_of_what_was_taken_back(tmp_path: Path, whole: bool) -> None:
    """A revision that names no code of its own comes over the line after its case was withdrawn: it is erased as soon
    as it is there, not when somebody looks the next time; another case's is kept, and the log is vouched for.
    """
    device = SyntheticLaptop()
    code = WithdrawalCode(77)
    original = device.seal(CASE, withdrawal=code.tag(device.card.project))
    first = device.batch()
    late = device.seal(CASE, revision=2, parent=record_hash(original).hex())
    other = device.seal()
    place = Place.make(tmp_path, device)
    stone = Tombstone(project=device.card.project, code=code.raw, requested="2026-03-02")
    with asking(place, device) as (asker, _service), place.central() as central:
        assert asker.ask("POST", "/v1/batches/whole", first).status_code == 200
        assert asker.ask("POST", "/v1/withdrawals", join_pieces([stone.to_bytes()])).status_code == 200
        answer = send(asker, device.batch(2), whole=whole)
        assert Offered.from_bytes(answer.content).new == 2
        bodies = [central.store.body(record_hash(record)) for record in (original, late, other)]
        assert bodies == [None, None, other]
        (receipt,) = central.receipts(device.device)
        assert receipt.up_to == 3


def send(asker: Asker, batch: bytes, *, whole: bool) -> httpx.Response:
    """A batch in one request, or in packs."""
    if whole:
        return asker.ask("POST", "/v1/batches/whole", batch)
    parts = cut(lambda: iter([batch]), 1 << 16)
    for _name, data in parts.data(frozenset(parts.names)):
        assert asker.put(data).status_code == 201
    return asker.ask("POST", "/v1/batches", write_offer(parts.head, parts.names))
