"""Turns the stages that people set in a CRM into commands for lifecycle, and reports unknown ones.

What is heard twice, or by two ways, counts once (rules.md §8).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import metrics
from services.notifier.channels.crm.channel import CrmChannel
from services.notifier.domain.crm.records import CrmRecord
from services.notifier.domain.crm.stages import Moved, UnknownStage, command_id, stage_news
from services.notifier.domain.message import plain
from services.notifier.domain.plan import Plan
from services.notifier.repository.crm import CrmRepository
from shared.events import Actor, LeadAction, LeadCommand
from shared.messaging.codec import OutboxMessage, encode
from shared.messaging.outbox import Outbox
from shared.messaging.versions import next_version
from shared.ops.logs import get_logger
from shared.topics import LEAD_COMMANDS

_log = get_logger(__name__)


class StageNews:
    """Turns stages that were heard of into commands, in the caller's transaction."""

    def __init__(self, outbox: Outbox, plan: Plan | None = None) -> None:
        self._outbox = outbox
        self._plan = plan
        self._repository = CrmRepository()

    async def hear(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        sink: tuple[str, CrmChannel],
        records: Sequence[CrmRecord],
    ) -> list[str]:
        """Tells of what is news about the tenant's leads; what came of each record, in words.

        Records of leads that the tenant does not have, or the CRM's offices, are left alone.
        """
        name, channel = sink
        ids = {record.lead_id for record in records}
        found = await self._repository.offices(connection, tenant_id, ids)
        offices = {
            lead: office for lead, office in found.items() if self._sees(channel, tenant_id, office)
        }
        ours = sorted((r for r in records if r.lead_id in offices), key=_age)
        seen = await self._repository.seen(connection, tenant_id, name, offices)
        messages: list[OutboxMessage] = []
        said: list[str] = []
        for record in ours:
            sees = seen.get(record.lead_id)
            match stage_news(record, sees, channel.sink.meanings, channel.sink.opening_stage):
                case Moved(state) as moved:
                    command = _command(name, record, moved, offices[record.lead_id])
                    messages.append(_message(tenant_id, command))
                    said.append(f"{record.lead_id}: {state.value}")
                case UnknownStage(stage):
                    said.append(f"{record.lead_id}: {_report(name, record.lead_id, stage)}")
        newest = {record.lead_id: record for record in ours}
        await self._repository.remember(connection, tenant_id, name, list(newest.values()))
        await self._outbox.add(connection, messages)
        metrics.CRM_STAGES.labels(name).inc(len(messages))
        return said

    def _sees(self, channel: CrmChannel, tenant_id: str, office_id: str | None) -> bool:
        plan, targets = self._plan, channel.targets
        return plan is None or any(plan.sees(target, tenant_id, office_id) for target in targets)


def _report(sink: str, lead_id: str, stage: str) -> str:
    """Tells those who run OneLead of a stage that nobody has told it the meaning of."""
    shown = plain(stage)[:80]
    metrics.CRM_UNKNOWN_STAGES.labels(sink).inc()
    _log.warning("unknown stage", sink=sink, lead=lead_id, stage=shown)
    return f"unknown stage {shown}"


def _age(record: CrmRecord) -> datetime:
    return record.changed_at


def _command(name: str, record: CrmRecord, moved: Moved, office_id: str | None) -> LeadCommand:
    return LeadCommand(
        version=next_version(None),
        actor=Actor(kind="crm", id=name),
        office_id=office_id,
        command_id=command_id(name, record.lead_id, record.stage, record.changed_at),
        lead_id=record.lead_id,
        action=LeadAction.MOVE,
        to=moved.state,
        why=f"stage {plain(record.stage)[:80]} in {name}",
    )


def _message(tenant_id: str, command: LeadCommand) -> OutboxMessage:
    return encode(
        command,
        tenant_id=tenant_id,
        source="/onelead/notifier",
        subject=command.lead_id,
        topic=LEAD_COMMANDS.name,
        key=f"{tenant_id}|{command.lead_id}",
    )
