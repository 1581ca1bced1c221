"""Kafka edge of the notifier: the public topic of every tenant goes to one handler."""

from services.notifier.handlers import NotifierHandlers
from shared.ops.composition import Base
from shared.topics import LEADS


def subscribe_all(base: Base, handlers: NotifierHandlers) -> None:
    """The public leads."""
    base.consume(LEADS, handlers.on_leads)
