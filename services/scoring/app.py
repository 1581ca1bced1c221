"""The composition root of scoring: settings → databases, handlers, consumers, the rescoring tick."""

from services.scoring.handlers import ScoringHandlers
from services.scoring.repository import ScoringRepository
from services.scoring.settings import ScoringSettings
from services.scoring.subscribers import subscribe_all
from services.scoring.tables import SCHEMA, metadata
from services.scoring.tick import RescoringTick
from shared.ops.composition import Base
from shared.ops.entry import run_service
from shared.ops.runtime import Service


def make(settings: ScoringSettings) -> Service:
    """Scoring, ready to run."""
    base = Base.build(SCHEMA, settings, metadata)
    repository = ScoringRepository()
    handlers = ScoringHandlers(repository, base.outbox, at_once=settings.batch_max_records)
    subscribe_all(base, handlers)
    tick = RescoringTick(base, handlers, settings)
    base.health.probes["waiting leads"] = tick.count_waiting_leads
    return base.service(tick.run)


def main() -> None:
    """Runs scoring until it is told to stop."""
    run_service(SCHEMA, ScoringSettings, make)
