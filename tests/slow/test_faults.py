"""A short fault battery, and the proof that its checker sees: deliberate faults in the product are caught."""

from pathlib import Path

import pytest

from tests.faults.__main__ import run
from tests.faults.caught import TRIALS, run_trials
from tests.faults.kinds import FAULTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]

SEED = 20251009


async def test_nothing_is_lost_doubled_wrong_stale_or_stuck_whatever_breaks(tmp_path: Path) -> None:
    lines = await run(tmp_path, FAULTS, SEED, short=True)
    assert [str(v) for line in lines for v in line.verdict.violations] == []
    assert all(line.verdict.alerts > 0 and line.verdict.resume_s for line in lines)


async def test_each_deliberate_fault_in_the_product_is_caught(tmp_path: Path) -> None:
    outcomes = await run_trials(tmp_path, SEED)
    assert [each.trial.sabotage for each in outcomes] == [each.sabotage for each in TRIALS]
    assert [each.trial.sabotage for each in outcomes if not each.caught] == []
