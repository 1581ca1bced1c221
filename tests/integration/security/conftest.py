"""One guarded Kafka for all tests here, and our own environment turned into one of its users'."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from onelead.access import COMMAND
from onelead.edition.java import JavaKafka
from onelead.edition.prepare import prepare_kafka
from onelead.edition.service import SERVICES
from onelead.reporting import SilentReporter
from onelead.settings import EditionSettings
from tests.support.guarded_kafka import GuardedKafka, guarded_kafka

Become = Callable[..., None]
TENANTS = ("acme", "globex")
USERS = (*TENANTS, *(f"onelead_{name}" for name in (*SERVICES, COMMAND)))


@pytest.fixture(scope="session")
def java() -> JavaKafka:
    """What Kafka is run with on this machine."""
    return asyncio.run(prepare_kafka(EditionSettings(), SilentReporter()))


@pytest.fixture(scope="session")
def guarded(java: JavaKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    """A guarded broker whose users have no rights yet."""
    with guarded_kafka(tmp_path_factory.mktemp("guarded"), java, USERS) as broker:
        yield broker


@pytest.fixture
def become(guarded: GuardedKafka, monkeypatch: pytest.MonkeyPatch) -> Become:
    """Makes this process a user of the guarded broker, as a command's environment would."""

    def put_on(user: str, **changes: str) -> None:
        for name, value in guarded.environment(user, **changes).items():
            monkeypatch.setenv(name, value)

    return put_on
