"""Faults switched on for tests: answers to give instead, connections to drop, slowness, limits."""

import asyncio
from typing import Literal

import uvicorn
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request


class Fault(BaseModel):
    """What a channel does with its next `count` messages.

    With a `status` it answers that and takes nothing; without, it only waits `delay_s` first.
    `at` is the SMTP command that is refused.
    """

    model_config = ConfigDict(extra="forbid")

    status: int | None = Field(None, ge=300, le=599)
    count: int = Field(1, ge=1)
    body: str | None = None
    retry_after: int | None = None
    at: Literal["mail", "rcpt", "data"] = "rcpt"
    delay_s: float = Field(0.0, ge=0, le=60)


class FaultPlan(BaseModel):
    """The body of POST /api/faults; what it does not name stays as it is."""

    model_config = ConfigDict(extra="forbid")

    slack: Fault | None = None
    email: Fault | None = None
    salesforce: Fault | None = None
    drop_after_accept: int | dict[str, int] | None = Field(
        None, description="take so many messages (of any or of one channel) and never answer"
    )
    expire_tokens: bool = False
    daily_calls_left: int | None = Field(None, ge=0)


class Faults:
    """The faults that are on now. `server` is set once it runs: its connections can be cut."""

    def __init__(self) -> None:
        self.server: uvicorn.Server | None = None
        self._faults: dict[str, Fault] = {}
        self._drops: dict[str, int] = {}

    def switch_on(self, plan: FaultPlan) -> None:
        """Adds a plan's faults; a channel has one at a time."""
        for channel in ("slack", "email", "salesforce"):
            fault: Fault | None = getattr(plan, channel)
            if fault is not None:
                self._faults[channel] = fault.model_copy()
        if plan.drop_after_accept is not None:
            drops = plan.drop_after_accept
            self._drops = {"*": drops} if isinstance(drops, int) else dict(drops)

    def clear(self) -> None:
        """All back to normal."""
        self._faults.clear()
        self._drops.clear()

    async def take(self, channel: str, at: str | None = None) -> Fault | None:
        """The fault that answers this message, or None; waits first where the fault says so."""
        fault = self._faults.get(channel)
        if fault is None or (at is not None and at != fault.at):
            return None
        fault.count -= 1
        if fault.count <= 0:
            del self._faults[channel]
        await asyncio.sleep(fault.delay_s)
        return None if fault.status is None else fault

    def take_drop(self, channel: str) -> bool:
        """Whether the connection is to be dropped now that this message was taken."""
        for name in (channel, "*"):
            if self._drops.get(name, 0) > 0:
                self._drops[name] -= 1
                return True
        return False

    async def drop_if_told(self, channel: str, request: Request) -> None:
        """Cuts the connection of a request without a word, as a network does after the server's yes."""
        if not self.take_drop(channel) or self.server is None:
            return
        for connection in self.server.server_state.connections:
            if getattr(connection, "client", None) == request.scope["client"]:
                connection.transport.abort()
        # The server learns of the loss in its next turns, and then drops the answer by itself.
        await asyncio.sleep(0.01)
