"""How the tests of pushing push, what they count, and the batches of one place by stick. All synthetic."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import pytest

from fieldsurvey.fieldwork.laptop import Laptop
from fieldsurvey.project.model import Server
from fieldsurvey.records.container import Signer
from sync.http.callers import Caller
from sync.http.line import Line, Times
from sync.http.pushing import Patience, push
from sync.http.sending import PushReport
from sync.http.service import Service
from sync.http.wire import Offered
from tests.sync.http.worlds import Place

Arrive = Callable[[Place], Laptop]
EACH: Final = 4
AT_ONCE: Final = Patience(tries=5, wait=lambda _seconds: None)
QUICK: Final = Times(connect=2.0, silence=2.0, answer=5.0)


@contextmanager
def counted() -> Iterator[tuple[Counter[str], Counter[str]]]:
    """Counts, by pack, how often the server was asked to take it and how often it kept it; batches in one piece too."""
    asked: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    admit, keep, merge = Service.admit, Service.keep_pack, Service.whole

    def admitting(self: Service, method: str, path: str, authorization: str, address: str) -> Any:
        found = admit(self, method, path, authorization, address)
        if method == "PUT":
            asked[path.rpartition("/")[2]] += 1
            assert path.rpartition("/")[2] not in kept, "a pack that was confirmed came again"
        return found

    def keeping(self: Service, caller: Caller, name: str, part: Path) -> None:
        keep(self, caller, name, part)
        kept[name] += 1

    def merging(self: Service, caller: Caller, body: BinaryIO) -> Offered:
        name = hashlib.sha256(body.read()).hexdigest()
        asked[name] += 1
        assert name not in kept, "a batch that was confirmed came again"
        body.seek(0)
        found = merge(self, caller, body)
        kept[name] += 1
        return found

    patch = pytest.MonkeyPatch()
    patch.setattr(Service, "whole", merging)
    patch.setattr(Service, "admit", admitting)
    patch.setattr(Service, "keep_pack", keeping)
    try:
        yield asked, kept
    finally:
        patch.undo()


@contextmanager
def requests() -> Iterator[Counter[str]]:
    """Counts what the server was asked, without hello."""
    asked: Counter[str] = Counter()
    admit = Service.admit

    def admitting(self: Service, method: str, path: str, authorization: str, address: str) -> Any:
        asked[f"{method} {path}"] += 1
        return admit(self, method, path, authorization, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "admit", admitting)
        yield asked


def over(port: int) -> Callable[[Server, str, Signer], Line]:
    """Connects to the server by another port of this machine: the proxy's."""

    def connect(server: Server, project: str, signer: Signer) -> Line:
        other = server.model_copy(update={"url": f"https://127.0.0.1:{port}"})
        return Line(other, project, signer, times=QUICK)

    return connect


def send(laptop: Laptop, **kwargs: Any) -> PushReport:
    """In batches of a few records."""
    return push(laptop, **{"patience": AT_ONCE, "max_entries": EACH, **kwargs})


def digest(place: Place) -> str:
    """Of what central holds."""
    with place.central() as central:
        assert central.verify().sound
        return central.digest()
