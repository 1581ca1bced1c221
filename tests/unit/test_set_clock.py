"""A unit test that needs a time sets it; it stands still until the test moves it."""

from datetime import date

from shared import clock
from tests.support.set_clock import SetClock


def test_a_test_that_needs_a_time_sets_it(set_clock: SetClock) -> None:
    assert (clock.today(), clock.now().hour) == (date(2025, 10, 9), 12)
    before_s, before_us = clock.monotonic_s(), clock.now_us()
    set_clock.pass_s(1.5)
    assert clock.monotonic_s() - before_s == 1.5
    assert clock.now_us() - before_us == 1_500_000
