"""Tenants with an ingest of their own, on the real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.tables import SCHEMA
from tests.integration.ingest.upstream import Upstream, new_upstream
from tests.support.service_bench import owner_of, role_url
from tests.support.stack import Stack


@pytest.fixture(scope="session")
def ingest_url(migrated: Stack) -> str:
    return role_url(migrated, SCHEMA)


@pytest.fixture
async def owner(migrated: Stack) -> AsyncIterator[AsyncEngine]:
    async with owner_of(migrated) as engine:
        yield engine


@pytest.fixture
async def upstream(owner: AsyncEngine, ingest_url: str) -> AsyncIterator[Upstream]:
    """A tenant whose steps derive one account at a time."""
    async with new_upstream(owner, ingest_url, accounts_per_step=1) as made:
        yield made


@pytest.fixture
async def neighbour(owner: AsyncEngine, ingest_url: str) -> AsyncIterator[Upstream]:
    """A second tenant."""
    async with new_upstream(owner, ingest_url) as made:
        yield made


@pytest.fixture
async def small_steps(owner: AsyncEngine, ingest_url: str) -> AsyncIterator[Upstream]:
    """A tenant whose steps read three rows, beyond one account, and tell six leads."""
    async with new_upstream(owner, ingest_url, rows_per_step=3) as made:
        yield made
