"""Leads that go from one office to another: reads a lead as it was and as it is, says who hears what (§7)."""

from dataclasses import dataclass

from services.notifier.domain.contents import Change, Update, Withdrawal
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import Plan, Target

ELSEWHERE = "another office has the lead now"
"""What an office hears of a lead that went to another one, and the note on what it was to hear."""


@dataclass(frozen=True)
class Move:
    """A lead left an office for that of its alert."""

    left: str | None
    alert: Alert

    def heard_by(
        self, target: Target, told: Alert, plan: Plan
    ) -> tuple[Withdrawal | Update, Purpose] | None:
        """What a target that was told of the lead hears of the move; None when it is none of its business.

        No office learns which one the other is.
        """
        saw, sees = plan.sees(target, self.left), plan.sees(target, self.alert.office_id)
        if saw and not sees:
            return Withdrawal(alert=told, reason=ELSEWHERE), Purpose.WITHDRAWAL
        if sees and not saw:
            came = Change(what="Office", before="another", after=self.alert.office_id or "none")
            return Update(alert=self.alert, changes=(came,)), Purpose.UPDATE
        return None


def move_of(before: Alert | None, after: Alert | None) -> Move | None:
    """The move of a lead between two versions of it, if there was one."""
    if before is None or after is None or before.office_id == after.office_id:
        return None
    return Move(before.office_id, after)
