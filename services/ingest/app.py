"""The composition root of ingest: settings → databases, handlers, consumers, the work beside them."""

from services.ingest.handlers import IngestHandlers
from services.ingest.settings import IngestSettings
from services.ingest.subscribers import subscribe_all
from services.ingest.tables import SCHEMA, metadata, tenant_rules
from services.ingest.work import IngestWork
from shared.db.rules_store import RulesStore
from shared.ops.composition import Base
from shared.ops.entry import run_service
from shared.ops.runtime import Service


def make(settings: IngestSettings) -> Service:
    """Ingest, ready to run."""
    base = Base.build(SCHEMA, settings, metadata)
    rules = RulesStore(tenant_rules)
    inbox = base.inbox("single changes")
    subscribe_all(base, IngestHandlers(rules, base.outbox, inbox, as_of=settings.as_of))
    return base.service(IngestWork(base, rules, settings).run)


def main() -> None:
    """Runs ingest until it is told to stop."""
    run_service(SCHEMA, IngestSettings, make)
