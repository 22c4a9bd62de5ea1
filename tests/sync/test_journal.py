"""The sync log: it survives a torn line, two writers and a full disk, stays bounded, and reads as a table."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import StorageError
from sync import journal as module
from sync.journal import KEPT, Journal


@pytest.fixture
def log(tmp_path: Path, clock: FixedClock) -> Journal:
    """An empty one."""
    return Journal(tmp_path, clock)


def test_lines_come_back_in_order(log: Journal) -> None:
    """What was noted is read again, oldest first, with its time, place, device, counts and code."""
    log.note("export", "laptop", place="/media/stick", device="ab" * 16, entries=3, files=1)
    log.note("refusal", "central", place="/media/stick", code="untrusted.batch")
    first, second = log.lines()
    assert first.as_dict() == {
        "at": "2026-03-02T09:00:00+00:00", "what": "export", "role": "laptop", "place": "/media/stick",
        "device": "ab" * 16, "counts": {"entries": 3, "files": 1}, "code": "",
    }  # fmt: skip
    assert (second.what, second.code, second.counts) == ("refusal", "untrusted.batch", {})


def test_a_torn_last_line_is_skipped_and_hides_nothing(log: Journal) -> None:
    """Cut at every byte of the last line: the lines before it are read, and the next one written is read too."""
    log.note("import", "central", place="one", new=1)
    whole = log.path.read_bytes()
    log.note("import", "central", place="two", new=2)
    both = log.path.read_bytes()
    for cut in range(len(whole) + 1, len(both) - 1):
        log.path.write_bytes(both[:cut])
        assert [line.place for line in log.lines()] == ["one"]
        log.note("import", "central", place="three")
        assert [line.place for line in log.lines()] == ["one", "three"]


@pytest.mark.parametrize(
    "junk",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b"\xff\xfe\n",
        b"[" * 4000 + b"\n",
        b'{"at":1,"what":"import","role":"relay","place":"","device":"","counts":{},"code":""}\n',
        b'{"at":"","what":"import","role":"relay","place":"","device":"","counts":{"new":"2"},"code":""}\n',
        b'{"at":"","what":"other","role":"relay","place":"","device":"","counts":{},"code":""}\n',
        b"x" * 10_000 + b"\n",
    ],
)
def test_what_is_not_a_line_of_ours_is_left_out(log: Journal, junk: bytes) -> None:
    """Damage anywhere costs its own line only."""
    log.note("import", "central", place="one")
    log.path.write_bytes(junk + log.path.read_bytes() + junk)
    log.note("import", "central", place="two")
    assert [line.place for line in log.lines()] == ["one", "two"]


def test_it_stays_bounded(tmp_path: Path, clock: FixedClock) -> None:
    """A thousand lines leave the newest ones, in order, in at most KEPT + 1 files of the bound."""
    log = Journal(tmp_path, clock, max_bytes=2_000)
    for number in range(1_000):
        log.note("receipt", "laptop", up_to=number)
    files = sorted(tmp_path.glob("sync-log*.jsonl"))
    assert len(files) == KEPT + 1
    assert all(path.stat().st_size < 2_300 for path in files)
    found = [line.counts["up_to"] for line in log.lines()]
    assert found == list(range(found[0], 1_000))
    assert len(found) > 20


def test_two_writers_mix_no_lines(tmp_path: Path) -> None:
    """Four writers at once: every line of each is read."""
    logs = [Journal(tmp_path) for _ in range(4)]

    def write(number: int) -> None:
        for count in range(100):
            logs[number].note("import", "central", place=f"stick {number}", new=count)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [(line.place, line.counts["new"]) for line in logs[0].lines()]
    assert sorted(found) == sorted((f"stick {n}", count) for n in range(4) for count in range(100))


def test_a_full_disk_stops_nothing(log: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that nothing was noted, and raises nothing; control: it notes once there is room."""

    def full(*_: object) -> int:
        raise OSError(28, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert log.note("import", "central") is None
    assert log.note("import", "central") is not None
    assert len(list(log.lines())) == 1


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.EISDIR])
def test_a_log_that_cannot_be_read_is_typed(log: Journal, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's, on a bad sector, or no file: a StorageError that names it, at its opening and in the middle."""
    log.note("import", "central")
    real = Path.open

    def refused(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self == log.path:
            raise OSError(code, os.strerror(code))
        return real(self, *args, **kwargs)

    class Torn(io.BytesIO):
        def readline(self, _size: int | None = -1, /) -> bytes:
            raise OSError(code, os.strerror(code))

    for opening in (refused, lambda *_args: Torn()):
        with monkeypatch.context() as patch, pytest.raises(StorageError) as caught:
            patch.setattr(Path, "open", opening)
            list(log.lines())
        assert Path(caught.value.details["place"]).name.startswith("sync-log")
    assert len(list(log.lines())) == 1


def test_the_table_is_no_program(log: Journal) -> None:
    """A stick whose name begins like a formula is text in a spreadsheet; what acts in a name is an escape there."""
    log.note("export", "laptop", place='=HYPERLINK("x")', entries=2, files=1)
    log.note("export", "laptop", place="half \udcff")
    log.note("export", "laptop", place="a\x1b[2J\n=1")
    rows = list(csv.reader(io.StringIO(log.as_csv())))
    assert rows[0] == list(module.COLUMNS)
    assert rows[1][3] == '\'=HYPERLINK("x")'
    assert rows[1][5] == "entries=2 files=1"
    assert [row[3] for row in rows[2:]] == ["half \\udcff", "a\\x1b[2J\\n=1"]
    assert [line.place for line in log.lines()][1] == "half \udcff"
    assert all(json.loads(raw) for raw in log.path.read_bytes().splitlines())
