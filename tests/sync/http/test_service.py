"""The server within the process: who may ask, what is taken, how often, how much. All laptops are synthetic."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from fieldsurvey.records.device import LogParent
from fieldsurvey.records.receipt import Level, Role, read_receipt
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.http.limits import Limits
from sync.http.packs import cut, write_offer
from sync.http.wire import EMPTY, Heads, HeadsAsked, LogAsked, Offered, Refused, Taken, join_pieces, split_pieces
from tests.sync.http.worlds import Asker, Place, asking
from tests.sync.laptops import OTHER_PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import NOW, noted

PACK = 1 << 16


def send(asker: Asker, data: bytes, size: int = PACK) -> Offered:
    """A whole batch file."""
    batch = cut(lambda: iter([data]), size)
    for _name, pack in batch.data(frozenset(batch.names)):
        assert asker.put(pack).status_code == 201
    answer = asker.ask("POST", "/v1/batches", write_offer(batch.head, batch.names))
    assert answer.status_code == 200, answer.content
    return Offered.from_bytes(answer.content)


def code(answer: object) -> str:
    """Of a refusal."""
    return Refused.from_bytes(answer.content).code  # type: ignore[attr-defined]


def test_a_batch_goes_through_and_central_signs_for_it(tmp_path: Path) -> None:
    """Packs, then the offer; the receipt is central's, over the log's own head."""
    one = laptop(40, name="synthetic sender")
    for _ in range(10):
        one.seal(size=30_000)
    place = Place.make(tmp_path, one)
    with asking(place, one) as (asker, service):
        found = send(asker, one.batch())
        assert found.new == 50
        (receipt,) = (read_receipt(bytes.fromhex(r), place.signed.model.role_keys) for r in found.receipts)
        assert (receipt.by, receipt.level, receipt.up_to) == (Role.CENTRAL, Level.COMMITTED, 50)
        assert receipt.head == one.head_at(50).hex()
        assert not any(service.staging.folder.glob("*/*"))  # what was merged makes room
        with place.central() as central:
            assert central.store.counts().entries == 50
        assert send_again(asker, one.batch()).new == 0


def send_again(asker: Asker, data: bytes) -> Offered:
    """The same batch, without a pack: central has it."""
    batch = cut(lambda: iter([data]), PACK)
    answer = asker.ask("POST", "/v1/batches", write_offer(batch.head, batch.names))
    assert answer.status_code == 200
    return Offered.from_bytes(answer.content)


def test_what_central_signed_of_a_backup_is_said_over_the_line(tmp_path: Path) -> None:
    """By each of the server's connections to central, whichever of them learned of the project; a forged row is not."""
    one = laptop(2)
    place = Place.make(tmp_path, one)
    with asking(place, one, workers=3) as (asker, service):
        send(asker, one.batch())
        together = threading.Barrier(3)

        def said() -> list[Level]:
            together.wait(20)  # in three threads, of which one learned of the project
            files = service._receipts(service._central(), one.device)
            return [read_receipt(bytes.fromhex(file), place.signed.model.role_keys).level for file in files]

        for key, levels in (
            (SigningKey.generate(), [Level.COMMITTED]),
            (place.project.central, [Level.COMMITTED, Level.BACKED_UP]),
        ):
            with place.central() as central, central.store.write() as writer:
                row = noted(one.device, 2, one.head_at(2), NOW.isoformat(), key=key, project=place.project.id)
                writer.covered([row], NOW.isoformat())
            assert [given.result(20) for given in [service.pool.submit(said) for _ in range(3)]] == [levels] * 3


def test_missing_packs_are_named(tmp_path: Path) -> None:
    """An offer before its packs is answered with those that are missing, and nothing is merged."""
    one = laptop(3)
    one.seal(size=200_000)
    batch = cut(lambda: iter([one.batch()]), PACK)
    assert len(batch.names) > 2
    with asking(Place.make(tmp_path, one), one) as (asker, service):
        first = next(data for _name, data in batch.data(frozenset(batch.names)))
        asker.put(first)
        answer = asker.ask("POST", "/v1/batches", write_offer(batch.head, batch.names))
        assert answer.status_code == 202
        assert Offered.from_bytes(answer.content).missing == batch.names[1:]
        heads = Heads.from_bytes(asker.ask("POST", "/v1/heads", HeadsAsked(packs=batch.names).to_bytes()).content)
        assert heads.packs == batch.names[:1]
        assert service.pool.submit(lambda: service._central().store.counts().entries).result() == 0


def test_heads_say_what_is_lacking(tmp_path: Path) -> None:
    """Gaps and the end; with receipts for what is whole."""
    one = laptop(30)
    place = Place.make(tmp_path, one)
    with asking(place, one) as (asker, _service):
        send(asker, one.batch(1, 10))
        send(asker, one.batch(21, 25))
        asked = HeadsAsked(logs=(LogAsked(device=one.device, to=30),)).to_bytes()
        (held,) = Heads.from_bytes(asker.ask("POST", "/v1/heads", asked).content).logs
        assert held.lacks == ((11, 20), (26, 30))
        (receipt,) = (read_receipt(bytes.fromhex(r), place.signed.model.role_keys) for r in held.receipts)
        assert receipt.up_to == 10


def test_a_laptop_that_is_not_enrolled_is_refused(tmp_path: Path) -> None:
    """Nor does the card that it could show change that: a stick still takes what it has."""
    one, stranger = laptop(1), laptop(1)
    with asking(Place.make(tmp_path, one), one) as (asker, _service):
        answer = asker.ask("POST", "/v1/heads", HeadsAsked().to_bytes(), signer=stranger.carrier)
        assert (answer.status_code, code(answer)) == (403, "not_enrolled")
        assert asker.ask("POST", "/v1/heads", HeadsAsked().to_bytes()).status_code == 200  # the control


def test_a_revoked_laptop_is_refused_at_once(tmp_path: Path) -> None:
    """With the next version of the project, while the server runs."""
    one = laptop(3)
    place = Place.make(tmp_path, one)
    with asking(place, one) as (asker, _service):
        assert asker.ask("GET", "/v1/project?after=0").status_code == 200
        place.enrol(one.card, status="revoked", revoked_from=2)
        answer = asker.ask("GET", "/v1/project?after=0")
        assert (answer.status_code, code(answer)) == (403, "revoked")


def test_a_laptop_speaks_only_of_its_own_log(tmp_path: Path) -> None:
    """Not of another's: neither to ask nor to hand on. A supervisor's key may do both."""
    one, other = laptop(2), laptop(2)
    place = Place.make(tmp_path, one, other)
    batch = cut(lambda: iter([other.batch()]), PACK)
    asked = HeadsAsked(logs=(LogAsked(device=other.device, to=2),)).to_bytes()
    with asking(place, one) as (asker, _service):
        for path, body in (("/v1/heads", asked), ("/v1/batches", write_offer(batch.head, batch.names))):
            answer = asker.ask("POST", path, body)
            assert (answer.status_code, code(answer)) == (403, "not_yours")
        relay = Asker(asker.app, one.card.project, place.project.supervisor)
        assert relay.ask("POST", "/v1/heads", asked).status_code == 200
        assert send(relay, other.batch()).new == 2


def test_the_log_before_a_new_vault_is_ones_own(tmp_path: Path) -> None:
    """A laptop that began a new log still sends the one before."""
    before = laptop(2)
    parent = LogParent(device=before.device, seq=2, head=before.head_at(2).hex())
    after = SyntheticLaptop(parent=parent, former=before.carrier)
    after.seal()
    with asking(Place.make(tmp_path, after), after) as (asker, _service):
        assert send(asker, before.batch()).new == 2
        assert send(asker, after.batch()).new == 1


@pytest.mark.parametrize("proven", [True, False])
def test_the_log_of_an_enrolled_laptop_is_ones_own_where_its_key_says_so(tmp_path: Path, proven: bool) -> None:
    """A card that names an enrolled laptop's log is believed with that laptop's signature, and with no other's.

    Without it: neither how far that log has come, nor a batch of it; its own log goes on as any.
    """
    before = laptop(2)
    parent = LogParent(device=before.device, seq=2, head=before.head_at(2).hex())
    key = before.carrier if proven else SigningKey.generate()
    after = SyntheticLaptop(parent=parent, former=key)
    after.seal()
    asked = HeadsAsked(logs=(LogAsked(device=before.device, to=2),)).to_bytes()
    with asking(Place.make(tmp_path, before, after), after) as (asker, _service):
        answer = asker.ask("POST", "/v1/heads", asked)
        assert answer.status_code == (200 if proven else 403)
        assert send(asker, after.batch()).new == 1


def test_a_signed_request_is_taken_once(tmp_path: Path) -> None:
    """Sent again as it is, it is refused; the next one is taken."""
    one = laptop(1)
    with asking(Place.make(tmp_path, one), one) as (asker, service):
        body = HeadsAsked().to_bytes()
        headers = {"authorization": asker.header("POST", "/v1/heads", body)}
        assert asker.raw("POST", "/v1/heads", body, headers).status_code == 200
        again = asker.raw("POST", "/v1/heads", body, headers)
        assert (again.status_code, code(again)) == (401, "replayed")
        assert asker.ask("POST", "/v1/heads", body).status_code == 200
        assert service.nonces.remembered() == 1


def test_a_nonce_ends(tmp_path: Path) -> None:
    """By the server's own time; one of another process is none."""
    one = laptop(1)
    place = Place.make(tmp_path, one)
    with asking(place, one) as (asker, _service):
        old = asker.hello()
        place.clock.move(seconds=place.limits.nonce_seconds - 1)
        assert asker.ask("GET", "/v1/project?after=0").status_code == 200
        place.clock.move(seconds=3)
        answer = asker.ask("GET", "/v1/project?after=0")
        assert (answer.status_code, code(answer)) == (401, "nonce")
    with asking(place, one) as (asker, _service):
        answer = asker.ask("GET", "/v1/project?after=0", nonce=old)
        assert (answer.status_code, code(answer)) == (401, "nonce")


def test_a_laptop_whose_clock_is_ten_years_off_is_served(tmp_path: Path) -> None:
    """Nothing of a device's clock is in a request: the control is that the server's own clock moves, and nonces end."""
    one = laptop(1)
    place = Place.make(tmp_path, one)
    with asking(place, one) as (asker, _service):
        place.clock.move(days=3650)
        assert asker.ask("GET", "/v1/project?after=0").status_code == 200


def test_rates_and_sizes_are_bounded(tmp_path: Path) -> None:
    """Too many requests, of strangers and of a laptop; bodies that are too long are refused before they are read."""
    one, stranger = laptop(1), laptop(1)
    limits = Limits(burst=4, rate=1.0, strangers=1.0, strangers_burst=6, pack=1 << 16)
    place = Place.make(tmp_path, one, limits=limits)
    with asking(place, one) as (asker, service):
        asker.hello()
        answers = [asker.ask("GET", "/v1/project?after=0").status_code for _ in range(6)]
        assert answers == [200] * 4 + [429] * 2
        slow = asker.ask("GET", "/v1/project?after=0")
        assert (code(slow), slow.headers["retry-after"]) == ("slow_down", "1")
        place.clock.move(seconds=3)
        assert asker.put(bytes(1 << 16)).status_code == 201
        long = asker.put(bytes((1 << 16) + 1))
        assert (long.status_code, code(long)) == (413, "too_long")
        unknown = [asker.ask("GET", "/v1/project", signer=stranger.carrier).status_code for _ in range(12)]
        assert unknown[0] == 403
        assert unknown[-1] == 429
        assert len(service._strangers) == 1


def test_buckets_do_not_grow(tmp_path: Path) -> None:
    """However many addresses ask."""
    from sync.http.limits import Buckets  # beside the one test that needs it

    buckets = Buckets(1.0, 1, lambda: 0.0, keys=100)
    assert [buckets.take(str(number)) for number in range(1000)] == [0.0] * 1000
    assert len(buckets) == 100
    assert buckets.take("999") > 0


def test_nonces_in_use_do_not_grow(tmp_path: Path) -> None:
    """A laptop that asks for ever new ones is told to wait; when the old ones have ended, it goes on."""
    one = laptop(1)
    place = Place.make(tmp_path, one, limits=Limits(nonces=3))
    with asking(place, one) as (asker, service):
        answers = []
        for _ in range(5):
            asker.hello()
            answers.append(asker.ask("GET", "/v1/project?after=0").status_code)
        assert answers == [200, 200, 200, 401, 401]
        assert service.nonces.remembered() == 3
        place.clock.move(seconds=place.limits.nonce_seconds + 5)
        asker.hello()
        assert asker.ask("GET", "/v1/project?after=0").status_code == 200
        assert service.nonces.remembered() == 1


def test_staged_packs_have_a_quota_and_an_age(tmp_path: Path) -> None:
    """Beyond it nothing is staged; what nobody comes back for goes."""
    one = laptop(1)
    place = Place.make(tmp_path, one, limits=Limits(quota=150_000, age=100.0))
    with asking(place, one) as (asker, service):
        assert asker.put(b"a" * 60_000).status_code == 201
        assert asker.put(b"a" * 60_000).status_code == 200  # the same again costs nothing
        assert asker.put(b"b" * 60_000).status_code == 201
        full = asker.put(b"c" * 60_000)
        assert (full.status_code, code(full)) == (507, "no_room")
        assert len(list(service.staging.folder.glob("*/*"))) == 2
        service.staging._wall = lambda: 1e12
        service.staging.sweep()
        assert not list(service.staging.folder.glob("*/*"))
        assert asker.put(b"c" * 60_000).status_code == 201


def test_a_body_that_is_not_the_one_signed_is_refused(tmp_path: Path) -> None:
    """Nothing of it stays."""
    one = laptop(1)
    with asking(Place.make(tmp_path, one), one) as (asker, service):
        path = f"/v1/packs/{hashlib.sha256(b'right').hexdigest()}"
        headers = {"authorization": asker.header("PUT", path, b"right")}
        answer = asker.raw("PUT", path, b"wrong", headers)
        assert (answer.status_code, code(answer)) == (400, "other_body")
        assert not list(service.staging.folder.rglob("*.*"))
        assert asker.ask("PUT", path, b"right").status_code == 201
        other = asker.ask("PUT", path, b"other")  # signed, but not what its name says
        assert other.status_code == 400


def test_a_damaged_staged_pack_is_asked_for_again(tmp_path: Path) -> None:
    """A disk that lost a bit costs a pack, not the batch."""
    one = laptop(3)
    batch = cut(lambda: iter([one.batch()]), PACK)
    with asking(Place.make(tmp_path, one), one) as (asker, service):
        ((_name, data),) = batch.data(frozenset(batch.names))
        asker.put(data)
        (staged,) = service.staging.folder.glob("*/*")
        staged.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        answer = asker.ask("POST", "/v1/batches", write_offer(batch.head, batch.names))
        assert Offered.from_bytes(answer.content).missing == batch.names
        assert send(asker, one.batch()).new == 3


def test_a_batch_of_another_project_is_refused_before_its_packs(tmp_path: Path) -> None:
    """Its head is verified first; so is a forged one."""
    one = laptop(2)
    foreign = laptop(2, project=OTHER_PROJECT)
    forged = bytearray(cut(lambda: iter([one.batch()])).head)
    forged[-1] ^= 1
    with asking(Place.make(tmp_path, one), one) as (asker, _service):
        for head, reason in (
            (cut(lambda: iter([foreign.batch()])).head, "refused.foreign_project"),
            (bytes(forged), "untrusted.signature"),
        ):
            answer = asker.ask("POST", "/v1/batches", write_offer(head, ("ab" * 32,)))
            assert answer.status_code == 422
            assert Refused.from_bytes(answer.content).reason == reason


def test_withdrawals_go_both_ways_and_take_effect(tmp_path: Path) -> None:
    """Handed in by one laptop, excluded and erased at central, given out to another."""
    one, other = laptop(1), laptop(1)
    place = Place.make(tmp_path, one, other)
    secret = WithdrawalCode.generate()
    one.seal(withdrawal=secret.tag(one.card.project))
    stone = Tombstone(project=one.card.project, code=secret.raw, requested="2026-03-01").to_bytes()
    with asking(place, one) as (asker, _service):
        send(asker, one.batch())
        with place.central() as central:
            assert central.store.counts().bodies == 2
        answer = asker.ask("POST", "/v1/withdrawals", join_pieces([stone]))
        assert Taken.from_bytes(answer.content).new == 1
        with place.central() as central:
            assert central.store.counts().bodies == 1
        second = Asker(asker.app, one.card.project, other.carrier)
        assert split_pieces(second.ask("GET", "/v1/withdrawals").content) == [stone]
        after = hashlib.sha256(stone).hexdigest()
        assert second.ask("GET", f"/v1/withdrawals?after={after}").content == b""
        reports = split_pieces(second.ask("GET", "/v1/erased").content)
        assert reports is not None
        assert len(reports) == 1  # central says that it holds nothing of it any more
        foreign = Tombstone(project=OTHER_PROJECT, code=secret.raw, requested="2026-03-01").to_bytes()
        assert asker.ask("POST", "/v1/withdrawals", join_pieces([foreign])).status_code == 422


def test_small_files_come_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each after the last of the page before, until there is none."""
    one = laptop(1)
    place = Place.make(tmp_path, one)
    codes = [WithdrawalCode(number).raw for number in range(40)]
    stones = [Tombstone(project=one.card.project, code=raw, requested="2026-03-01") for raw in codes]
    with place.central() as central, central.store.write() as writer:
        for stone in stones:
            writer.tombstone(bytes.fromhex(stone.tag), stone.to_bytes())
    monkeypatch.setattr("sync.http.service.PAGE", 1500)
    with asking(place, one) as (asker, _service):
        found: list[bytes] = []
        after, pages = "", 0
        while page := split_pieces(asker.ask("GET", f"/v1/withdrawals{after}").content):
            found += page
            after, pages = f"?after={hashlib.sha256(page[-1]).hexdigest()}", pages + 1
        assert sorted(found) == sorted(stone.to_bytes() for stone in stones)
        assert pages > 3


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("DELETE", "/v1/hello", 405), ("GET", "/", 404), ("PUT", "/v1/packs/abc", 404)],
)
def test_places_that_are_not_there(tmp_path: Path, method: str, path: str, status: int) -> None:
    """Told in HTTP's own words."""
    one = laptop(1)
    with asking(Place.make(tmp_path, one), one) as (asker, _service):
        assert asker.ask(method, path).status_code == status


def test_only_centrals_key_may_stand_behind_a_server(tmp_path: Path) -> None:
    """With another, no laptop would believe its receipts: it does not start."""
    from sync.errors import NotCentralsKeyError  # beside the one test that needs it
    from sync.http.service import Service

    place = Place.make(tmp_path, laptop(1))
    with pytest.raises(NotCentralsKeyError):
        Service(place.central, lambda: place.signed, SigningKey.generate(), home=place.home)


def test_the_empty_body_has_one_hash() -> None:
    """Its literal, SHA-256 of nothing (FIPS 180-4)."""
    assert EMPTY == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
