"""Tenants with a recommender of their own, on the real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from services.recommender.tables import SCHEMA
from tests.integration.recommender.bench import Recommending, new_recommending
from tests.support.service_bench import owner_of, role_url
from tests.support.stack import Stack


@pytest.fixture(scope="session")
def recommender_url(migrated: Stack) -> str:
    return role_url(migrated, SCHEMA)


@pytest.fixture
async def recommending(migrated: Stack, recommender_url: str) -> AsyncIterator[Recommending]:
    async with owner_of(migrated) as owner, new_recommending(owner, recommender_url) as made:
        yield made
