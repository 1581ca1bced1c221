"""A release of scoring that cannot handle any lead: a fault that a roll-back mends, without a loss."""

from collections.abc import Sequence
from typing import Any

SETTING = "FAULTS_BAD_DEPLOY"


def install() -> None:
    """Makes this process, which runs scoring, such a release."""
    from services.scoring.handlers import ScoringHandlers  # noqa: PLC0415 - its service only

    async def on_detected(self: ScoringHandlers, connection: Any, batch: Sequence[Any]) -> None:
        raise LookupError("this release knows no leads")

    ScoringHandlers.on_detected = on_detected  # type: ignore[method-assign]
