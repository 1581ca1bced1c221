"""The stand-ins' settings: ports, the credentials they accept, the limits they enforce."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StandinSettings(BaseSettings):
    """Read from the environment as `ONELEAD_STANDINS_…`. A port of 0 takes a free one."""

    model_config = SettingsConfigDict(
        env_prefix="ONELEAD_STANDINS_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    http_port: int = Field(0, ge=0, le=65_535)
    smtp_port: int = Field(0, ge=0, le=65_535)
    ready_file: Path | None = Field(None, description="where the addresses are written as JSON")
    kept_messages: int = Field(
        20_000, ge=1, description="older ones leave the page, not the counts"
    )

    slack_webhook: str = Field("T0STANDIN/B0ALERTS/standinsecret", pattern=r"^T[^/]+/B[^/]+/[^/]+$")
    slack_burst: int = Field(60, ge=1)
    slack_per_second: float = Field(1.0, gt=0)

    mail_max_bytes: int = Field(1_000_000, ge=1_000)

    salesforce_client_id: str = "onelead-standin"
    salesforce_client_secret: str = "standin-secret"  # noqa: S105 - a stand-in guards nothing
    salesforce_daily_calls: int = Field(100_000, ge=1)
