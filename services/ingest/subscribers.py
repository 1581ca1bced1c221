"""Kafka edge of ingest: which topic goes to which handler."""

from services.ingest.handlers import IngestHandlers
from shared.ops.composition import Base
from shared.topics import ACCOUNT_COMMANDS, RECORDS, RULES


def subscribe_all(base: Base, handlers: IngestHandlers) -> None:
    """Every tenant's records, rules, and what people decide about accounts."""
    base.consume(RECORDS, handlers.on_records)
    base.consume(RULES, handlers.on_rules)
    base.consume(ACCOUNT_COMMANDS, handlers.on_account_commands)
