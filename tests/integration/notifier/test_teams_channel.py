from typing import Any

import pytest
from pydantic import SecretStr

from onelead.standins.app import Addresses
from services.notifier.channels.teams import TeamsChannel, TeamsSink
from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable, Unsure
from services.notifier.domain.contents import Content
from services.notifier.domain.delivery import Purpose
from shared.outbound import OutboundPolicy
from tests.integration.notifier.conftest import Inside, a_delivery
from tests.support.notifier_builders import alert
from tests.support.told_contents import each_content

HERE = OutboundPolicy(frozenset({"127.0.0.1"}))
TAKEN = Delivered(status=202)


async def send(
    addresses: Addresses,
    content: Content | None = None,
    purpose: Purpose = Purpose.ALERT,
    url: str | None = None,
) -> Outcome:
    sink = TeamsSink(workflow_url=SecretStr(url or addresses.teams_url))
    teams = TeamsChannel.open(sink, HERE)
    delivery = a_delivery("teams", teams.targets[0].address, purpose=purpose)
    try:
        return await teams.send(teams.render(content or alert(), delivery))
    finally:
        await teams.close()


async def test_an_alert_arrives_as_a_card(standins: Addresses, inside: Inside) -> None:
    assert await send(standins) == TAKEN
    (message,) = await inside.messages("teams")
    assert message["problem"] is None
    assert message["content"]["attachments"][0]["content"]["type"] == "AdaptiveCard"


@pytest.mark.parametrize("purpose", sorted(TeamsChannel.accepts))
async def test_each_purpose_that_it_accepts_arrives(
    standins: Addresses, inside: Inside, purpose: Purpose
) -> None:
    assert await send(standins, each_content("**[x](y)** <at>")[purpose], purpose) == TAKEN
    assert (await inside.summary())["rejected"]["teams"] == 0


@pytest.mark.parametrize(
    "text", ["[x](javascript:1)", "🦖" * 50_000, "{{DATE(1)}}", "\x00\ud800", '"' * 99_999]
)
async def test_teams_takes_an_alert_whatever_its_text(
    standins: Addresses, inside: Inside, text: str
) -> None:
    assert await send(standins, alert(title=text, account=text, action=text)) == TAKEN
    assert (await inside.summary())["rejected"]["teams"] == 0


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"status": 400, "error": "TriggerInputSchemaMismatch"}, Rejected("400", 400)),
        (
            {"status": 400, "error": "WorkflowTriggerIsNotEnabled"},
            Retryable("400", None, 400, "refused"),
        ),
        ({"status": 401}, Retryable("401", None, 401, "auth")),
        ({"status": 404}, Retryable("404", None, 404, "refused")),
        ({"status": 410}, Rejected("410", 410, "gone", gone=True)),
        ({"status": 413}, Rejected("413", 413)),
        ({"status": 429, "retry_after": 7}, Retryable("429", 7.0, 429, "limited")),
        ({"status": 429}, Retryable("429", 30.0, 429, "limited")),
        ({"status": 503, "retry_after": 9}, Retryable("503", 9.0, 503, "server")),
        ({"status": 500}, Unsure("500", 500, "server")),
        ({"status": 504}, Unsure("504", 504, "server")),
        ({"drop": True}, Unsure("no answer", None, "lost")),
    ],
)
async def test_each_answer_of_the_workflow_has_its_outcome(
    standins: Addresses,
    inside: Inside,
    fault: dict[str, Any],
    outcome: Rejected | Retryable | Unsure,
) -> None:
    await inside.faults(teams=fault)
    found = await send(standins)
    assert isinstance(found, type(outcome))
    assert isinstance(found, Rejected | Retryable | Unsure)
    assert outcome.reason in found.reason
    assert (found.status, found.error) == (outcome.status, outcome.error)
    for name in ("pause_s", "gone"):
        assert getattr(found, name, None) == getattr(outcome, name, None)


async def test_a_wrong_signature_can_be_mended(standins: Addresses) -> None:
    wrong = standins.teams_url.replace("sig=standin", "sig=guess")
    found = await send(standins, url=wrong)
    assert isinstance(found, Retryable)
    assert (found.status, found.error) == (403, "auth")
