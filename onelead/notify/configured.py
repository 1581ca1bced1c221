"""Opens the sinks that the notifier would open: from a notify file, or from the settings."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.notifier.channels import AnyChannel, by_target
from services.notifier.domain.plan import Plan, Sink, Target
from services.notifier.notify_file import Notifications
from services.notifier.planning import open_sinks, plan_of
from services.notifier.settings import NotifierSettings
from shared.access import NO_DATABASE
from shared.errors import UserError
from shared.outbound import OutboundPolicy
from shared.rules.refusal import known_names
from shared.settings import load_settings


@dataclass(frozen=True)
class Configured:
    """The sinks, open, with the plan over them."""

    settings: NotifierSettings
    wanted: Notifications
    plan: Plan
    channels: Mapping[Target, AnyChannel]

    def sink_called(self, name: str) -> Sink:
        """The sink of that name. Raises UserError."""
        for sink in self.plan.sinks:
            if sink.name == name:
                return sink
        known = known_names(name, tuple(self.wanted.sinks))
        raise UserError(f"there is no sink {name}", hint=known)


@asynccontextmanager
async def configured(file: Path | None) -> AsyncIterator[Configured]:
    """The sinks of `file`, else those that the settings name. Raises UserError when they cannot hold.

    The notifier's addresses of Kafka and its database are not needed.
    """
    settings = load_settings(NotifierSettings, kafka_bootstrap="", database_url=NO_DATABASE)
    wanted = settings.notifications(file)
    if not wanted.sinks:
        raise UserError(
            "no sinks: nothing would be told to anybody",
            hint="name a notify file, in the command or as ONELEAD_NOTIFY_FILE; "
            "samples/notify.yaml is one",
        )
    opened = open_sinks(wanted, OutboundPolicy(frozenset(settings.outbound_trusted)))
    try:
        yield Configured(settings, wanted, plan_of(wanted, opened), by_target(opened.values()))
    finally:
        for channel in opened.values():
            await channel.close()
