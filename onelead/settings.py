"""The settings of the one-machine edition and of the `onelead` command, read from ONELEAD_…"""

import os
from datetime import date
from pathlib import Path

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from shared.access import AccessSettings, DatabaseUrl


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "onelead"


class EditionSettings(AccessSettings):
    """Where things are and where they listen; whatever has an address here is not started."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    home: Path = Field(Path(".onelead"), description="the data folder")
    cache_dir: Path = Field(
        default_factory=_default_cache,
        description="Kafka's jars, fetched once for all data folders",
    )
    kafka_bootstrap: str | None = Field(None, description="host:port of a broker that runs already")
    kafka_jars: Path | None = Field(None, description="folder with the jars of a Kafka 4.x")
    maven_url: str | None = Field(
        None, description="a mirror to fetch Kafka's jars from; unset: Maven Central"
    )
    kafka_port: int = Field(19_092, ge=0, le=65_535, description="0 takes a free port")
    kafka_heap_mb: int = Field(320, ge=128, le=65_536)
    database_url: DatabaseUrl | None = Field(
        None,
        description="postgresql+asyncpg://OWNER@HOST/DATABASE of a PostgreSQL that runs already",
    )
    ops_base_port: int = Field(
        9_460, ge=0, le=65_000, description="services' metrics listen from here on; 0: free ports"
    )
    as_of: date | None = Field(None, description="the tenants' day; unset: the clock's day (UTC)")
    min_free_mb: int = Field(256, ge=0, description="with less room on the disk nothing is begun")
    start_timeout_s: float = Field(60, gt=0, description="for Kafka, PostgreSQL and each service")
    stop_timeout_s: float = Field(5, gt=0, le=8, description="for a service before it is killed")
    import_idle_timeout_s: float = Field(
        60, gt=0, description="`onelead import` gives up after so long without any progress"
    )
    log_level: str = Field("INFO", description="of the services")

    @model_validator(mode="after")
    def _own_kafka_is_plain(self) -> "EditionSettings":
        if self.kafka_security != "PLAINTEXT" and self.kafka_bootstrap is None:
            raise ValueError(
                f"ONELEAD_KAFKA_SECURITY={self.kafka_security} needs ONELEAD_KAFKA_BOOTSTRAP: the"
                " Kafka that is started here speaks to this machine only, and in the clear"
            )
        return self
