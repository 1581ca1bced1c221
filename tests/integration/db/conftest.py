"""A bench for each test, and addresses for every role of every service."""

import uuid
from collections.abc import AsyncIterator, Mapping

import pytest
from sqlalchemy.engine import URL, make_url

from shared.db.migrate import SERVICES, upgrade
from shared.db.protection import ROLE_SUFFIXES
from tests.integration.messaging.bench import Bench, new_bench
from tests.support.stack import Stack


@pytest.fixture(scope="session")
def role_urls(migrated: Stack) -> Mapping[str, URL]:
    """The database's address for each service's own role, by service."""
    word = uuid.uuid4().hex
    for service in SERVICES:
        upgrade(migrated.owner_url, service, role_password=word)
    url = make_url(migrated.owner_url)
    return {s: url.set(username=f"onelead_{s}", password=word) for s in SERVICES}


@pytest.fixture(scope="session")
def all_role_urls(role_urls: Mapping[str, URL]) -> Mapping[tuple[str, str], URL]:
    """The database's address for every login, by service and suffix."""
    return {
        (service, suffix): url.set(username=f"onelead_{service}{suffix}")
        for service, url in role_urls.items()
        for suffix in ROLE_SUFFIXES
    }


@pytest.fixture
async def bench(migrated: Stack) -> AsyncIterator[Bench]:
    """A schema of its own with the tables of messaging."""
    async with new_bench(migrated) as made:
        yield made
