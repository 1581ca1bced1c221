"""Ten thousand hostile texts through Slack's blocks, read back by slack_sdk's own models."""

import pytest

from onelead.standins.block_kit import check_blocks
from services.notifier.channels.slack_blocks import TEXT_LIMIT, payload
from services.notifier.domain.message import plain
from tests.support.alert_reading import (
    SLACK_LIMITS,
    expected,
    hostile_alert,
    is_beginning,
    slack_alive,
    slack_read,
    slack_shown,
    slack_texts,
)
from tests.support.hostile_texts import hostile_texts
from tests.support.told_contents import LINK, each_content

MOST_LETTERS = 13_200
"""Slack says msg_blocks_too_long to a bot from about here, which it documents nowhere."""


@pytest.mark.slow
def test_ten_thousand_hostile_texts_stay_letters_and_are_read_back_equal() -> None:
    alive: list[str] = []
    changed: list[str] = []
    texts = list(hostile_texts())
    for text in texts:
        lead = hostile_alert(text)
        message = payload(lead)
        alive += slack_alive(message, LINK)
        shown, whole = slack_shown(message["blocks"]), expected(text, lead)
        changed += [
            f"{place}: {text[:60]!r}"
            for place, limit in SLACK_LIMITS.items()
            if not is_beginning(shown[place], whole[place], limit)
        ]
        summary = f"CRITICAL lead: {plain(text)}, {plain(text)}, score 82.5"
        if not is_beginning(slack_read(message["text"]), summary, TEXT_LIMIT):
            changed.append(f"text: {text[:60]!r}")
    assert alive == [], f"{len(texts)} texts, {len(alive)} alive"
    assert changed == [], f"{len(texts)} texts, {len(changed)} read back different"
    assert len(texts) == 10_000


def test_hostile_texts_of_every_purpose_make_messages_that_slack_takes() -> None:
    alive: list[str] = []
    count = 0
    for text in hostile_texts(180):
        for content in each_content(text, lines=30).values():
            message = payload(content)
            check_blocks(message["blocks"])
            alive += slack_alive(message, LINK)
            written = sum(len(shown["text"]) for shown in slack_texts(message["blocks"]))
            assert written <= MOST_LETTERS, f"{written} letters: {text[:60]!r}"
            count += 1
    assert alive == [], f"{count} messages, {len(alive)} alive"
    assert count == 1_800
