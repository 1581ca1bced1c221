"""Asks ingest to decide something about accounts, over Kafka, and waits for its answer."""

import asyncio
import uuid

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from onelead.messages import partitions_of, publisher, reader
from shared import clock
from shared.errors import UserError
from shared.events import AccountCommand, AccountDecided
from shared.messaging.codec import UnreadableMessageError, decode, encode
from shared.topics import ACCOUNT_COMMANDS, ACCOUNT_DECISIONS

_POLL_MS = 200


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
    async with reader(bootstrap) as answers:
        await _stand_at_the_end(answers, bootstrap, timeout_s)
        async with publisher(bootstrap) as out:
            await out.send([message])
        return await _answer(answers, tenant_id, command, timeout_s)


async def _stand_at_the_end(answers: AIOKafkaConsumer, bootstrap: str, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            partitions = await partitions_of(answers, ACCOUNT_DECISIONS.name)
            answers.assign(partitions)
            await answers.seek_to_end(*partitions)
            for partition in partitions:
                # Seeks are lazy: settle them before anything is sent.
                await answers.position(partition)
    except (TimeoutError, KafkaError):
        raise UserError(
            f"Kafka at {bootstrap} stopped answering; nothing was sent", exit_code=1
        ) from None


async def _answer(
    answers: AIOKafkaConsumer, tenant_id: str, command: AccountCommand, timeout_s: float
) -> AccountDecided:
    wanted = command.command_id
    deadline_s = clock.monotonic_s() + timeout_s
    while clock.monotonic_s() < deadline_s:
        for records in (await answers.getmany(timeout_ms=_POLL_MS)).values():
            for record in records:
                try:
                    received = decode(record)
                except UnreadableMessageError:
                    continue
                event = received.event
                ours = received.envelope.tenant_id == tenant_id
                if ours and isinstance(event, AccountDecided) and event.command_id == wanted:
                    return event
    raise UserError(
        f"no answer from ingest within {timeout_s:.0f} s; it decides when its turn comes, after "
        f"the imports before it (command {command.command_id})",
        hint="`onelead accounts explain` shows whether it was decided; --wait waits longer",
        exit_code=1,
    )
