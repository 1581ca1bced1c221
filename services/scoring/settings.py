"""The settings of scoring."""

from pydantic import Field

from shared.settings import ServiceSettings


class ScoringSettings(ServiceSettings):
    """What every service has, and how many leads one step of a rescoring takes."""

    leads_per_step: int = Field(500, ge=1, le=10_000)
