"""Leads that go from one office to another: reads a lead as it was and as it is, says who hears what and
what nobody hears any more (§7)."""

from dataclasses import dataclass

from services.notifier.domain.contents import Change, Update, Withdrawal
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import Plan, Target
from services.notifier.domain.standing import news_between, worth_a_word

ELSEWHERE = "another office has the lead now"
"""What an office hears of a lead that went to another one, and the note on what it was to hear."""
BACK = "the office has the lead again"
"""The note on what was to say that the lead is elsewhere, and was not said in time."""


@dataclass(frozen=True)
class Move:
    """A lead left an office for that of its alert."""

    left: str | None
    alert: Alert

    def heard_by(
        self, target: Target, told: Alert, plan: Plan, *, unaware: bool = False
    ) -> tuple[Withdrawal | Update, Purpose] | None:
        """What a target that was told of the lead hears of the move; None when it is none of its business.

        No office learns which one the other is. `unaware`: it never heard that the lead was gone, so it
        hears of what it missed, not that the lead came back.
        """
        tenant_id, office_id = self.alert.tenant_id, self.alert.office_id
        saw, sees = (plan.sees(target, tenant_id, each) for each in (self.left, office_id))
        if saw and not sees:
            return Withdrawal(alert=told, reason=ELSEWHERE), Purpose.WITHDRAWAL
        if saw or not sees:
            return None
        came = Change(what="Office", before="another", after=office_id or "none")
        changes = self._missed(target, told) if unaware else (came,)
        return (Update(alert=self.alert, changes=changes), Purpose.UPDATE) if changes else None

    def _missed(self, target: Target, told: Alert) -> tuple[Change, ...]:
        matters = target.tells_withdrawals or worth_a_word(told, self.alert)
        return news_between(told, self.alert) if matters else ()


def move_of(before: Alert | None, after: Alert | None) -> Move | None:
    """The move of a lead between two versions of it, if there was one."""
    if before is None or after is None or before.office_id == after.office_id:
        return None
    return Move(before.office_id, after)


def outdated(content: object, purpose: Purpose, *, sees: bool) -> str | None:
    """Why something about a lead is not to be sent any more; None when it is.

    `sees`: whether its target may hear of the lead, as it is now. Letters go to the customer, whichever
    office has the lead.
    """
    if isinstance(content, Withdrawal):
        return BACK if sees and content.reason == ELSEWHERE else None
    return None if sees or purpose is Purpose.OUTREACH else ELSEWHERE
