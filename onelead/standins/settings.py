"""The stand-ins' settings: ports, the credentials they accept, the limits they enforce."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_WEBHOOK = r"T[^/,]+/B[^/,]+/[^/,]+"


class StandinSettings(BaseSettings):
    """Read from the environment as `ONELEAD_STANDINS_…`. A port of 0 takes a free one.

    Where several sinks are named, separated by commas, the first is the one told as the address.
    """

    model_config = SettingsConfigDict(
        env_prefix="ONELEAD_STANDINS_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    http_port: int = Field(0, ge=0, le=65_535)
    smtp_port: int = Field(0, ge=0, le=65_535)
    ready_file: Path | None = Field(None, description="where the addresses are written as JSON")
    log_file: Path | None = Field(None, description="a JSON line for each message that was taken")
    kept_messages: int = Field(
        20_000, ge=1, description="older ones leave the page, not the counts"
    )

    slack_webhook: str = Field(
        "T0STANDIN/B0ALERTS/standinsecret", pattern=rf"^{_WEBHOOK}(,{_WEBHOOK})*$"
    )
    slack_bot_token: str = Field("xoxb-standin-token", pattern=r"^xoxb-")
    slack_conversation: str = Field("C0ALERTS", pattern=r"^[CG][A-Z0-9]+(,[CG][A-Z0-9]+)*$")
    slack_burst: int = Field(60, ge=1)
    slack_per_second: float = Field(1.0, gt=0)
    slack_reads_per_minute: int = Field(50, ge=1, description="of each method that reads or edits")

    teams_workflow: str = Field("standinworkflow", pattern=r"^\w+(,\w+)*$")
    teams_signature: str = "standin-signature"
    teams_burst: int = Field(60, ge=1)
    teams_per_second: float = Field(4.0, gt=0)

    webhook_secret: str = Field(
        "whsec_c3RhbmRpbi13ZWJob29rLXNlY3JldC0zMg==", pattern=r"^whsec_[A-Za-z0-9+/]+=*$"
    )

    mail_max_bytes: int = Field(1_000_000, ge=1_000)

    salesforce_client_id: str = "onelead-standin"
    salesforce_client_secret: str = "standin-secret"  # noqa: S105 - a stand-in guards nothing
    salesforce_username: str = "onelead@standin.example"
    salesforce_private_key_file: Path | None = Field(
        None, description="the key for JWT logins; made there when the file is not there yet"
    )
    salesforce_daily_calls: int = Field(100_000, ge=1)
    salesforce_query_page: int = Field(2_000, ge=1, description="records in one answer to a query")
