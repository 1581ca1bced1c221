"""Kafka edge of ingest: which topic goes to which handler."""

from services.ingest.handlers import IngestHandlers
from shared.ops.composition import Base
from shared.topics import RECORDS, RULES


def subscribe_all(base: Base, handlers: IngestHandlers) -> None:
    """Every tenant's records, and rules."""
    base.consume(RECORDS, handlers.on_records)
    base.consume(RULES, handlers.on_rules)
