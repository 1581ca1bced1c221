"""A lead that goes to another office: who hears what, and that no office learns of the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.contents import Update, Withdrawal
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.moves import BACK, ELSEWHERE, Move, move_of, outdated
from services.notifier.domain.plan import Limits, Plan, Sink, Target
from tests.support.notifier_builders import alert

OFFICES = ("luzern", "romandie", "egeli", "unassigned", None)
BOT = Target("slack_bot", "C1")


def plan_of(*offices: str) -> Plan:
    sink = Sink(
        name="bot",
        targets=(BOT,),
        tenants=frozenset({"default"}),
        sends=frozenset(Purpose),
        limits=Limits(),
        concurrency=1,
        offices=frozenset(offices),
    )
    return Plan((sink,))


def test_the_office_that_had_it_hears_that_it_is_gone_and_the_one_that_has_it_that_it_came() -> (
    None
):
    move, told = Move("luzern", alert(office_id="romandie")), alert(office_id="luzern")
    assert move.heard_by(BOT, told, plan_of("luzern")) == (
        Withdrawal(alert=told, reason=ELSEWHERE),
        Purpose.WITHDRAWAL,
    )
    came = move.heard_by(BOT, told, plan_of("romandie"))
    assert came is not None
    assert isinstance(came[0], Update)
    assert (came[0].alert, came[0].changes[0].after) == (move.alert, "romandie")
    assert move.heard_by(BOT, told, plan_of("egeli")) is None
    assert move.heard_by(BOT, told, plan_of("luzern", "romandie")) is None
    assert move.heard_by(BOT, told, plan_of()) is None, "the tenant's own sinks see all offices"


@given(
    st.sampled_from(OFFICES),
    st.sampled_from(OFFICES),
    st.frozensets(st.sampled_from(["luzern", "romandie", "egeli"])),
)
def test_no_sink_reads_of_an_office_that_it_may_not_hear_of(
    left: str | None, now: str | None, mine: frozenset[str]
) -> None:
    plan, before = plan_of(*mine), alert(office_id=left, title="of before")
    move = move_of(before, alert(office_id=now, title="of now"))
    assert (move is None) is (left == now)
    heard = None if move is None else move.heard_by(BOT, before, plan)
    if heard is None:
        return
    written = heard[0].model_dump_json()
    for office in {left, now} - {None}:
        assert office in mine or str(office) not in written
    assert ("of now" in written) is plan.sees(BOT, before.tenant_id, now)


def test_a_lead_that_appears_or_goes_moves_nowhere() -> None:
    here = alert(office_id="luzern")
    assert move_of(None, here) is None
    assert move_of(here, None) is None
    assert move_of(here, alert(office_id="luzern", score=99.0)) is None


@pytest.mark.parametrize(("score", "changes"), [(82.5, []), (84.0, []), (95.0, ["Score"])])
def test_who_never_heard_that_it_was_gone_hears_of_what_they_missed_only(
    score: float, changes: list[str]
) -> None:
    move = Move("luzern", alert(office_id="romandie", score=score))
    heard = move.heard_by(BOT, alert(score=82.5), plan_of("romandie"), unaware=True)
    told = heard[0].changes if heard and isinstance(heard[0], Update) else ()
    assert [change.what for change in told] == changes


@pytest.mark.parametrize(
    ("content", "purpose", "seeing", "not_seeing"),
    [
        (alert(), Purpose.ALERT, None, ELSEWHERE),
        (Update(alert=alert(), changes=()), Purpose.UPDATE, None, ELSEWHERE),
        (Withdrawal(alert=alert(), reason=ELSEWHERE), Purpose.WITHDRAWAL, BACK, None),
        (Withdrawal(alert=alert(), reason="renewed"), Purpose.WITHDRAWAL, None, None),
        ("a letter", Purpose.OUTREACH, None, None),
    ],
)
def test_what_is_not_to_be_sent_any_more_depends_on_whose_the_lead_is_now(
    content: object, purpose: Purpose, seeing: str | None, not_seeing: str | None
) -> None:
    assert outdated(content, purpose, sees=True) == seeing
    assert outdated(content, purpose, sees=False) == not_seeing
