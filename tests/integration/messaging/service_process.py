"""A service on a bench's schema as a process of its own: `python -m … SCHEMA TOPIC`, settings as usual."""

import asyncio
import sys
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events import DayDerived
from shared.messaging.codec import Received
from shared.ops.composition import Base
from shared.ops.runtime import Service, run_until_signalled
from shared.settings import ServiceSettings, load_settings
from shared.topics import Topic
from tests.integration.messaging.bench import metadata_of


async def _ignore(_connection: AsyncConnection, _messages: Sequence[Received]) -> None:
    return


def _make() -> Service:
    schema, topic_name = sys.argv[1:]
    base = Base.build(schema, load_settings(ServiceSettings), metadata_of(schema))
    base.consume(Topic(topic_name, (DayDerived,), "tenant", "the test", (schema,)), _ignore)
    return base.service()


if __name__ == "__main__":
    asyncio.run(run_until_signalled(_make))
