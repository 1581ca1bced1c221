"""The way to say no in a campaign's mail: an address with a token that only we can have made."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from pydantic import SecretStr

_SEPARATOR = "|"
_LONGEST = 1_000


@dataclass(frozen=True)
class Unsubscribing:
    """Makes and reads tokens. `base_url`: where people reach ONELEAD_INBOUND_PORT from outside."""

    secret: SecretStr
    base_url: str

    def url(self, tenant_id: str, address: str) -> str:
        """Where an address is taken off a tenant's list."""
        return f"{self.base_url.rstrip('/')}/unsubscribe/{self.token(tenant_id, address)}"

    def token(self, tenant_id: str, address: str) -> str:
        """Names the tenant and the address, signed; it stays good for as long as the secret does."""
        said = f"{tenant_id}{_SEPARATOR}{address}".encode()
        return f"{_text(said)}.{_text(self._signature(said))}"

    def read(self, token: str) -> tuple[str, str] | None:
        """(tenant id, address); None for a token that is not ours."""
        said, _, signature = token[:_LONGEST].partition(".")
        try:
            words, given = _bytes(said), _bytes(signature)
            tenant_id, _, address = words.decode().partition(_SEPARATOR)
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(given, self._signature(words)):
            return None
        return tenant_id, address

    def _signature(self, said: bytes) -> bytes:
        key = self.secret.get_secret_value().encode()
        return hmac.new(key, b"onelead unsubscribe\n" + said, hashlib.sha256).digest()


def no_way_out(_tenant_id: str, _address: str) -> str:
    """In place of `Unsubscribing.url` where no page is open to the outside."""
    return ""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
