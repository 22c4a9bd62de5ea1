"""One process at a time, and no lock left behind by one that was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.process_lock import ProcessLock

_HOLD = """
import sys
from pathlib import Path
from fieldsurvey.base.process_lock import ProcessLock
print(ProcessLock(Path(sys.argv[1])).acquire(), flush=True)
sys.stdin.read()
"""


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    """A second lock on the same file fails without waiting, says who holds it, and succeeds after the release."""
    first, second = ProcessLock(tmp_path / "x.lock"), ProcessLock(tmp_path / "x.lock")
    assert first.acquire()
    assert not second.acquire()
    assert second.holder().isdigit()
    first.release()
    assert second.acquire()
    second.release()
    second.release()  # twice does no harm


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    """While another process holds it we do not get it; once it is killed we do."""
    path = tmp_path / "x.lock"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        ours = ProcessLock(path)
        assert not ours.acquire()
        assert ours.holder() == str(holder.pid)
        holder.kill()
        holder.wait()
    assert ours.acquire()
    ours.release()


def test_a_place_that_cannot_be_written_is_typed(tmp_path: Path) -> None:
    """A folder that is not there is a StorageError, not a traceback; a missing note is a question mark."""
    lock = ProcessLock(tmp_path / "nowhere" / "x.lock")
    with pytest.raises(StorageError):
        lock.acquire()
    assert lock.holder() == "?"
