"""The projections: a function of the set of records, whatever the order, the number of copies, or who carried them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import find, given
from hypothesis import strategies as st

from sync.merge import CaseView, Link, Version, project_case, project_cases, project_log, taken_back

GENESIS = bytes(32)


def digest(*parts: object) -> bytes:
    """A stand-in for a record's or a head's hash."""
    return hashlib.sha256(repr(parts).encode()).digest()


def version(
    name: str, revision: int, device: str, parent: Version | None = None, tag: bytes | None = None, case: str = "c"
) -> Version:
    """A synthetic version of a case."""
    own = digest("record", name)
    above = parent.record_hash if parent else None
    return Version(case, revision, device, own, above, tag, seq=revision, head=digest("head", name))


first = version("first", 1, "maker")
second = version("second", 2, "maker", first)
rival = version("rival", 2, "maker", first)
third = version("third", 3, "maker", second)
correction = version("correction", 9, "other", first)


def test_highest_revision_is_current_and_older_are_superseded() -> None:
    """A chain of revisions: the last counts, the others are kept as superseded, nothing conflicts."""
    view = project_case("c", [third, first, second], set())
    assert view.current == third
    assert view.superseded == (first, second)
    assert not view.in_conflict


def test_two_offline_revisions_of_one_record_are_both_kept() -> None:
    """Neither is lost: one is current by its hash, the other is listed as concurrent."""
    view = project_case("c", [first, second, rival], set())
    assert {view.current, *view.concurrent} == {second, rival}
    assert view.current is not None
    assert view.current.record_hash == max(second.record_hash, rival.record_hash)
    assert view.in_conflict


def test_a_longer_branch_wins_and_the_other_stays_listed() -> None:
    """Highest revision first; the leaf of the losing branch is a conflict, its follower's parent is not."""
    view = project_case("c", [first, second, rival, third], set())
    assert view.current == third
    assert view.concurrent == (rival,)


def test_someone_elses_correction_is_a_proposal_however_high_its_revision() -> None:
    """Another device cannot displace a case by counting higher."""
    view = project_case("c", [first, second, correction], set())
    assert view.current == second
    assert view.proposals == (correction,)
    assert not view.in_conflict


def test_a_revision_before_its_original_stands_until_the_original_comes() -> None:
    """Order of arrival changes nothing: with the set complete the projection is the same."""
    early = project_case("c", [third], set())
    assert early.current == third
    assert early.original_missing
    assert not early.in_conflict
    partly = project_case("c", [first, third], set())  # the second has not arrived: a gap, not a conflict
    assert partly.current == third
    assert not partly.in_conflict


def test_two_devices_that_claim_the_same_case_are_contested() -> None:
    """Both say that they began it: flagged, both kept."""
    claim = version("claim", 1, "thief")
    view = project_case("c", [first, claim], set())
    assert view.contested
    assert {view.current, *view.concurrent} == {first, claim}


def test_a_tombstone_takes_the_whole_case_even_before_its_record() -> None:
    """The tag on the maker's record excludes every version, the late one too; without the tag nothing is excluded."""
    tag = digest("tag")
    tagged = [replace(item, withdrawal=tag) for item in (first, second)]
    view = project_case("c", [*tagged, third, correction], {tag})
    assert view.current is None
    assert len(view.withdrawn) == 4
    assert project_case("c", tagged, {digest("other tag")}).current == tagged[1]


def test_a_foreign_tag_cannot_withdraw_somebody_elses_case() -> None:
    """A hostile device puts its own tag into a case and reveals it: only its own record is excluded."""
    tag = digest("hostile tag")
    hostile = replace(correction, withdrawal=tag)
    view = project_case("c", [first, second, hostile], {tag})
    assert view.current == second
    assert view.withdrawn == (hostile,)
    contest = replace(version("claim", 1, "thief"), withdrawal=tag)
    assert project_case("c", [first, second, contest], {tag}).current == second


def test_who_builds_on_what_is_withdrawn_is_withdrawn_too() -> None:
    """A tagless correction of the withdrawn record goes with it, contested or not; a case of somebody's own stays."""
    tag = digest("tag")
    tagged = replace(first, withdrawal=tag)
    claim = version("claim", 1, "thief")
    follow = version("follow", 10, "third", correction)
    assert taken_back([tagged, second, correction, follow, claim], {tag}) == {"maker", "other", "third"}
    view = project_case("c", [tagged, second, correction, follow, claim], {tag})
    assert view.current == claim
    assert len(view.withdrawn) == 4


def test_a_record_that_does_not_count_still_takes_back_what_was_built_on_it() -> None:
    """The tagged record came from a laptop not enrolled: what builds on it is out, and nothing of it is shown."""
    tag = digest("tag")
    tagged = replace(first, withdrawal=tag)
    (view,) = project_cases([tagged, correction], {tag}, lambda found: found.device != "maker")
    assert (view.current, view.proposals, view.withdrawn) == (None, (), (correction,))
    assert list(project_cases([tagged, correction], {tag}, lambda found: False)) == []


@st.composite
def _cases(draw: st.DrawFn) -> tuple[list[Version], set[bytes]]:
    """Versions of up to three cases by up to three devices, parents anywhere, some withdrawn."""
    made: list[Version] = []
    for number in range(draw(st.integers(1, 12))):
        case = draw(st.sampled_from("abc"))
        parents = [None, *[item for item in made if item.case == case]]
        parent = draw(st.sampled_from(parents))
        tag = draw(st.sampled_from([None, b"t1", b"t2"]))
        revision = parent.revision + 1 if parent else 1
        device = draw(st.sampled_from(["d1", "d2", "d3"]))
        made.append(version(f"v{number}", revision, device, parent, tag, case))
    held = draw(st.lists(st.sampled_from(made), min_size=1, unique=True))
    return held, draw(st.sets(st.sampled_from([b"t1", b"t2"])))


def views(versions: list[Version], withdrawn: set[bytes]) -> list[CaseView]:
    """What central shows: the store gives versions ordered by case and in any order within one."""
    return list(project_cases(sorted(versions, key=lambda item: item.case), withdrawn))


@given(st.data(), _cases())
def test_any_order_and_any_copies_give_one_state(data: st.DataObject, made: tuple[list[Version], set[bytes]]) -> None:
    """Permutations × duplicates → one state; and every version is shown exactly once, none is lost."""
    versions, withdrawn = made
    expected = views(versions, withdrawn)
    copies = versions + data.draw(st.lists(st.sampled_from(versions)))
    assert views(data.draw(st.permutations(copies)), withdrawn) == expected
    for view in expected:
        shown = [*view.superseded, *view.concurrent, *view.proposals, *view.withdrawn]
        shown += [view.current] if view.current else []
        assert sorted(item.record_hash for item in shown) == sorted(
            {item.record_hash for item in versions if item.case == view.case}
        )


def chain(name: str, length: int, start: Link | None = None) -> list[Link]:
    """Links that follow `start` (or the genesis)."""
    links: list[Link] = []
    above = start
    for _ in range(length):
        seq, previous = (above.seq + 1, above.head) if above else (1, GENESIS)
        above = Link(seq, digest(name, seq, previous), previous)
        links.append(above)
    return links


def ordered(links: list[Link]) -> list[Link]:
    """As a store gives them."""
    return sorted(set(links), key=lambda link: (link.seq, link.head))


def test_a_whole_log() -> None:
    """No gaps, no forks, one tip."""
    links = chain("a", 5)
    view = project_log("d", links, GENESIS)
    assert (view.whole_to, view.last, view.gaps, view.forks) == (5, 5, (), ())
    assert view.tips == ((5, links[-1].head),)


def test_a_withheld_middle_is_a_gap_and_the_receipt_stops_before_it() -> None:
    """Entries 1, 2, 5: the gap is 3–4, and only 2 may be confirmed."""
    links = chain("a", 5)
    view = project_log("d", [links[0], links[1], links[4]], GENESIS)
    assert view.gaps == ((3, 4),)
    assert view.tips == ((2, links[1].head),)
    assert project_log("d", links[2:], GENESIS).tips == ()
    assert project_log("d", links[2:], GENESIS).gaps == ((1, 2),)


def test_a_cloned_laptop_is_a_fork_and_both_branches_are_kept() -> None:
    """Two histories after entry 3: the fork is named, each branch has its own tip."""
    trunk = chain("a", 3)
    left, right = chain("left", 2, trunk[-1]), chain("right", 4, trunk[-1])
    view = project_log("d", ordered(trunk + left + right), GENESIS)
    assert view.forks == (4,)
    assert view.entries == 9
    assert view.tips == ((5, left[-1].head), (7, right[-1].head))


def test_a_branch_whose_beginning_is_withheld_is_still_seen_as_a_fork() -> None:
    """The clone's first entry is missing: that it follows something else than what we hold gives it away."""
    trunk = chain("a", 3)
    left, right = chain("left", 2, trunk[-1]), chain("right", 2, trunk[-1])
    view = project_log("d", ordered(trunk + left + right[1:]), GENESIS)
    assert view.forks == (5,)
    assert view.tips == ((5, left[-1].head),)


@given(st.data(), st.integers(0, 5), st.integers(0, 5), st.integers(1, 5))
def test_the_view_of_a_log_agrees_with_walking_the_tree(data: st.DataObject, left: int, right: int, base: int) -> None:
    """Against an independent walk over any subset of a forked log: whole part, gaps and tips are the same."""
    trunk = chain("a", base)
    every = trunk + chain("left", left, trunk[-1]) + chain("right", right, trunk[-1])
    held = data.draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
    view = project_log("d", ordered(held), GENESIS)
    heads = {link.head: link for link in held}
    reached = {
        link.head
        for link in held
        if all(step.head in heads for step in every if step.seq <= link.seq and _is_before(step, link, every))
    }
    positions = {link.seq for link in held}
    missing = [seq for seq in range(1, max(positions) + 1) if seq not in positions]
    assert [seq for one, two in view.gaps for seq in range(one, two + 1)] == missing
    leaves = {head for head in reached if not any(heads[other].previous == head for other in reached)}
    assert {head for _, head in view.tips} == leaves
    assert view.entries == len(held)


def _is_before(step: Link, link: Link, every: list[Link]) -> bool:
    """Whether `step` lies on the way from the beginning to `link`."""
    by_head = {item.head: item for item in every}
    at: Link | None = link
    while at is not None:
        if at == step:
            return True
        at = by_head.get(at.previous)
    return False


@given(_cases(), st.data())
def test_what_is_taken_back_only_grows(case: tuple[list[Version], set[bytes]], data: st.DataObject) -> None:
    """With part of the records and tags no device is taken back that is not with all: erasing early erases no more."""
    versions, tags = case
    some = [version for version in versions if data.draw(st.booleans())]
    fewer = {tag for tag in sorted(tags) if data.draw(st.booleans())}
    assert taken_back(some, fewer) <= taken_back(versions, tags)


@given(_cases())
def test_what_is_erased_is_never_shown(case: tuple[list[Version], set[bytes]]) -> None:
    """Nothing of a device that is taken back is current, proposed or kept beside."""
    versions, tags = case
    gone = taken_back(versions, tags)
    view = project_case("c", versions, tags)
    shown = [view.current, *view.superseded, *view.concurrent, *view.proposals]
    assert not [version for version in shown if version is not None and version.device in gone]


def test_a_rule_that_shrinks_is_noticed() -> None:
    """Control for the search above: "the whole case, if one device alone made it" is taken away by a later record."""

    def planted(records: list[Version], tags: set[bytes]) -> set[str]:
        makers = {record.device for record in records if record.parent is None}
        tagged = any(record.withdrawal in tags and record.device in makers for record in records)
        return {record.device for record in records} if tagged and len(makers) == 1 else set()

    def shrinks(case: tuple[list[Version], set[bytes]]) -> bool:
        versions, tags = case
        return any(not planted(versions[:end], tags) <= planted(versions, tags) for end in range(len(versions)))

    find(_cases(), shrinks)
