from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelead.standins.slack_conversation import (
    Conversation,
    Window,
    decode_cursor,
    encode_cursor,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def filled(count: int, kept: int = 1_000) -> tuple[Conversation, list[str]]:
    conversation = Conversation("C1", kept)
    return conversation, [conversation.post({"text": str(n)}, NOW) for n in range(count)]


def texts(messages: list[dict[str, str]]) -> list[str]:
    return [message["text"] for message in messages]


def test_each_message_has_its_own_ts_and_later_ones_higher_ones() -> None:
    conversation, stamps = filled(5)
    stamps.append(conversation.post({"text": "x"}, NOW - timedelta(hours=1)))
    assert stamps == sorted(set(stamps))


@given(st.integers(0, 30), st.integers(1, 7))
def test_paging_brings_every_message_once_newest_first(count: int, limit: int) -> None:
    conversation, _ = filled(count)
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = conversation.history(Window(limit=limit, cursor=cursor))
        found += texts(page.messages)
        assert len(page.messages) <= limit
        if not page.next_cursor:
            break
        cursor = decode_cursor(page.next_cursor)
    assert found == [str(n) for n in reversed(range(count))]


def test_bounds_are_left_out_unless_they_are_wanted() -> None:
    conversation, stamps = filled(5)
    between = Window(oldest=stamps[1], latest=stamps[3])
    assert texts(conversation.history(between).messages) == ["2"]
    wide = Window(oldest=stamps[1], latest=stamps[3], inclusive=True)
    assert texts(conversation.history(wide).messages) == ["3", "2", "1"]


def test_a_reply_stands_in_its_thread_and_not_in_the_channel() -> None:
    conversation, (first, _) = filled(2)
    reply = conversation.post({"text": "reply", "thread_ts": first}, NOW)
    assert texts(conversation.history(Window()).messages) == ["1", "0"]
    thread = conversation.replies(first, Window()).messages
    assert texts(thread) == ["0", "reply"]
    assert thread[0]["reply_count"] == 1
    assert thread[0]["latest_reply"] == reply


def test_a_broadcast_reply_stands_in_both() -> None:
    conversation, (first,) = filled(1)
    conversation.post({"text": "reply", "thread_ts": first}, NOW, broadcast=True)
    assert texts(conversation.history(Window()).messages) == ["reply", "0"]
    assert texts(conversation.replies(first, Window()).messages) == ["0", "reply"]


def test_an_answer_to_a_reply_goes_to_the_same_thread() -> None:
    conversation, (first,) = filled(1)
    reply = conversation.post({"text": "a", "thread_ts": first}, NOW)
    conversation.post({"text": "b", "thread_ts": reply}, NOW)
    assert texts(conversation.replies(first, Window()).messages) == ["0", "a", "b"]
    assert texts(conversation.replies(reply, Window()).messages) == ["0", "a", "b"]


def test_a_thread_is_read_page_by_page_oldest_first() -> None:
    conversation, (first,) = filled(1)
    for n in range(5):
        conversation.post({"text": f"r{n}", "thread_ts": first}, NOW)
    one = conversation.replies(first, Window(limit=3))
    assert texts(one.messages) == ["0", "r0", "r1"]
    two = conversation.replies(first, Window(limit=3, cursor=decode_cursor(one.next_cursor)))
    assert texts(two.messages) == ["r2", "r3", "r4"]
    assert two.next_cursor == ""


def test_a_thread_of_no_message_is_refused() -> None:
    conversation, _ = filled(1)
    with pytest.raises(KeyError):
        conversation.post({"text": "x", "thread_ts": "1.000000"}, NOW)
    with pytest.raises(KeyError):
        conversation.replies("1.000000", Window())
    assert len(conversation.history(Window()).messages) == 1


def test_only_so_many_messages_are_kept() -> None:
    conversation, stamps = filled(1, kept=3)
    conversation.post({"text": "reply", "thread_ts": stamps[0]}, NOW)
    for n in range(10):
        conversation.post({"text": f"later{n}"}, NOW)
    found = texts(conversation.history(Window()).messages)
    assert found[0] == "later9"
    assert 3 <= len(found) < 6
    assert conversation.find(stamps[0]) is None


@pytest.mark.parametrize("cursor", ["x", "====", "bmV4dA==", encode_cursor("1")[:-3]])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode_cursor(cursor)
