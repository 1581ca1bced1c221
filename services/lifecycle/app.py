"""The composition root of lifecycle: settings → databases, handlers, consumers, what falls due."""

from services.lifecycle.handlers import LifecycleHandlers
from services.lifecycle.repository import LifecycleRepository
from services.lifecycle.settings import LifecycleSettings
from services.lifecycle.subscribers import subscribe_all
from services.lifecycle.tables import SCHEMA, metadata
from services.lifecycle.tick import DueTick
from shared.ops.composition import Base
from shared.ops.entry import run_service
from shared.ops.runtime import Service


def make(settings: LifecycleSettings) -> Service:
    """Lifecycle, ready to run."""
    base = Base.build(SCHEMA, settings, metadata)
    repository = LifecycleRepository()
    handlers = LifecycleHandlers(repository, base.outbox, base.inbox("commands"))
    subscribe_all(base, handlers)
    return base.service(DueTick(base, repository, handlers, settings).run)


def main() -> None:
    """Runs lifecycle until it is told to stop."""
    run_service(SCHEMA, LifecycleSettings, make)
