"""A receiver of the customer's own: JSON with a Standard Webhooks signature (docs/webhooks.md).

The delivery's id is the webhook-id, so a receiver that keeps ids takes each message once.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

import httpx
import orjson
from pydantic import BeforeValidator, SecretStr
from standardwebhooks import Webhook

from services.notifier.channels.http import Manners, make_client, post
from services.notifier.channels.sink import Secret, SinkSettings
from services.notifier.channels.wording import cut
from services.notifier.domain.attempt import Certainty, Outcome
from services.notifier.domain.contents import Content
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import Target
from shared import clock
from shared.errors import UserError
from shared.outbound import OutboundPolicy

TYPES: Mapping[Purpose, str] = {
    Purpose.ALERT: "onelead.lead.critical",
    Purpose.UPDATE: "onelead.lead.updated",
    Purpose.WITHDRAWAL: "onelead.lead.withdrawn",
    Purpose.FOLLOW_UP: "onelead.lead.follow_up",
    Purpose.CALL_TASK: "onelead.lead.call_task",
    Purpose.STORM_DIGEST: "onelead.digest.storm",
    Purpose.DAILY_DIGEST: "onelead.digest.daily",
    Purpose.WEEKLY_SUMMARY: "onelead.digest.weekly",
    Purpose.AGEING: "onelead.digest.ageing",
    Purpose.NOTICE: "onelead.notice",
}
TEXT_LIMIT = 10_000
_PASSES = frozenset({408, 410, 425, 429})
_PREFIX = "whsec_"
_SHORTEST_KEY = len(_PREFIX) + 32
"""24 bytes in base64."""


def _in_the_clear(given: Any) -> Any:
    """An address may stand in the file as it is, unless a part of it is secret."""
    return SecretStr(given) if isinstance(given, str) else given


class WebhookSink(SinkSettings):
    """A receiver. While `previous_secret` is set, messages carry a signature with it too."""

    channel: Literal["webhook"] = "webhook"
    url: Annotated[Secret, BeforeValidator(_in_the_clear)]
    secret: Secret
    previous_secret: Secret | None = None

    @property
    def address(self) -> str:
        """The receiver's host, and a mark that tells its paths apart without naming them.

        Raises UserError for an address that is none.
        """
        url = self.url.get_secret_value()
        try:
            parts = urlsplit(url)
            host = parts.hostname if parts.scheme in {"http", "https"} else None
        except ValueError:
            host = None
        if not host:
            raise UserError("the webhook's url is not an http:// or https:// address")
        return f"{host} #{hashlib.sha256(url.encode()).hexdigest()[:8]}"

    def signers(self) -> tuple[Webhook, ...]:
        """What signs, the current secret first. Raises UserError for a secret that is none."""
        secrets = (self.secret, self.previous_secret)
        return tuple(_signer(secret) for secret in secrets if secret is not None)


class WebhookChannel:
    """Everything OneLead tells, to one receiver."""

    name: ClassVar[str] = "webhook"
    settings_class: ClassVar[type[SinkSettings]] = WebhookSink
    accepts: ClassVar[frozenset[Purpose]] = frozenset(TYPES)
    certainty: ClassVar[Certainty] = Certainty.IDEMPOTENT
    repeatable = True

    def __init__(self, sink: WebhookSink, policy: OutboundPolicy) -> None:
        self._url = sink.url.get_secret_value()
        self._address = sink.address
        self._signers = sink.signers()
        refuses = frozenset(range(300, 500)) - _PASSES
        gone = frozenset({int(httpx.codes.GONE)})
        host = self._address.partition(" ")[0]
        self._manners = Manners(host, refuses=refuses, ends=gone, again=True)
        self._client = make_client(policy, keep_alive=True)
        self.concurrency = sink.concurrency or 4

    @classmethod
    def open(cls, settings: WebhookSink, policy: OutboundPolicy) -> Self:
        """The sink of a receiver."""
        return cls(settings, policy)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The receiver, named by its host."""
        return (Target(self.name, self._address, tells_withdrawals=True),)

    def render(self, content: Content, delivery: Delivery) -> tuple[str, bytes]:
        """The webhook-id and the JSON body, the same at each attempt. Raises TypeError for an outreach."""
        if delivery.purpose not in TYPES:
            raise TypeError(f"a webhook is not told of {delivery.purpose.value} ({delivery.id})")
        body = {
            "type": TYPES[delivery.purpose],
            "timestamp": delivery.created_at.isoformat(),
            "data": {"tenant_id": delivery.tenant_id, **_data(content)},
        }
        return delivery.id, orjson.dumps(body)

    def wire(self, rendered: tuple[str, bytes]) -> bytes:
        """The JSON body."""
        return rendered[1]

    async def send(self, rendered: tuple[str, bytes]) -> Outcome:
        """Signs and posts once."""
        headers = self.signed(*rendered)
        parts = urlsplit(self._url)
        secrets = (f"{parts.path}?{parts.query}", parts.path.strip("/"), parts.query)
        return await post(
            self._client, self._url, rendered[1], self._manners, *secrets, headers=headers
        )

    async def find(self, rendered: tuple[str, bytes]) -> Outcome | None:
        """Never asked: sending again has the effect of once."""
        raise NotImplementedError

    async def close(self) -> None:
        """Closes the client."""
        await self._client.aclose()

    def signed(self, message_id: str, body: bytes) -> dict[str, str]:
        """The headers of an attempt made now."""
        now = clock.now()
        signatures = (signer.sign(message_id, now, body.decode()) for signer in self._signers)
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


def _data(content: Content) -> dict[str, Any]:
    """The content's fields; the lead it is about is always `lead`."""
    fields = {"alert": content.model_dump(mode="json")}
    if not isinstance(content, Alert):
        fields = content.model_dump(mode="json")
    return {("lead" if name == "alert" else name): _bounded(fields[name]) for name in fields}


def _bounded(value: Any) -> Any:
    match value:
        case str():
            return cut(value, TEXT_LIMIT)
        case dict():
            return {name: _bounded(inner) for name, inner in value.items()}
        case list():
            return [_bounded(inner) for inner in value]
    return value


def _signer(secret: SecretStr) -> Webhook:
    key = secret.get_secret_value()
    try:
        if key.startswith(_PREFIX) and len(key) >= _SHORTEST_KEY:
            return Webhook(key)
    except ValueError:
        pass
    raise UserError(
        "the webhook's secret is not a Standard Webhooks secret",
        hint="it is whsec_ and 24 to 64 random bytes in base64",
    )
