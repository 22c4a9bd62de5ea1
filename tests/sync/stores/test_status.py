"""The figures of `central status` are those of all cases projected one by one, on every kind of store."""

from __future__ import annotations

import random

from sync.central import CaseCounts, Central
from sync.store import Store, StoredEntry
from tests.sync.laptops import PROJECT, laptop
from tests.sync.projects import SyntheticProject

DEVICES = [laptop(0) for _ in range(4)]
TAGS = [b"1" * 32, b"2" * 32]


def one_by_one(central: Central) -> CaseCounts:
    """Every case looked at."""
    views = list(central.cases())
    return CaseCounts(
        current=sum(view.current is not None for view in views),
        withdrawn=sum(view.current is None and bool(view.withdrawn) for view in views),
        in_conflict=sum(view.in_conflict for view in views),
        with_proposals=sum(bool(view.proposals) for view in views),
        original_missing=sum(view.original_missing for view in views),
    )


def scatter(store: Store, dice: random.Random) -> None:
    """Synthetic entries: cases of one record and of several, of devices of every standing, attachments, tags."""
    heard: list[StoredEntry] = []
    for seq in range(1, 80):
        case = dice.choice(heard).case if heard and dice.random() < 0.4 else dice.randbytes(16).hex()
        same = [one.record_hash for one in heard if one.case == case] + [dice.randbytes(32)]
        parent = dice.choice([None, None, *same]) if dice.random() < 0.6 else None
        kind = "attachment" if dice.random() < 0.15 else "record"
        device = dice.choice([*(one.device for one in DEVICES), "ff" * 16])
        tag = dice.choice([None, *TAGS]) if dice.random() < 0.3 else None
        at = (device, seq, dice.randbytes(32), bytes(32), dice.randbytes(32))
        heard.append(StoredEntry(*at, case, 1 if parent is None else 2, kind, parent, tag))
    with store.write() as writer:
        writer.entries((one, b"body") for one in heard)
        writer.tombstone(TAGS[0], b"code")


def test_the_figures_are_those_of_every_case(store: Store) -> None:
    """Enrolled, revoked in the middle, and unknown devices; and each figure is something other than none."""
    central = Central(store)
    assert central.status().cases == one_by_one(central) == CaseCounts(0, 0, 0, 0, 0)
    dice = random.Random(5)
    scatter(store, dice)
    assert central.status().cases == one_by_one(central) == CaseCounts(0, 0, 0, 0, 0)  # nobody is enrolled yet
    project = SyntheticProject(PROJECT)
    for number, one in enumerate(DEVICES[:3]):
        standing = {"status": "revoked", "revoked_from": 40} if number == 2 else {}
        project.devices[one.device] = {"id": one.device, "name": one.card.name, "card": one.card, **standing}
    central.learn(project.model())
    assert central.status().cases == one_by_one(central)
    for _ in range(6):
        scatter(store, dice)
        found = central.status().cases
        assert found == one_by_one(central)
    assert min(found.current, found.withdrawn, found.in_conflict, found.with_proposals, found.original_missing) > 0


def test_what_is_unusual_of_a_case(store: Store) -> None:
    """One first record of a device of ours is all there is to a usual case; anything more, or else, and it is named."""
    ours, other = DEVICES[0].device, DEVICES[1].device

    def entry(case: str, seq: int, device: str = ours, kind: str = "record", **more: bytes) -> StoredEntry:
        marks = {"parent": None, "withdrawal": None, **more}
        at = (device, seq, bytes([seq]) * 32, bytes(32), bytes([seq]) * 32)
        return StoredEntry(*at, case * 32, 1, kind, marks["parent"], marks["withdrawal"])

    rows = [
        entry("0", 1),
        entry("1", 2, withdrawal=TAGS[1]),
        entry("2", 3, withdrawal=TAGS[0]),
        entry("3", 4, kind="attachment"),
        entry("4", 5, parent=b"p" * 32),
        entry("5", 6, device=other),
        entry("6", 7),
        entry("6", 8, kind="attachment"),
        entry("7", 9, device=other),
        entry("7", 10, device=other),
    ]
    with store.write() as writer:
        writer.entries((one, b"body") for one in rows)
        writer.tombstone(TAGS[0], b"code")
    assert store.case_count() == 8
    assert sorted(store.unusual_cases([ours])) == [name * 32 for name in "234567"]
    assert sorted(store.unusual_cases([ours, other])) == [name * 32 for name in "23467"]
    assert sorted(store.unusual_cases([])) == [name * 32 for name in "01234567"]
    asked = [name * 32 for name in "760x"]
    assert [(row.case[:1], row.device, row.seq) for row in store.cases(asked)] == sorted(
        (row.case[:1], row.device, row.seq) for row in rows if row.case[:1] in "760"
    )
    assert store.cases(["6" * 32]) == store.case("6" * 32) == rows[6:8]
