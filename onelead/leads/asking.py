"""Asks lifecycle to change a lead, over Kafka, and waits for its fact or its refusal."""

import uuid

from onelead.asking import answer_to
from shared.errors import UserError
from shared.events import LeadCommand, LeadCommandRefused, LeadStatusChanged
from shared.messaging.codec import Received, encode
from shared.topics import LEAD_COMMANDS, LEAD_STATUS


def new_command_id() -> str:
    """An id that no other command has."""
    return uuid.uuid4().hex


async def ask(
    bootstrap: str, tenant_id: str, command: LeadCommand, *, timeout_s: float
) -> LeadStatusChanged:
    """Publishes the command and returns the fact that came of it.

    Raises UserError when lifecycle refuses it, with what would be allowed, or when no answer comes
    within `timeout_s`; the command then still waits for lifecycle.
    """
    message = encode(
        command,
        tenant_id=tenant_id,
        source="onelead",
        subject=command.command_id,
        topic=LEAD_COMMANDS.name,
        key=f"{tenant_id}|{command.lead_id}",
    )

    def is_answer(received: Received) -> bool:
        event = received.event
        if not isinstance(event, LeadStatusChanged | LeadCommandRefused):
            return False
        return (event.command_id, event.lead_id) == (command.command_id, command.lead_id)

    answer = await answer_to(bootstrap, message, LEAD_STATUS, is_answer, timeout_s=timeout_s)
    event = answer.event if answer is not None else None
    if isinstance(event, LeadStatusChanged):
        return event
    if isinstance(event, LeadCommandRefused):
        raise refusal(event)
    raise UserError(
        f"no answer from lifecycle within {timeout_s:.0f} s; it decides when it is back "
        f"(command {command.command_id})",
        hint="`onelead leads history` shows whether it was carried out; --wait waits longer",
        exit_code=1,
    )


def refusal(answer: LeadCommandRefused) -> UserError:
    """A refusal as the command line says it, with the states that the lead may be moved to."""
    allowed = ", ".join(answer.allowed)
    return UserError(
        f"refused: {answer.detail}",
        hint=f"the lead may be moved to: {allowed}" if allowed else "",
        exit_code=1,
    )
