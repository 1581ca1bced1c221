"""Kafka edge of lifecycle: which topic goes to which handler."""

from services.lifecycle.handlers import LifecycleHandlers
from shared.ops.composition import Base
from shared.topics import LEAD_COMMANDS, LEADS


def subscribe_all(base: Base, handlers: LifecycleHandlers) -> None:
    """The public leads of every tenant, and commands about them."""
    base.consume(LEADS, handlers.on_leads)
    base.consume(LEAD_COMMANDS, handlers.on_commands)
