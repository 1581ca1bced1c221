"""A service takes the time from its database, however wrong the clock of its machine is."""

import time
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from shared import clock
from shared.db.engine import Database
from shared.ops.one_clock import OneClock
from tests.integration.messaging.bench import Bench

_DAY_S = 86_400


@pytest.mark.parametrize("wrong_by_s", [_DAY_S, -_DAY_S])
async def test_the_databases_clock_holds_and_not_the_machines(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, wrong_by_s: int
) -> None:
    wrong = SimpleNamespace(
        time_ns=lambda: time.time_ns() + wrong_by_s * 1_000_000_000,
        monotonic_ns=time.monotonic_ns,
        monotonic=time.monotonic,
    )
    monkeypatch.setattr(clock, "time", wrong)
    monkeypatch.setattr(clock, "_reference", clock._Reference())
    database = Database.connect(bench.settings.url(""), application="test", pool_size=1)
    try:
        async with database.transaction() as connection:
            moment = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        assert abs((clock.now() - moment).total_seconds()) > _DAY_S / 2
        await OneClock(database).set()
        async with database.transaction() as connection:
            moment = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        assert abs((clock.now() - moment).total_seconds()) < 10
    finally:
        await database.close()
