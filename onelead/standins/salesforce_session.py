"""Who may call the Salesforce stand-in: OAuth by client credentials and by JWT, and the day's calls."""

import base64
import binascii
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.types import Options
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onelead.standins.faults import FaultPlan
from onelead.standins.salesforce_schema import SalesforceRefusalError
from onelead.standins.settings import StandinSettings
from shared import clock

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LONGEST_ASSERTION_S = 180
_CLOCKS_DIFFER_S = 5
_LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")


class OAuthError(Exception):
    """The answer to a login that fails."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": code, "error_description": description}


class Sessions:
    """The tokens that were given out and the calls made with them."""

    def __init__(self, settings: StandinSettings) -> None:
        self._client = (settings.salesforce_client_id, settings.salesforce_client_secret)
        self._username = settings.salesforce_username
        self._key = _public_key(settings.salesforce_private_key_file)
        self._tokens: set[str] = set()
        self._calls = 0
        self._allowed = settings.salesforce_daily_calls

    def switch_on(self, plan: FaultPlan) -> None:
        """Applies the part of a plan that is about tokens and limits."""
        if plan.expire_tokens:
            self._tokens.clear()
        if plan.daily_calls_left is not None:
            self._allowed = self._calls + plan.daily_calls_left

    @property
    def usage(self) -> dict[str, str]:
        """The header that tells how much of the day is used."""
        return {"Sforce-Limit-Info": f"api-usage={self._calls}/{self._allowed}"}

    @property
    def limits(self) -> dict[str, Any]:
        """What GET limits tells."""
        left = max(0, self._allowed - self._calls)
        return {"DailyApiRequests": {"Max": self._allowed, "Remaining": left}}

    def admit(self, request: Request) -> None:
        """Counts a call. Raises SalesforceRefusalError without a token, or when the day is used up."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme not in {"Bearer", "OAuth"} or token not in self._tokens:
            raise SalesforceRefusalError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if self._calls >= self._allowed:
            raise SalesforceRefusalError(
                403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."
            )
        self._calls += 1

    async def token(self, request: Request) -> Response:
        """POST /services/oauth2/token."""
        raw = (await request.body()).decode(errors="replace")
        form = {name: values[0] for name, values in parse_qs(raw).items()}
        base = str(request.url).partition("/services/")[0]
        try:
            self._authenticate(form, request.headers.get("authorization", ""), base)
        except OAuthError as error:
            return JSONResponse(error.body, status_code=400)
        token = f"00Dstandin!{secrets.token_urlsafe(24)}"
        self._tokens.add(token)
        return JSONResponse(
            {
                "access_token": token,
                "instance_url": base,
                "id": f"{base}/id/00Dstandin/005standin",
                "token_type": "Bearer",
                "issued_at": str(int(clock.now().timestamp() * 1_000)),
                "scope": "api",
            }
        )

    def _authenticate(self, form: dict[str, str], authorization: str, base: str) -> None:
        grant = form.get("grant_type")
        if grant == JWT_GRANT:
            self._check_assertion(form.get("assertion", ""), base)
        elif grant == "client_credentials":
            given = _basic(authorization) or (form.get("client_id"), form.get("client_secret"))
            if given != self._client:
                raise OAuthError("invalid_client", "invalid client credentials")
        else:
            raise OAuthError("unsupported_grant_type", "grant type not supported")

    def _check_assertion(self, assertion: str, base: str) -> None:
        if self._key is None:
            raise OAuthError("invalid_client", "the app has no certificate for digital signatures")
        # Times are judged below, by the clock of this program.
        options: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        options["require"] = ["iss", "sub", "aud", "exp"]
        try:
            claims = jwt.decode(
                assertion,
                self._key,
                algorithms=["RS256"],
                audience=(*_LOGIN_HOSTS, base),
                options=options,
            )
            left_s = float(claims["exp"]) - clock.now().timestamp()
        except jwt.InvalidAudienceError:
            raise OAuthError("invalid_grant", "audience is invalid") from None
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise OAuthError("invalid_grant", "invalid assertion") from None
        if not 0 < left_s <= LONGEST_ASSERTION_S + _CLOCKS_DIFFER_S:
            raise OAuthError("invalid_grant", "expired authorization code")
        if claims["iss"] != self._client[0]:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if claims["sub"] != self._username:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, text = authorization.partition(" ")
    if scheme != "Basic":
        return None
    try:
        name, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret


def _public_key(path: Path | None) -> rsa.RSAPublicKey | None:
    """The certificate's half of the key in that file; the file is made when it is not there."""
    if path is None:
        return None
    if not path.exists():
        made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        pem = made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.touch(mode=0o600)
        path.write_bytes(pem)
        return made.public_key()
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path} holds no RSA key")
    return key.public_key()
