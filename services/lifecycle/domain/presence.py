"""What news of the public lead mean for its status: it appears, is withdrawn, returns, changes account."""

from dataclasses import replace
from datetime import datetime

from services.lifecycle.domain.status import AccountFlag, Lead, Status
from shared.events import LeadChange

Steps = tuple[tuple[LeadChange, Status], ...]
"""Changes, each with the status after it, one after the other."""


def appears(account: AccountFlag, now: datetime) -> Steps:
    """A lead nobody knew: new, and not to be contacted as long as its account is not."""
    return ((LeadChange.APPEARED, Status(do_not_contact_until=account.standing(now))),)


def observed(lead: Lead, account: AccountFlag, now: datetime, *, withdrawn: bool) -> Steps:
    """A known lead in a newer version; `account` is the flag of the account it now belongs to.

    It keeps its state, its owner and its flags. Of its own do-not-contact and its new account's the
    later holds: whoever asked to be left alone is not called because accounts were merged.
    """
    found = []
    status = lead.status
    if withdrawn is not status.withdrawn:
        status = replace(status, withdrawn=withdrawn)
        found.append((LeadChange.WITHDRAWN if withdrawn else LeadChange.RETURNED, status))
    until = account.standing(now)
    held = status.do_not_contact_until
    if until is not None and (held is None or held < until):
        status = replace(status, do_not_contact_until=until)
        found.append((LeadChange.DO_NOT_CONTACT_SET, status))
    return tuple(found)
