import json
from pathlib import Path
from typing import Any

import pytest

from onelead.standins.archive import CHANNELS, Archive, lead_of
from shared.errors import UserError

pytestmark = pytest.mark.usefixtures("set_clock")


def test_the_same_news_twice_counts_once_and_shows_as_a_repeat() -> None:
    archive = Archive(10)
    archive.accept("slack", "a", {})
    assert archive.accept("slack", "a", {}).repeated
    archive.accept("email", "a", {})
    archive.reject("slack", "429 rate_limited", {})
    none = dict.fromkeys(CHANNELS, 0)
    assert archive.summary() == {
        "deliveries": none | {"slack": 1, "email": 1},
        "repeated": none | {"slack": 1},
        "updated": none,
        "rejected": none | {"slack": 1},
        "latest": 4,
    }


def test_the_same_news_to_two_sinks_is_no_repeat() -> None:
    archive = Archive(10)
    archive.accept("slack", "a", {}, sink="T1/B1")
    assert not archive.accept("slack", "a", {}, sink="T2/B2").repeated
    assert archive.summary()["deliveries"]["slack"] == 2


def test_the_same_record_written_again_is_an_update_and_no_repeat() -> None:
    archive = Archive(10)
    archive.accept("salesforce", "l1", {}, upsert=True)
    assert not archive.accept("salesforce", "l1", {}, upsert=True).repeated
    assert archive.summary()["repeated"]["salesforce"] == 0
    assert archive.summary()["updated"]["salesforce"] == 1
    assert archive.summary()["deliveries"]["salesforce"] == 1


def test_counts_outlive_what_is_kept() -> None:
    archive = Archive(3)
    for number in range(10):
        archive.accept("slack", str(number), {"text": f"n{number}"})
    assert archive.summary()["deliveries"]["slack"] == 10
    assert [message.number for message in archive.after(0, None, 100)] == [8, 9, 10]


def test_pages_are_newest_first() -> None:
    archive = Archive(100)
    for number in range(7):
        archive.accept("slack", str(number), {})
    page, found = archive.page(channel="slack", query="", page=2, size=3)
    assert found == 7
    assert [thread.message.number for thread in page] == [4, 3, 2]


def test_answers_stand_under_their_message_and_bring_it_to_the_top() -> None:
    archive = Archive(100)
    archive.accept("slack_bot", "1", {"text": "alert"}, post="C/1")
    archive.accept("slack_bot", "2", {"text": "other"}, post="C/2")
    archive.accept("slack_bot", "3", {"text": "first answer"}, answers="C/1")
    archive.accept("slack_bot", "4", {"text": "second answer"}, answers="C/1")
    page, found = archive.page(channel=None, query="", page=1, size=9)
    assert found == 2
    assert [t.message.number for t in page] == [1, 2]
    assert [m.number for m in page[0].answers] == [3, 4]
    assert archive.page(channel=None, query="second", page=1, size=9)[1] == 1


def test_an_answer_to_what_is_no_longer_kept_stands_alone() -> None:
    archive = Archive(1)
    archive.accept("slack_bot", "1", {}, post="C/1")
    archive.accept("slack_bot", "2", {}, answers="C/1")
    page, _ = archive.page(channel=None, query="", page=1, size=9)
    assert [t.message.number for t in page] == [2]


@pytest.mark.parametrize(
    "content",
    [
        {"metadata": {"event_payload": {"lead_id": "l-1"}}},
        {"record": {"OneLead_ID__c": "l-1"}},
        {"blocks": [{"elements": [{"url": "https://x.y/leads/l-1?a=b"}]}]},
        {"text": "see https://x.y/leads/l-1", "other": "https://x.y/leads/l-2"},
    ],
)
def test_the_lead_of_a_message_is_named_or_linked(content: dict[str, Any]) -> None:
    assert lead_of(content) == "l-1"
    assert lead_of({"text": "about nothing"}) is None


def test_each_message_that_was_taken_is_a_line_in_the_log_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    archive = Archive(10, path)
    archive.accept("slack", "a", {"lead_id": "l-1"}, sink="T/B")
    archive.reject("slack", "503", {})
    archive.accept("slack", "a", {"lead_id": "l-1"}, sink="T/B")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["identity"], line["repeated"]) for line in lines] == [("a", False), ("a", True)]
    assert lines[0] | {"received_at": ""} == {
        "channel": "slack",
        "sink": "T/B",
        "identity": "a",
        "lead_id": "l-1",
        "received_at": "",
        "repeated": False,
    }
    archive.close()
    Archive(10, path).accept("slack", "b", {})
    assert len(path.read_text().splitlines()) == 3, "a second run appends"


def test_a_log_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ONELEAD_STANDINS_LOG_FILE"):
        Archive(10, tmp_path / "none" / "log.jsonl")


def test_messages_are_found_by_channel_and_by_text_in_any_case() -> None:
    archive = Archive(100)
    archive.accept("slack", "1", {"blocks": [{"text": {"text": "Über ACME"}}]})
    archive.accept("email", "2", {"text": "acme"})
    archive.accept("email", "3", {"text": "other", "acme": 1})
    assert archive.page(channel=None, query="acme", page=1, size=9)[1] == 2
    assert archive.page(channel="slack", query="ÜBER", page=1, size=9)[1] == 1


def test_reading_on_starts_after_a_number() -> None:
    archive = Archive(100)
    for channel in ("slack", "email", "slack", "slack"):
        archive.accept(channel, channel, {})
    assert [message.number for message in archive.after(1, "slack", 1)] == [3]
