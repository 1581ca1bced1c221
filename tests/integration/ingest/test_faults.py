"""What cannot be worked off is put aside: later work of the tenant goes on, and so do other tenants."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.ingest.domain.derive import derive_account
from services.ingest.repository import BatchesRepository
from services.ingest.work import IngestWork
from shared.events import AccountOutcome, ImportPhase
from tests.integration.ingest.test_account_commands import BOXES, EXPORT, merge
from tests.integration.ingest.upstream import Upstream, a_box_row, new_upstream, renewed, tables
from tests.support.builders import AS_OF

BEYOND = "99999999999999999999"
MANY_GENERATIONS = a_box_row("SN7", product_name=f"HPE DL380 Gen{BEYOND}", platform=None)


@pytest.fixture
async def loaded(owner: Any, ingest_url: str) -> AsyncIterator[Upstream]:
    """A tenant whose steps derive all accounts at once."""
    async with new_upstream(owner, ingest_url) as made:
        await made.load(EXPORT)
        yield made


async def write(upstream: Upstream, statement: str) -> None:
    """Changes the database as the owner, as an older release may have left it."""
    async with upstream.owner.begin() as connection:
        await connection.execute(text(statement), {"tenant": upstream.tenant})


async def states(upstream: Upstream) -> list[str]:
    """The states of the units of work, the oldest first."""
    statement = "SELECT state FROM ingest.batches WHERE tenant_id = :tenant ORDER BY batch_no"
    return [row.state for row in await upstream.rows(statement)]


async def steps(worker: IngestWork) -> None:
    """Steps of one process until nothing is left that it may do now."""
    while await worker.step():
        pass


async def test_a_decision_that_cannot_be_read_stops_neither_commands_nor_imports(
    loaded: Upstream,
) -> None:
    await loaded.command(merge(loaded, into="nobody"))
    await write(
        loaded,
        "UPDATE ingest.account_decisions SET state = 'asked',"
        f" decision = jsonb_set(decision, '{{undoes}}', '{BEYOND}') WHERE tenant_id = :tenant",
    )
    await write(
        loaded,
        "UPDATE ingest.batches SET state = 'complete'"
        " WHERE tenant_id = :tenant AND work = 'decision'",
    )

    await loaded.load(tables([*BOXES, a_box_row("SN9")]))

    assert await states(loaded) == ["done", "failed", "done"]
    assert "SN9/renewal" in await loaded.open_leads()
    [made] = await loaded.command(merge(loaded, 2))
    assert made.outcome is AccountOutcome.MADE


async def test_a_command_whose_answer_fails_too_is_put_aside_and_others_go_on(
    loaded: Upstream, neighbour: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr("services.ingest.deciding.decide", fail)
        broken.setattr("services.ingest.deciding.refused", fail)
        assert await loaded.command(merge(loaded)) == []
        await neighbour.load(EXPORT)

    assert await states(loaded) == ["done", "failed"]
    assert len(await neighbour.open_leads()) == 4


@pytest.mark.parametrize("error", [KeyError("a bug"), ConnectionError("lost")], ids=repr)
async def test_a_tenant_whose_work_cannot_even_be_put_aside_waits_alone(
    loaded: Upstream, neighbour: Upstream, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    next_work = BatchesRepository.next_work
    tried = []

    async def fail(self: BatchesRepository, connection: Any, tenant_id: str) -> Any:
        if tenant_id == loaded.tenant:
            tried.append(tenant_id)
            raise error
        return await next_work(self, connection, tenant_id)

    await loaded.send(*loaded.events(tables([a_box_row("SN9")])))
    await neighbour.send(*neighbour.events(EXPORT))
    with monkeypatch.context() as broken:
        broken.setattr(BatchesRepository, "next_work", fail)
        await steps(loaded.worker())

    assert 1 <= len(tried) <= 12
    assert len(await neighbour.open_leads()) == 4
    assert await states(loaded) == ["done", "complete"]
    await loaded.settle()
    assert await states(loaded) == ["done", "done"]


async def test_a_day_that_cannot_begin_for_one_tenant_begins_for_the_others(
    loaded: Upstream, neighbour: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_day = BatchesRepository.move_day

    async def fail(self: BatchesRepository, connection: Any, tenant_id: str, as_of: Any) -> None:
        if tenant_id == loaded.tenant:
            raise KeyError("a bug")
        await move_day(self, connection, tenant_id, as_of)

    await neighbour.load(EXPORT)
    monkeypatch.setattr(BatchesRepository, "move_day", fail)
    day = AS_OF + timedelta(days=1)
    worker = loaded.worker(day)
    await worker.step()
    await steps(worker)

    statement = "SELECT as_of FROM ingest.tenants WHERE tenant_id = :tenant"
    assert [row.as_of for row in await neighbour.rows(statement)] == [day]
    assert [row.as_of for row in await loaded.rows(statement)] == [AS_OF]


async def test_a_generation_beyond_all_numbers_is_none_and_later_imports_work(
    loaded: Upstream,
) -> None:
    await loaded.load(tables([MANY_GENERATIONS]))
    assert {lead.lead.generation for lead in (await loaded.open_leads()).values()} == {None}
    await write(
        loaded,
        f"UPDATE ingest.leads SET lead = jsonb_set(lead, '{{generation}}', '{BEYOND}')"
        " WHERE tenant_id = :tenant",
    )
    await loaded.load(tables([renewed(MANY_GENERATIONS), a_box_row("SN8")]))
    assert set(await states(loaded)) == {"done"}
    assert {key.split("/")[0] for key in await loaded.open_leads()} == {"SN8"}


async def test_an_account_that_cannot_be_derived_is_told_of_and_the_others_are_derived(
    loaded: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_on_acme(tenant_id: str, entry: Any, *rest: Any, **how: Any) -> Any:
        if entry.name == "Acme Logistics":
            raise KeyError("a bug")
        return derive_account(tenant_id, entry, *rest, **how)

    more = tables([*BOXES, a_box_row("SN8"), a_box_row("SN9", territory_id="70002")])
    with monkeypatch.context() as broken:
        broken.setattr("services.ingest.deriving.derive_account", fail_on_acme)
        await loaded.load(more)

    keys = {key.split("/")[0] for key in await loaded.open_leads()}
    assert keys == {"SN1", "SN2", "SN9"}
    report = (await loaded.progress())[-1]
    assert report.phase is ImportPhase.COMPLETED
    [finding] = [each for each in report.findings if each.sheet == "accounts"]
    assert finding.reason == "the account cannot be derived"

    await loaded.load(tables([*BOXES, a_box_row("SN8", quantity=2)]))
    assert "SN8/renewal" in await loaded.open_leads()
