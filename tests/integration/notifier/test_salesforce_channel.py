from typing import Any

import pytest

from onelead.standins.app import Addresses, running
from onelead.standins.settings import StandinSettings
from services.notifier.channels.salesforce import SalesforceChannel
from services.notifier.domain.attempt import (
    Delivered,
    Outcome,
    Rejected,
    Retryable,
    Unsure,
)
from services.notifier.domain.message import Alert, Content, Withdrawal
from tests.integration.notifier.conftest import Inside, a_delivery, notifier_settings
from tests.support.notifier_builders import alert

OPEN = Delivered("account left open: no account has the name Apple Inc")


async def send(
    addresses: Addresses, content: Content | None = None, *, episode: int = 1, **changes: Any
) -> Outcome:
    channel = SalesforceChannel.from_settings(notifier_settings(addresses, **changes))
    assert channel is not None
    delivery = a_delivery("salesforce", "crm", episode=episode)
    try:
        return await channel.send(channel.render(content or alert(), delivery))
    finally:
        await channel.close()


async def record(inside: Inside) -> dict[str, Any]:
    found: dict[str, Any] = (await inside.messages("salesforce"))[-1]["content"]["record"]
    return found


async def test_an_alert_becomes_an_opportunity_of_its_account(
    standins: Addresses, inside: Inside
) -> None:
    await inside.accounts("Banana AG", "apple inc")
    assert await send(standins) == Delivered()
    found = await record(inside)
    assert found["Account"] == "apple inc"
    assert found["OneLead_ID__c"] == alert().lead_id
    assert (found["StageName"], found["CloseDate"], found["Amount"]) == (
        "Qualification",
        "2025-11-23",
        10525.0,
    )


async def test_an_unknown_account_is_left_open_and_said_so(
    standins: Addresses, inside: Inside
) -> None:
    assert await send(standins) == OPEN
    found = await record(inside)
    assert "AccountId" not in found
    assert "no account has the name Apple Inc" in found["Description"]


async def test_an_account_of_two_is_not_guessed(standins: Addresses, inside: Inside) -> None:
    await inside.accounts("Apple Inc", "Apple Inc")
    assert await send(standins) == Delivered(
        "account left open: 2 accounts have the name Apple Inc"
    )


@pytest.mark.parametrize("name", ["O'Neil \\ Söhne", "' OR Name LIKE '%", "東日本電信電話株式会社"])
async def test_any_account_name_is_found_as_itself_only(
    standins: Addresses, inside: Inside, name: str
) -> None:
    await inside.accounts("Apple Inc", name)
    assert await send(standins, alert(account=name)) == Delivered()
    assert (await record(inside))["Account"] == name


async def test_the_same_alert_twice_is_one_opportunity(standins: Addresses, inside: Inside) -> None:
    assert await send(standins) == await send(standins) == OPEN
    summary = await inside.summary()
    assert summary["deliveries"]["salesforce"] == 1


async def test_a_withdrawal_tells_the_reason_and_leaves_the_stage(
    standins: Addresses, inside: Inside
) -> None:
    await send(standins)
    assert await send(standins, Withdrawal(alert=alert(), reason="support renewed")) == Delivered()
    found = await record(inside)
    assert found["OneLead_Status__c"] == "Withdrawn"
    assert found["StageName"] == "Qualification"
    assert found["Description"].startswith("Withdrawn by OneLead: support renewed.")


async def test_a_withdrawal_of_what_the_crm_does_not_hold_creates_nothing(
    standins: Addresses, inside: Inside
) -> None:
    outcome = await send(standins, Withdrawal(alert=alert(), reason="gone"))
    assert outcome == Delivered("nothing to withdraw: the CRM holds no such opportunity")
    assert (await inside.summary())["deliveries"]["salesforce"] == 0


async def test_a_second_episode_reopens_the_opportunity_without_touching_its_stage(
    standins: Addresses, inside: Inside
) -> None:
    await send(standins)
    await send(standins, Withdrawal(alert=alert(), reason="gone"))
    await send(standins, alert(score=90.0), episode=2)
    (*_, last) = await inside.messages("salesforce")
    assert not {"StageName", "CloseDate"} & last["content"]["sent"].keys()
    assert last["content"]["record"]["OneLead_Status__c"] == "Open"
    assert last["content"]["record"]["OneLead_Score__c"] == 90.0


async def test_a_second_episode_of_what_the_crm_lost_creates_it_again(
    standins: Addresses, inside: Inside
) -> None:
    assert await send(standins, episode=2) == OPEN
    assert (await record(inside))["StageName"] == "Qualification"


async def test_an_expired_token_is_replaced_unnoticed(standins: Addresses, inside: Inside) -> None:
    channel = SalesforceChannel.from_settings(notifier_settings(standins))
    assert channel is not None
    rendered = channel.render(alert(), a_delivery("salesforce", "crm"))
    assert await channel.send(rendered) == OPEN
    await inside.faults(expire_tokens=True)
    assert await channel.send(rendered) == OPEN
    await channel.close()


async def test_a_wrong_secret_is_for_the_operator_to_mend(standins: Addresses) -> None:
    wrong = {"salesforce_client_secret": "wrong-w0rd"}
    outcome = await send(standins, **wrong)  # type: ignore[arg-type]
    assert outcome == Retryable("Salesforce gave no token, it answered 400")


async def test_a_used_up_day_rests_the_sink(standins: Addresses, inside: Inside) -> None:
    await inside.faults(daily_calls_left=0)
    outcome = await send(standins)
    assert isinstance(outcome, Retryable)
    assert outcome.pause_s == 900
    assert "REQUEST_LIMIT_EXCEEDED" in outcome.reason


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
    standins: Addresses, inside: Inside, fault: dict[str, Any], kind: type[Outcome]
) -> None:
    await inside.faults(salesforce=fault)
    assert isinstance(await send(standins), kind)


async def test_a_lost_answer_is_unsure(standins: Addresses, inside: Inside) -> None:
    await inside.faults(drop_after_accept=1)
    assert isinstance(await send(standins), Unsure)


async def test_nobody_listening_means_that_nothing_was_sent(standins: Addresses) -> None:
    assert await send(standins, salesforce_url="http://127.0.0.1:9") == Retryable(
        "no token: ConnectError"
    )


async def test_hostile_and_endless_texts_are_taken(standins: Addresses, inside: Inside) -> None:
    text = "<script>alert(1)</script>' \\ 🦖" * 2_000
    hostile: Alert = alert(title=text, action=text)
    assert await send(standins, hostile) == OPEN
    assert (await inside.summary())["rejected"]["salesforce"] == 0


async def test_an_old_api_version_answers_an_update_with_nothing() -> None:
    async with running(StandinSettings()) as addresses:
        for _ in range(2):
            outcome = await send(addresses, salesforce_api_version="v45.0")
            assert outcome == OPEN
