"""Where a form asks for an audit log, it is paradata: timed by the monotonic clock, durable with the draft, sealed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.records.envelope import open_record
from fieldsurvey.records.payload import Payload
from tests.fieldwork.conftest import NOW, WORDS, SyntheticProject, join
from tests.fieldwork.forms import xform
from tests.vault.canaries import search

CANARY = "canario-audit-7c20-sintético"


def _events(laptop: Laptop, project: SyntheticProject, seq: int) -> list[dict[str, Any]]:
    [(_, record)] = laptop.locked.entries(seq, seq)
    paradata = Payload.from_bytes(open_record(record, project.operational).payload).paradata
    return cast("list[dict[str, Any]]", paradata.get("audit", []))


def test_the_audit_log_is_sealed_with_the_record(tmp_path: Path) -> None:
    """Begun, left, resumed, finished: every event once, in order, with times that a clock set back does not disturb;
    nothing of it is readable on the disk. Control: a form that asks for no log has none.
    """
    project, clock = SyntheticProject(), FixedClock(NOW)
    meta = b"<meta><instanceID/><audit/></meta>"
    bind = b'<bind nodeset="/data/meta/audit" type="binary" track-changes="true"/>'
    watched = xform("watched").replace(b"<meta><instanceID/></meta>", meta)
    watched = watched.replace(b'<bind nodeset="/data/story"', bind + b'<bind nodeset="/data/story"')
    project.add_form(watched, "watched", "1")
    laptop = join(tmp_path / "home", project, clock)
    session = laptop.unlock(WORDS)
    work = session.start("watched")
    clock.move(seconds=30)
    work.answer("/data/story", CANARY + "\ud800")
    work.next()
    clock.at = NOW.replace(year=1999)  # the wall clock only
    clock.elapsed += 5
    work.next()
    work.close()
    session.close()
    assert search(tmp_path / "home", [CANARY]) == []
    again = laptop.unlock(WORDS)
    clock.at = NOW
    work = again.resume(again.drafts()[0].draft_id)
    clock.move(seconds=7)
    work.finalise()
    plain = again.start("synthetic")
    plain.answer("/data/story", "told")
    plain.finalise()
    again.close()
    events = _events(laptop, project, 1)
    names = [event["event"] for event in events]
    assert names[0] == "form start"
    assert names.count("form resume") == 1
    assert names[-1] == "form finalize"
    first = next(event for event in events if event["event"] == "question")
    assert (first["node"], first["end"] - first["start"], first["new-value"]) == ("/data/story", 30_000, CANARY + "?")
    begun = [event for event in events[: names.index("form resume")] if event["end"] is not None]
    assert [event["end"] - event["start"] for event in begun[:2]] == [30_000, 5_000]
    assert _events(laptop, project, 2) == []
    laptop.close()
