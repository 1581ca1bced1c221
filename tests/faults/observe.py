"""Looks at a world from outside, as tenants and their sinks see it, and notes it in the history."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import httpx
import orjson
from aiokafka import ConsumerRecord

from onelead.demo.settled import look
from onelead.messages import read_from_beginning
from shared.db.migrate import SERVICES as SCHEMAS
from shared.events import DeliveryOutcome, LeadChanged, NotificationSettled
from shared.messaging.codec import decode
from shared.messaging.dead_letter import NO_TENANT
from shared.topics import LEADS, NOTIFICATIONS
from tests.faults.expectation import told_content
from tests.faults.history import CrmRecord, Doubt, Entry, PutAside, Taken, Told
from tests.faults.sinks import owner_of_sink
from tests.faults.world import World

_IN_DOUBT = (DeliveryOutcome.UNSURE, DeliveryOutcome.UNKNOWN)
_NO_NEWS = {
    *("version", "causes", "actor", "batch_id", "as_of", "rules_version", "weights", "ledger"),
    *("urgency", "value", "propensity", "strategic_fit", "confidence", "missing", "outlook"),
}
"""What may differ between two messages without being news to anybody."""


class Sinks:
    """The stand-ins' log from where it stands now on."""

    def __init__(self, world: World) -> None:
        self._log = world.taken_log
        self._at = self._log.stat().st_size
        self.taken: list[Taken] = []

    def look(self) -> list[Taken]:
        """Everything taken so far."""
        with self._log.open("rb") as log:
            log.seek(self._at)
            lines = log.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._at += len(whole)
        self.taken += [_taken(orjson.loads(line)) for line in whole.splitlines()]
        return self.taken

    def has_heard_of(self, lead_ids: Iterable[str], channel: str = "") -> bool:
        """Whether a sink was told of each of these leads; `channel`: by that one, if not by any."""
        heard = {each.lead_id for each in self.look() if channel in ("", each.channel)}
        return all(lead_id in heard for lead_id in lead_ids)


def _taken(line: dict[str, Any]) -> Taken:
    channel = str(line["channel"])
    tenant, office = owner_of_sink(channel, str(line["sink"]))
    lead_id = str(line["lead_id"])
    at = datetime.fromisoformat(line["received_at"]).timestamp()
    return Taken(channel, tenant, office, str(line["identity"]), lead_id, at)


async def told(world: World, tenants: Sequence[str]) -> list[Entry]:
    """The tenants' public topics from their beginning, and what the notifier is in doubt about."""
    found: list[Entry] = []
    for tenant in tenants:
        records = await read_from_beginning(world.bootstrap, LEADS.for_tenant(tenant))
        found += [_told(tenant, record) for record in records]
    settled = await read_from_beginning(world.bootstrap, NOTIFICATIONS.name)
    found += _doubts(settled, tenants)
    return found


def _told(tenant: str, record: ConsumerRecord) -> Told:
    received = decode(record, tenant)
    lead_id, version = received.envelope.subject, received.envelope.version
    at = received.envelope.time.timestamp()
    event = received.event
    if not isinstance(event, LeadChanged):
        return Told(tenant, lead_id, version, "tombstone", "", "", at)
    news = hashlib.sha256(orjson.dumps(event.model_dump(mode="json", exclude=_NO_NEWS))).hexdigest()
    said = (event.state, told_content(event), news[:16], at)
    episode = event.episode if event.episode_open else 0
    return Told(
        tenant, lead_id, version, *said, str(event.office_id), event.priority.value, episode
    )


def _doubts(records: Sequence[ConsumerRecord], tenants: Sequence[str]) -> Iterator[Doubt]:
    for record in records:
        received = decode(record)
        event = received.event
        if not isinstance(event, NotificationSettled) or event.outcome not in _IN_DOUBT:
            continue
        if received.envelope.tenant_id in tenants:
            _, office = owner_of_sink(event.channel, event.target)
            yield Doubt(event.lead_id, event.channel, office)


async def crm_records(world: World) -> list[CrmRecord]:
    """Every opportunity in the CRM that is ours."""
    assert world.standins is not None
    async with httpx.AsyncClient(base_url=world.standins.addresses["page_url"]) as client:
        answer = await client.get("/api/salesforce/records/Opportunity", timeout=30)
        answer.raise_for_status()
    return [
        CrmRecord(str(record["OneLead_ID__c"]), float(record["OneLead_Score__c"]))
        for record in answer.json()["records"]
        if record.get("OneLead_ID__c")
    ]


async def put_aside(world: World, tenants: Sequence[str]) -> list[PutAside]:
    """Where the dead letters of these tenants, and those of nobody, had stood, service by service."""
    connection = await asyncpg.connect(_plain(world.owner_url), timeout=10)
    try:
        found: list[PutAside] = []
        for schema in SCHEMAS:
            statement = (
                f"SELECT topic, partition, kafka_offset FROM {schema}.dead_letters"
                " WHERE tenant_id = ANY($1)"
            )
            letters = await connection.fetch(statement, [*tenants, NO_TENANT])
            found += [PutAside(*letter) for letter in letters]
        return found
    finally:
        await connection.close()


async def under_way(world: World, tenants: Sequence[str]) -> dict[str, int]:
    """What has not come to rest; that the world cannot be asked is one of the answers."""
    try:
        return await look(world.bootstrap, world.owner_url, tenants)
    except Exception as error:  # noqa: BLE001 - whatever is broken, it is not at rest
        return {f"no answer ({type(error).__name__}: {error})": 1}


def _plain(url: str) -> str:
    return url.replace("+asyncpg", "", 1)
