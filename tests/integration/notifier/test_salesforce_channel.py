"""What is Salesforce's own: logging in, limits, calls about many records, answers that go wrong."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr
from simple_salesforce.api import Salesforce

from onelead.standins.settings import StandinSettings
from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable, Unsure
from services.notifier.domain.crm.records import Field
from services.notifier.domain.message import Alert, plain
from tests.integration.notifier.conftest import a_delivery
from tests.integration.notifier.crm_worlds import SalesforceWorld, salesforce
from tests.support.alert_reading import hostile_alert
from tests.support.hostile_texts import hostile_texts
from tests.support.notifier_builders import alert

LEAD = alert().lead_id


@pytest.fixture
async def world() -> AsyncIterator[SalesforceWorld]:
    async with salesforce() as found:
        yield found


async def send(world: SalesforceWorld, content: Alert | None = None) -> Outcome:
    (target,) = world.channel.targets
    delivery = a_delivery(target.channel, target.address)
    return await world.channel.send(world.channel.render(content or alert(), delivery))


async def test_a_user_logs_in_with_a_signed_jwt(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    settings = StandinSettings(salesforce_private_key_file=key)
    async with salesforce(settings, username="a", private_key=SecretStr(_new_key(key))) as wrong:
        outcome = await send(wrong)
        assert isinstance(outcome, Retryable)
        assert (outcome.error, outcome.status) == ("auth", 400)
        assert "invalid_grant" in outcome.reason
    user = settings.salesforce_username
    async with salesforce(settings, username=user, private_key=SecretStr(key.read_text())) as world:
        assert isinstance(await send(world), Delivered)


def _new_key(path: Path) -> str:
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made)
    return made.decode()


async def test_a_wrong_secret_is_for_the_operator_to_mend_and_is_not_told() -> None:
    async with salesforce(client_secret=SecretStr("wrong-w0rd")) as world:
        outcome = await send(world)
    reason = "Salesforce gave no token, it answered 400 invalid_client"
    assert outcome == Retryable(reason, None, 400, "auth")


async def test_an_expired_token_is_replaced_once_for_everybody(world: SalesforceWorld) -> None:
    assert isinstance(await send(world), Delivered)
    await world.faults(expire_tokens=True)
    leads = [alert(lead_id=f"lead-{n}") for n in range(5)]
    outcomes = await asyncio.gather(*(send(world, lead) for lead in leads))
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)


async def test_two_hundred_deliveries_take_three_calls(world: SalesforceWorld) -> None:
    await world.accounts("Apple Inc")
    await send(world)
    before = await world.requests()
    leads = [alert(lead_id=f"lead-{n}") for n in range(200)]
    outcomes = await asyncio.gather(*(send(world, lead) for lead in leads))
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    assert await world.requests() - before - 1 == 3


async def test_a_used_up_day_rests_the_sink_without_burning_an_attempt(
    world: SalesforceWorld,
) -> None:
    await world.faults(daily_calls_left=0)
    outcome = await send(world)
    assert isinstance(outcome, Retryable)
    assert (outcome.pause_s, outcome.error) == (900, "limited")
    assert "REQUEST_LIMIT_EXCEEDED" in outcome.reason


async def test_a_day_that_is_nearly_used_up_is_left_to_others() -> None:
    async with salesforce(StandinSettings(salesforce_daily_calls=100)) as world:
        await send(world)
        await world.faults(daily_calls_left=0)
        await send(world)
        (target,) = world.channel.targets
        outcome = await send(world)
        assert isinstance(outcome, Retryable)
        assert outcome.pause_s is not None
        assert outcome.reason == "0.0% of Salesforce's calls of the day are left"
        assert target.tells_withdrawals


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 503}, Retryable),
        ({"status": 500}, Retryable),
        ({"status": 400, "body": "INVALID_FIELD"}, Retryable),
        ({"status": 400, "body": "STRING_TOO_LONG"}, Rejected),
        ({"status": 403, "body": "INSUFFICIENT_ACCESS"}, Retryable),
        ({"status": 300, "body": "MULTIPLE"}, Rejected),
    ],
)
async def test_each_refusal_has_its_outcome(
    world: SalesforceWorld, fault: dict[str, Any], kind: type[Outcome]
) -> None:
    await world.faults(salesforce=fault)
    assert isinstance(await send(world), kind)


async def test_a_lost_answer_is_unsure(world: SalesforceWorld) -> None:
    await send(world)
    await world.faults(drop_after_accept=1)
    assert isinstance(await send(world), Unsure)


async def test_nobody_listening_means_that_nothing_was_sent() -> None:
    async with salesforce(url="http://127.0.0.1:9") as world:
        assert await send(world) == Retryable("no token: ConnectError", error="connect")


async def test_a_record_that_salesforce_refuses_does_not_hold_up_the_others(
    world: SalesforceWorld,
) -> None:
    leads = [alert(lead_id=f"lead-{n}") for n in range(9)] + [alert(lead_id="x" * 65)]
    outcomes = await asyncio.gather(*(send(world, lead) for lead in leads))
    assert [isinstance(o, Delivered) for o in outcomes] == [True] * 9 + [False]


async def test_changes_are_read_over_as_many_pages_as_there_are() -> None:
    async with salesforce(StandinSettings(salesforce_query_page=7)) as world:
        leads = [alert(lead_id=f"lead-{n}") for n in range(30)]
        await asyncio.gather(*(send(world, lead) for lead in leads))
        found = await world.channel.crm.changed_since(None, (Field.STAGE,))
    assert {record.lead_id for record in found} == {lead.lead_id for lead in leads}


@pytest.mark.slow
async def test_10_000_hostile_texts_are_read_back_equal_by_another_client() -> None:
    async with salesforce(StandinSettings(salesforce_query_page=20_000)) as world:
        await _try_hostile_texts(world)


async def _try_hostile_texts(world: SalesforceWorld) -> None:
    texts = list(hostile_texts())
    told = [
        hostile_alert(text).model_copy(update={"lead_id": f"lead-{n}"})
        for n, text in enumerate(texts)
    ]
    told = [_said(each) for each in told]
    names = sorted({each.account for each in told if 0 < len(each.account) <= 255})
    await world.accounts(*(names[:2_000]))
    for start in range(0, len(told), 200):
        outcomes = await asyncio.gather(*(send(world, a) for a in told[start : start + 200]))
        assert {type(outcome) for outcome in outcomes} == {Delivered}
    session = await world.channel.crm._api._login.session()  # type: ignore[attr-defined]
    rows = await asyncio.to_thread(_all, session.instance, session.token.get_secret_value())
    assert len(rows) == len(told)
    accounts = {name.casefold(): name for name in names[:2_000]}
    for each in told:
        row = rows[each.lead_id]
        assert _reads(each.title, row["Name"], 120)
        whole = len(row["Description"].encode("utf-16-le")) < 2 * 31_000
        if whole:
            assert each.action.rstrip(".") in row["Description"]
            assert each.services[0].name in row["Description"]
        if row["Account"] is not None:
            assert row["Account"]["Name"].casefold() == each.account.casefold()
        elif each.account.casefold() in accounts:
            assert "accounts have the name" in row["Description"]


def _reads(wrote: str, stands: str, limit: int) -> bool:
    """Whether a text stands there whole, or cut where it had to be."""
    if len(wrote.encode("utf-16-le")) <= 2 * limit:
        return stands == wrote
    return stands.endswith("…") and wrote.startswith(stands[:-1]) and len(stands) > limit / 2 - 1


def _said(each: Alert) -> Alert:
    """The alert as the notifier makes them: texts on one line, never an empty title."""
    changes = {name: plain(getattr(each, name)) or "-" for name in ("title", "account", "action")}
    return each.model_copy(update=changes)


def _all(instance: str, token: str) -> dict[str, dict[str, Any]]:
    """Every opportunity, read by a client that is not ours."""
    client = Salesforce(instance_url=instance, session_id=token, version="62.0")
    client.base_url = f"{instance}/services/data/v62.0/"
    soql = "SELECT OneLead_ID__c, Name, Description, Account.Name FROM Opportunity"
    return {row["OneLead_ID__c"]: row for row in client.query_all_iter(soql)}
