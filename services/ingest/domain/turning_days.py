"""The days on which time alone changes what follows from an account's rows: its leads, risk, spend."""

from collections.abc import Iterator
from datetime import date

from services.ingest.domain.profile import AccountRows
from services.ingest.domain.records import Box
from shared.rules.model import LeadRules, Rules


def turning_days(rows: AccountRows, rules: Rules, as_of: date, days: int) -> tuple[date, ...]:
    """The days after `as_of`, at most `days` later, on which the account must be derived anew.

    Between two of them nothing that is derived changes: which leads fire, the risk of boxes, the
    spend and the segment (rules.md §2, §3). Some of them may change nothing.
    """
    today, window = as_of.toordinal(), rules.segments.spend_window_days
    turns = {day for box in rows.boxes for day in _of_box(box, rules.leads)}
    turns |= {each.updated.toordinal() + window + 1 for each in rows.projects if each.updated}
    return tuple(date.fromordinal(day) for day in sorted(turns) if today < day <= today + days)


def _of_box(box: Box, rules: LeadRules) -> Iterator[int]:
    """Day numbers: "more than so many days past" begins a day after the limit, "ahead" with it."""
    risk, too_old = rules.risk, rules.renewal.max_days_since_eol
    if box.end_of_life is not None:
        yield from (
            box.end_of_life.toordinal() + limit + 1
            for limit in (
                risk.critical_days_past_eol,
                risk.high_days_past_eol,
                risk.medium_days_past_eol,
                rules.hardware_refresh.min_days_since_eol,
                *(() if too_old is None else (too_old,)),
            )
        )
    if box.service_end is not None:
        end = box.service_end.toordinal()
        yield end + risk.critical_days_past_expiry + 1
        yield end + risk.high_days_past_expiry + 1
        yield end + 1
        yield end - risk.medium_days_before_expiry
        if rules.renewal.ahead_days:
            yield end - rules.renewal.ahead_days
