from typing import Any

import pytest

from onelead.deliveries.changing import silenced
from onelead.deliveries.outlook import Around, standing, what_next
from services.notifier.domain.delivery import State
from tests.unit.onelead.deliveries.rows import BEFORE, LATER, LATEST, NOW, delivery, sink


@pytest.mark.parametrize("state", list(State))
def test_every_state_says_what_happens_next(state: State) -> None:
    said = what_next(delivery(state=state.value, leased_until=LATER), Around(NOW))
    assert len(said.split()) > 3


@pytest.mark.parametrize(
    ("row", "around", "said"),
    [
        ({}, {}, "goes out now; if it stays here, the notifier does not run"),
        ({"due_at": LATER}, {}, "from 2026-03-02 13:00:00 UTC"),
        (
            {"state": "retry", "failures": 3, "due_at": LATER},
            {},
            "3 of 10 attempts failed; goes out by itself from 2026-03-02 13:00:00 UTC",
        ),
        ({"due_at": LATER}, {"sink": sink(open_until=LATEST)}, "14:00:00 UTC (its sink rests"),
        ({}, {"sink": sink(paused_until=LATER)}, "13:00:00 UTC (its sink rests until then)"),
        ({"due_at": LATER}, {"sink": sink(paused_until=BEFORE)}, "from 2026-03-02 13:00:00 UTC"),
        (
            {},
            {"sink": sink(disabled_at=BEFORE, reason="gone")},
            "switched off (gone); when it is mended, `onelead deliveries enable slack 'T1/B1'`",
        ),
        ({}, {"configured": False}, "`onelead deliveries cancel 0d8a20dd`, or put the sink back"),
        ({"state": "sending", "leased_until": LATER}, {}, "settled by 2026-03-02 13:00:00 UTC"),
        ({"state": "sending", "leased_until": BEFORE}, {}, "its sender has not come back"),
        ({"state": "dead"}, {}, "then `onelead deliveries retry 0d8a20dd`"),
        ({"state": "unknown"}, {}, "may tell somebody twice"),
        ({"state": "folded"}, {}, "storm_digest"),
    ],
)
def test_what_comes_next_names_its_moment_and_what_a_person_can_do(
    row: dict[str, Any], around: dict[str, Any], said: str
) -> None:
    assert said in what_next(delivery(**row), Around(NOW, **around))


def test_a_sink_that_is_no_longer_configured_matters_only_to_what_waits() -> None:
    assert what_next(delivery(state="sent"), Around(NOW, configured=False)) == (
        "nothing: the sink took it"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "fine"),
        (
            {"disabled_at": BEFORE, "open_until": LATER},
            "switched off since 2026-03-02 11:00:00 UTC",
        ),
        ({"open_until": LATER, "failing_since": BEFORE}, "rests until 2026-03-02 13:00:00 UTC"),
        ({"open_until": BEFORE, "failing_since": BEFORE}, "is tried with one message"),
        ({"paused_until": LATER}, "asked for silence until 2026-03-02 13:00:00 UTC"),
        ({"paused_until": BEFORE}, "fine"),
        ({"failing_since": BEFORE}, "failing"),
    ],
)
def test_a_sink_stands_as_it_does_now(changes: dict[str, Any], said: str) -> None:
    assert standing(sink(**changes), NOW) == said


def test_a_sink_of_which_nothing_is_remembered_is_fine() -> None:
    assert standing(None, NOW) == "fine"


def stands(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "withdrawn": False,
        "withdrawn_through": 0,
        "state": "new",
        "do_not_contact_until": None,
        "refused": None,
        "campaign_ended": None,
        "elsewhere": False,
    }
    return delivery(**(values | changes))


@pytest.mark.parametrize(
    ("purpose", "now_stands", "said"),
    [
        ("alert", {"withdrawn_through": 1}, "an episode that is over"),
        ("alert", {"withdrawn": True, "withdrawn_through": 1}, "a lead that was withdrawn"),
        ("call_task", {"withdrawn": True}, "withdrawn"),
        ("update", {"withdrawn_through": 1, "withdrawn": True}, "withdrawn"),
        ("alert", {"state": "won"}, "a lead that is won"),
        ("alert", {"elsewhere": True}, "a lead that another office has now"),
        ("follow_up", {"elsewhere": True}, "a lead that another office has now"),
        ("update", {"state": "rejected"}, "a lead that is rejected"),
        ("outreach", {"refused": "unsubscribed"}, "nobody writes to (unsubscribed)"),
        ("outreach", {"withdrawn": True}, "withdrawn"),
        ("outreach", {"do_not_contact_until": LATER}, "not to be contacted"),
        ("outreach", {"campaign_ended": "the lead is contacted now"}, "campaign that ended"),
    ],
)
def test_what_must_not_be_told_any_more_is_not_sent_again_by_hand(
    purpose: str, now_stands: dict[str, Any], said: str
) -> None:
    assert said in str(silenced(delivery(purpose=purpose), stands(**now_stands), NOW))


@pytest.mark.parametrize(
    ("purpose", "now_stands"),
    [
        ("alert", {}),
        ("alert", {"do_not_contact_until": LATER}),  # it waits until then
        ("update", {"withdrawn_through": 1}),  # the lead is back
        ("call_task", {"withdrawn_through": 1}),
        ("withdrawal", {"withdrawn": True, "withdrawn_through": 1}),
        ("withdrawal", {"elsewhere": True}),
        ("daily_digest", {"state": "won"}),
        ("outreach", {"do_not_contact_until": BEFORE}),
        ("outreach", {"campaign_ended": "all steps done"}),
    ],
)
def test_everything_else_may_be_sent_again(purpose: str, now_stands: dict[str, Any]) -> None:
    assert silenced(delivery(purpose=purpose), stands(**now_stands), NOW) is None
