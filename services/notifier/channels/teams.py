"""Teams by a Workflows address: renders an Adaptive Card, posts it, reads the workflow's answers.

The workflow is blind: it takes a message with 202, and nobody can look what became of it.
"""

import re
from typing import ClassVar, Literal, Self
from urllib.parse import parse_qs, urlsplit

from services.notifier.channels.http import Manners, make_client, post
from services.notifier.channels.sink import Secret, SinkSettings
from services.notifier.channels.teams_card import message
from services.notifier.channels.wording import TOLD_IN_CHATS
from services.notifier.domain.attempt import Certainty, Outcome
from services.notifier.domain.contents import Content
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.plan import Target
from shared.errors import UserError
from shared.outbound import OutboundPolicy

_WORKFLOW = re.compile(r"/workflows/([^/]+)/triggers/")
_MANNERS = Manners(
    "Teams",
    refuses=frozenset({400, 413}),
    ends=frozenset({410}),
    pause_s=30.0,
    # A workflow that was switched off refuses every message until somebody switches it on.
    mendable=("WorkflowTriggerIsNotEnabled",),
)


class TeamsSink(SinkSettings):
    """A workflow that posts what it receives to a chat or a channel; its address holds a signature."""

    channel: Literal["teams"] = "teams"
    workflow_url: Secret

    @property
    def signature(self) -> str:
        """The secret of the address. Raises UserError for an address of something else."""
        self._parts()
        return parse_qs(urlsplit(self.workflow_url.get_secret_value()).query)["sig"][0]

    @property
    def address(self) -> str:
        """The workflow without its secret: host and id. Raises UserError for another address."""
        return "/".join(self._parts())

    def _parts(self) -> tuple[str, str]:
        try:
            parts = urlsplit(self.workflow_url.get_secret_value())
            match = _WORKFLOW.search(parts.path)
            signed = "sig" in parse_qs(parts.query)
        except ValueError:
            match, signed = None, False
        if match is None or not signed or not parts.hostname:
            raise UserError(
                "the Teams workflow_url is not the address of a workflow",
                hint='copy it from the workflow\'s step "When a Teams webhook request is received"; '
                "it ends in …&sig=…",
            )
        return parts.hostname, match.group(1)


class TeamsChannel:
    """Cards in one Teams chat or channel."""

    name: ClassVar[str] = "teams"
    settings_class: ClassVar[type[SinkSettings]] = TeamsSink
    accepts: ClassVar[frozenset[Purpose]] = TOLD_IN_CHATS
    certainty: ClassVar[Certainty] = Certainty.BLIND

    def __init__(self, sink: TeamsSink, policy: OutboundPolicy) -> None:
        self._url = sink.workflow_url.get_secret_value()
        self._address = sink.address
        self._signature = sink.signature
        self._client = make_client(policy, keep_alive=False)
        self.repeatable = sink.when_unsure == "repeat"
        self.concurrency = sink.concurrency or 2

    @classmethod
    def open(cls, settings: TeamsSink, policy: OutboundPolicy) -> Self:
        """The sink of a workflow."""
        return cls(settings, policy)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The workflow, named by its host and id."""
        return (Target(self.name, self._address),)

    def render(self, content: Content, delivery: Delivery) -> bytes:
        """The workflow's JSON body (rules.md §8). Raises TypeError for what the channel is not told."""
        if delivery.purpose not in self.accepts:
            raise TypeError(f"teams is not told of {delivery.purpose.value} ({delivery.id})")
        return message(content)

    def wire(self, rendered: bytes) -> bytes:
        """The workflow's JSON body."""
        return rendered

    async def send(self, rendered: bytes) -> Outcome:
        """Posts the card once."""
        secrets = (urlsplit(self._url).query, self._signature)
        return await post(self._client, self._url, rendered, _MANNERS, *secrets)

    async def find(self, rendered: bytes) -> Outcome | None:
        """A workflow cannot be asked."""
        raise NotImplementedError

    async def close(self) -> None:
        """Closes the client."""
        await self._client.aclose()
