from collections.abc import Sequence

import pytest

from tests.support.delivery_checks import Entry, Taken, Verdict, judge


def verdict(channel: str, state: str, identities: Sequence[str]) -> Verdict:
    taken = Taken()
    for identity in identities:
        taken.add({"lead_id": "l1", "channel": channel, "identity": identity})
    entries = [] if state == "missing" else [Entry("l1", channel, state)]
    return judge([("l1", channel)], entries, taken)


@pytest.mark.parametrize(
    ("channel", "state", "identities"),
    [
        ("webhook", "sent", ["a"]),
        ("webhook", "sent", ["a", "a"]),
        ("salesforce", "sent", ["a", "a", "a"]),
        ("slack_bot", "sent", ["a"]),
        ("slack", "sent", ["a"]),
        ("slack", "unknown", ["a"]),
        ("slack", "unknown", []),
    ],
)
def test_what_is_promised_passes(channel: str, state: str, identities: Sequence[str]) -> None:
    assert verdict(channel, state, identities).faults == []


@pytest.mark.parametrize(
    ("channel", "state", "identities"),
    [
        ("webhook", "sent", []),
        ("webhook", "missing", []),
        ("webhook", "dead", []),
        ("webhook", "unknown", []),
        ("slack_bot", "retry", []),
        ("slack_bot", "unknown", []),
        ("slack", "sent", []),
        ("slack", "cancelled", []),
    ],
)
def test_what_no_sink_took_is_lost(channel: str, state: str, identities: Sequence[str]) -> None:
    found = verdict(channel, state, identities)
    assert len(found.lost) == 1
    assert found.doubled == found.unlisted == []


@pytest.mark.parametrize(
    ("channel", "identities"),
    [("webhook", ["a", "b"]), ("slack_bot", ["a", "a"]), ("slack", ["a", "a"])],
)
def test_what_has_the_effect_of_twice_is_doubled(channel: str, identities: Sequence[str]) -> None:
    found = verdict(channel, "sent", identities)
    assert len(found.doubled) == 1
    assert found.lost == []


@pytest.mark.parametrize(
    ("channel", "state"),
    [("slack", "dead"), ("slack_bot", "unknown"), ("webhook", "dead"), ("slack_bot", "missing")],
)
def test_what_was_taken_and_is_not_listed_so_is_a_fault(channel: str, state: str) -> None:
    found = verdict(channel, state, ["a"])
    assert len(found.unlisted) == 1
    assert found.lost == found.doubled == []


def test_doubts_and_harmless_repeats_are_counted() -> None:
    assert verdict("slack", "unknown", ["a"]).unknown == 1
    assert verdict("webhook", "sent", ["a", "a", "a"]).repeated == 2
