"""The settings of the recommender."""

from pydantic import Field

from shared.settings import ServiceSettings


class RecommenderSettings(ServiceSettings):
    """What every service has, and how many leads one step of a re-recommendation takes."""

    leads_per_step: int = Field(500, ge=1, le=10_000)
