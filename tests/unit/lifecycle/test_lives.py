"""Whole lives of a lead, at random: what holds after every command and every day that passes."""

from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.lifecycle.domain.deciding import decide
from services.lifecycle.domain.flags import fall_due
from services.lifecycle.domain.history import Difference, differences, replay
from services.lifecycle.domain.presence import appears, observed
from services.lifecycle.domain.states import STATES, allowed_from
from services.lifecycle.domain.status import AccountFlag, Status
from services.lifecycle.domain.verdict import Changed, Refused
from shared.events import LeadAction, LeadRefusal, LeadState
from tests.support.lifecycle_builders import NOW, command, held

REASONS = st.sampled_from(["", "too early", "other", "duplicate: of 7", "Wrong Segment"])
OFFICES = st.sampled_from([None, "luzern", "romandie"])
DAYS = st.none() | st.integers(-2, 9)


class Life(RuleBasedStateMachine):
    """A lead of Luzern in the hands of people, offices and time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.account = AccountFlag()
        [(_, self.status)] = appears(self.account, self.now)
        self.history: list[Difference] = list(differences(None, self.status))

    @rule(
        action=st.sampled_from(list(LeadAction)),
        to=st.none() | st.sampled_from(list(LeadState)),
        owner=st.sampled_from([None, "ben", "eva", " "]),
        days=DAYS,
        why=REASONS,
        office=OFFICES,
    )
    def somebody_commands(
        self,
        *,
        action: LeadAction,
        to: LeadState | None,
        owner: str | None,
        days: int | None,
        why: str,
        office: str | None,
    ) -> None:
        until = None if days is None else self.now + timedelta(days=days)
        wish = command(action, to=to, owner=owner, until=until, why=why, office_id=office)
        before, lead = self.status, held(self.status, office_id="luzern")
        verdict = decide(wish, lead, self.account, self.now)
        assert lead.status == before
        if isinstance(verdict, Refused):
            assert office != "romandie" or verdict.refusal is LeadRefusal.OTHER_OFFICE
            return
        assert office != "romandie"
        self._is_legal(before, verdict, action)
        if verdict.account_wide:
            self.account = AccountFlag(verdict.status.do_not_contact_until, office)
        self._becomes(verdict.status)

    @rule(withdrawn=st.booleans())
    def the_lead_is_published(self, *, withdrawn: bool) -> None:
        lead = held(self.status, office_id="luzern")
        for _, status in observed(lead, self.account, self.now, withdrawn=withdrawn):
            self._becomes(status)
        assert self.status.withdrawn is withdrawn

    @rule(days=st.integers(1, 5))
    def days_pass(self, days: int) -> None:
        self.now += timedelta(days=days)
        for _, status in fall_due(self.status, self.now):
            self._becomes(status)
        assert fall_due(self.status, self.now) == ()

    @invariant()
    def the_history_leads_to_the_status(self) -> None:
        assert replay(self.history) == Status(**{**vars(self.status), "touched_at": None})

    @invariant()
    def what_holds_lies_ahead(self) -> None:
        due: datetime | None = self.status.next_due
        assert due is None or due > self.now
        assert self.status.state in STATES

    def _is_legal(self, before: Status, verdict: Changed, action: LeadAction) -> None:
        after = verdict.status
        moved = after.state is not before.state
        assert after != before
        if action is LeadAction.MOVE:
            assert after.state in allowed_from(before.state, withdrawn=before.withdrawn)
        elif moved:
            assert (action, before.state) == (LeadAction.ASSIGN, LeadState.NEW)
        assert after.withdrawn is before.withdrawn

    def _becomes(self, status: Status) -> None:
        found = differences(self.status, status)
        assert found
        self.history += found
        self.status = status


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
