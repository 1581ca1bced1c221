from datetime import date, timedelta

import pytest

from services.notifier.domain.plan import Target
from services.notifier.domain.routing import (
    LAPSED,
    Announce,
    Known,
    Nothing,
    Observed,
    Withdraw,
    is_news,
    react,
)
from shared.events import LeadChanged
from tests.support.notifier_builders import AS_OF, public_lead

SLACK = Target("slack", "T1/B1")
CRM = Target("salesforce", "crm", tells_withdrawals=True)
TARGETS = (SLACK, CRM)


def seen(lead: LeadChanged | None, version: int = 2) -> Observed:
    return Observed("default", "lead-1", version, lead)


def test_an_open_critical_episode_is_announced_to_every_target() -> None:
    lead = public_lead()
    assert react(seen(lead), Known(), targets=TARGETS, since=None) == Announce(lead, TARGETS)


def test_a_lead_without_an_open_episode_is_not_announced() -> None:
    for lead in (public_lead(episode=0, episode_open=False), public_lead(episode_open=False)):
        assert react(seen(lead), Known(), targets=TARGETS, since=None) == Nothing()


def test_a_fall_to_high_within_the_episode_still_belongs_to_it() -> None:
    lead = public_lead(priority="HIGH", score=70.0)
    assert isinstance(react(seen(lead), Known(), targets=TARGETS, since=None), Announce)


def test_without_targets_nobody_is_told() -> None:
    assert react(seen(public_lead()), Known(), targets=(), since=None) == Nothing()


@pytest.mark.parametrize(
    ("began", "told"),
    [
        (AS_OF, True),
        (AS_OF + timedelta(days=1), True),
        (AS_OF - timedelta(days=1), False),
        (None, False),
    ],
)
def test_nothing_older_than_the_set_day_is_announced(began: date | None, told: bool) -> None:
    reaction = react(seen(public_lead(critical_since=began)), Known(), targets=TARGETS, since=AS_OF)
    assert isinstance(reaction, Announce) is told


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_or_equal_version_is_no_news(version: int) -> None:
    assert not is_news(seen(public_lead(), version), Known(version=2))
    assert is_news(seen(public_lead(), 3), Known(version=2))


def test_a_withdrawal_ends_every_episode_so_far_with_its_reason() -> None:
    lead = public_lead(state="withdrawn", reason="support renewed", episode=2, episode_open=False)
    reaction = react(seen(lead), Known(1, episode=1), targets=TARGETS, since=None)
    assert reaction == Withdraw("support renewed", through=2)


def test_a_tombstone_alone_withdraws_too() -> None:
    reaction = react(seen(None), Known(1, episode=3), targets=TARGETS, since=None)
    assert reaction == Withdraw("the lead no longer exists", through=3)
    unheard_of = react(seen(None), Known(1), targets=TARGETS, since=None)
    assert unheard_of == Withdraw("the lead no longer exists", through=0)


def test_a_withdrawn_lead_is_withdrawn_once() -> None:
    known = Known(1, withdrawn=True, episode=1, withdrawn_through=1)
    assert react(seen(None), known, targets=TARGETS, since=None) == Nothing()


def test_a_withdrawal_is_not_held_back_by_the_set_day() -> None:
    lead = public_lead(state="withdrawn", critical_since=None)
    reaction = react(seen(lead), Known(1, episode=1), targets=TARGETS, since=AS_OF)
    assert isinstance(reaction, Withdraw)


def test_an_episode_that_is_over_is_called_off_once() -> None:
    fallen = seen(public_lead(episode=2, episode_open=False))
    known = Known(1, episode=2, withdrawn_through=1)
    lapse = Withdraw(LAPSED, through=2, alerts_only=True)
    assert react(fallen, known, targets=TARGETS, since=None) == lapse
    assert react(fallen, known, targets=(), since=None) == lapse
    assert react(fallen, known.after(fallen), targets=TARGETS, since=None) == Nothing()


def test_a_lead_that_was_never_critical_has_nothing_to_call_off() -> None:
    quiet = seen(public_lead(episode=0, episode_open=False))
    assert react(quiet, Known(1), targets=TARGETS, since=None) == Nothing()


def test_what_is_held_follows_a_lead_through_withdrawal_and_return() -> None:
    known = Known().after(seen(public_lead(episode=1), 1))
    assert known == Known(1, withdrawn=False, episode=1)
    known = known.after(seen(None, 2))
    assert known == Known(2, withdrawn=True, episode=1, withdrawn_through=1)
    known = known.after(seen(public_lead(episode=2), 3))
    assert known == Known(3, withdrawn=False, episode=2, withdrawn_through=1)
