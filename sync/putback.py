"""Returned work that lies on a stick: which of it has no business there any more. Names are never trusted."""

from __future__ import annotations

from collections.abc import Callable

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.files import storage_error
from fieldsurvey.records.container import open_container
from fieldsurvey.records.returned import MAX_BYTES, ReturnManifest
from sync.refusals import passing_over
from sync.stick import Stick, opened


def clear_returns(stick: Stick, done: Callable[[ReturnManifest], bool]) -> int:
    """Remove every return whose manifest says that it is done with; how many. Raises StorageError.

    Who signed it is not asked: what is removed is a copy, and what is not a return stays.
    """
    gone = 0
    for file in stick.files(stick.returned):
        if file.ignored or file.size > MAX_BYTES:
            continue
        manifest: ReturnManifest | None = None
        with passing_over(stick, file), opened(file.path) as stream:
            manifest = ReturnManifest.from_bytes(canonical(open_container(stream, "return").manifest))
        if manifest is not None and done(manifest):
            try:
                file.path.unlink()
            except OSError as error:
                raise storage_error(error, stick.place) from error
            gone += 1
    return gone
