"""The fixtures every test may use: the real Kafka and PostgreSQL, schemas in it, a tenant of one's own.

What starts them is imported when it is needed: unit tests are quick without it.
"""

import asyncio
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.stack import Stack

# A busy machine is no reason to fail. `make long` runs the laws with the thorough profile.
settings.register_profile("everyday", deadline=None, max_examples=20)
settings.register_profile("thorough", deadline=None, max_examples=1_000)
settings.load_profile("everyday")


@pytest.fixture(scope="session")
def stack() -> "Iterator[Stack]":
    """A real Kafka and a real PostgreSQL, started once for all tests."""
    from tests.support.stack import running_stack  # noqa: PLC0415

    with running_stack() as running:
        yield running


@pytest.fixture(scope="session")
def migrated(stack: "Stack") -> "Stack":
    """The stack with every service's newest schema and with the topics that tenants share."""
    from onelead.broker import create_missing_topics  # noqa: PLC0415
    from shared.db.migrate import SERVICES, ensure_database, upgrade  # noqa: PLC0415

    ensure_database(stack.owner_url)
    for service in SERVICES:
        upgrade(stack.owner_url, service)
    asyncio.run(create_missing_topics(stack.bootstrap, []))
    return stack


@pytest.fixture
def tenant(migrated: "Stack") -> str:
    """The id of a tenant that no other test uses, with topics of its own."""
    from onelead.broker import create_missing_topics  # noqa: PLC0415

    name = f"t-{uuid.uuid4().hex[:12]}"
    asyncio.run(create_missing_topics(migrated.bootstrap, [name]))
    return name
