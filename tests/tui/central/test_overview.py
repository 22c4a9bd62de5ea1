"""What the first screen shows of every laptop, and when it is loud."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.records.receipt import Level
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.tui.central.overview import Overview, Trouble, detail, last_seen, look, overview
from fieldsurvey.tui.central.plain import as_data, everything
from fieldsurvey.tui.central.wording import (
    alerts,
    backup_words,
    detail_lines,
    device_cells,
    device_line,
    people_words,
    ranges,
)
from sync.backups import back_up
from sync.store import SeenBatch
from tests.sync.laptops import PROJECT
from tests.sync.projects import noted
from tests.tui.central.province import NOW, PEOPLE, Province, troubled


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Province, Overview]:
    """A province where everything is wrong, looked at once."""
    province = troubled(tmp_path_factory.mktemp("troubled"))
    return province, look(province.desk)


def test_before_anything_was_imported_the_laptops_of_the_project_are_there(tmp_path: Path) -> None:
    """A supervisor sees who still has to send, and nothing is loud; looking makes no database."""
    province = Province(tmp_path)
    province.laptop("Laptop 1")
    seen = look(province.desk)
    assert [(row.name, row.troubles) for row in seen.devices] == [("Laptop 1", (Trouble.SILENT,))]
    assert alerts(seen) == []
    assert not province.desk.begun


def test_each_trouble_is_named_and_the_gravest_comes_first(found: tuple[Province, Overview]) -> None:
    """A fork before a gap before a stranger, a revoked laptop that went on, one that never sent; the whole one last."""
    rows = [(row.name[:8], row.troubles) for row in found[1].devices]
    assert rows == [
        ("Laptop 3", (Trouble.FORK,)),
        ("Laptop 2", (Trouble.GAP,)),
        ("Prestada", (Trouble.STRANGER,)),
        ("Laptop 5", (Trouble.ASIDE,)),
        ("Laptop 4", (Trouble.SILENT,)),
        ("Laptop 1", ()),
    ]


def test_the_numbers_are_centrals(found: tuple[Province, Overview]) -> None:
    """Sent, whole up to, gaps, forks and what is aside are what the logs say."""
    by_name = {row.name: row for row in found[1].devices}
    gapped, forked, revoked = by_name["Laptop 2"], by_name["Laptop 3"], by_name["Laptop 5"]
    assert (gapped.entries, gapped.last, gapped.whole_to, gapped.gaps, gapped.absent) == (3, 5, 2, ((3, 4),), 2)
    assert forked.forks == (4,)
    assert revoked.aside == 2
    assert by_name["Laptop 1"].seen == NOW.isoformat("T", "seconds")


def test_a_name_from_a_strangers_card_cannot_move_the_cursor(found: tuple[Province, Overview]) -> None:
    """Escape sequences in a name become dots, in the table and read aloud; the control: the card has one."""
    row = next(row for row in found[1].devices if row.name.startswith("Prestada"))
    assert "\x1b" in row.name
    assert "\x1b" not in "".join(device_cells(row)) + device_line(row)


def test_nobody_backs_central_up(found: tuple[Province, Overview]) -> None:
    """Loud when there never was a backup, or the last is more than a day old; not within the day, nor when empty."""
    seen = found[1]
    assert seen.backup_due
    assert next(loud for loud, _text in alerts(seen))
    day = timedelta(days=1)
    for ago, due in ((day, False), (day + timedelta(seconds=1), True)):
        assert replace(seen, last_backup=(NOW - ago).isoformat()).backup_due is due
    assert not replace(seen, counts=replace(seen.counts, entries=0)).backup_due
    recent = replace(seen, last_backup=NOW.isoformat())
    assert backup_words(recent)[0]
    assert not any(loud for loud, _text in alerts(recent))


def test_the_projects_age_and_the_cases_are_told(found: tuple[Province, Overview]) -> None:
    """Expired, soon, or not yet; how many cases somebody should look at."""
    seen = replace(found[1], last_backup=NOW.isoformat())

    def told(days: int) -> str:
        return " ".join(text for _loud, text in alerts(replace(seen, days_left=days)))

    assert "expired 3 days ago" in told(-3)
    assert "expires in 29 days" in told(29)
    assert "expire" not in told(30)
    assert "1 case in conflict, 1 with a proposal, 1 without its original." in told(30)


def test_the_details_tell_everything_of_one_laptop(found: tuple[Province, Overview]) -> None:
    """Receipts, batches the newest first, when it joined; and that who worked on it is sealed."""
    province, seen = found
    row = next(row for row in seen.devices if row.name == "Laptop 2")
    with province.desk.central() as central:
        known = detail(central, row)
    assert known.up_to(Level.COMMITTED) == 2
    assert known.up_to(Level.BACKED_UP) == 0
    assert [(batch.first, batch.last) for batch in known.recent] == [(5, 5), (1, 2)]
    lines = dict(detail_lines(known, PEOPLE)[:8])
    assert lines["Receipts"] == "held up to 2, in no backup"
    assert lines["People"].startswith("sealed inside the records")
    assert "E09" not in lines["People"]  # who left


def test_withdrawn_records_are_erased_and_who_is_late_is_named(tmp_path: Path) -> None:
    """Looking erases, as `central status` does; days later the laptop that has not reported is named, loudly."""
    province = Province(tmp_path)
    code = WithdrawalCode.generate()
    made = province.laptop("Laptop 1")
    made.seal(withdrawal=code.tag(PROJECT))
    province.bring(made.batch())
    assert look(province.desk).counts.bodies == 1
    Withdrawals(province.home).enter(Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01"))
    seen = look(province.desk)
    assert (seen.counts.bodies, seen.counts.erased, seen.cases.withdrawn) == (0, 1, 1)
    assert not any("OVERDUE" in text for _loud, text in alerts(seen))
    province.clock.move(days=30)
    loud = [text for is_loud, text in alerts(look(province.desk)) if is_loud]
    assert any("OVERDUE" in text and "Laptop 1" in text for text in loud)


def test_a_backup_from_before_an_erasure_is_loud_until_a_later_one_takes_its_place(tmp_path: Path) -> None:
    """When its days by the policy are over, with the key; not a day before, and no more after a backup."""
    province, code = Province(tmp_path), WithdrawalCode.generate()
    laptop = province.laptop("Laptop 1")
    laptop.seal(withdrawal=code.tag(PROJECT))
    province.bring(laptop.batch())
    disk = tmp_path / "disk"
    disk.mkdir()
    with province.desk.central() as central:
        back_up(central, province.home, disk, clock=province.clock)
    Withdrawals(province.home).enter(Tombstone(project=PROJECT, code=code.raw, requested="2026-03-02"))
    province.clock.move(hours=1)
    assert look(province.desk).stale is None
    province.clock.move(days=9)
    assert look(province.desk).stale is None
    province.clock.move(days=2)
    seen = look(province.desk)
    loud = [text for is_loud, text in alerts(seen, backup_key="F10") if is_loud]
    assert any("OVERDUE: a backup from before an erasure" in text and "[F10]" in text for text in loud)
    assert as_data(everything(province.desk))["stale_backup"] == seen.stale
    with province.desk.central() as central:
        back_up(central, province.home, disk, clock=province.clock)
    assert look(province.desk).stale is None


def test_a_receipt_of_the_backup_is_shown(tmp_path: Path) -> None:
    """Once a backup holds a log, the row and the details say up to where."""
    province = Province(tmp_path)
    made = province.laptop("Laptop 1", 3)
    province.bring(made.batch())
    with province.desk.central() as central:
        with central.store.write() as writer:
            row = noted(made.device, 2, made.log[1][0].head, NOW.isoformat(), key=province.project.central)
            writer.covered([row], NOW.isoformat())
        seen = overview(central)
        known = detail(central, seen.devices[0])
    assert seen.devices[0].backed_up == 2
    assert not seen.backup_due
    assert known.up_to(Level.BACKED_UP) == 2


def test_last_seen_is_the_newest_batch() -> None:
    """Whatever order the store gives them in."""
    batches = [SeenBatch(bytes(32), "aa", 1, 2, day) for day in ("2026-03-02", "2026-03-05", "2026-03-01")]
    assert last_seen(batches) == {"aa": ("2026-03-05", 3)}


def test_many_gaps_are_cut() -> None:
    """Six, and how many more; one entry is no range."""
    assert ranges(((1, 1), (3, 5))) == "1, 3–5"
    assert ranges(tuple((n, n) for n in range(1, 20, 2))).endswith("and 4 more")


def test_nobody_is_named_where_the_project_names_nobody() -> None:
    """An empty project says so."""
    assert people_words(()) == "the project names nobody yet"
