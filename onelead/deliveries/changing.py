"""A person's word about deliveries: sends dead and doubtful ones again, takes back what waits.

Reads how lead, campaign and contact stand now, so that nobody hears by hand what must not be told.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text, update

from onelead.deliveries.book import Book
from onelead.deliveries.outlook import WAITS
from services.notifier import tables as t
from services.notifier.domain.campaigns import THROUGH
from services.notifier.domain.delivery import Purpose, State
from services.notifier.domain.message import plain
from services.notifier.domain.moves import ELSEWHERE
from services.notifier.domain.standing import CLOSED
from shared.errors import UserError
from shared.events import LeadState

RETRIED = frozenset({State.DEAD.value, State.UNKNOWN.value})
_OF_OPEN_LEADS = frozenset({Purpose.ALERT, Purpose.UPDATE, Purpose.CALL_TASK})
_AS_IT_STANDS = text(
    """
    SELECT coalesce(l.withdrawn, false) AS withdrawn,
           coalesce(l.withdrawn_through, 0) AS withdrawn_through,
           coalesce(s.state, 'new') AS state, s.do_not_contact_until,
           x.reason AS refused, e.ended AS campaign_ended,
           l.alert ->> 'office_id' IS DISTINCT FROM d.office_id AND EXISTS (
             SELECT FROM notifier.deliveries w  -- its sink hears, or heard, that it is gone
             WHERE w.tenant_id = d.tenant_id AND w.lead_id = d.lead_id AND w.channel = d.channel
               AND w.target = d.target AND w.purpose = 'withdrawal' AND w.state <> 'cancelled'
               AND w.content->>'reason' = :elsewhere) AS elsewhere
    FROM notifier.deliveries d
    LEFT JOIN notifier.leads l ON l.tenant_id = d.tenant_id AND l.lead_id = d.lead_id
    LEFT JOIN notifier.standings s ON s.tenant_id = d.tenant_id AND s.lead_id = d.lead_id
    LEFT JOIN notifier.suppressed x ON d.purpose = 'outreach'
      AND x.tenant_id = d.tenant_id AND x.address = d.content->>'to'
    LEFT JOIN notifier.enrolments e ON d.purpose = 'outreach'
      AND e.tenant_id = d.tenant_id AND e.lead_id = d.lead_id AND e.contact = d.content->>'to'
    WHERE d.tenant_id = :tenant AND d.delivery_id = :delivery
    """
)


@dataclass(frozen=True)
class Wish:
    """Who wants it, when and why; `even_if_unsure`: also what may have arrived."""

    by: str
    now: datetime
    why: str = ""
    even_if_unsure: bool = False

    def note(self, what: str) -> str:
        """What is kept with the delivery."""
        return plain(f"{what} by {self.by}" + (f": {self.why}" if self.why else ""))


async def send_again(book: Book, row: Row[Any], wish: Wish) -> datetime:
    """Puts a dead or doubtful delivery into the queue; returns from when on it goes out.

    Raises UserError, exit code 1, where it must not be told any more.
    """
    if row.state not in RETRIED:
        raise _refused(row, f"is {row.state}; only dead and unknown ones are sent again")
    parameters = {
        "tenant": book.tenant_id,
        "delivery": row.delivery_id,
        "elsewhere": ELSEWHERE,
    }
    stands = (await book.connection.execute(_AS_IT_STANDS, parameters)).one()
    if (reason := silenced(row, stands, wish.now)) is not None:
        raise _refused(row, reason)
    if row.state == State.UNKNOWN.value and not wish.even_if_unsure:
        raise _refused(
            row,
            "may have arrived; sent again, somebody may read it twice",
            hint="look there first; --yes sends it all the same",
        )
    due_at = max(wish.now, stands.do_not_contact_until or wish.now)
    await _change(
        book,
        row,
        state=State.PENDING.value,
        failures=0,
        due_at=due_at,
        settled_at=None,
        in_doubt=True,  # where the sink can be asked, it is: an early attempt may have arrived
        note=wish.note("sent again"),
    )
    return due_at


async def take_back(book: Book, row: Row[Any], wish: Wish) -> None:
    """Cancels a delivery that waits. Raises UserError, exit code 1, when it does not."""
    if row.state not in WAITS:
        raise _refused(row, f"is {row.state}; only what waits can be cancelled")
    await _change(
        book,
        row,
        state=State.CANCELLED.value,
        settled_at=wish.now,
        note=wish.note("cancelled"),
    )


def silenced(row: Any, stands: Any, now: datetime) -> str | None:
    """Why nobody may be told this any more; None when it may go out."""
    purpose = Purpose(row.purpose)
    if purpose is Purpose.OUTREACH:
        return _letter_silenced(stands, now)
    if stands.elsewhere and purpose is not Purpose.WITHDRAWAL:
        return "is about a lead that another office has now; this one should not be told of it"
    if purpose not in _OF_OPEN_LEADS:
        return None
    is_over = purpose is Purpose.ALERT and stands.withdrawn_through >= row.episode
    if stands.withdrawn or is_over:
        what = "a lead that was withdrawn" if stands.withdrawn else "an episode that is over"
        return f"is about {what}; nobody should be told now"
    if LeadState(stands.state) in CLOSED:
        return f"is about a lead that is {stands.state}; nobody should be told now"
    return None


def _letter_silenced(stands: Any, now: datetime) -> str | None:
    """A customer is written to only as long as the campaign itself would write."""
    if stands.refused is not None:
        return (
            f"is a letter to an address nobody writes to ({stands.refused}); "
            "`onelead campaigns allow` takes it off that list"
        )
    if stands.withdrawn:
        return "is a letter about a lead that was withdrawn"
    if stands.do_not_contact_until is not None and stands.do_not_contact_until > now:
        return "is a letter to an account that is not to be contacted"
    if stands.campaign_ended not in {None, THROUGH}:
        return f"is a letter of a campaign that ended ({stands.campaign_ended})"
    return None


def _refused(row: Row[Any], why: str, hint: str | None = None) -> UserError:
    return UserError(f"{row.delivery_id} {why}", hint=hint, exit_code=1)


async def _change(book: Book, row: Row[Any], **values: Any) -> None:
    statement = (
        update(t.deliveries)
        .where(
            t.deliveries.c.tenant_id == book.tenant_id,
            t.deliveries.c.delivery_id == row.delivery_id,
            t.deliveries.c.state == row.state,
        )
        .values(**values)
    )
    if not (await book.connection.execute(statement)).rowcount:
        raise _refused(row, "has just changed; look at it again")
