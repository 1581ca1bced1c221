"""The composition root of the notifier: settings → databases, handlers, channels, dispatcher."""

from dataclasses import replace
from functools import partial

from services.notifier import metrics
from services.notifier.channels import AnyChannel, open_channels
from services.notifier.delivery_queue import DeliveryQueue
from services.notifier.dispatcher import Dispatcher
from services.notifier.domain.routing import Routes
from services.notifier.handlers import NotifierHandlers
from services.notifier.repository import NotifierRepository
from services.notifier.settings import NotifierSettings
from services.notifier.subscribers import subscribe_all
from services.notifier.tables import SCHEMA, metadata
from shared.ops.composition import Base
from shared.ops.entry import run_service
from shared.ops.logs import get_logger
from shared.ops.runtime import Service, Worker

_log = get_logger(__name__)


def make(settings: NotifierSettings) -> Service:
    """The notifier, ready to run."""
    base = Base.build(SCHEMA, settings, metadata)
    channels = open_channels(settings)
    targets = tuple(target for channel in channels.values() for target in channel.targets)
    routes = Routes(targets, frozenset(settings.notify_tenants))
    repository = NotifierRepository()
    handlers = NotifierHandlers(
        repository, routes, since=settings.notify_since, console_url=settings.console_url
    )
    subscribe_all(base, handlers)
    dispatcher = Dispatcher(base, DeliveryQueue(), channels, routes, settings)
    base.health.probes["waiting deliveries"] = partial(_count_waiting, base, repository, channels)
    _log.info("sinks", targets=[f"{t.channel} {t.address}" for t in targets], off=not targets)
    service = base.service(dispatcher.run)
    return replace(service, after=(*_closers(channels), *service.after))


async def _count_waiting(
    base: Base, repository: NotifierRepository, channels: dict[str, AnyChannel]
) -> None:
    """Sets the metric of deliveries without a final state; waiting is no problem by itself."""
    async with base.metrics_database.transaction() as connection:
        waiting = await repository.waiting(connection)
    for channel in channels.keys() | waiting.keys():
        metrics.WAITING.labels(channel).set(waiting.get(channel, 0))


def _closers(channels: dict[str, AnyChannel]) -> tuple[Worker, ...]:
    return tuple(channel.close for channel in channels.values())


def main() -> None:
    """Runs the notifier until it is told to stop."""
    run_service(SCHEMA, NotifierSettings, make)
