"""The composition root of the notifier: settings → databases, handlers, sinks, and what runs beside."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from services.notifier import metrics
from services.notifier.campaigns import Campaigns
from services.notifier.channels import AnyChannel, by_target
from services.notifier.channels.mail.check import checked
from services.notifier.channels.mail.outreach import render_outreach
from services.notifier.channels.mail.templates import Templates
from services.notifier.digests import Digests
from services.notifier.dispatcher import Dispatcher
from services.notifier.domain.plan import Plan
from services.notifier.handlers import NotifierHandlers
from services.notifier.housekeeping import Housekeeping
from services.notifier.inbound.server import inbound_workers
from services.notifier.inbound.unsubscribing import no_way_out
from services.notifier.outreach import Writer
from services.notifier.planning import open_sinks, plan_of
from services.notifier.repository import DeliveryQueue, NotifierRepository
from services.notifier.repository.people import PeopleRepository
from services.notifier.settings import NotifierSettings
from services.notifier.subscribers import subscribe_all
from services.notifier.tables import SCHEMA, metadata
from shared.ops.composition import Base
from shared.ops.entry import run_service
from shared.ops.logs import get_logger
from shared.ops.runtime import Service, Worker
from shared.outbound import OutboundPolicy

_log = get_logger(__name__)


def make(settings: NotifierSettings) -> Service:
    """The notifier, ready to run."""
    base = Base.build(SCHEMA, settings, metadata)
    wanted = settings.notifications()
    opened = open_sinks(wanted, OutboundPolicy(frozenset(settings.outbound_trusted)))
    plan = plan_of(wanted, opened)
    repository = NotifierRepository()
    handlers = NotifierHandlers(
        repository, plan, since=settings.notify_since, console_url=settings.console_url
    )
    subscribe_all(base, handlers)
    base.health.probes["waiting deliveries"] = partial(_count_waiting, base, repository, plan)
    _log.info("sinks", targets=[f"{t.channel} {t.address}" for t in plan.targets])
    templates = checked(Templates(settings.templates_dir))
    service = base.service(*_workers(base, plan, opened, settings, templates))
    closing: list[Worker] = [channel.close for channel in opened.values()]
    closing.append(partial(_close, templates))
    return replace(service, after=(*closing, *service.after))


def _workers(
    base: Base,
    plan: Plan,
    opened: Mapping[str, AnyChannel],
    settings: NotifierSettings,
    templates: Templates,
) -> tuple[Worker, ...]:
    """What runs beside the consumers: sending, digests, campaigns, CRMs asked, pages that listen."""
    every_s, console_url = settings.notify_tick_s, settings.console_url
    unsubscribing = settings.unsubscribing()
    way_out = unsubscribing.url if unsubscribing is not None else no_way_out
    writer = Writer(partial(render_outreach, templates), way_out)
    people = PeopleRepository()
    return (
        Dispatcher(base, DeliveryQueue(), by_target(opened.values()), plan, settings).run,
        Digests(base, plan, plan.digests, console_url=console_url, interval_s=every_s).run,
        Campaigns(base, plan, writer, interval_s=every_s).run,
        Housekeeping(base, kept_days=settings.notify_attempts_kept_days).run,
        *inbound_workers(base, opened, settings, people.unsubscribe, plan),
    )


async def _close(templates: Templates) -> None:
    templates.close()


async def _count_waiting(base: Base, repository: NotifierRepository, plan: Plan) -> None:
    """Sets the metric of deliveries without a final state; waiting is no problem by itself."""
    async with base.metrics_database.transaction() as connection:
        waiting = await repository.waiting(connection)
    for channel in {target.channel for target in plan.targets} | waiting.keys():
        metrics.WAITING.labels(channel).set(waiting.get(channel, 0))


def main() -> None:
    """Runs the notifier until it is told to stop."""
    run_service(SCHEMA, NotifierSettings, make)
