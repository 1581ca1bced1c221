"""Signs in to Salesforce: as the app itself (client credentials) or for a user (a JWT it has signed)."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import httpx
import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import Field, SecretStr, model_validator

from services.notifier.channels.crm.base import CrmError, CrmSink
from services.notifier.channels.http import ask
from services.notifier.channels.sink import Secret, WebAddress
from services.notifier.domain.attempt import Retryable
from shared import clock
from shared.errors import UserError

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_S = 120
"""Salesforce takes assertions that run out within three minutes."""


class SalesforceSink(CrmSink):
    """An organisation's REST API, entered with client credentials or with a user's signed JWT.

    `login_audience`: whom the JWT is for, where it is not login.salesforce.com, or test.salesforce.com
    for a sandbox. `api_reserve`: the share of the day's calls that is left to others.
    """

    channel: Literal["salesforce"] = "salesforce"
    url: WebAddress
    client_id: str
    client_secret: Secret | None = None
    username: str | None = None
    private_key: Secret | None = None
    login_audience: WebAddress | None = None
    api_version: Annotated[str, Field(pattern=r"^v\d{2,3}\.0$")] = "v62.0"
    api_reserve: float = Field(0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        by_jwt = self.username is not None or self.private_key is not None
        if by_jwt == (self.client_secret is not None):
            raise ValueError("give client_secret, or else username and private_key")
        if by_jwt and (self.username is None or self.private_key is None):
            raise ValueError("a JWT login needs both username and private_key")
        return self

    @property
    def audience(self) -> str:
        """Whom an assertion is for."""
        sandbox = ".sandbox." in (urlsplit(self.url).hostname or "")
        usual = "https://test.salesforce.com" if sandbox else "https://login.salesforce.com"
        return self.login_audience or usual


@dataclass(frozen=True)
class Session:
    """Where to call, and the token that opens it."""

    instance: str
    token: SecretStr


class Login:
    """One token for everybody, replaced once when it has expired."""

    def __init__(self, sink: SalesforceSink, client: httpx.AsyncClient) -> None:
        """Raises UserError for a private key that is none."""
        self._sink = sink
        self._client = client
        self._key = None if sink.private_key is None else _rsa_key(sink.private_key)
        self._session: Session | None = None
        self._signing_in = asyncio.Lock()

    async def session(self, expired: Session | None = None) -> Session:
        """The session, a new one if it is the `expired` one. Raises CrmError."""
        async with self._signing_in:
            if self._session is None or self._session == expired:
                self._session = await self._new()
            return self._session

    async def _new(self) -> Session:
        address = f"{self._sink.url}/services/oauth2/token"
        try:
            answer = await ask(self._client, "POST", address, data=self._form())
            granted = orjson.loads(answer.body)
            token = SecretStr(str(granted["access_token"]))
            return Session(str(granted["instance_url"]).rstrip("/"), token)
        except httpx.HTTPError as error:
            reason = f"no token: {type(error).__name__}"
            raise CrmError(Retryable(reason, error="connect")) from None
        except (ValueError, TypeError, KeyError):
            # The answer may repeat what was sent: only its status and error code are told.
            reason = f"Salesforce gave no token, it answered {answer.status}{_code(answer.body)}"
            pause_s = answer.pause_s(clock.now())
            raise CrmError(Retryable(reason, pause_s, answer.status, "auth")) from None

    def _form(self) -> dict[str, str]:
        sink = self._sink
        if self._key is not None:
            return {"grant_type": _JWT_GRANT, "assertion": self._assertion(self._key)}
        secret = sink.client_secret.get_secret_value() if sink.client_secret else ""
        return {
            "grant_type": "client_credentials",
            "client_id": sink.client_id,
            "client_secret": secret,
        }

    def _assertion(self, key: RSAPrivateKey) -> str:
        claims = {
            "iss": self._sink.client_id,
            "sub": self._sink.username,
            "aud": self._sink.audience,
            "exp": int(clock.now().timestamp()) + _ASSERTION_S,
        }
        return jwt.encode(claims, key, algorithm="RS256")


_CODES = frozenset(
    {
        *("invalid_client", "invalid_client_id", "invalid_grant", "unsupported_grant_type"),
        *("invalid_app_access", "inactive_org", "inactive_user", "rate_limit_exceeded"),
    }
)


def _code(body: bytes) -> str:
    """OAuth's word for what is wrong, if it is one of those known."""
    try:
        code = orjson.loads(body)["error"]
    except (ValueError, TypeError, KeyError):
        return ""
    return f" {code}" if code in _CODES else ""


def _rsa_key(secret: SecretStr) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(secret.get_secret_value().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise UserError(
            "private_key is not an RSA key in PEM without a password",
            hint="openssl genrsa 2048 makes one; its certificate belongs into the connected app",
        )
    return key
