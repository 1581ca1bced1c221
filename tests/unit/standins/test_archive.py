import pytest

from onelead.standins.archive import Archive

pytestmark = pytest.mark.usefixtures("set_clock")


def test_the_same_news_twice_counts_once_and_shows_as_a_repeat() -> None:
    archive = Archive(10)
    archive.accept("slack", "a", {})
    assert archive.accept("slack", "a", {}).repeated
    archive.accept("email", "a", {})
    archive.reject("slack", "429 rate_limited", {})
    assert archive.summary() == {
        "deliveries": {"slack": 1, "email": 1, "salesforce": 0},
        "repeated": {"slack": 1, "email": 0, "salesforce": 0},
        "rejected": {"slack": 1, "email": 0, "salesforce": 0},
        "latest": 4,
    }


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
    assert [message.number for message in page] == [4, 3, 2]


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
