"""The settings every service has; each service's own settings class extends this one."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings
from sqlalchemy.engine import URL, make_url

from shared.access import AccessSettings, DatabaseUrl
from shared.errors import UserError
from shared.setting_names import misspelt

RelayPublishTimeoutS = Annotated[float, Field(gt=0, le=60)]
"""So long a relay waits for the broker; a command that waits for relays is told the same."""


class ServiceSettings(AccessSettings):
    """Read from the environment as `ONELEAD_…`; durations and sizes carry their unit in the name."""

    kafka_bootstrap: str = Field(description="host:port of one or more brokers, comma separated")
    database_url: DatabaseUrl = Field(
        description="postgresql+asyncpg://ROLE@HOST/DATABASE, this service's role"
    )
    database_pool_size: int = Field(4, ge=1, le=100)
    instance_id: str | None = Field(
        None,
        description="static membership in the consumer groups: a killed service returns at once",
    )
    ops_host: str = "127.0.0.1"
    ops_port: int = Field(0, ge=0, le=65_535, description="health and metrics; 0 takes a free port")
    ops_port_file: Path | None = Field(None, description="where the chosen port is written")
    as_of: date | None = Field(None, description="the tenants' day; unset: the clock's day (UTC)")
    batch_max_records: int = Field(2_000, ge=1, le=10_000)
    fetch_max_wait_ms: int = Field(50, ge=1, le=10_000)
    session_timeout_ms: int = Field(10_000, ge=1_000, le=300_000)
    metadata_max_age_ms: int = Field(5_000, ge=500, le=300_000)
    relay_shards: int = Field(4, ge=1, le=64)
    relay_poll_ms: int = Field(500, ge=10, le=60_000)
    relay_publish_timeout_s: RelayPublishTimeoutS = 5.0
    tick_interval_s: float = Field(1.0, gt=0, le=3_600)
    stop_timeout_s: float = Field(8.0, gt=0, le=60)
    log_level: str = "INFO"

    def url(self, role_suffix: str = "") -> URL:
        """The database address for this service's role, or for its `_relay`, `_tick`, `_metrics`."""
        url = self.secured(make_url(self.database_url))
        if role_suffix:
            url = url.set(username=f"{url.username}{role_suffix}")
        secret = self.database_password
        return url if secret is None else url.set(password=secret.get_secret_value())


S = TypeVar("S", bound=BaseSettings)


def load_settings(settings_class: type[S], **overrides: Any) -> S:
    """The settings from the environment. Raises UserError naming each setting that is wrong, or none."""
    if faults := misspelt(os.environ):
        raise UserError("; ".join(faults), hint="docs/settings.md lists them all")
    try:
        return settings_class(**overrides)
    except ValidationError as error:
        prefix = str(settings_class.model_config.get("env_prefix", ""))
        lines = [
            _line(prefix, item) for item in error.errors(include_input=False, include_url=False)
        ]
        raise UserError("; ".join(lines), hint="set them in the environment") from None


def _line(prefix: str, item: Any) -> str:
    """What is wrong with one setting; what is wrong between several names them itself."""
    said = str(item["msg"]).removeprefix("Value error, ")
    if not item["loc"]:
        return said
    return f"{prefix}{'_'.join(str(part) for part in item['loc'])}".upper() + f": {said}"
