"""A new day on the real services: every process is killed while it works, and nobody can tell later."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from onelead.assess.assessment import assess
from onelead.edition.edition import DEFAULT_TENANT, Edition
from onelead.messages import read_from_beginning
from services.ingest.sources.files import read_files
from shared.db.engine import make_engine
from shared.messaging.codec import decode
from shared.rules.load import default_rules
from shared.topics import ACCOUNTS, LEADS, LEADS_DETECTED, LEADS_SCORED
from tests.support.builders import AS_OF
from tests.support.edition import import_into, running_edition, service_process, settle
from tests.support.pipeline import assessed_facts, facts, leads_of
from tests.support.waiting import wait_until
from tests.support.workbooks import CATALOGUE, generated, write_workbook

pytestmark = pytest.mark.slow

RULES = default_rules()
LATER = AS_OF + timedelta(days=400)


QUEUES = {"ingest": "ingest.dirty_accounts", "scoring": "scoring.rescoring"}
SLOWLY = (
    "CREATE FUNCTION {schema}.take_its_time() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM pg_sleep(0.4); RETURN OLD; END'",
    "CREATE TRIGGER slowly BEFORE DELETE ON {queue} FOR EACH ROW"
    " EXECUTE FUNCTION {schema}.take_its_time()",
)
QUICKLY = ("DROP FUNCTION {schema}.take_its_time() CASCADE",)


async def run_for_all(edition: Edition, statements: Sequence[str]) -> None:
    """Runs these statements for each service that has a queue."""
    engine = make_engine(make_url(edition.owner_url), application="onelead-test", pool_size=1)
    try:
        async with engine.begin() as connection:
            for schema, queue in QUEUES.items():
                for statement in statements:
                    await connection.execute(text(statement.format(schema=schema, queue=queue)))
    finally:
        await engine.dispose()


async def kill_at_work(edition: Edition, service: str) -> None:
    """Kills a service while its queue is worked off."""
    engine = make_engine(make_url(edition.owner_url), application="onelead-test", pool_size=1)
    try:

        async def at_work() -> bool:
            async with engine.begin() as connection:
                rows = await connection.scalar(text(f"SELECT count(*) FROM {QUEUES[service]}"))
            return bool(rows)

        _: bool = await wait_until(at_work, f"work for {service}")
    finally:
        await engine.dispose()
    old = service_process(edition, service)
    old.kill()

    def replaced() -> bool:
        try:
            return service_process(edition, service).pid != old.pid
        except ValueError:
            return False

    _ = await wait_until(replaced, f"a new {service}")


async def test_a_day_during_which_services_are_killed_ends_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbook = write_workbook(tmp_path / "export.xlsx", generated(3, boxes=60).sheets())
    files = [workbook, CATALOGUE]
    async with running_edition(tmp_path / "home", as_of=AS_OF) as edition:
        await import_into(edition, files)
        await settle(edition)
        before = await told(edition)
        # A day of so few boxes is over before a kill can meet it.
        await run_for_all(edition, SLOWLY)
    monkeypatch.setenv("ONELEAD_ACCOUNTS_PER_STEP", "1")
    monkeypatch.setenv("ONELEAD_LEADS_PER_STEP", "2")
    async with running_edition(tmp_path / "home", as_of=LATER) as edition:
        await kill_at_work(edition, "ingest")
        await kill_at_work(edition, "scoring")
        await run_for_all(edition, QUICKLY)
        await settle(edition)
        after = await told(edition)
        leads = await leads_of(edition, DEFAULT_TENANT)

    assert leads
    assessed = assessed_facts(assess(read_files(files, RULES), RULES, LATER))
    assert judged(facts(leads.values())) == judged(assessed)
    for topic, messages in after.items():
        # What a killed service had sent, but not noted as sent, comes again: the same, to the letter.
        assert {len(set(bodies)) for bodies in messages.values()} == {1}, topic
        assert messages.keys() > before[topic].keys(), topic
    public = after[LEADS.for_tenant(DEFAULT_TENANT)]
    assert {len(bodies) for bodies in public.values()} == {1}, "subscribers were told twice"


def judged(leads: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The leads without what drifts with every day: alone that is told to nobody."""
    drifting = {"as_of", "ledger", "confidence", "missing", "outlook"}
    drifting |= {"urgency", "value", "propensity", "strategic_fit"}
    return {
        key: {field: value for field, value in lead.items() if field not in drifting}
        for key, lead in leads.items()
    }


async def told(edition: Edition) -> dict[str, dict[str, list[bytes | None]]]:
    """Topic → each version of each aggregate → its bodies, as often as it was told."""
    topics = [
        *(topic.name for topic in (ACCOUNTS, LEADS_DETECTED, LEADS_SCORED)),
        LEADS.for_tenant(DEFAULT_TENANT),
    ]
    found: dict[str, dict[str, list[bytes | None]]] = {}
    for topic in topics:
        messages = found.setdefault(topic, {})
        for record in await read_from_beginning(edition.bootstrap, topic):
            envelope = decode(record).envelope
            key = f"{envelope.type}|{envelope.subject}|{envelope.version}"
            messages.setdefault(key, []).append(record.value)
    return found
