"""A tenant whose step failed waits, longer after each failure; nobody else does."""

from services.ingest.turns import Turns
from shared.messaging.errors import MAX_DELAY_S
from tests.support.set_clock import SetClock


def test_only_the_tenant_that_failed_waits(set_clock: SetClock) -> None:
    turns = Turns()
    assert turns.is_due("one")
    assert turns.put_off("one") == 1
    assert (turns.is_due("one"), turns.is_due("other")) == (False, True)
    set_clock.pass_s(1)
    assert turns.is_due("one")


def test_it_waits_longer_after_each_failure_and_never_for_ever(set_clock: SetClock) -> None:
    turns = Turns()
    failures = [turns.put_off("one") for _ in range(30)]
    assert failures == list(range(1, 31))
    set_clock.pass_s(1)
    assert not turns.is_due("one")
    set_clock.pass_s(MAX_DELAY_S)
    assert turns.is_due("one")


def test_what_went_well_again_is_forgotten(set_clock: SetClock) -> None:
    turns = Turns()
    turns.put_off("one")
    turns.put_off("one")
    turns.succeeded("one")
    assert turns.is_due("one")
    assert turns.put_off("one") == 1
    set_clock.pass_s(1)
