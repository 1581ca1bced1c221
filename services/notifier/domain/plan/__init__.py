"""Who is told what, where and when, and why: the sinks, the routes to them, people, quiet hours."""

from services.notifier.domain.plan.people import EVERY_TENANT
from services.notifier.domain.plan.plan import (
    SINGLE_ALERTS_PER_HOUR,
    Limits,
    Plan,
    Sink,
    Target,
)

__all__ = ["EVERY_TENANT", "SINGLE_ALERTS_PER_HOUR", "Limits", "Plan", "Sink", "Target"]
