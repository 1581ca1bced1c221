"""Kafka edge of scoring: which topic goes to which handler."""

from services.scoring.handlers import ScoringHandlers
from shared.ops.composition import Base
from shared.topics import ACCOUNTS, LEADS_DETECTED, RULES


def subscribe_all(base: Base, handlers: ScoringHandlers) -> None:
    """Profiles, lead facts, derived accounts and days, rules."""
    base.consume(ACCOUNTS, handlers.on_accounts)
    base.consume(LEADS_DETECTED, handlers.on_detected)
    base.consume(RULES, handlers.on_rules)
