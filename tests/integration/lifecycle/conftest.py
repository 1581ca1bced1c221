"""Tenants with a lifecycle of their own, on the real PostgreSQL, and a clock that tests move."""

from collections.abc import AsyncIterator, Iterator

import pytest

from services.lifecycle.tables import SCHEMA
from tests.integration.lifecycle.bench import Life, new_life
from tests.support.lifecycle_builders import NOW
from tests.support.service_bench import owner_of, role_url
from tests.support.set_clock import SetClock, held_clock
from tests.support.stack import Stack


@pytest.fixture(scope="session")
def lifecycle_url(migrated: Stack) -> str:
    return role_url(migrated, SCHEMA)


@pytest.fixture
async def life(migrated: Stack, lifecycle_url: str) -> AsyncIterator[Life]:
    async with owner_of(migrated) as owner, new_life(owner, lifecycle_url) as made:
        yield made


@pytest.fixture
def now_is() -> Iterator[SetClock]:
    """The moment is NOW until the test moves it."""
    with held_clock(NOW, ("now", "today", "now_us")) as found:
        yield found
