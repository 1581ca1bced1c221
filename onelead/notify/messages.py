"""Renders and sends messages outside the notifier: previews of a lead's, and a test of a sink."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from onelead.notify.configured import Configured
from onelead.notify.readable import as_json, as_page
from onelead.notify.specimens import notice, specimen
from services.notifier.domain.attempt import Outcome
from services.notifier.domain.delivery import ABOUT_MANY, Delivery, Purpose
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import EVERY_TENANT, Sink, Target
from services.notifier.notify_file.contradictions import ABOUT_ONE_LEAD
from shared import clock
from shared.errors import UserError


@dataclass(frozen=True)
class Message:
    """A message as it would go out to a target."""

    sink: str
    target: Target
    purpose: Purpose
    wire: bytes

    @property
    def title(self) -> str:
        """Where it goes."""
        return f"{self.sink}: {self.purpose.value} to {self.target.channel} {self.target.address}"

    def json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "sink": self.sink,
            "channel": self.target.channel,
            "address": self.target.address,
            "purpose": self.purpose.value,
            "message": as_json(self.wire),
        }


def previews(found: Configured, alert: Alert, purpose: Purpose, now: datetime) -> Iterator[Message]:
    """Each message that would go out about a lead, in the order of the sinks."""
    plan = found.plan
    content = specimen(purpose, alert, now)
    if purpose in ABOUT_ONE_LEAD:
        targets = plan.routed(alert.tenant_id, alert, purpose)
    else:
        told = plan.told(alert.tenant_id, purpose)
        targets = tuple(t for t in told if plan.sees(t, alert.tenant_id, alert.office_id))
    for target in targets:
        delivery = Delivery(
            tenant_id=alert.tenant_id,
            lead_id=alert.lead_id if purpose in ABOUT_ONE_LEAD else ABOUT_MANY,
            episode=alert.episode,
            purpose=purpose,
            channel=target.channel,
            target=target.address,
            created_at=now,
            number=0 if purpose is Purpose.ALERT else 1,
        )
        channel = found.channels[target]
        wire = channel.wire(channel.render(content, delivery))
        yield Message(plan.sink_of(target).name, target, purpose, wire)


async def send_test(found: Configured, sink: Sink, target: Target) -> Outcome:
    """Sends one notice, a new one each time, and says what the sink made of it. Raises UserError."""
    if Purpose.NOTICE not in found.channels[target].accepts:
        raise UserError(
            f"a {target.channel} sink is told no notices, so {sink.name} cannot be tested with one",
            hint="`onelead notify preview LEAD` shows what it would be told",
        )
    tenants = sorted(sink.tenants - {EVERY_TENANT})
    tenant_id = tenants[0] if tenants else "default"
    delivery = Delivery(
        tenant_id=tenant_id,
        lead_id=ABOUT_MANY,
        episode=0,
        purpose=Purpose.NOTICE,
        channel=target.channel,
        target=target.address,
        created_at=clock.now(),
        tries=1,
        number=clock.now_us(),
    )
    channel = found.channels[target]
    outcome: Outcome = await channel.send(channel.render(notice(tenant_id), delivery))
    return outcome


def write_page(folder: Path, message: Message) -> Path:
    """Writes a message as a page into `folder`; returns where. Raises UserError when it cannot."""
    name = re.sub(r"[^\w.@-]+", "_", f"{message.sink}-{message.target.address}")
    path = folder / f"{name}-{message.purpose.value}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(as_page(message.wire, message.title), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error
    return path
