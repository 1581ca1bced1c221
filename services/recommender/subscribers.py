"""Kafka edge of the recommender: which topic goes to which handler."""

from services.recommender.handlers import RecommenderHandlers
from shared.ops.composition import Base
from shared.topics import CATALOGUE, LEADS_SCORED, RULES


def subscribe_all(base: Base, handlers: RecommenderHandlers) -> None:
    """Scored leads, the catalogue, rules."""
    base.consume(CATALOGUE, handlers.on_catalogue)
    base.consume(LEADS_SCORED, handlers.on_scored)
    base.consume(RULES, handlers.on_rules)
