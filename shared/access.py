"""How Kafka and PostgreSQL are reached: who we are there, and which authorities we believe.

Settings that services and the `onelead` command share; a secret may stand in a file (`…_FILE`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

KafkaSecurity = Literal["PLAINTEXT", "SSL", "SASL_SSL"]
KafkaMechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
SslMode = Literal["disable", "prefer", "verify-full"]

_SECRETS = ("kafka_password", "database_password")
_OF_A_LOGIN = ("kafka_username", "kafka_password")
_OF_TLS = ("kafka_ca_file", "kafka_certificate_file", "kafka_key_file")


class AccessSettings(BaseSettings):
    """Read from the environment as `ONELEAD_…`. Without any of them nothing is encrypted."""

    model_config = SettingsConfigDict(
        env_prefix="ONELEAD_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    kafka_security: KafkaSecurity = Field(
        "PLAINTEXT", description="SSL: encrypted; SASL_SSL: with user and password besides"
    )
    kafka_mechanism: KafkaMechanism = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_password_file: Path | None = None
    kafka_ca_file: Path | None = Field(
        None, description="PEM of the authorities that are believed; unset: the system's"
    )
    kafka_certificate_file: Path | None = Field(
        None, description="PEM of the certificate that is shown to brokers which ask for one"
    )
    kafka_key_file: Path | None = Field(
        None, description="PEM of its key; unset: in the certificate's file"
    )
    database_password: SecretStr | None = Field(None, description="of the services' roles")
    database_password_file: Path | None = None
    database_sslmode: SslMode | None = Field(
        None, description="unset: encrypted if the server can, whoever it is"
    )
    database_ca_file: Path | None = Field(
        None, description="PEM of the authorities that verify-full believes; unset: the system's"
    )

    @model_validator(mode="before")
    @classmethod
    def _read_secrets(cls, given: Any) -> Any:
        """Takes a secret from its file unless it is set itself."""
        found = dict(given)
        for name in _SECRETS:
            file = found.get(f"{name}_file")
            if file and not found.get(name):
                found[name] = _content(f"{name}_file", Path(file))
        return found

    @model_validator(mode="after")
    def _fits_together(self) -> "AccessSettings":
        if fault := next(self._faults(), None):
            raise ValueError(fault)
        return self

    def _faults(self) -> Iterator[str]:
        login = [name for name in _OF_A_LOGIN if getattr(self, name)]
        if self.kafka_security == "SASL_SSL":
            for name in _OF_A_LOGIN:
                if name not in login:
                    yield f"{_setting(name)} is needed with ONELEAD_KAFKA_SECURITY=SASL_SSL"
        elif login:
            yield f"{_setting(login[0])} is used with ONELEAD_KAFKA_SECURITY=SASL_SSL only"
        of_tls = [name for name in _OF_TLS if getattr(self, name)]
        if of_tls and self.kafka_security == "PLAINTEXT":
            yield f"{_setting(of_tls[0])} is used with ONELEAD_KAFKA_SECURITY=SSL or SASL_SSL only"
        if self.kafka_key_file and not self.kafka_certificate_file:
            yield "ONELEAD_KAFKA_KEY_FILE belongs to a ONELEAD_KAFKA_CERTIFICATE_FILE"
        if self.database_ca_file and self.database_sslmode != "verify-full":
            yield "ONELEAD_DATABASE_CA_FILE is used with ONELEAD_DATABASE_SSLMODE=verify-full only"

    def secured(self, url: URL) -> URL:
        """A database's address with the wanted encryption, in libpq's words (shared/db/engine.py)."""
        wanted = {"sslmode": self.database_sslmode, "sslrootcert": self.database_ca_file}
        return url.update_query_dict({name: str(v) for name, v in wanted.items() if v is not None})

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What `repr` and `str` show: a database's address may hold a password."""
        for name, value in super().__repr_args__():
            yield name, _without_password(value) if name == "database_url" else value


def _address_for_asyncpg(address: str) -> str:
    """The address as it is. Raises ValueError, which does not show it, for one asyncpg cannot use."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise ValueError(f"it is no address; one looks like {_ADDRESS}") from None
    if url.drivername != "postgresql+asyncpg":
        raise ValueError(f"it begins with {url.drivername}://; it must look like {_ADDRESS}")
    if url.port is not None and not 0 < url.port < 65_536:
        raise ValueError(f"there is no port {url.port}")
    return address


_ADDRESS = "postgresql+asyncpg://ROLE@HOST/DATABASE"
DatabaseUrl = Annotated[str, AfterValidator(_address_for_asyncpg)]
"""Where PostgreSQL is, as a role."""
NO_DATABASE: DatabaseUrl = "postgresql+asyncpg://"
"""For a command that wants a service's settings and reaches no database."""


def _setting(name: str) -> str:
    return f"ONELEAD_{name.upper()}"


def _content(name: str, file: Path) -> str:
    try:
        text = file.read_text().strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ValueError(f"{_setting(name)}: {file} cannot be read: {reason}") from None
    if not text:
        raise ValueError(f"{_setting(name)}: {file} is empty")
    return text


def _without_password(address: str | None) -> str | None:
    return make_url(address).render_as_string(hide_password=True) if address else None
