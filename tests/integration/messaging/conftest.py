"""A bench for each test."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from onelead.dead_letters import StoredLetter, _letter
from tests.integration.messaging.bench import Bench, new_bench
from tests.support.stack import Stack


@pytest.fixture
async def bench(migrated: Stack) -> AsyncIterator[Bench]:
    """An inner topic of one partition."""
    async with new_bench(migrated) as made:
        yield made


@pytest.fixture
async def tenants_bench(migrated: Stack) -> AsyncIterator[Bench]:
    """A topic on which each tenant writes."""
    async with new_bench(migrated, per_tenant=True) as made:
        yield made


@pytest.fixture
async def wide_bench(migrated: Stack) -> AsyncIterator[Bench]:
    """An inner topic of three partitions."""
    async with new_bench(migrated, partitions=3) as made:
        yield made


@pytest.fixture
def stored() -> Callable[[Any], StoredLetter]:
    """A row of `dead_letters` as the command reads it."""
    return lambda row: _letter("test", row._mapping)
