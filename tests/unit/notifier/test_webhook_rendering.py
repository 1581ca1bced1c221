import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from services.notifier.channels.webhook import TYPES, WebhookChannel, WebhookSink
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import plain
from shared.errors import UserError
from shared.outbound import OutboundPolicy
from tests.support.hostile_texts import hostile_texts
from tests.support.notifier_builders import alert
from tests.support.told_contents import AT, a_delivery, each_content

SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"  # noqa: S105 - guards nothing
DOCUMENT = Path(__file__).parents[3] / "docs" / "webhooks.md"
URL = "https://api.example/hooks/t0ken?key=t0ken"


def sink(**changes: Any) -> WebhookSink:
    return WebhookSink(**({"url": URL, "secret": SecretStr(SECRET)} | changes))


def body(purpose: Purpose, text: str = "Apple") -> dict[str, Any]:
    channel = WebhookChannel.open(sink(), OutboundPolicy())
    rendered = channel.render(each_content(text)[purpose], a_delivery(purpose, "webhook"))
    found: dict[str, Any] = json.loads(channel.wire(rendered))
    return found


def test_an_alert_says_type_time_tenant_and_the_whole_lead() -> None:
    found = body(Purpose.ALERT)
    assert (found["type"], found["timestamp"]) == ("onelead.lead.critical", AT.isoformat())
    assert found["data"]["tenant_id"] == "default"
    lead = found["data"]["lead"]
    assert (lead["title"], lead["score"], lead["value_max"]) == ("Apple", 82.5, "10525")
    assert lead["services"][0]["name"] == "Apple"


@pytest.mark.parametrize("purpose", sorted(TYPES))
def test_each_purpose_has_a_type_of_its_own_and_names_its_lead(purpose: Purpose) -> None:
    found = body(purpose)
    assert found["type"] == TYPES[purpose]
    about_one = found["type"].startswith("onelead.lead.")
    assert ("lead" in found["data"]) is about_one
    assert "alert" not in found["data"]


def test_the_documented_example_is_what_is_sent() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    channel = WebhookChannel.open(sink(), OutboundPolicy())
    rendered = channel.render(alert(), a_delivery(Purpose.ALERT, "webhook"))
    assert json.loads(example) == json.loads(channel.wire(rendered))


def test_each_type_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `(onelead\.[\w.]+)`", DOCUMENT.read_text(), re.MULTILINE)
    assert documented == list(TYPES.values())


def test_every_purpose_but_an_outreach_is_told() -> None:
    assert set(TYPES) == set(Purpose) - {Purpose.OUTREACH}
    assert len(set(TYPES.values())) == len(TYPES)


def test_the_id_and_the_body_are_the_same_at_each_attempt() -> None:
    channel = WebhookChannel.open(sink(), OutboundPolicy())
    first = channel.render(alert(), a_delivery(Purpose.ALERT, "webhook", tries=1))
    again = channel.render(alert(), a_delivery(Purpose.ALERT, "webhook", tries=5, failures=3))
    assert first == again
    assert first[0] == a_delivery(Purpose.ALERT, "webhook").id


def test_hostile_texts_of_every_purpose_are_json_that_reads_back_equal() -> None:
    count = 0
    for text in hostile_texts(1_000):
        whole = plain(text)
        wanted = whole if len(whole) <= 10_000 else whole[:9_999] + "…"
        for purpose in TYPES:
            data = body(purpose, text)["data"]
            held = data["lead"]["account"] if "lead" in data else data["title"]
            assert held in {wanted, wanted or "1 new lead"}, f"{purpose}: {text[:60]!r}"
            count += 1
    assert count == 10_000


def test_the_target_tells_addresses_apart_and_names_no_path() -> None:
    targets = [
        WebhookChannel.open(sink(url=url), OutboundPolicy()).targets[0]
        for url in (URL, URL + "2", "https://api.example/")
    ]
    assert len({target.address for target in targets}) == 3
    for target in targets:
        assert target.address.startswith("api.example #")
        assert target.tells_withdrawals
    assert "t0ken" not in repr((targets, sink()))


@pytest.mark.parametrize(
    "secret", ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_ä", "whpk_" + SECRET[6:]]
)
def test_a_secret_that_is_none_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(UserError, match="Standard Webhooks secret") as refused:
        WebhookChannel.open(sink(secret=SecretStr(secret)), OutboundPolicy())
    assert "c2hvcnQ" not in str(refused.value)


@pytest.mark.parametrize("url", ["ftp://api.example/", "api.example", "https://", "https://["])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="url"):
        WebhookChannel.open(sink(url=url), OutboundPolicy())


def test_a_secret_in_the_clear_is_refused_and_an_address_in_the_clear_is_not() -> None:
    with pytest.raises(ValidationError, match="never in the clear") as refused:
        sink(secret=SECRET)
    assert SECRET not in str(refused.value)
    assert sink(url=URL).url.get_secret_value() == URL
