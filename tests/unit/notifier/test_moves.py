"""A lead that goes to another office: who hears what, and that no office learns of the other."""

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.contents import Update, Withdrawal
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.moves import ELSEWHERE, Move, move_of
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
    assert ("of now" in written) is plan.sees(BOT, now)


def test_a_lead_that_appears_or_goes_moves_nowhere() -> None:
    here = alert(office_id="luzern")
    assert move_of(None, here) is None
    assert move_of(here, None) is None
    assert move_of(here, alert(office_id="luzern", score=99.0)) is None


def test_the_targets_that_see_an_office_are_those_that_may_hear_of_it() -> None:
    assert plan_of("luzern").seeing("luzern") == {BOT}
    assert plan_of("luzern").seeing("romandie") == frozenset()
    assert plan_of("luzern").seeing(None) == frozenset()
    assert plan_of().seeing("unassigned") == {BOT}
