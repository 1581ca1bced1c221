"""Tenants with a scoring of their own, on the real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from services.scoring.tables import SCHEMA
from tests.integration.scoring.bench import Scoring, new_scoring
from tests.support.service_bench import owner_of, role_url
from tests.support.stack import Stack


@pytest.fixture(scope="session")
def scoring_url(migrated: Stack) -> str:
    return role_url(migrated, SCHEMA)


@pytest.fixture
async def scoring(migrated: Stack, scoring_url: str) -> AsyncIterator[Scoring]:
    async with owner_of(migrated) as owner, new_scoring(owner, scoring_url) as made:
        yield made
