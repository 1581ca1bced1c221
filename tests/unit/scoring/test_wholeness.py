"""A lead is scored only when its facts, its account's profile and the rules belong together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.wholeness import Basis, is_whole

PROFILE, RULES = 7, "these"


def facts(version: int = 10, profile: int = PROFILE, rules: str | None = RULES) -> Basis:
    return Basis(version, profile, rules)


def whole(said: Basis, marker: Basis | None = None) -> bool:
    return is_whole(said, marker, PROFILE, RULES)


def test_facts_go_with_the_profile_and_the_rules_they_were_told_by() -> None:
    assert whole(facts())


@pytest.mark.parametrize("profile", [6, 8])
def test_facts_wait_for_their_own_profile_and_do_not_go_with_a_newer_one(profile: int) -> None:
    assert not whole(facts(profile=profile))


def test_facts_of_other_rules_wait() -> None:
    assert not whole(facts(rules="others"))


def test_a_marker_says_that_older_facts_stay() -> None:
    old = facts(profile=6, rules="others")
    assert whole(old, Basis(11, PROFILE, RULES))
    assert not whole(old, Basis(11, PROFILE, "third"))
    assert not whole(old, Basis(11, 6, RULES))


def test_a_marker_knows_nothing_of_facts_told_after_it() -> None:
    assert not whole(facts(version=12, rules="others"), Basis(11, PROFILE, RULES))


def test_facts_told_by_the_rules_in_force_need_no_marker_of_them() -> None:
    """The marker of other rules came first, and the rules are still the old ones here."""
    assert whole(facts(), Basis(11, 8, "others"))


def test_facts_of_which_nobody_said_by_what_they_were_told_go_with_everything() -> None:
    """They were stored before the upgrade."""
    assert whole(facts(profile=3, rules=None))
    assert whole(facts(version=12, rules=None), Basis(11, 8, "others"))


def test_a_marker_ends_that() -> None:
    assert not whole(facts(rules=None), Basis(11, 8, RULES))
    assert whole(facts(profile=3, rules=None), Basis(11, PROFILE, RULES))


bases = st.builds(Basis, st.integers(1, 4), st.integers(1, 3), st.sampled_from(["a", "b"]))


@given(bases, bases, st.integers(1, 3), st.sampled_from(["a", "b"]))
def test_nobody_waits_once_everything_that_was_said_last_is_there(
    said: Basis, marker: Basis, profile: int, rules: str
) -> None:
    last = max(said, marker, key=lambda each: each.version)
    assert is_whole(said, marker, last.profile, str(last.rules))
    if is_whole(said, marker, profile, rules):
        assert (profile, rules) in {(each.profile, each.rules) for each in (said, marker)}
