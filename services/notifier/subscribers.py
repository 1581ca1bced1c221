"""Kafka edge of the notifier: the public topic of every tenant and lifecycle's facts, a handler each."""

from services.notifier.handlers import NotifierHandlers
from shared.ops.composition import Base
from shared.topics import LEAD_STATUS, LEADS


def subscribe_all(base: Base, handlers: NotifierHandlers) -> None:
    """The public leads, and how they stand with people."""
    base.consume(LEADS, handlers.on_leads)
    base.consume(LEAD_STATUS, handlers.on_statuses)
