import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from onelead.standins.app import Addresses, running
from onelead.standins.archive import Archive
from onelead.standins.faults import Faults
from onelead.standins.mail import MailReceiver
from onelead.standins.settings import StandinSettings
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.domain.attempt import (
    Delivered,
    Outcome,
    Rejected,
    Retryable,
    Unsure,
)
from services.notifier.domain.message import Alert
from tests.integration.notifier.conftest import Inside, a_delivery, notifier_settings
from tests.support.notifier_builders import alert


async def send(addresses: Addresses, content: Alert | None = None, **changes: Any) -> Outcome:
    channel = SmtpChannel.from_settings(notifier_settings(addresses, **changes))
    assert channel is not None
    delivery = a_delivery("email", channel.targets[0].address)
    return await channel.send(channel.render(content or alert(), delivery))


async def test_an_alert_arrives_with_text_and_html(standins: Addresses, inside: Inside) -> None:
    assert await send(standins) == Delivered()
    (message,) = await inside.messages("email")
    content = message["content"]
    assert content["headers"]["Subject"].startswith("Action Required: Support Renewal")
    assert content["recipients"] == "rep@example.com"
    assert "Apple Inc" in content["text"]
    assert "<h1>" in content["html"]


async def test_hostile_text_goes_to_nobody_else(standins: Addresses, inside: Inside) -> None:
    text = "x\r\nBcc: evil@example.com\r\n.\r\nMAIL FROM:<evil@example.com>\r\n"
    hostile = alert(title=text, account=text, action=text, lead_id=text)
    assert await send(standins, hostile) == Delivered()
    (message,) = await inside.messages("email")
    assert message["content"]["recipients"] == "rep@example.com"


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
@pytest.mark.parametrize(("status", "kind"), [(451, Retryable), (421, Retryable), (554, Rejected)])
async def test_a_refusal_means_the_same_at_every_command(
    standins: Addresses, inside: Inside, at: str, status: int, kind: type[Outcome]
) -> None:
    await inside.faults(email={"status": status, "at": at})
    outcome = await send(standins)
    assert isinstance(outcome, kind)
    assert f"the mail server answered {status}" in repr(outcome)
    assert (await inside.summary())["deliveries"]["email"] == 0


@pytest.mark.parametrize("address", ["rep@example..com", "rep@", "@example.com", "rep@.example"])
async def test_the_server_refuses_malformed_addresses(standins: Addresses, address: str) -> None:
    client = aiosmtplib.SMTP(hostname=standins.mail_host, port=standins.mail_port)
    async with client:
        await client.ehlo()
        await client.execute_command(b"MAIL FROM:<a@b.c>")
        answer = await client.execute_command(f"RCPT TO:<{address}>".encode())
    assert answer.code in {501, 553}


async def test_a_message_above_the_servers_limit_is_rejected() -> None:
    async with running(StandinSettings(mail_max_bytes=1_000)) as small:
        outcome = await send(small)
    assert isinstance(outcome, Rejected)
    assert "552" in outcome.reason


async def test_a_lost_answer_to_the_message_is_unsure(standins: Addresses, inside: Inside) -> None:
    await inside.faults(drop_after_accept={"email": 1})
    assert isinstance(await send(standins), Unsure)
    assert (await inside.summary())["deliveries"]["email"] == 1


async def test_nobody_listening_means_that_nothing_was_sent(standins: Addresses) -> None:
    assert isinstance(await send(standins, mail_port=9), Retryable)


async def test_no_mail_leaves_unencrypted_when_encryption_was_asked_for(
    standins: Addresses, inside: Inside
) -> None:
    for security in ("starttls", "tls"):
        assert isinstance(await send(standins, mail_security=security), Retryable)
    assert await inside.messages("email") == []


@asynccontextmanager
async def guarded_server(archive: Archive) -> AsyncIterator[int]:
    """A mail server that wants a name and a password."""

    def authenticate(
        _server: Any, _session: Any, _envelope: Any, _how: str, login: Any
    ) -> AuthResult:
        right = (login.login, login.password) == (b"onelead", b"s3cr3t")
        return AuthResult(success=right, handled=False)

    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            MailReceiver(archive, Faults()),
            hostname="guarded",
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=False,
        ),
        "127.0.0.1",
        0,
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_login_is_used_and_a_wrong_one_is_for_the_operator_to_mend(
    standins: Addresses,
) -> None:
    archive = Archive(10)
    async with guarded_server(archive) as port:
        login: dict[str, Any] = {
            "mail_port": port,
            "mail_username": "onelead",
            "mail_password": "s3cr3t",
        }
        assert await send(standins, **login) == Delivered()
        outcome = await send(standins, **(login | {"mail_password": "wrong-w0rd"}))
    assert isinstance(outcome, Retryable)
    assert "535" in outcome.reason
    assert "wrong-w0rd" not in outcome.reason
    assert archive.summary()["deliveries"]["email"] == 1
