"""A version only rises; a key keeps its shard."""

from hypothesis import given
from hypothesis import strategies as st

from shared import clock
from shared.messaging.outbox import shard_of
from shared.messaging.versions import next_version
from tests.support.set_clock import SetClock


@given(previous=st.none() | st.integers(0, 2**62))
def test_the_next_version_is_above_the_previous_and_not_below_the_clock(
    set_clock: SetClock, previous: int | None
) -> None:
    found = next_version(previous)
    assert found == max((previous or 0) + 1, clock.now_us())


def test_after_a_restore_of_old_state_versions_still_rise(set_clock: SetClock) -> None:
    lost = next_version(None)
    set_clock.pass_s(0.001)
    assert next_version(3) > lost


@given(key=st.text(), shards=st.integers(1, 64))
def test_a_key_has_one_shard_among_those_there_are(key: str, shards: int) -> None:
    assert shard_of(key, shards) == shard_of(key, shards)
    assert 0 <= shard_of(key, shards) < shards


def test_keys_spread_over_the_shards() -> None:
    counts = [0] * 4
    for number in range(4_000):
        counts[shard_of(f"default|account-{number}", 4)] += 1
    assert min(counts) > 800
