"""Checks the signature of what a CRM posts, as Standard Webhooks say: secret, moment, id, body."""

import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from standardwebhooks import Webhook

from shared import clock

TOLERANCE = timedelta(minutes=5)
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,200}")
_NOBODYS = SecretStr(f"whsec_{secrets.token_hex(32)}")
"""Checked in place of a secret that there is none of: a refusal takes as long for the unknown."""


def signed(headers: Mapping[str, str], body: bytes, secret: SecretStr | None) -> bool:
    """Whether somebody with the secret signed this, within five minutes of now; nobody without one."""
    message_id = headers.get("webhook-id", "")
    stamp, given = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "")
    key = secret or _NOBODYS
    try:
        moment = datetime.fromtimestamp(int(stamp), UTC)
        expected = Webhook(key.get_secret_value()).sign(message_id, moment, body.decode())
    except (ValueError, OverflowError, OSError):
        return False
    matches = [hmac.compare_digest(expected.encode(), g.encode()) for g in given.split(" ")[:10]]
    fresh = abs(clock.now() - moment) <= TOLERANCE
    return any(matches) and fresh and secret is not None and _is_id(message_id)


def _is_id(message_id: str) -> bool:
    return _MESSAGE_ID.fullmatch(message_id) is not None
