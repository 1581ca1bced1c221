"""Makes of a password what PostgreSQL keeps of it, so that neither the server nor its logs see the word."""

import hashlib
import hmac
import secrets
from base64 import b64encode

_ITERATIONS = 4_096
_SALT_BYTES = 16


def kept_of(password: str, *, salt: bytes | None = None) -> str:
    """The SCRAM-SHA-256 verifier of a password, as in `pg_authid`; a new one each time.

    A password beyond ASCII is returned as it is: the server and its clients do not agree on how to
    normalise one, and only what the server makes of it is sure to let them in.
    """
    if not password.isascii():
        return password
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(_signed(salted, b"Client Key")).digest()
    server = _signed(salted, b"Server Key")
    return f"SCRAM-SHA-256${_ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"  # RFC 5803


def _signed(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _text(content: bytes) -> str:
    return b64encode(content).decode()
