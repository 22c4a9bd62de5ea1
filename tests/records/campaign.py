"""A campaign of damage against one format, in a process of its own: `python -m tests.records.campaign "log entry"`.


It counts what was accepted (read as anything but the content of a valid file), what raised an error that is not ours,
and the most CPU seconds that one file took; the process tells its peak memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from fieldsurvey.base.errors import FieldsurveyError
from tests.records.format_kit import Format, Reader
from tests.records.formats import formats
from tests.records.mutants import flips, truncations
from tests.records.structured import structured

NAMES = (
    "record",
    "batch",
    "project",
    "receipt",
    "return",
    "erasure",
    "backup note",
    "vault slot",
    "vault slot made to fit",
    "key file",
    "device card",
    "log entry",
    "tombstone",
    "key sheet",
)
_KEPT = 5


@dataclass
class Outcome:
    """What became of the damaged files. `same`: other bytes, the content of a valid file. `slowest`: CPU seconds."""

    tried: int = 0
    refused: int = 0
    same: int = 0
    accepted: int = 0
    untyped: int = 0
    slowest: float = 0.0
    examples: list[str] = field(default_factory=list)

    def keep(self, what: str, data: bytes) -> None:
        """The first few, to look at."""
        if len(self.examples) < _KEPT:
            self.examples.append(f"{what}: {data[:4096].hex()}")


_REFUSED: Final = object()


def run(
    read: Reader, valid: list[object], damaged: Iterable[bytes], clock: Callable[[], float] = time.process_time
) -> Outcome:
    """Read every damaged file. Nothing is raised: an error that is not ours is counted."""
    outcome = Outcome()
    for data in damaged:
        outcome.tried += 1
        started = clock()
        try:
            found = _answer(read, data)
        except Exception as error:  # noqa: BLE001 -- whatever a reader lets through is what is looked for
            outcome.untyped += 1
            outcome.keep(repr(error), data)
        else:
            if found is _REFUSED:
                outcome.refused += 1
            elif found in valid:
                outcome.same += 1
            else:
                outcome.accepted += 1
                outcome.keep("accepted", data)
        outcome.slowest = max(outcome.slowest, clock() - started)
    return outcome


def _answer(read: Reader, data: bytes) -> object:
    """What was read, or _REFUSED: a refusal counts only when its sentences can be put together."""
    try:
        return read(data)
    except FieldsurveyError as error:
        return _REFUSED if error.message + error.advice else None


def every_byte(form: Format) -> Iterator[bytes]:
    """The first specimen with each byte changed, and cut at each length; those that are valid again are left out."""
    data = form.specimens[0].data
    return (made for made in chain(flips(data), truncations(data)) if made not in {s.data for s in form.specimens})


def campaign(form: Format, mutants: int, seed: int, *, exhaustive: bool = True) -> Outcome:
    """The program's reader against every flip and truncation and `mutants` structured ones."""
    with form.setting():
        valid = contents(form)
        damaged = structured(form.specimens, mutants, seed)
        return run(form.read, valid, chain(every_byte(form), damaged) if exhaustive else damaged)


def contents(form: Format, read: Reader | None = None) -> list[object]:
    """What the valid files hold; files that are there only to take fields from hold nothing."""
    found: list[object] = []
    for specimen in form.specimens:
        try:
            found.append((read or form.read)(specimen.data))
        except FieldsurveyError:
            continue
    assert found, "not one valid file is read"
    return found


def peak_memory() -> int | None:
    """Bytes of memory that this process had at most; None where the system does not say.

    Linux's `ru_maxrss` outlives `exec`: it would count what the test runner held when it started this process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="ascii").split("VmHWM:", 1)[1].split("kB", 1)[0]) * 1024
    if sys.platform == "darwin":
        import resource  # POSIX only

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None


def main(arguments: list[str]) -> None:
    """One line of JSON for each format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", choices=NAMES)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants-only", action="store_true")
    given = parser.parse_args(arguments)
    for name in given.names:
        started = time.process_time()
        outcome = campaign(formats()[name], given.mutants, given.seed, exhaustive=not given.mutants_only)
        spent = round(time.process_time() - started, 2)
        size = len(formats()[name].specimens[0].data)
        print(json.dumps({"name": name, "size": size, "peak": peak_memory(), "cpu": spent, **asdict(outcome)}))


if __name__ == "__main__":
    main(sys.argv[1:])
