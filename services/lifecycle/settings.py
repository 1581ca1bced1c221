"""The settings of lifecycle."""

from pydantic import Field

from shared.settings import ServiceSettings


class LifecycleSettings(ServiceSettings):
    """What every service has, and how many leads' flags fall due in one transaction."""

    leads_per_step: int = Field(500, ge=1, le=10_000)
