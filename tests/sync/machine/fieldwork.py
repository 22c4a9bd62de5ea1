"""The rules: what laptops, carriers and central do, in any order."""

from __future__ import annotations

import shutil

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from fieldsurvey.vault.returned import stored_returns
from tests.sync.machine import carriers, kit, returning
from tests.sync.machine.kit import LAPTOPS, Standing
from tests.sync.machine.laptops import WrongClock
from tests.sync.machine.lines import MISHAPS, Plan
from tests.sync.machine.online import EVENTS, Online
from tests.sync.machine.world import CLOCKS, MAX_COPIES, MAX_SEALED, STICKS, reached

which = st.integers(0, MAX_COPIES - 1)
sticks = st.integers(0, STICKS - 1)
codes = st.sampled_from((None, 0, 1, 2))
events = st.tuples(st.sampled_from([*sorted(EVENTS), *4 * ["push"]]), st.integers(0, 9))
plans = st.dictionaries(st.integers(0, 6), st.sampled_from(MISHAPS) | events, min_size=1, max_size=5)
mishaps = st.tuples(st.integers(0, 20), st.sampled_from(carriers.MISHAPS), st.integers(0, 9999))


class Fieldwork(Online):
    """Laptops, sticks, a relay, central."""

    @precondition(lambda self: len(self.model.sealed) < MAX_SEALED)
    @rule(laptop=which, tags=st.lists(codes, min_size=1, max_size=3))
    def seal(self, laptop: int, tags: list[int | None]) -> None:
        """New cases, some with a withdrawal code."""
        self._seal(self._laptop(laptop), tags)

    @precondition(lambda self: len(self.model.sealed) < MAX_SEALED)
    @rule(laptop=which, of=st.integers(0, MAX_SEALED), keeps_tag=st.booleans())
    def revise(self, laptop: int, of: int, keeps_tag: bool) -> None:
        """A revision of any record, on any laptop: its own, a clone, another's as a proposal; offline, also twice."""
        one = self._laptop(laptop)
        self._revise(one, self._pick(one, of), keeps_tag=keeps_tag)

    @precondition(lambda self: len(self.laptops) < MAX_COPIES and len(self.model.sealed) < MAX_SEALED)
    @rule(laptop=which, days=st.sampled_from(CLOCKS), of=st.integers(0, 2 * MAX_SEALED), arrive=st.integers(0, 3))
    def clone(self, laptop: int, days: int, of: int, arrive: int) -> None:
        """A copied disk goes on living beside its original: both go on, with new cases or revisions of one record."""
        one = self._laptop(laptop)
        twin = one.clone(self._place("home"), days)
        self.laptops.append(twin)
        self.split.add(one.number)
        entry = self._pick(one, of)
        for each, stick in ((one, 0), (twin, 1)):
            if of > MAX_SEALED:
                self._seal(each, (None,))
            else:
                self._revise(each, entry, keeps_tag=True)
            if arrive:
                self._export(each, self._stick(stick))
                self._bring(self._stick(stick))

    @precondition(lambda self: any(one.copies for one in self.laptops))
    @rule(laptop=which, of=st.integers(0, 3), remembers=st.booleans())
    def roll_back(self, laptop: int, of: int, remembers: bool) -> None:
        """A laptop is as it was once: what it seals from now on forks its log."""
        able = [one for one in self.laptops if one.copies]
        one = able[laptop % len(able)]
        one.roll_back(one.copies[of % len(one.copies)], remembers=remembers)
        self.split.add(one.number)
        reached["rolled back"] += 1

    @rule(place=st.integers(0, MAX_COPIES + 1), days=st.sampled_from(CLOCKS))
    def set_clock(self, place: int, days: int) -> None:
        """A clock is wrong: a laptop's, central's, the supervisor's."""
        clocks = [one.clock for one in self.laptops] + [self.centre.clock, self.supervisor.clock]
        clocks[place % len(clocks)].days = days

    @rule(laptop=which, stick=sticks, entries=st.sampled_from((1, 2, 4, 100)), everything=st.booleans())
    def export(self, laptop: int, stick: int, entries: int, everything: bool) -> None:
        """What is sealed goes on a stick."""
        self._export(self._laptop(laptop), self._stick(stick), entries, everything=everything)

    @rule(
        stick=sticks,
        laptop=st.none() | which,
        entries=st.sampled_from((1, 1, 4)),
        arrives=st.booleans(),
        changes=st.lists(mishaps, min_size=1, max_size=3),
    )
    def mishap(
        self,
        stick: int,
        laptop: int | None,
        entries: int,
        arrives: bool,
        changes: list[tuple[int, carriers.Change, int]],
    ) -> None:
        """Files are lost, cut, altered, renamed, doubled, run together, half written; then it arrives, or not."""
        place = self._stick(stick)
        if laptop is not None:
            self._export(self._laptop(laptop), place, entries)
        for file, change, at in changes:
            found = carriers.everything(place) if file > 14 else carriers.batches(place)
            if found:
                change(found[file % len(found)], at)
        if arrives:
            self._bring(place)

    @rule(stick=sticks, other=sticks, kind=st.sampled_from(("join", "keep", "put back", "lose")))
    def swap(self, stick: int, other: int, kind: str) -> None:
        """Sticks are copied onto each other, put back to what they were, lost."""
        place, image = self._stick(stick), self.folder / f"image{other}"
        if kind == "join":
            carriers.copy_stick(place, self._stick(other))
        elif kind == "keep":
            carriers.put_back(place, image)
        elif kind == "put back" and image.is_dir():
            carriers.put_back(image, place)
        elif kind == "lose":
            shutil.rmtree(place)

    @rule(stick=sticks, laptop=which, kind=st.integers(0, carriers.FORGERIES + 4), days=st.sampled_from(CLOCKS))
    def deceive(self, stick: int, laptop: int, kind: int, days: int) -> None:
        """Somebody puts forged receipts, foreign batches or another root's project on a stick."""
        place = self._stick(stick)
        if kind < carriers.FORGERIES:
            issued = WrongClock(self.time, days).now()
            carriers.forge(place, self._laptop(laptop), kind, issued)
        elif kind < carriers.FORGERIES + 3:
            carriers.put_strange(place)
        else:
            carriers.put_project(place, kind % 2)
        self._bring(place)
        self._collect(self._laptop(laptop), place)

    @rule(stick=sticks, laptop=which)
    def collect(self, stick: int, laptop: int) -> None:
        """A laptop takes what came back: at once, late, twice."""
        self._collect(self._laptop(laptop), self._stick(stick))

    @rule(laptop=st.none() | which, then=st.sampled_from(("rest", "hand on", "arrive", "arrive", "lose")))
    def relay(self, laptop: int | None, then: str) -> None:
        """A supervisor's laptop takes what is on a stick, hands on what it holds on another, perhaps to central."""
        taken, given = self._stick(0), self._stick(1)
        if laptop is not None:
            self._export(self._laptop(laptop), taken)
        self._relay_takes(taken)
        if laptop is not None:
            self._collect(self._laptop(laptop), taken)
        if then in {"hand on", "arrive"}:
            self.supervisor.hand_on(given)
            assert not self.supervisor.check_held(self.model), "what was handed on waits still"
            self._said(self.supervisor.relay.receipts())
        if then == "arrive":
            self._bring(given)
        if then == "lose":  # with what it held; another one goes on
            self.supervisor.lose(self.project)

    @precondition(lambda self: len(self.model.sealed) < MAX_SEALED)
    @rule(laptop=which, code=st.integers(0, 2), others=st.integers(0, 1), days=st.sampled_from((0, 1, 8)))
    def withdraw_at_relay(self, laptop: int, code: int, others: int, days: int) -> None:
        """The relay takes a case, alone or with somebody else's, and hears that it is taken back; days go by there."""
        one, stick = self._laptop(laptop), self._stick(0)
        self._seal(one, (code, *(None,) * others))
        self._export(one, stick)
        self._relay_takes(stick)
        self._withdraw_at_relay(code)
        self.time.move(days)
        self._look_at_relay()

    @rule(stick=sticks, answers=st.booleans())
    def bring(self, stick: int, answers: bool) -> None:
        """A stick reaches central."""
        self._bring(self._stick(stick), answers=answers)

    @rule(standings=st.lists(st.sampled_from((None, 0, 0, 2)), min_size=LAPTOPS, max_size=LAPTOPS))
    def change_project(self, standings: list[Standing]) -> None:
        """Laptops are enrolled and revoked."""
        self._change_project(standings)

    @rule(code=st.integers(0, 2), laptop=which, place=st.sampled_from(("laptop", "central", "relay")))
    def withdraw(self, code: int, laptop: int, place: str) -> None:
        """Somebody takes a case back: at central, a relay, on any laptop; before, during or after it travels."""
        if place == "central":
            self.centre.withdraw(kit.tombstone(code))
        elif place == "relay":
            self._withdraw_at_relay(code)
        else:
            self._laptop(laptop).withdraw(code)
        self.dirty = True

    @precondition(lambda self: self.model.backup is not None)
    @rule()
    def lose_disk(self) -> None:
        """Central's disk fails; it is restored from its newest backup."""
        self._lose_disk()

    @precondition(lambda self: bool(self.model.held.bodies))
    @rule(of=st.integers(0, MAX_SEALED), to=which, stick=sticks, how=st.sampled_from(("return", "return", "forge")))
    def give_back(self, of: int, to: int, stick: int, how: str) -> None:
        """The HMU returns a record for correction; or somebody else pretends to, on a stick. Its laptop looks."""
        one, place = self._laptop(to), self._stick(stick)
        theirs = [entry for entry in self.model.held.entries.values() if entry.device == one.device]
        theirs = [entry for entry in theirs if entry.record_hash in self.model.held.bodies]
        if not theirs:
            return
        value = theirs[of % len(theirs)].record_hash
        key = kit.OFFICE if how == "return" else kit.FOREIGN
        manifest, data = returning.returned(self.model.headers[value], value, one.number, key)
        if how == "return":
            returning.pass_on(self.centre.central, manifest, data)
            self.model.returned.add(manifest)
            self.model.held.returns.add(manifest)
            self._export(one, place)
            self._bring(place)
        else:
            carriers.put_return(place, data)
        self._collect(one, place)
        returning.check_kept(one.log, self.model)
        reached["returned"] += bool(stored_returns(one.log))

    @rule(laptop=which, tags=st.lists(codes, max_size=2), entries=st.sampled_from((1, 2, 3, 100)), plan=plans)
    def push(self, laptop: int, tags: list[int | None], entries: int, plan: Plan) -> None:
        """A laptop sends over a line that breaks as planned; and then over one that does not."""
        one = self._laptop(laptop)
        self._seal(one, tags)
        if not self._push(one, plan, entries):
            self._push(one, {})

    @rule(laptop=st.none() | which, plan=plans)
    def push_relay(self, laptop: int | None, plan: Plan) -> None:
        """The supervisor's laptop takes a stick, and sends what it holds."""
        if laptop is not None:
            self._export(self._laptop(laptop), self._stick(0))
            self._relay_takes(self._stick(0))
        self._push_relay(plan)

    @rule(days=st.sampled_from((1, 8, 30)))
    def pass_time(self, days: int) -> None:
        """Days go by; then the supervisor looks at what is carried."""
        self.time.move(days)
        self._look_at_relay()

    @rule(
        laptop=which,
        stick=sticks,
        days=st.lists(st.sampled_from((0, 8)), min_size=1, max_size=2),
        backs_up=st.booleans(),
    )
    def round_trips(self, laptop: int, stick: int, days: list[int], backs_up: bool) -> None:
        """A supervisor's usual weeks: export, import, a backup of central now and then, collect."""
        one, place = self._laptop(laptop), self._stick(stick)
        for wait in days:
            self._export(one, place)
            self._bring(place)
            if backs_up:
                self._back_up()
                self._bring(place)
            self._collect(one, place)
            self.time.move(wait)


__all__ = ["Fieldwork", "reached"]
