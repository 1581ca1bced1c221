"""The dead letters of the services: found across tenants, sent once more, or settled as dropped."""

import base64
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from onelead.edition.service import SERVICES
from onelead.messages import producing
from onelead.opened_database import opened_database
from shared.db.engine import Database
from shared.errors import UserError

OPEN, REPLAYED, DROPPED = "open", "replayed", "dropped"
_COLUMNS = (
    "id, tenant_id, consumer, topic, partition, kafka_offset, key, headers, body,"
    " error_class, error, state, received_at"
)


@dataclass(frozen=True)
class StoredLetter:
    """A message that a consumer could not handle, with where it stood and why it failed."""

    service: str
    number: int
    tenant_id: str
    consumer: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    body: bytes | None
    error_class: str
    error: str
    state: str
    received_at: datetime

    @property
    def name(self) -> str:
        """What a person calls it by: service/number."""
        return f"{self.service}/{self.number}"


class LetterBox:
    """The dead letters behind one database address.

    They are read with each service's metrics role, which sees every tenant and changes nothing, and
    settled with the service's own role, bound to the letter's tenant.
    """

    def __init__(self, owner_url: str, password: str | None) -> None:
        self._owner_url = owner_url
        self._password = password

    async def find(self, services: Sequence[str], state: str | None = OPEN) -> list[StoredLetter]:
        """Letters of these services, oldest first; `state` None: all of them."""
        found = []
        for service in services:
            statement = text(
                f"SELECT {_COLUMNS} FROM {service}.dead_letters"
                " WHERE CAST(:state AS text) IS NULL OR state = :state ORDER BY id"
            )
            async with self._database(service, "_metrics") as database, database.transaction() as c:
                rows = (await c.execute(statement, {"state": state})).mappings()
                found += [_letter(service, row) for row in rows]
        return found

    async def get(self, name: str) -> StoredLetter:
        """The letter called service/number. Raises UserError when there is none."""
        service, _, number = name.partition("/")
        if service in SERVICES and number.isdigit():
            for letter in await self.find([service], state=None):
                if letter.number == int(number):
                    return letter
        raise UserError(
            f"there is no dead letter {name}",
            hint="`onelead dead-letters list` shows their names, like scoring/12",
        )

    async def settle(self, letter: StoredLetter, state: str) -> None:
        """Notes what became of an open letter."""
        statement = text(
            f"UPDATE {letter.service}.dead_letters SET state = :state"
            " WHERE tenant_id = :tenant AND id = :id"
        )
        parameters = {"state": state, "tenant": letter.tenant_id, "id": letter.number}
        async with (
            self._database(letter.service, "") as database,
            database.transaction({letter.tenant_id}) as connection,
        ):
            await connection.execute(statement, parameters)

    def _database(self, service: str, suffix: str) -> AbstractAsyncContextManager[Database]:
        role = f"onelead_{service}{suffix}"
        return opened_database(self._owner_url, self._password, role, "onelead dead-letters")


async def send_again(bootstrap: str, letters: Sequence[StoredLetter]) -> None:
    """Publishes letters as they were, to the topic they came from; consumers that had them ignore them.

    Raises UserError when no broker answers.
    """
    async with producing(bootstrap) as producer:
        for letter in letters:
            await producer.send_and_wait(
                letter.topic, key=letter.key, value=letter.body, headers=list(letter.headers)
            )


def _letter(service: str, row: Any) -> StoredLetter:
    headers = tuple(
        (name, None if raw is None else base64.b64decode(raw)) for name, raw in row["headers"]
    )
    return StoredLetter(
        service=service,
        number=row["id"],
        tenant_id=row["tenant_id"],
        consumer=row["consumer"],
        topic=row["topic"],
        partition=row["partition"],
        offset=row["kafka_offset"],
        key=row["key"],
        headers=headers,
        body=row["body"],
        error_class=row["error_class"],
        error=row["error"],
        state=row["state"],
        received_at=row["received_at"],
    )
