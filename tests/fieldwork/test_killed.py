"""kill -9 in the middle of an interview: opened again, it stands at the same question with nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.drafting import place_ref
from tests.fieldwork.conftest import WORDS, SyntheticProject, join

_WORK = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.drafting import place_ref
clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
work = Laptop.open(Path(sys.argv[1]), clock).unlock(sys.argv[2]).start("synthetic")
def say():
    shown = work.interview
    answers = {ref: shown.question(ref).value for ref in ("/data/story", "/data/age", "/data/kind")}
    print(json.dumps([place_ref(shown.current), shown.language, answers]), flush=True)
n = 0
while True:
    for ref, value in (("/data/story", f"round {n}"), ("/data/age", str(20 + n % 90)), ("/data/kind", "one")):
        work.go_to(ref); say()
        work.answer(ref, value); say()
        work.next(); say()
    work.set_language("es" if n % 2 else "en"); say()
    n += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("lines", [1, 4, 10, 33])
def test_kill_and_reopen_at_the_same_question(
    tmp_path: Path, project: SyntheticProject, clock: FixedClock, lines: int
) -> None:
    """The state shown last is the state found, or the one after it (durable, and not yet shown)."""
    join(tmp_path, project, clock).close()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", _WORK, str(tmp_path), WORDS], stdout=subprocess.PIPE, text=True, env=environment
    ) as worker:
        assert worker.stdout is not None
        shown = [worker.stdout.readline() for _ in range(lines)]
        worker.kill()
        shown += worker.stdout.read().splitlines()
    states = [json.loads(line) for line in shown if line.endswith(("]", "]\n"))]
    session = Laptop.open(tmp_path, clock).unlock(WORDS)
    [card] = session.drafts()
    found = session.resume(card.draft_id).interview
    answers = {ref: found.question(ref).value for ref in ("/data/story", "/data/age", "/data/kind")}
    now = [place_ref(found.current), found.language, answers]
    assert card.place == now[0]
    assert now == states[-1] or _one_step_further(states[-1], now)
    session.close()


def _one_step_further(before: Sequence[object], after: Sequence[object]) -> bool:
    """At most one of place, language and answers differs."""
    return sum(a != b for a, b in zip(before, after, strict=True)) == 1
