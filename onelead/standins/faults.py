"""Faults switched on for tests: answers to give instead, connections to cut, slowness, limits.

A fault is for a channel, or for the sinks of a channel whose path holds `match`.
"""

import asyncio
import random
from collections.abc import Iterator
from typing import Literal

import uvicorn
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import Request

ChannelName = Literal["slack", "slack_bot", "teams", "email", "salesforce", "webhook"]
SmtpCommand = Literal["mail", "rcpt", "data"]


class Answer(BaseModel):
    """What happens to a message instead of, or before, the usual.

    A `status` is answered and nothing is taken; so is an `error` (slack_bot: HTTP 200, "ok": false).
    With `drop` the message is taken and the connection cut. Otherwise it only waits `delay_s`.
    """

    model_config = ConfigDict(extra="forbid")

    status: int | None = Field(None, ge=300, le=599)
    error: str | None = None
    drop: bool = False
    body: str | None = None
    retry_after: float | None = Field(None, ge=0)
    delay_s: float = Field(0.0, ge=0, le=60)

    @property
    def refuses(self) -> bool:
        """Whether nothing is taken."""
        return self.status is not None or self.error is not None

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers."""
        return {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}


class Fault(Answer):
    """The answer to the next `count` messages. `at`: the SMTP command that is refused."""

    count: int = Field(1, ge=1)
    at: SmtpCommand = "rcpt"
    match: str | None = None


class Share(Answer):
    """The answer to a share of the messages."""

    share: float = Field(gt=0, le=1)


class FaultPlan(BaseModel):
    """The body of POST /api/faults; what it does not name stays as it is.

    `mix`: the `channel` answers so to shares of its messages until the faults are switched off; the
    rest goes the usual way. The same `seed` draws the same.
    """

    model_config = ConfigDict(extra="forbid")

    slack: Fault | None = None
    slack_bot: Fault | None = None
    teams: Fault | None = None
    email: Fault | None = None
    salesforce: Fault | None = None
    webhook: Fault | None = None
    channel: ChannelName | None = None
    match: str | None = None
    mix: list[Share] | None = None
    seed: int | None = None
    drop_after_accept: int | dict[str, int] | None = Field(
        None, description="take so many messages (of any or of one channel) and never answer"
    )
    expire_tokens: bool = False
    daily_calls_left: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _is_whole(self) -> "FaultPlan":
        if (self.mix is None) != (self.channel is None):
            raise ValueError("a mix needs its channel, and a channel its mix")
        if sum(share.share for share in self.mix or ()) > 1 + 1e-9:
            raise ValueError("the shares of a mix add up to at most 1")
        return self

    def faults(self) -> Iterator[tuple[str, Fault]]:
        """The faults by channel."""
        for channel in ChannelName.__args__:  # type: ignore[attr-defined]
            fault: Fault | None = getattr(self, channel)
            if fault is not None:
                yield channel, fault


class _Mix:
    """Draws one answer, or none, for each message."""

    def __init__(self, shares: list[Share], seed: int | None) -> None:
        self._shares = shares
        self._random = random.Random(seed)  # noqa: S311 - a test's dice

    def draw(self) -> Answer | None:
        point = self._random.random()
        for share in self._shares:
            if point < share.share:
                return share
            point -= share.share
        return None


class Faults:
    """The faults that are on now. `server` is set once it runs: its connections can be cut."""

    def __init__(self) -> None:
        self.server: uvicorn.Server | None = None
        self._faults: dict[tuple[str, str | None], Fault] = {}
        self._mixes: dict[tuple[str, str | None], _Mix] = {}
        self._drops: dict[str, int] = {}

    def switch_on(self, plan: FaultPlan) -> None:
        """Adds a plan's faults; a channel, and each match of it, has one fault and one mix at a time."""
        for channel, fault in plan.faults():
            self._faults[channel, fault.match] = fault.model_copy()
        if plan.mix is not None and plan.channel is not None:
            self._mixes[plan.channel, plan.match] = _Mix(plan.mix, plan.seed)
        if plan.drop_after_accept is not None:
            drops = plan.drop_after_accept
            self._drops = {"*": drops} if isinstance(drops, int) else dict(drops)

    def clear(self) -> None:
        """All back to normal."""
        self._faults.clear()
        self._mixes.clear()
        self._drops.clear()

    async def take(
        self, channel: str, sink: str = "", at: SmtpCommand | None = None, *, message: bool = True
    ) -> Answer | None:
        """What happens to this call, or None; waits first where the fault says so.

        Calls that carry no message, look-ups and logins, meet only faults whose `match` names them.
        """
        answer = self._next_fault(channel, sink, at, message) or (
            self._next_draw(channel, sink, message) if at in {None, "data"} else None
        )
        if answer is None:
            return None
        await asyncio.sleep(answer.delay_s)
        return answer if answer.refuses or answer.drop else None

    def take_drop(self, channel: str) -> bool:
        """Whether the connection is to be cut now that this message was taken."""
        for name in (channel, "*"):
            if self._drops.get(name, 0) > 0:
                self._drops[name] -= 1
                return True
        return False

    async def drop_if_told(
        self, channel: str, request: Request, answer: Answer | None = None
    ) -> None:
        """Cuts the connection of a request without a word, as a network does after the server's yes."""
        told = answer is not None and answer.drop
        if not (told or self.take_drop(channel)) or self.server is None:
            return
        for connection in self.server.server_state.connections:
            if getattr(connection, "client", None) == request.scope["client"]:
                connection.transport.abort()
        # The server learns of the loss in its next turns, and then drops the answer by itself.
        await asyncio.sleep(0.01)

    def _next_fault(
        self, channel: str, sink: str, at: SmtpCommand | None, message: bool
    ) -> Fault | None:
        for key in _keys(self._faults, channel, sink, message):
            fault = self._faults[key]
            if at in {None, fault.at}:
                fault.count -= 1
                if fault.count <= 0:
                    del self._faults[key]
                return fault
        return None

    def _next_draw(self, channel: str, sink: str, message: bool) -> Answer | None:
        keys = _keys(self._mixes, channel, sink, message)
        return self._mixes[keys[0]].draw() if keys else None


def _keys(
    known: dict[tuple[str, str | None], Fault] | dict[tuple[str, str | None], _Mix],
    channel: str,
    sink: str,
    message: bool,
) -> list[tuple[str, str | None]]:
    """What is on for a sink, the narrower first."""
    narrow = [key for key in known if key[0] == channel and key[1] is not None and key[1] in sink]
    return [*narrow, *([(channel, None)] if message and (channel, None) in known else [])]
