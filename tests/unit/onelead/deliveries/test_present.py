from typing import Any

import orjson
import pytest
from rich.console import Console

from onelead.deliveries.outlook import Around
from onelead.deliveries.present import (
    attempts_table,
    counts_text,
    deliveries_table,
    delivery_json,
    delivery_parts,
    shown_json,
    sink_json,
    sinks_table,
    title_of,
)
from tests.unit.onelead.deliveries.rows import BEFORE, LATER, NOW, attempt, delivery, sink

HOSTILE = "[/red] [bold]550 no such user[/] [link=https://evil.example]x"


def printed(*parts: Any) -> str:
    console = Console(width=200, highlight=False)
    with console.capture() as found:
        for part in parts:
            console.print(part)
    return found.get()


def test_a_list_names_what_went_where_and_how_it_stands() -> None:
    said = printed(deliveries_table([delivery(state="dead", tries=2, note="410 gone")], NOW))
    for word in ("0d8a20dd", "2026-03-02 11:00", "alert", "slack T1/B1", "dead", "7a1f2c3d", "410"):
        assert word in said


def test_a_list_says_from_when_on_what_waits_goes_out() -> None:
    said = printed(deliveries_table([delivery(state="retry", due_at=LATER, note="down")], NOW))
    assert "from 03-02 13:00:00: down" in said
    settled = printed(deliveries_table([delivery(state="dead", due_at=LATER, note="down")], NOW))
    assert "from 03-02" not in settled


def test_what_a_sink_or_a_customer_wrote_is_shown_as_it_stands() -> None:
    row = delivery(note=HOSTILE, target=HOSTILE, content={"title": HOSTILE})
    parts = [
        deliveries_table([row], NOW),
        *delivery_parts(row, [attempt(note=HOSTILE)], Around(NOW)),
        sinks_table([sink(reason=HOSTILE)], NOW),
    ]
    for part in parts:
        assert "[link=https://evil.example]x" in printed(part).replace("\n", "")


def test_one_delivery_shows_each_attempt_and_what_comes_next() -> None:
    row = delivery(state="dead", settled_at=NOW, tries=1, note="slack answered 404")
    said = printed(*delivery_parts(row, [attempt()], Around(NOW)))
    for words in ("alert: Support Renewal", "dead, 2026-03-02 12:00:00 UTC", "1,250 ms", "404"):
        assert words in said
    assert "abababababab" in said
    assert "onelead deliveries retry 0d8a20dd" in said


@pytest.mark.parametrize(("tries", "words"), [(0, "not tried yet"), (3, "forgotten")])
def test_no_attempts_are_explained(tries: int, words: str) -> None:
    assert words in printed(*delivery_parts(delivery(tries=tries), [], Around(NOW)))


def test_an_attempt_that_was_not_sent_has_neither_time_nor_hash() -> None:
    row = attempt(latency_ms=None, request_hash=None, status=None, note=None, error="stopped")
    assert "None" not in printed(attempts_table([row]))


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (3, "1,203 in all: 3 dead, 1,200 sent; the newest 3 are shown, --limit shows more"),
        (1_203, "1,203 in all: 3 dead, 1,200 sent"),
        (0, "1,203 in all: 3 dead, 1,200 sent"),
    ],
)
def test_a_list_that_is_cut_says_so(shown: int, said: str) -> None:
    assert counts_text({"dead": 3, "sent": 1_200}, shown) == said


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ({"title": "Renewal"}, "Renewal"),
        ({"alert": {"title": "Renewal"}, "reason": "gone"}, "Renewal"),
        ({"subject": "A letter"}, "A letter"),
        ({}, ""),
    ],
)
def test_news_is_called_as_people_call_it(content: dict[str, Any], title: str) -> None:
    assert title_of(content) == title


def test_json_holds_every_moment_and_the_whole_hash() -> None:
    row = delivery(state="retry", due_at=LATER, tries=1, failures=1, note="down")
    found = orjson.loads(orjson.dumps(shown_json(row, [attempt()], Around(NOW, sink()))))
    assert found["due_at"] == "2026-03-02T13:00:00+00:00"
    assert (found["failures"], found["tries"], found["note"]) == (1, 1, "down")
    assert found["attempts"][0]["request_hash"] == "ab" * 32
    assert found["sink"] == "fine"
    assert found["next"].startswith("1 of 10 attempts failed")
    assert "content" not in delivery_json(row)


def test_a_sinks_json_says_what_became_of_its_deliveries() -> None:
    found = sink_json(sink(disabled_at=BEFORE, reason="410", failures=7), NOW)
    assert (found["sent"], found["waiting"], found["dead"], found["unknown"]) == (1_234, 5, 2, 1)
    assert found["stands"].startswith("switched off")
    assert found["disabled_at"] == BEFORE.isoformat()
    assert "(7 in a row)" in printed(sinks_table([sink(failures=7, failing_since=BEFORE)], NOW))
