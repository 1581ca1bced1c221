"""Sets a service's clock by its database's, at the start and again and again: all replicas have one time."""

from datetime import datetime

from sqlalchemy import text

from shared import clock
from shared.db.engine import Database
from shared.ops.logs import get_logger
from shared.ops.ticks import run_ticks

_log = get_logger(__name__)
_EVERY_S = 10.0
_ANSWER_AT_MOST_S = 1.0
"""An answer that took longer says less about the time than the clock that was set before."""
_WORTH_A_WORD_S = 60.0
_MOMENT = text("SELECT clock_timestamp()")


class OneClock:
    """The database's clock as a service's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(self) -> None:
        """Sets the clock; says so when it was wrong by a minute."""
        _set(await self._asked())

    async def run(self) -> None:
        """Sets the clock until cancelled; while the database is away it goes on by itself."""
        await run_ticks(self._step, _EVERY_S)

    async def _step(self) -> bool:
        asked_s = clock.monotonic_s()
        moment = await self._asked()
        if clock.monotonic_s() - asked_s <= _ANSWER_AT_MOST_S:
            _set(moment)
        return False

    async def _asked(self) -> datetime:
        async with self._database.transaction() as connection:
            moment: datetime = (await connection.execute(_MOMENT)).scalar_one()
            return moment


def _set(moment: datetime) -> None:
    wrong_s = round((clock.now() - moment).total_seconds())
    clock.set_by(moment)
    if abs(wrong_s) >= _WORTH_A_WORD_S:
        _log.warning("the clock was wrong; the database's holds", wrong_by_s=wrong_s)
