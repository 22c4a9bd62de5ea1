"""Whatever happens between laptops, carriers and central: one state, nothing acknowledged lost, no resurrection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.sync.machine import planted, planted_lines
from tests.sync.machine.database import on_postgresql
from tests.sync.machine.fieldwork import Fieldwork, reached
from tests.sync.machine.kit import remembering
from tests.sync.machine.lines import Mishap
from tests.sync.machine.planted import FAULTS, Fault
from tests.sync.machine.planted_lines import LINE_FAULTS

STEPS = 13
LONG_STEPS = 18
PLANTED_STEPS = 25
PARTS = 20
EVERY = (*FAULTS, *LINE_FAULTS)
HUNDREDS = (
    planted_lines.a_part_of_a_body_is_taken,
    planted.a_relay_vouches_like_central,
    planted.a_restored_central_forgets_withdrawals,
    planted.the_last_to_arrive_counts,
)
RARE = (
    *("forked", "refused", "rolled back", "restored", "erased", "purged", "returned"),
    *("receipt received", "receipt committed", "receipt backed_up", "relay taken", "relay committed", "relay refused"),
    "relay waiting",
    *(f"line {what}" for what in (*get_args(Mishap), "meanwhile", "interleaved")),
    *(f"line {what}" for what in ("went through", "resumed", "forgotten", "turned away")),
)


def _run(
    examples: int,
    *phases: Phase,
    steps: int = STEPS,
    anew: bool = False,
    machine: type[Fieldwork] = Fieldwork,
) -> None:
    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=False if anew else settings().derandomize,
        phases=phases or tuple(Phase),
        suppress_health_check=list(HealthCheck),
    )
    with remembering():
        run_state_machine_as_test(machine, settings=limits)


def test_whatever_happens_on_the_way() -> None:
    """500 runs; and they did reach what is rare: forks, refusals, purges, a central restored from its backup."""
    reached.clear()
    _run(500)
    assert not [what for what in RARE if not reached[what]], reached


@pytest.mark.long
@pytest.mark.parametrize("_part", range(PARTS))
def test_whatever_happens_on_the_way_at_length(_part: int) -> None:
    """20,000 runs of the machine, in parts for as many cores as there are; each part begins at a chance of its own."""
    _run(20_000 // PARTS, steps=LONG_STEPS, anew=True)


@pytest.fixture(scope="module")
def on_database() -> Iterator[type[Fieldwork]]:
    """The machine whose central is a PostgreSQL database."""
    with on_postgresql() as machine:
        yield machine


def test_whatever_happens_with_central_on_postgresql(on_database: type[Fieldwork]) -> None:
    """20 short runs; each ends in the same state as a central in a file that got the same in another order."""
    _run(20, steps=8, machine=on_database)


@pytest.mark.long
@pytest.mark.parametrize("_part", range(PARTS))
def test_whatever_happens_with_central_on_postgresql_at_length(on_database: type[Fieldwork], _part: int) -> None:
    """1,000 runs of it, in parts."""
    _run(1_000 // PARTS, steps=LONG_STEPS, anew=True, machine=on_database)


def _names(fault: Fault) -> str:
    return fault.__name__


@pytest.mark.parametrize("fault", [fault for fault in EVERY if fault not in HUNDREDS], ids=_names)
def test_a_planted_fault_is_found(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with this fault in the program the machine fails; most in thirty runs."""
    _is_found(fault, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("fault", HUNDREDS, ids=_names)
def test_a_planted_fault_is_found_at_length(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the same with the rarest, which take hundreds of runs."""
    _is_found(fault, monkeypatch)


def _is_found(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        fault(patch)
        with pytest.raises(AssertionError):
            _run(3_000, Phase.generate, steps=PLANTED_STEPS)
