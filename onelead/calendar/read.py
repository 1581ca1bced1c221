"""Foretells a whole tenant from a snapshot, chunk by chunk of its accounts."""

from datetime import date
from functools import partial

from onelead.calendar.forecast import Expected, forecast
from onelead.what_if.chunks import chunks
from onelead.what_if.replay import ROWS_PER_CHUNK, side_of
from onelead.what_if.snapshot import Snapshot


async def foretell(snapshot: Snapshot, days: int) -> tuple[date, str, list[Expected]]:
    """(the tenant's day, its currency, what happens by itself in the `days` after it, by day).

    By the rules in force and the rows as they stand; of one day the highest score comes first.
    Raises UserError for a tenant without records.
    """
    rules = (await snapshot.rules()).rules
    state = await snapshot.state()
    side = await side_of(snapshot, state, rules)
    found: list[Expected] = []
    for places in chunks(state.places, side.account_of, side.account_of, ROWS_PER_CHUNK):
        accounts = side.by_account(await snapshot.rows(places))
        for account_id, rows in accounts.items():
            derive = partial(side.derived, account_id, rows)
            found += forecast(rows, derive, rules, state.as_of, days)
    return state.as_of, rules.currency, sorted(found, key=_order)


def _order(each: Expected) -> tuple[date, float, str]:
    return each.on, -(each.score or 0.0), each.lead.lead_id
