"""A short delivery battery: the notifier is killed while leads turn CRITICAL and sinks misbehave."""

from pathlib import Path

import pytest

from tests.long.delivery_battery import KILLED_WITHIN_S, Options, run
from tests.support.stack import Stack

pytestmark = pytest.mark.slow

ROUNDS = 5


async def test_nothing_is_lost_or_doubled_and_every_doubt_is_listed(
    stack: Stack, tmp_path: Path
) -> None:
    rounds = await run(stack, tmp_path, Options(ROUNDS, leads=2_000, seed=20251009))
    assert [fault for each in rounds for fault in each.faults] == []
    assert len(rounds) == ROUNDS
    assert all(each.killed_after_lease_s <= KILLED_WITHIN_S for each in rounds)
    # The faults bit: answers were cut, and the notifier died with work before it.
    assert sum(each.unknown for each in rounds) > 0
    assert sum(each.repeated for each in rounds) > 0
    assert any(each.final_when_killed < each.wanted for each in rounds)
