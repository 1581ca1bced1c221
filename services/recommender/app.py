"""The composition root of the recommender: settings → databases, handlers, consumers, the queue's tick."""

from services.recommender.handlers import RecommenderHandlers
from services.recommender.repository import RecommenderRepository
from services.recommender.settings import RecommenderSettings
from services.recommender.subscribers import subscribe_all
from services.recommender.tables import SCHEMA, metadata
from services.recommender.tick import RecommendingTick
from shared.ops.composition import Base
from shared.ops.entry import run_service
from shared.ops.runtime import Service


def make(settings: RecommenderSettings) -> Service:
    """The recommender, ready to run."""
    base = Base.build(SCHEMA, settings, metadata)
    repository = RecommenderRepository()
    handlers = RecommenderHandlers(repository, base.outbox, at_once=settings.batch_max_records)
    subscribe_all(base, handlers)
    tick = RecommendingTick(base, repository, handlers, settings)
    base.health.probes["waiting leads"] = tick.count_waiting_leads
    return base.service(tick.run)


def main() -> None:
    """Runs the recommender until it is told to stop."""
    run_service(SCHEMA, RecommenderSettings, make)
