"""Asks ingest to decide something about accounts, over Kafka, and waits for its answer."""

import uuid

from onelead.asking import answer_to
from shared.errors import UserError
from shared.events import AccountCommand, AccountDecided
from shared.messaging.codec import Received, encode
from shared.topics import ACCOUNT_COMMANDS, ACCOUNT_DECISIONS


def new_command_id() -> str:
    """An id that no other command has."""
    return uuid.uuid4().hex


async def ask(
    bootstrap: str, tenant_id: str, command: AccountCommand, *, timeout_s: float
) -> AccountDecided:
    """Publishes the command and returns ingest's answer.

    Raises UserError when none comes within `timeout_s`; the command then still waits for its turn.
    """
    message = encode(
        command,
        tenant_id=tenant_id,
        source="onelead",
        subject=command.command_id,
        topic=ACCOUNT_COMMANDS.name,
        key=f"{tenant_id}|{command.account_id}",
    )

    def is_answer(received: Received) -> bool:
        event = received.event
        return isinstance(event, AccountDecided) and event.command_id == command.command_id

    answer = await answer_to(bootstrap, message, ACCOUNT_DECISIONS, is_answer, timeout_s=timeout_s)
    if answer is not None and isinstance(answer.event, AccountDecided):
        return answer.event
    raise UserError(
        f"no answer from ingest within {timeout_s:.0f} s; it decides when its turn comes, after "
        f"the imports before it (command {command.command_id})",
        hint="`onelead accounts explain` shows whether it was decided; --wait waits longer",
        exit_code=1,
    )
