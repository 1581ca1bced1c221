"""The messages ingest sends: which event, about what, on which topic, under which key."""

from datetime import date
from typing import Any

from services.ingest.domain.accounts.decisions import Decision
from services.ingest.domain.batch import OF_RULES, Batch, Step
from services.ingest.domain.changes import LeadNews
from services.ingest.repository import Mark
from shared.events import (
    AccountAction,
    AccountDecided,
    AccountDerived,
    AccountOutcome,
    AccountProfile,
    AccountProfiled,
    CatalogueEntry,
    CatalogueFamilyChanged,
    DayDerived,
    Event,
    ImportPhase,
    ImportProgressed,
    LeadDetected,
)
from shared.messaging.codec import OutboxMessage, encode
from shared.ops.tracing import next_traceparent
from shared.topics import ACCOUNT_DECISIONS, ACCOUNTS, CATALOGUE, IMPORTS, LEADS_DETECTED, Topic


def _message(batch: Batch, event: Event, topic: Topic, *, subject: str, key: str) -> OutboxMessage:
    return encode(
        event,
        tenant_id=batch.tenant_id,
        source="/onelead/ingest",
        subject=subject,
        topic=topic.name,
        key=key,
        traceparent=next_traceparent(batch.traceparent),
        batch_id=batch.batch_id,
    )


def progressed(batch: Batch, version: int, phase: ImportPhase, **report: Any) -> OutboxMessage:
    """Where an import stands; `report` holds further fields of the event."""
    event = ImportProgressed(
        version=version, batch_id=batch.batch_id, phase=phase, actor=batch.actor, **report
    )
    return _message(batch, event, IMPORTS, subject=batch.batch_id, key=batch.tenant_id)


def profiled(
    step: Step, version: int, profile: AccountProfile, office_id: str | None
) -> OutboxMessage:
    """A new or changed profile, or one whose account has another office."""
    event = AccountProfiled(
        version=version,
        causes=(step.batch.batch_id,),
        actor=step.batch.actor,
        office_id=office_id,
        profile=profile,
        as_of=step.as_of,
    )
    key = f"{step.tenant_id}|{profile.account_id}"
    return _message(step.batch, event, ACCOUNTS, subject=profile.account_id, key=key)


def detected(step: Step, version: int, news: LeadNews, account_version: int) -> OutboxMessage:
    """A lead that appeared or changed, or, with a reason, one that no longer holds."""
    event = LeadDetected(
        version=version,
        causes=(step.batch.batch_id,),
        actor=step.batch.actor,
        office_id=news.office_id,
        lead=news.facts,
        account_version=account_version,
        derived_by=step.derived_by,
        as_of=step.as_of,
        state="withdrawn" if news.withdrawn_because else "open",
        reason=news.withdrawn_because,
        batch_id=step.batch.batch_id,
    )
    key = f"{step.tenant_id}|{news.facts.account_id}"
    return _message(step.batch, event, LEADS_DETECTED, subject=news.facts.lead_id, key=key)


def derived(step: Step, mark: Mark) -> OutboxMessage:
    """What was told of an account's leads goes with the newest profile and rules, too."""
    event = AccountDerived(
        version=mark.version,
        causes=(step.batch.batch_id,),
        actor=step.batch.actor,
        account_id=mark.account_id,
        account_version=mark.account_version,
        derived_by=step.derived_by,
        cause="rules" if step.batch.work == OF_RULES else "account",
    )
    key = f"{step.tenant_id}|{mark.account_id}"
    return _message(step.batch, event, LEADS_DETECTED, subject=mark.account_id, key=key)


def family_changed(
    batch: Batch, version: int, family: str, entries: tuple[CatalogueEntry, ...]
) -> OutboxMessage:
    """The services of one family."""
    event = CatalogueFamilyChanged(
        version=version,
        causes=(batch.batch_id,),
        actor=batch.actor,
        family=family,
        entries=entries,
    )
    key = f"{batch.tenant_id}|{family}"
    return _message(batch, event, CATALOGUE, subject=family, key=key)


def day_derived(batch: Batch, version: int, as_of: date) -> OutboxMessage:
    """Everything of the tenant is derived for a day."""
    event = DayDerived(version=version, causes=(batch.batch_id,), as_of=as_of)
    return _message(batch, event, LEADS_DETECTED, subject=batch.tenant_id, key=batch.tenant_id)


def decided(batch: Batch, decision: Decision) -> OutboxMessage:
    """The answer to a command about accounts."""
    outcome = (
        AccountOutcome.UNDONE if decision.action is AccountAction.UNDO else AccountOutcome.MADE
    )
    if decision.refusal is not None:
        outcome = AccountOutcome.REFUSED
    told = decision.model_dump(include=AccountDecided.model_fields.keys() - {"actor"})
    event = AccountDecided.model_validate(
        {
            **told,
            "version": decision.number,
            "causes": (batch.batch_id,),
            "actor": batch.actor,
            "outcome": outcome,
            "decision": decision.number,
        }
    )
    key = f"{batch.tenant_id}|{decision.account_id}"
    return _message(batch, event, ACCOUNT_DECISIONS, subject=decision.command_id, key=key)
