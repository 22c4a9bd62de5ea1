"""Nothing that was withdrawn comes back: whatever the order in which five places withdraw, copy, merge, restore, and
old sticks and backups turn up again. All devices and records are synthetic.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import custody, withdrawals
from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.fieldwork.withdrawals import Withdrawals, apply_all, withdraw
from fieldsurvey.needs.opened.dataset import Dataset, Quality, Table
from fieldsurvey.needs.opened.erasing import clear_rounds, taken_from
from fieldsurvey.needs.opened.store import load_dataset, save_dataset
from fieldsurvey.project.keys import HmuKeys, role_key_bytes
from fieldsurvey.project.policy import Round
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.envelope import Header, read_header, seal
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.batches import read_batch
from sync.carrying import hand_on, take_stick
from sync.central import Central
from sync.erasing import settle
from sync.folder import collect, export_batches
from sync.importing import import_folder
from sync.relay import Relay
from sync.stick import Stick, opened
from sync.withdrawals import withdrawn_in
from tests.sync.laptops import HMU
from tests.sync.projects import NOW, PASSPHRASE, SyntheticProject, join

LAPTOPS: Final = ("one", "two")
CASES: Final = 3
ROUND: Final = Round(id="r1", title="synthetic", start="2026-03-01", end="2026-03-31")


@dataclass
class Country:
    """Two laptops, a relay, central, the HMU, two sticks, and what somebody kept of earlier days."""

    folder: Path
    project: SyntheticProject
    signed: SignedProject
    codes: list[WithdrawalCode]
    hmu: HmuKeys
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

    def laptop(self, name: str) -> Laptop:
        """Locked."""
        return Laptop.open(self.folder / name, self.clock)

    def stick(self, number: int) -> Path:
        """One of the sticks."""
        return self.folder / f"stick-{number}"

    @contextmanager
    def central(self) -> Iterator[Central]:
        """Central, in the office's home."""
        with Central.open(self.folder / "office" / "central.db", clock=self.clock) as opened_central:
            yield opened_central

    def relay(self) -> Relay:
        """The supervisor's."""
        return Relay.open(self.folder / "supervisor", self.clock)

    def withdraw(self, place: str, case: int) -> None:
        """Somebody comes with a slip."""
        code = self.codes[case]
        if place in LAPTOPS:
            laptop = self.laptop(place)
            withdraw(laptop.locked, code, NOW.date(), NOW)
            laptop.close()
            return
        home = self.folder / ("supervisor" if place == "relay" else "office")
        stone = Tombstone(project=self.project.id, code=code.raw, requested=NOW.date().isoformat())
        Withdrawals(home).enter(stone)
        if place == "relay":
            relay = self.relay()
            with relay.alone():
                relay.erase()
        else:
            self.settle()
            if place == "hmu":
                self.look()

    def settle(self) -> None:
        """What every command of central's does."""
        with self.central() as central:
            settle(central, self.folder / "office", self.project.central, self.clock.now())

    def copy(self, place: str, stick: int) -> None:
        """A laptop or the relay puts what it has on a stick, taking first what is on it."""
        target = self.stick(stick)
        if place == "relay":
            hand_on(self.relay(), target)
            return
        laptop = self.laptop(place)
        if Stick(target).root.is_dir():
            collect(laptop, target)
        export_batches(laptop.locked, target, clock=self.clock)
        laptop.close()

    def merge(self, place: str, stick: int) -> None:
        """A stick is read by the relay or central."""
        source = self.stick(stick)
        if not Stick(source).root.is_dir():
            return
        if place == "relay":
            take_stick(self.relay(), source)
            return
        with self.central() as central:
            import_folder(central, source, self.signed, self.project.central, home=self.folder / "office")

    def keep(self, what: str) -> None:
        """Somebody keeps a copy of it: a stick in a drawer, a backup."""
        kept = self.folder / "kept" / what
        if what in LAPTOPS:
            laptop = self.laptop(what)
            custody.backup(laptop, kept)
            laptop.close()
        elif what == "central":
            kept.mkdir(parents=True, exist_ok=True)
            with self.central() as central:
                central.status()  # the write-ahead log is in the file when it is closed
            shutil.copy(self.folder / "office" / "central.db", kept / "central.db")
        elif what == "rounds":
            if (self.folder / "needs").is_dir():
                shutil.copytree(self.folder / "needs", kept, dirs_exist_ok=True)
        elif self.stick(int(what)).is_dir():
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(self.stick(int(what)), kept)

    def bring_back(self, what: str) -> None:
        """The old stick is plugged in again; the backup is restored over what was lost."""
        kept = self.folder / "kept" / what
        if not kept.is_dir():
            return
        if what in LAPTOPS:
            home = self.folder / what
            stones = list(Withdrawals(home))
            shutil.rmtree(home)
            oldest = min(kept.glob("*.fsv"), key=lambda path: path.stat().st_mtime_ns)  # one more of each device it was
            with custody.Restoring(home, custody.find_backup(oldest), self.clock) as restoring:
                for stone in stones:  # they are on every stick that went out since
                    Withdrawals(home).enter(stone)
                laptop = restoring.finish(PASSPHRASE).laptop
            apply_all(laptop.locked, NOW)
            self.project.enrol(laptop.locked.device_card())
            laptop.close()
        elif what == "central":
            for suffix in ("-wal", "-shm"):
                (self.folder / "office" / f"central.db{suffix}").unlink(missing_ok=True)
            shutil.copy(kept / "central.db", self.folder / "office" / "central.db")
            self.settle()
        elif what == "rounds":
            shutil.copytree(kept, self.folder / "needs", dirs_exist_ok=True)
            self.look(anew=False)
        else:
            shutil.rmtree(self.stick(int(what)), ignore_errors=True)
            shutil.copytree(kept, self.stick(int(what)))

    def look(self, *, anew: bool = True) -> None:
        """The HMU clears what is open, then opens the round again."""
        self.settle()
        with self.central() as central:
            clear_rounds(taken_from(central), self.hmu, self.folder / "needs")
            current = [case.current for case in central.cases() if case.current is not None]
        if not anew:
            return
        frame = pl.DataFrame(
            {
                "_record": [one.record_hash.hex() for one in current],
                "_case": [one.case for one in current],
                **{flag: [False] * len(current) for flag in ("_conflict", "_proposal", "_duplicate")},
            },
            schema={
                "_record": pl.String,
                "_case": pl.String,
                **dict.fromkeys(("_conflict", "_proposal", "_duplicate"), pl.Boolean()),
            },
        )
        made = Dataset(
            project=self.project.id,
            project_version=1,
            survey_round=ROUND,
            quality=Quality(cases=len(current), kept=len(current)),
            tables=(Table("needs", "", (), frame),),
        )
        save_dataset(made, self.hmu, self.folder / "needs")

    def tags(self, home: str) -> set[str]:
        """What is known there to be withdrawn."""
        return set(Withdrawals(self.folder / home).of(self.project.id))

    def check(self, *, days: bool = True) -> None:
        """No place holds a record of a case that it knows to be withdrawn; a relay for `days` beside others'."""
        for name in LAPTOPS:
            laptop = self.laptop(name)
            tags = self.tags(name)
            for log in laptop.locked.logs():
                assert not any(read_header(record).withdrawal in tags for _entry, record in log.entries()), name
            laptop.close()
        waits = {one.held.manifest for one in self.relay().waiting()} if days else set()
        for held in self.relay().holding.batches():
            with opened(held.path) as stream:
                batch = read_batch(stream, self.project.id)
                most = len(batch.present) - 1 if held.manifest in waits else 0
                assert withdrawn_in(batch, self.tags("supervisor")).total() <= most, "relay"
        known = self.tags("office")
        with self.central() as central:
            known |= {tag.hex() for tag, _data in central.store.tombstones()}
            cases = set()
            for device in central.store.devices():
                for entry in central.store.entries(device.device):
                    if entry.withdrawal is not None and entry.withdrawal.hex() in known:
                        cases.add(entry.case)
                        assert central.store.body(entry.record_hash) is None, "central"
            assert not any(case.current for case in central.cases() if case.case in cases), "central"
        if (self.folder / "needs" / "r1.fso").exists():
            held_cases = set(load_dataset("r1", self.hmu, self.folder / "needs").frame("needs")["_case"])
            assert not held_cases & (cases & self.looked), "hmu"

    looked: set[str] = field(default_factory=set)

    def mark(self) -> None:
        """What the HMU must have taken out: it looks again before it uses anything."""
        with self.central() as central:
            tags = {tag for tag, _data in central.store.tombstones()}
            for device in central.store.devices():
                self.looked |= {e.case for e in central.store.entries(device.device) if e.withdrawal in tags}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """Both laptops have sealed; nothing has moved."""
    folder = tmp_path_factory.mktemp("country")
    project = SyntheticProject()
    codes = []
    for name in LAPTOPS:
        laptop = join(project, folder / name, name)
        with laptop.locked.unlock(PASSPHRASE) as vault:
            for _ in range(CASES):
                codes.append(WithdrawalCode.generate())
                header = Header(
                    project=vault.project,
                    device=vault.device,
                    case=secrets.token_hex(16),
                    withdrawal=codes[-1].tag(project.id),
                )
                record = seal(header, b"synthetic" + bytes(40), [HMU.public])
                vault.finalise(vault.drafts.create(bytes(32), b"head", b"snapshot").draft_id, record)
        project.enrol(laptop.locked.device_card())
        laptop.close()
    signed = project.publish()
    (folder / "supervisor").mkdir()
    key = folder / "supervisor" / "given.key"
    key.write_bytes(role_key_bytes(project.id, Role.SUPERVISOR, project.supervisor))
    Relay.set_up(folder / "supervisor", key, signed.data, FixedClock(NOW))
    (folder / "office").mkdir()
    country = Country(folder, project, signed, codes, HmuKeys.generate(project.id))
    with country.central() as central:
        central.learn(signed.model)
    return country


Step = tuple[str, ...]
_PLACE = st.sampled_from([*LAPTOPS, "relay", "central", "hmu"])
_CASE = st.integers(0, 2 * CASES - 1).map(str)
_STICK = st.sampled_from(["0", "1"])
_KEPT = st.sampled_from([*LAPTOPS, "central", "rounds", "0", "1"])
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.tuples(st.just("withdraw"), _PLACE, _CASE),
        st.tuples(st.just("copy"), st.sampled_from([*LAPTOPS, "relay"]), _STICK),
        st.tuples(st.just("merge"), st.sampled_from(["relay", "central"]), _STICK),
        st.tuples(st.just("keep"), _KEPT),
        st.tuples(st.just("bring_back"), _KEPT),
        st.tuples(st.just("look")),
    ),
    min_size=4,
    max_size=14,
)


def play(template: Country, steps: list[Step]) -> None:
    """One history, looked at after every step; then everything meets everything."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "country"
        shutil.copytree(template.folder, folder)
        country = Country(folder, template.project, template.signed, template.codes, template.hmu)
        for step in steps:
            _do(country, step)
            if step[0] == "look" or step[:2] == ("withdraw", "hmu") or step == ("bring_back", "rounds"):
                country.mark()
            country.check()
        for _ in range(2):
            for stick in ("0", "1"):
                for at in (*LAPTOPS, "relay"):
                    _do(country, ("copy", at, stick))
                _do(country, ("merge", "relay", stick))
                _do(country, ("merge", "central", stick))
                for at in LAPTOPS:
                    _do(country, ("copy", at, stick))
            _do(country, ("look",))
        country.mark()
        country.check(days=False)  # all was handed on
        everywhere = [country.tags(home) for home in (*LAPTOPS, "supervisor", "office")]
        assert all(tags == everywhere[0] for tags in everywhere)  # a withdrawal entered anywhere is known everywhere
        for number in (0, 1):
            for path in (country.stick(number) / "fieldsurvey" / "batches").glob("*.fsb"):
                with opened(path) as stream:
                    assert not withdrawn_in(read_batch(stream, country.project.id), everywhere[0])


def _do(country: Country, step: Step) -> None:
    country.clock.at += timedelta(seconds=1)
    name, *arguments = step
    numbers = [int(one) if one.isdigit() and name in {"withdraw", "copy", "merge"} else one for one in arguments]
    getattr(country, name)(*numbers)


_SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


@settings(max_examples=15, deadline=None, suppress_health_check=_SLOW)
@given(steps=STEPS)
def test_whatever_the_order_nothing_withdrawn_comes_back(template: Country, steps: list[Step]) -> None:
    """Withdrawals at five places, copies, merges, old sticks, restored laptops, centrals and rounds in any order."""
    play(template, steps)


@pytest.mark.long
@settings(max_examples=1_000, deadline=None, suppress_health_check=_SLOW)
@given(steps=STEPS)
def test_a_thousand_orders(template: Country, steps: list[Step]) -> None:
    """The same, before a release."""
    play(template, steps)


RESTORED: Final[dict[str, list[Step]]] = {
    "central": [
        ("copy", "one", "0"), ("merge", "central", "0"), ("keep", "central"), ("withdraw", "one", "0"),
        ("copy", "one", "0"), ("merge", "central", "0"), ("bring_back", "central"),
    ],
    "rounds": [
        ("copy", "one", "0"), ("merge", "central", "0"), ("look",), ("keep", "rounds"), ("withdraw", "hmu", "0"),
        ("bring_back", "rounds"),
    ],
    "laptop": [("keep", "one"), ("withdraw", "one", "0"), ("bring_back", "one")],
    "twice": [("keep", "one"), ("bring_back", "one"), ("keep", "one"), ("withdraw", "one", "0"), ("bring_back", "one")],
    "stick": [
        ("copy", "one", "0"), ("keep", "0"), ("withdraw", "central", "0"), ("bring_back", "0"),
        ("merge", "central", "0"),
    ],
    "relay": [("withdraw", "relay", "0"), ("copy", "one", "0"), ("merge", "relay", "0")],
}  # fmt: skip


@pytest.mark.parametrize("what", RESTORED)
def test_what_comes_back_is_erased_again(template: Country, what: str) -> None:
    """The shortest history of each kind."""
    play(template, RESTORED[what])


@pytest.mark.parametrize(
    ("what", "left_out"),
    [
        ("central", "sync.central.Central.erase"),
        ("rounds", f"{__name__}.clear_rounds"),
        ("laptop", f"{__name__}.apply_all"),
        ("stick", "sync.central.Central.erase"),
        ("relay", "sync.holding.withdrawn_in"),
    ],
)
def test_without_applying_it_again_it_comes_back(
    template: Country, what: str, left_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: where a place does not apply tombstones again, the same history is caught."""
    monkeypatch.setattr(left_out, lambda *_args, **_named: 0)
    if what == "stick":  # a late batch of a known tag must be stored without its body
        monkeypatch.setattr("sync.central.Central._tags", lambda _self: frozenset())
    if what == "laptop":
        monkeypatch.setattr(withdrawals, "erase_bodies", lambda *_: 0)
    with pytest.raises(AssertionError):
        play(template, RESTORED[what])
