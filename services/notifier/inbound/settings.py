"""The settings of what comes in: how often CRMs are asked, where to listen, what signs unsubscribing."""

from pathlib import Path

from pydantic import Field, SecretStr

from services.notifier.channels.sink import WebAddress
from services.notifier.inbound.unsubscribing import Unsubscribing
from shared.errors import UserError
from shared.settings import ServiceSettings

_LEAST_SECRET = 16


class InboundSettings(ServiceSettings):
    """A part of the notifier's settings."""

    crm_poll_s: float = Field(
        60.0, ge=1, le=86_400, description="how often CRMs are asked for changes"
    )
    inbound_host: str = "127.0.0.1"
    inbound_port: int | None = Field(
        None, ge=0, le=65_535, description="for CRMs that post changes and for unsubscribing"
    )
    inbound_url: WebAddress | None = Field(
        None, description="how people reach the inbound port from outside; https"
    )
    inbound_secret: SecretStr | None = Field(
        None, description="signs the addresses to unsubscribe; kept, they stay good"
    )
    inbound_secret_file: Path | None = None

    def unsubscribing(self) -> Unsubscribing | None:
        """The way out of campaigns; None when it is not set up. Raises UserError for half of it."""
        url, secret = self.inbound_url, self.secret("inbound_secret")
        if url is None and secret is None:
            return None
        if url is None or secret is None:
            missing = "ONELEAD_INBOUND_URL" if url is None else "ONELEAD_INBOUND_SECRET"
            raise UserError(
                f"{missing} is not set, although the other half of unsubscribing is",
                hint="set ONELEAD_INBOUND_URL and ONELEAD_INBOUND_SECRET, or neither",
            )
        if len(secret.get_secret_value()) < _LEAST_SECRET:
            raise UserError(
                f"ONELEAD_INBOUND_SECRET is shorter than {_LEAST_SECRET} characters",
                hint="openssl rand -hex 32 makes a good one",
            )
        return Unsubscribing(secret, url)

    def secret(self, name: str) -> SecretStr | None:
        """A secret setting, or what stands in its `…_file`. Raises UserError for an unreadable file."""
        given: SecretStr | None = getattr(self, name)
        path: Path | None = getattr(self, f"{name}_file")
        if given is not None or path is None:
            return given
        try:
            return SecretStr(path.read_text().strip())
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"ONELEAD_{name.upper()}_FILE: cannot read {path}: {type(error).__name__}",
                hint="give the path of a readable text file that holds nothing but the secret",
            ) from None
