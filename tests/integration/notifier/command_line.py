"""A tenant's ledger for tests of the command line: deliveries put in, `onelead` run, rows looked at."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text

from onelead.cli import run_command_line
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.notifier.domain.attempt import Rejected
from services.notifier.domain.contents import (
    CONTENTS,
    Content,
    Digest,
    Outreach,
    Update,
    Withdrawal,
)
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.repository import NewDelivery, NotifierRepository
from services.notifier.repository.ledger import Attempt, Ledger
from shared import clock
from shared.settings import load_settings
from tests.support.notifier_builders import alert

CONTACT = "cio@customer.example"


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """What stands on the error output, whatever the width of the terminal."""
        return " ".join(self.err.split())


class Tenant:
    """One tenant; every method is a transaction of its own, or a command."""

    def __init__(self, name: str, capture: pytest.CaptureFixture[str]) -> None:
        self.name = name
        self._capture = capture

    def run(self, *arguments: str, code: int = 0) -> Result:
        """Runs `onelead …` for the tenant."""
        self._capture.readouterr()
        ended = run_command_line([*arguments, "--tenant", self.name])
        said = self._capture.readouterr()
        assert "Traceback" not in said.err
        assert ended == code, said.out + said.err
        return Result(ended, said.out, said.err)

    def deliver(self, state: str = "pending", **changes: Any) -> str:
        """Puts a delivery into the ledger in a state; returns its id."""
        moments = {name: changes.pop(name) for name in ("due_at",) if name in changes}
        delivery = self._delivery(**changes)
        content = _content(delivery.purpose, self.name)
        new = NewDelivery(delivery, content, moments.get("due_at", delivery.created_at), "test/1")

        async def put(connection: Any) -> None:
            await NotifierRepository().add(connection, [new])

        self._do(put)
        if state != "pending":
            self.execute(
                "UPDATE notifier.deliveries SET state = :state, tries = 1, note = 'as it went',"
                " settled_at = CASE WHEN :state IN ('retry', 'sending') THEN NULL ELSE now() END"
                " WHERE delivery_id = :delivery",
                state=state,
                delivery=delivery.id,
            )
        return delivery.id

    def attempt(self, delivery_id: str, number: int = 1, *, days_ago: float = 0) -> None:
        """An attempt that was refused."""
        outcome = Rejected("slack answered 404 no_service", status=404)
        moment = clock.now() - timedelta(days=days_ago)
        made = Attempt(self.name, delivery_id, number, moment, 42, "ab" * 32, outcome)

        async def put(connection: Any) -> None:
            await Ledger().add_attempts(connection, [made])

        self._do(put)

    def row(self, delivery_id: str) -> Any:
        """The delivery as it stands now."""
        (found,) = self.execute(
            "SELECT * FROM notifier.deliveries WHERE delivery_id = :id", id=delivery_id
        )
        return found

    def execute(
        self, statement: str, service: str = "notifier", **parameters: Any
    ) -> Sequence[Any]:
        """Runs a statement on the tenant's rows."""

        async def run(connection: Any) -> Sequence[Any]:
            found = await connection.execute(text(statement), parameters)
            rows: Sequence[Any] = found.all() if found.returns_rows else []
            return rows

        result: Sequence[Any] = self._do(run, service)
        return result

    def _do(self, what: Callable[[Any], Any], service: str = "notifier") -> Any:
        async def run() -> Any:
            settings = load_settings(EditionSettings)
            async with service_connection(settings, service, self.name) as connection:
                return await what(connection)

        return asyncio.run(run())

    def _delivery(self, **changes: Any) -> Delivery:
        base = Delivery(
            tenant_id=self.name,
            lead_id=alert().lead_id,
            episode=1,
            purpose=Purpose.ALERT,
            channel="slack",
            target="T1/B1",
            created_at=clock.now(),
        )
        return replace(base, **changes)


def _content(purpose: Purpose, tenant: str) -> Content:
    made: dict[Purpose, Content] = {
        Purpose.ALERT: alert(tenant),
        Purpose.UPDATE: Update(alert=alert(tenant), changes=()),
        Purpose.WITHDRAWAL: Withdrawal(alert=alert(tenant), reason="gone"),
        Purpose.OUTREACH: Outreach(
            tenant_id=tenant,
            lead_id=alert().lead_id,
            campaign="drip",
            step=0,
            subject="A letter",
            text="text",
            html="<p>html</p>",
            unsubscribe_url="",
            to=CONTACT,
        ),
        Purpose.DAILY_DIGEST: Digest.model_validate(
            {
                "kind": "daily",
                "tenant_id": tenant,
                "title": "2 new leads",
                "day": "2026-03-02",
                "total": 2,
                "critical": 1,
                "pipeline": "100",
                "currency": "USD",
                "lines": (),
                "link": "https://onelead.example",
            }
        ),
    }
    assert type(made[purpose]) is CONTENTS[purpose]
    return made[purpose]
