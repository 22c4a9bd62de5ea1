"""Damage against every format: 0 files accepted, 0 errors that are not ours, none over 2 s of CPU, under 128 MiB.

Each campaign runs in a process of its own, so that the memory it tells is its own. The controls take a check away,
and then the same campaign must find what gets through.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest

from tests.records.campaign import NAMES, Outcome, contents, peak_memory, run
from tests.records.formats import formats
from tests.records.structured import KINDS, structured

SECONDS = 2.0
MEMORY = 128 << 20
LONG_PARTS = 2
LONG_MUTANTS = 50_000


def _campaign(name: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.records.campaign", name, *arguments]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _holds(found: dict[str, Any], at_least: int) -> None:
    assert (found["accepted"], found["untyped"], found["examples"]) == (0, 0, [])
    assert found["tried"] == found["refused"] + found["same"] >= at_least
    if not formats()[found["name"]].loose:
        assert found["same"] == 0  # not even another spelling of what is valid
    assert found["slowest"] < SECONDS
    assert found["peak"] is None or found["peak"] < MEMORY


@pytest.mark.parametrize("name", NAMES)
def test_every_flip_every_truncation_and_ten_thousand_mutants_are_refused(name: str) -> None:
    """Of each format: 0 accepted, 0 untyped, none over 2 s, memory under 128 MiB."""
    found = _campaign(name, "--mutants", "10000")
    _holds(found, 10_000 + 2 * found["size"])


@pytest.mark.long
@pytest.mark.parametrize("part", range(LONG_PARTS))
@pytest.mark.parametrize("name", NAMES)
def test_a_million_mutants_are_refused(name: str, part: int) -> None:
    """Over all formats 1,400,000, each part drawn anew: the same bounds."""
    found = _campaign(name, "--mutants", str(LONG_MUTANTS), "--seed", str(100 + part), "--mutants-only")
    _holds(found, LONG_MUTANTS)


def test_a_million_is_a_million() -> None:
    """The long campaign's parts add up."""
    assert len(NAMES) * LONG_PARTS * LONG_MUTANTS >= 1_000_000
    assert set(NAMES) == set(formats())


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_without_its_check_is_found_out(name: str) -> None:
    """The control of each campaign: with one check taken away, damaged files are accepted, and it counts them."""
    form = formats()[name]
    with form.checkless():
        read = form.weak or form.read
        valid = contents(form, read)
        found = run(read, valid, structured(form.specimens, 2_000, 1))
    assert found.accepted > 0
    assert found.examples


@pytest.mark.parametrize("name", NAMES)
def test_the_valid_files_are_read(name: str) -> None:
    """What is damaged is good before: a campaign against files that nobody takes would prove nothing."""
    form = formats()[name]
    with form.setting():
        assert form.read(form.specimens[0].data) in contents(form)


def test_an_error_that_is_not_ours_is_found() -> None:
    """The control: a reader that lets an IndexError through is counted as untyped, and the file is shown."""
    found = run(lambda data: data[10], [], [b"short", b"long enough to be read"])
    assert (found.tried, found.untyped, found.accepted) == (2, 1, 1)
    assert found.examples[0].startswith("IndexError")


def test_a_slow_file_is_found() -> None:
    """The control: by a clock that jumps while one file is read, `slowest` is that jump."""
    ticks = iter((0.0, 0.1, 1.0, 4.0, 5.0, 5.1))
    assert run(len, [1, 2], [b"a", b"bb", b"a"], lambda: next(ticks)).slowest == 3.0


@pytest.mark.skipif(peak_memory() is None, reason="this system does not tell a process's peak memory")
def test_memory_is_found() -> None:
    """The control: a process that held 160 MiB for a moment tells more than the bound."""
    code = "from tests.records.campaign import peak_memory; bytes(1) * (160 << 20); print(peak_memory())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert int(done.stdout) > MEMORY


def test_every_kind_of_damage_is_drawn() -> None:
    """Each kind, by itself, changes a record: none is a kind in name only."""
    record, other = formats()["record"].specimens[:2]
    for kind in KINDS:
        rng = random.Random(1)
        made = {kind(record, other, rng) for _ in range(40)}
        assert len(made - {record.data, other.data}) >= 3, kind.__name__


def test_the_outcome_keeps_the_first_examples_only() -> None:
    """A campaign that finds a thousand does not fill the memory with them."""
    found = Outcome()
    for number in range(100):
        found.keep("accepted", bytes([number]))
    assert len(found.examples) == 5
