"""The demo's numbers come from events, and its summary is readable at 100 columns."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from onelead.demo.memory import MemoryWatch
from onelead.demo.results import Results, open_leads, sent_by_channel
from onelead.demo.run import AS_OF, demo_settings
from onelead.demo.summary import Measured, as_json, print_summary
from onelead.settings import EditionSettings
from shared.events import (
    DeliveryOutcome,
    Event,
    ImportPhase,
    ImportProgressed,
    LeadType,
    NotificationSettled,
    Priority,
    RowCounts,
)
from shared.messaging.codec import OutboxMessage, encode, tombstone
from tests.support.notifier_builders import public_lead

pytestmark = pytest.mark.usefixtures("set_clock")


@dataclass
class Record:
    """A record as a consumer hands it out."""

    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    topic: str = "t"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0


def on_topic(*messages: OutboxMessage) -> list[Record]:
    return [
        Record(m.key.encode(), m.body, tuple((n, v.encode()) for n, v in m.headers.items()))
        for m in messages
    ]


def message(event: Event, key: str, tenant: str = "default") -> OutboxMessage:
    return encode(event, tenant_id=tenant, source="test", subject=key, topic="t", key=key)


def settled(number: int, channel: str, outcome: DeliveryOutcome) -> NotificationSettled:
    return NotificationSettled(
        version=number + 1,
        delivery_id=f"d{number}",
        lead_id="l",
        episode=1,
        purpose="alert",
        channel=channel,
        target="t",
        outcome=outcome,
        attempts=1,
    )


@dataclass
class Made:
    """Results of a small run."""

    report: ImportProgressed = field(
        default_factory=lambda: ImportProgressed(
            batch_id="b",
            phase=ImportPhase.COMPLETED,
            rows=(
                RowCounts(kind="install_base", read=63, used=62, degraded=1, quarantined=1),
                RowCounts(kind="opportunity", read=60, used=60),
            ),
            leads_open=2,
        )
    )

    def results(self) -> Results:
        leads = [
            public_lead(lead_id="a", lead_type=LeadType.RENEWAL, priority=Priority.CRITICAL),
            public_lead(lead_id="b", lead_type=LeadType.RENEWAL, priority=Priority.LOW),
        ]
        return Results(self.report, leads, {"slack": 1, "email": 1})


def test_a_lead_counts_as_its_latest_event_says() -> None:
    low = public_lead(lead_id="a", score=10.0, version=1)
    high = public_lead(lead_id="a", score=90.0, version=2)
    other = public_lead(lead_id="b", score=50.0, version=1)
    records = on_topic(message(low, "a"), message(other, "b"), message(high, "a"))
    assert [(lead.lead_id, lead.score) for lead in open_leads(records)] == [
        ("a", 90.0),
        ("b", 50.0),
    ]


@pytest.mark.parametrize("with_tombstone", [True, False])
def test_a_withdrawn_lead_is_not_open(with_tombstone: bool) -> None:
    lead = public_lead(lead_id="a", version=1)
    withdrawn = lead.model_copy(update={"state": "withdrawn", "version": 2})
    grave = tombstone(
        type(lead), tenant_id="default", source="s", subject="a", topic="t", key="a", version=2
    )
    end = grave if with_tombstone else message(withdrawn, "a")
    assert open_leads(on_topic(message(lead, "a"), end)) == []


def test_a_delivery_counts_once_and_only_when_it_arrived() -> None:
    first = settled(1, "slack", DeliveryOutcome.SENT)
    records = on_topic(
        message(first, "k"),
        message(first, "k"),
        message(settled(2, "slack", DeliveryOutcome.DEAD), "k"),
        message(settled(3, "email", DeliveryOutcome.SENT), "k"),
        message(settled(4, "email", DeliveryOutcome.SENT), "k", tenant="other"),
    )
    assert sent_by_channel(records, "default") == {"email": 1, "slack": 1}


def test_the_summary_is_readable_at_100_columns_and_complete() -> None:
    out = io.StringIO()
    addresses = {"every message received": "http://127.0.0.1:1"}
    print_summary(Console(file=out, width=100), Made().results(), Measured(1, 14, 800), addresses)
    said = out.getvalue()
    assert max(len(line) for line in said.splitlines()) <= 100
    for part in ("install_base", "CRITICAL", "slack", "http://127.0.0.1:1", "800 MB", "14.0 s"):
        assert part in said


def test_the_json_has_the_numbers_under_their_names() -> None:
    found = as_json(Made().results(), Measured(1.234, 14.04, 800))
    assert found == {
        "rows": {"install_base": 63, "opportunities": 60},
        "leads": {"renewal": 2},
        "priorities": {"CRITICAL": 1, "LOW": 1},
        "deliveries": {"slack": 1, "email": 1},
        "seconds": {"start": 1.2, "settled": 14.0},
        "peak_rss_mb": 800,
    }


def test_the_demo_has_a_folder_and_ports_of_its_own_unless_they_were_asked_for() -> None:
    usual = demo_settings(EditionSettings(home=Path("/x")))
    assert (usual.home, usual.kafka_port, usual.as_of) == (Path("/x/demo"), 0, AS_OF)
    asked = demo_settings(EditionSettings(home=Path("/x"), kafka_port=9_092))
    assert asked.kafka_port == 9_092


def test_memory_is_sampled_over_this_process_too() -> None:
    watch = MemoryWatch()
    assert sum(watch.sample().values()) > 10
    assert watch.peak_mb > 10
