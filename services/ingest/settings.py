"""The settings of ingest."""

from pydantic import Field

from shared.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    """What every service has, and how much one step of the work takes."""

    tick_interval_s: float = Field(0.2, gt=0, le=3_600)
    accounts_per_step: int = Field(100, ge=1, le=10_000)
    rows_per_step: int = Field(
        2_000, ge=1, le=1_000_000, description="read, beyond one account; twice as many leads told"
    )
    findings_in_report: int = Field(200, ge=0, le=1_000)
