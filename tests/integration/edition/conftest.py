"""What the tests of the edition share: Kafka's jars and trained start, fetched once."""

import asyncio

import pytest

from onelead.edition.java import JavaKafka
from onelead.edition.prepare import prepare_kafka
from onelead.reporting import SilentReporter
from onelead.settings import EditionSettings


@pytest.fixture(scope="session")
def java() -> JavaKafka:
    """What Kafka is run with on this machine."""
    return asyncio.run(prepare_kafka(EditionSettings(), SilentReporter()))
