import json
from typing import Any

import pytest

from onelead.standins.slack_arguments import SlackError, read_message, read_ts, read_window

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_000}}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": 5}, "invalid_arguments"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": "no json"}, "invalid_blocks_format"),
        ({"blocks": [{"type": "carousel"}]}, "invalid_blocks"),
        ({"blocks": [SECTION] * 51}, "invalid_blocks"),
        ({"blocks": [SECTION] * 5}, "msg_blocks_too_long"),
        ({"attachments": [{"text": "x"}] * 101}, "too_many_attachments"),
        ({"metadata": "no json"}, "invalid_metadata_format"),
        ({"metadata": ["x"]}, "invalid_metadata_format"),
        ({"metadata": {"event_type": "alert"}}, "invalid_metadata_schema"),
        ({"metadata": {"event_type": "a b", "event_payload": {}}}, "invalid_metadata_schema"),
        (
            {"metadata": {"event_type": "a", "event_payload": {"x": None}}},
            "invalid_metadata_schema",
        ),
        ({"metadata": {"event_type": "a", "event_payload": {}, "x": 1}}, "invalid_metadata_schema"),
        (
            {"metadata": {"event_type": "a", "event_payload": {"x": "y" * 20_000}}},
            "metadata_too_large",
        ),
    ],
)
def test_what_slack_refuses_is_refused_with_its_error(
    arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(SlackError) as caught:
        read_message(arguments)
    assert caught.value.answer["error"] == error
    assert caught.value.answer["ok"] is False


def test_structures_may_come_as_json_text() -> None:
    metadata = {"event_type": "alert", "event_payload": {"delivery_id": "d", "tags": ["a"]}}
    message = {"text": "hi", "blocks": [SECTION], "metadata": metadata}
    as_text = {name: json.dumps(value) for name, value in message.items() if name != "text"}
    assert read_message(message) == message
    assert read_message({"text": "hi", **as_text}) == message


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"limit": "0"}, "invalid_limit"),
        ({"limit": "1000"}, "invalid_limit"),
        ({"limit": "many"}, "invalid_limit"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"latest": "1.2.3"}, "invalid_ts_latest"),
    ],
)
def test_a_wrong_window_is_refused(arguments: dict[str, Any], error: str) -> None:
    with pytest.raises(SlackError, match=error):
        read_window(arguments, default_limit=100, max_limit=999)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("5", "0000000005.000000"),
        (5, "0000000005.000000"),
        ("1503435956.0002", "1503435956.000200"),
    ],
)
def test_a_ts_is_filled_up_so_that_ts_compare(given: Any, found: str) -> None:
    assert read_ts({"ts": given}, "ts", None, "error") == found
