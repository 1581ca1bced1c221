"""From a lead turning CRITICAL to the first request leaving for a sink: how much of it is the notifier's.

A whole edition takes in the sample workbooks; the times are those of the events, and of the attempts in
the ledger. `turned`: scoring told of the open episode; `public`: the lead stood on the public topic.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

from aiokafka import ConsumerRecord
from sqlalchemy import text

from onelead.edition.edition import DEFAULT_TENANT, Edition
from onelead.messages import read_from_beginning
from onelead.service_database import service_connection
from shared.events import LeadChanged, LeadScored
from shared.messaging.codec import decode
from shared.topics import LEADS, LEADS_SCORED
from tests.support.edition import SAMPLES, import_into, running_edition, settle

_LEFT = text(
    "SELECT d.lead_id, min(a.started_at) AS at FROM notifier.deliveries d"
    " JOIN notifier.attempts a USING (tenant_id, delivery_id)"
    " WHERE d.tenant_id = :tenant AND d.purpose = 'alert' GROUP BY d.lead_id"
)


@dataclass(frozen=True)
class Way:
    """The moments of one lead."""

    turned: datetime
    public: datetime
    left: datetime

    @property
    def total_s(self) -> float:
        """From turning CRITICAL to the request."""
        return (self.left - self.turned).total_seconds()

    @property
    def notifier_s(self) -> float:
        """From the public topic to the request: consuming, routing, queueing, rendering."""
        return (self.left - self.public).total_seconds()

    @property
    def share(self) -> float:
        """The notifier's share of it all."""
        return self.notifier_s / self.total_s


async def ways_of(edition: Edition) -> list[Way]:
    """Every alerted lead's way."""
    scored = await read_from_beginning(edition.bootstrap, LEADS_SCORED.name)
    public = await read_from_beginning(edition.bootstrap, LEADS.for_tenant(DEFAULT_TENANT))
    turned, told = _first_open(scored, LeadScored), _first_open(public, LeadChanged)
    async with service_connection(edition.settings, "notifier", DEFAULT_TENANT) as connection:
        left = (await connection.execute(_LEFT, {"tenant": DEFAULT_TENANT})).all()
    return [Way(turned[row.lead_id], told[row.lead_id], row.at) for row in left]


def _first_open(
    records: list[ConsumerRecord], kind: type[LeadScored | LeadChanged]
) -> Mapping[str, datetime]:
    """When each lead was first told of as CRITICAL."""
    found: dict[str, datetime] = {}
    for record in records:
        received = decode(record, DEFAULT_TENANT)
        event = received.event
        if isinstance(event, kind) and event.episode_open:
            found.setdefault(received.envelope.subject, received.envelope.time)
    return found


async def measure(folder: Path) -> list[Way]:
    """One edition, one import."""
    async with running_edition(folder) as edition:
        await import_into(edition, SAMPLES)
        await settle(edition)
        return await ways_of(edition)


def main() -> None:
    """Prints medians as a line of JSON."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="onelead-bench-") as folder:
        ways = asyncio.run(measure(Path(folder) / "home"))
    found = {
        "leads": len(ways),
        "turned_to_request_s": round(median(way.total_s for way in ways), 3),
        "public_to_request_s": round(median(way.notifier_s for way in ways), 3),
        "median_share_of_notifier": round(median(way.share for way in ways), 3),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
