"""The clock of a service is its database's: what the machine's own does, moves nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from shared import clock

NOON = datetime(2025, 10, 9, 12, tzinfo=UTC)
DAY_NS = 86_400 * 1_000_000_000


@dataclass
class Machine:
    """The two clocks of a machine."""

    wall_ns: int = 1_760_000_000 * 1_000_000_000
    running_ns: int = 5_000_000_000

    def time_ns(self) -> int:
        return self.wall_ns

    def monotonic_ns(self) -> int:
        return self.running_ns


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Its clocks, before any database was asked."""
    found = Machine()
    monkeypatch.setattr(clock, "time", found)
    monkeypatch.setattr(clock, "_reference", clock._Reference())
    return found


def test_until_it_is_set_the_machines_clock_holds(machine: Machine) -> None:
    assert clock.now_us() == machine.wall_ns // 1_000
    before = clock.now()
    machine.wall_ns += DAY_NS
    assert clock.now() - before == timedelta(days=1)


def test_once_it_is_set_it_is_that_moment_and_what_has_passed_since(machine: Machine) -> None:
    clock.set_by(NOON)
    assert clock.now() == NOON
    machine.running_ns += 1_500_000_000
    assert clock.now() == NOON + timedelta(seconds=1.5)
    assert clock.today() == NOON.date()


@pytest.mark.parametrize("jump_ns", [DAY_NS, -DAY_NS])
def test_a_jump_of_the_machines_clock_moves_nothing(machine: Machine, jump_ns: int) -> None:
    clock.set_by(NOON)
    machine.wall_ns += jump_ns
    assert clock.now() == NOON


def test_it_can_be_set_again(machine: Machine) -> None:
    clock.set_by(NOON)
    clock.set_by(NOON + timedelta(seconds=3))
    assert clock.now() == NOON + timedelta(seconds=3)
