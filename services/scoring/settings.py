"""The settings of scoring."""

from pydantic import Field

from shared.settings import ServiceSettings


class ScoringSettings(ServiceSettings):
    """What every service has, and how many accounts one step of a rescoring takes."""

    rescoring_accounts_per_step: int = Field(200, ge=1, le=10_000)
