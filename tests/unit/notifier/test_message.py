from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import (
    Alert,
    alert_of,
    amount_text,
    plain,
    service_text,
    value_text,
)
from shared.events import LeadType, Priority, Risk
from tests.support.notifier_builders import AS_OF, alert, offer, public_lead


def test_an_alert_says_why_now_and_what_to_do() -> None:
    assert alert().description == (
        "HP DL360p Gen8 8-SFF CTO Server (serial USE3256NX0): risk CRITICAL."
        " End of life 2015-07-01, 3,753 days ago."
        " End of support 2018-06-30, 2,658 days ago."
        " Renew support before the next outage."
    )


def test_a_missing_date_is_left_out_and_a_coming_one_is_counted_down() -> None:
    reasons = alert(end_of_life=None, service_end=date(2025, 10, 19), serial_number=None).reasons
    assert reasons == (
        "HP DL360p Gen8 8-SFF CTO Server: risk CRITICAL",
        "End of support 2025-10-19, in 10 days",
    )


@pytest.mark.parametrize(
    ("day", "when"),
    [
        (date(2025, 10, 7), "2 days ago"),
        (date(2025, 10, 8), "1 days ago"),
        (date(2025, 10, 9), "today"),
        (date(2025, 10, 10), "in 1 days"),
        (date(2021, 10, 9), "1,461 days ago"),
    ],
)
def test_how_far_a_date_is_from_the_leads_day_is_counted(day: date, when: str) -> None:
    assert alert(end_of_life=day, service_end=day).reasons[1:] == (
        f"End of life {day}, {when}",
        f"End of support {day}, {when}",
    )


def test_the_three_best_services_and_the_bundle_are_named() -> None:
    services = tuple(offer(rank, service_type=f"Service {rank}") for rank in (4, 2, 1, 3))
    found = [service_text(service) for service in alert(services=services).services]
    assert found == [
        "Service 1 (HM002A1), list USD 12,000",
        "Service 2 (HM002A1), list USD 12,000",
        "Service 3 (HM002A1), list USD 12,000",
        "Bundle renewal basic (H9GW8E, U7939E)",
    ]


def test_a_service_without_skus_or_price_is_its_name() -> None:
    bare = alert(services=(offer(skus=(), list_price=None),), bundle=None).services
    assert [service_text(service) for service in bare] == ["OS Upgrade"]


def test_an_alert_carries_what_the_lead_says() -> None:
    found = alert("acme", priority=Priority.HIGH, risk=Risk.MEDIUM, episode=3)
    assert (found.tenant_id, found.episode) == ("acme", 3)
    assert (found.priority, found.risk) == (Priority.HIGH, Risk.MEDIUM)
    assert (found.lead_type, found.score, found.as_of) == (LeadType.RENEWAL, 82.5, AS_OF)
    assert [found.value_min, found.value_max] == [5613, 10525]
    assert found.currency == "USD"


@pytest.mark.parametrize(
    ("amount", "text"),
    [("10525", "USD 10,525"), ("10525.00", "USD 10,525"), ("0.5", "USD 0.50"), ("-7", "USD -7")],
)
def test_amounts_are_grouped_and_show_cents_only_where_there_are_some(
    amount: str, text: str
) -> None:
    assert amount_text(Decimal(amount), "USD") == text


def test_a_value_range_names_its_currency_once() -> None:
    assert value_text(alert(currency="CHF")) == "CHF 5,613 – 10,525"


def test_the_link_leads_to_the_lead_whatever_its_id_holds() -> None:
    assert alert(lead_id="a/b?c#d").link == "https://onelead.example/leads/a%2Fb%3Fc%23d"


@pytest.mark.parametrize("address", ["https://x.example/X", "https://x.example/X//"])
def test_the_link_keeps_the_path_of_the_console(address: str) -> None:
    found = alert_of(public_lead(lead_id="1"), tenant_id="t", console_url=address)
    assert found.link == "https://x.example/X/leads/1"


def test_characters_that_steer_a_sink_do_not_pass() -> None:
    hostile = alert(
        title="A\r\nBcc: x@y.z\x00",
        account="\u202egnp.exe",
        serial_number="S\n1",
        action="go\x1b[2J",
    )
    assert hostile.title == "A Bcc: x@y.z"
    assert hostile.account == "gnp.exe"
    assert "serial S 1" in hostile.reasons[0]
    assert hostile.action == "go [2J"


@given(st.text())
def test_plain_text_is_one_line_without_control_characters(text: str) -> None:
    cleaned = plain(text)
    assert cleaned == plain(cleaned)
    assert len(cleaned.splitlines()) <= 1
    assert not any(character < " " or "\x7f" <= character <= "\x9f" for character in cleaned)


def test_an_alert_survives_its_storage() -> None:
    stored = alert(title="東日本 🦖 <b>&").model_dump_json()
    assert Alert.model_validate_json(stored) == alert(title="東日本 🦖 <b>&")


def delivery(**changes: object) -> Delivery:
    values: dict[str, object] = {
        "tenant_id": "default",
        "lead_id": "lead-1",
        "episode": 1,
        "purpose": Purpose.ALERT,
        "channel": "slack",
        "target": "T1/B1",
        "created_at": datetime(2025, 10, 9, tzinfo=UTC),
    }
    return Delivery(**(values | changes))  # type: ignore[arg-type]


def test_a_delivery_has_one_id_for_ever() -> None:
    assert delivery().id == delivery(tries=7, failures=3).id
    changes: list[dict[str, object]] = [
        {"tenant_id": "other"},
        {"lead_id": "lead-2"},
        {"episode": 2},
        {"purpose": Purpose.WITHDRAWAL},
        {"channel": "email"},
        {"target": "T1/B2"},
    ]
    ids = {delivery(**change).id for change in changes}
    assert len(ids | {delivery().id}) == len(changes) + 1
