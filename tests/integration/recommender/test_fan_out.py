"""A price of very many leads goes through the queue; rules reach only what follows from them."""

import asyncio
from collections.abc import Collection

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.recommender.handlers import RecommenderHandlers
from services.recommender.repository import Key, RecommenderRepository
from shared.events import LeadChanged
from shared.rules.load import default_rules
from shared.topics import CATALOGUE
from tests.integration.recommender.bench import HEALTH_CHECK, UPGRADE, Recommending, family, scored
from tests.support.builders import changed
from tests.support.service_bench import of_type, received


class SlowLocks(RecommenderRepository):
    """Waits before families are locked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def lock_families(self, connection: AsyncConnection, families: Collection[Key]) -> None:
        self.asked.set()
        await self.go_on.wait()
        await super().lock_families(connection, families)


async def begin(recommending: Recommending, leads: int) -> None:
    await recommending.hear(family(1, HEALTH_CHECK))
    await recommending.hear(*(scored(1, f"lead-{n}") for n in range(leads)))


async def price_changes(
    recommending: Recommending, repository: RecommenderRepository | None = None
) -> None:
    """The family has another service; three leads may be published at once."""
    outbox = recommending.base.outbox
    handlers = RecommenderHandlers(repository or RecommenderRepository(), outbox, at_once=3)
    message = received(family(2, HEALTH_CHECK, UPGRADE), recommending.tenant, "PRIMERA", CATALOGUE)
    async with recommending.base.database.transaction({recommending.tenant}) as connection:
        await handlers.on_catalogue(connection, [message])


async def published(recommending: Recommending) -> list[LeadChanged]:
    return of_type(await recommending.sent.messages(), LeadChanged)


async def test_a_price_of_few_leads_is_published_at_once(recommending: Recommending) -> None:
    await begin(recommending, leads=3)

    await price_changes(recommending)

    assert [len(each.services) for each in await published(recommending)] == [2] * 3
    assert not await recommending.tick().step()


async def test_a_price_of_many_leads_is_published_in_steps(recommending: Recommending) -> None:
    await begin(recommending, leads=5)

    await price_changes(recommending)

    counts = []
    assert await published(recommending) == []
    while await recommending.tick().step():
        counts.append(len(await published(recommending)))
    assert counts == [2, 2, 1]
    await price_changes(recommending)
    while await recommending.tick().step():
        pass
    assert await published(recommending) == []


async def test_a_lead_that_comes_between_queue_and_locks_has_the_new_service(
    recommending: Recommending,
) -> None:
    await begin(recommending, leads=5)
    slow = SlowLocks()

    change = asyncio.create_task(price_changes(recommending, slow))
    await slow.asked.wait()
    await recommending.hear(scored(1, "lead-9"))
    slow.go_on.set()
    await change

    [late] = await published(recommending)
    assert (late.lead_id, len(late.services)) == ("lead-9", 2)


@pytest.mark.parametrize("section", ["scoring", "leads", "nothing"])
async def test_rules_by_which_nothing_is_recommended_publish_nothing(
    recommending: Recommending, section: str
) -> None:
    await begin(recommending, leads=2)
    paths = {
        "scoring": {"scoring__priorities__critical": 90},
        "leads": {"leads__renewal__ahead_days": 90},
        "nothing": {},
    }
    assert await recommending.apply_rules(changed(default_rules(), **paths[section]), 5) == []
    assert not await recommending.tick().step()


async def test_rules_of_recommendations_recommend_anew(recommending: Recommending) -> None:
    await begin(recommending, leads=2)
    await recommending.apply_rules(
        changed(default_rules(), recommendation__margin_floor=0.39), version=5
    )
    while await recommending.tick().step():
        pass
    assert len(await published(recommending)) == 2
