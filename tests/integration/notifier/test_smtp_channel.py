"""Mails through a real SMTP server (aiosmtpd): what arrives, what is refused, what never leaves."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult
from pydantic import SecretStr

from onelead.standins.app import Addresses, running
from onelead.standins.archive import Archive
from onelead.standins.faults import Faults
from onelead.standins.mail import MailReceiver
from onelead.standins.settings import StandinSettings
from services.notifier.channels.mail.samples import digest
from services.notifier.channels.mail.smtp import MailSink, SmtpChannel
from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable, Unsure
from services.notifier.domain.contents import Content, FollowUp, Outreach
from services.notifier.domain.delivery import Purpose
from shared import clock
from shared.errors import UserError
from shared.outbound import OutboundPolicy
from tests.integration.notifier.conftest import Inside, a_delivery
from tests.support.notifier_builders import alert

PASSWORD = "s3cr3t"  # noqa: S105 - of a server in this file


def channel_to(host: str, port: int, **changes: Any) -> SmtpChannel:
    values: dict[str, Any] = {
        "host": host,
        "port": port,
        "security": "none",
        "sender": "alerts@onelead.example",
        "recipients": ("rep@example.com",),
    }
    return SmtpChannel.open(MailSink(**(values | changes)), OutboundPolicy())


async def send(
    addresses: Addresses,
    content: Content | None = None,
    purpose: Purpose = Purpose.ALERT,
    **changes: Any,
) -> Outcome:
    values: dict[str, Any] = {"host": addresses.mail_host, "port": addresses.mail_port} | changes
    channel = channel_to(**values)
    delivery = a_delivery("email", channel.targets[0].address, purpose=purpose)
    try:
        return await channel.send(channel.render(content or alert(), delivery))
    finally:
        await channel.close()


async def test_an_alert_arrives_with_text_and_html(standins: Addresses, inside: Inside) -> None:
    assert await send(standins) == Delivered(status=250)
    (message,) = await inside.messages("email")
    content = message["content"]
    assert content["headers"]["Subject"].startswith("Action Required: Support Renewal")
    assert content["recipients"] == "rep@example.com"
    assert "Apple Inc" in content["text"]
    assert "<h1" in content["html"]


async def test_an_invitation_a_digest_and_a_letter_arrive(
    standins: Addresses, inside: Inside
) -> None:
    follow_up = FollowUp(kind="set", alert=alert(), at=clock.now(), note="", owner=None)
    assert await send(standins, follow_up, Purpose.FOLLOW_UP) == Delivered(status=250)
    assert await send(standins, digest("weekly"), Purpose.WEEKLY_SUMMARY) == Delivered(status=250)
    letter = Outreach(
        tenant_id="default",
        lead_id="lead-1",
        campaign="drip",
        step=0,
        subject="Support for your server has ended",
        text="Good day",
        html="<p>Good day</p>",
        unsubscribe_url="https://onelead.example/u/1",
        to="it@customer.example",
    )
    outreach: dict[str, Any] = {"outreach": True, "recipients": ()}
    assert await send(standins, letter, Purpose.OUTREACH, **outreach) == Delivered(status=250)
    invited, weekly, written = [m["content"] for m in await inside.messages("email")]
    assert invited["attachments"][0]["type"] == "text/calendar"
    assert "▁▁▂▄▄▅▇█" in weekly["text"]
    assert written["recipients"] == "it@customer.example"
    assert written["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_hostile_text_goes_to_nobody_else(standins: Addresses, inside: Inside) -> None:
    text = "x\r\nBcc: evil@example.com\r\n.\r\nMAIL FROM:<evil@example.com>\r\n"
    hostile = alert(title=text, account=text, action=text, lead_id=text)
    assert await send(standins, hostile) == Delivered(status=250)
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
    assert isinstance(outcome, Retryable | Rejected)
    assert f"the mail server answered {status}" in outcome.reason
    refused = "recipient" if at == "rcpt" else "rejected"
    assert (outcome.status, outcome.error) == (status, refused if status == 554 else "server")
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
    assert outcome.status == 552


async def test_a_lost_answer_to_the_message_is_unsure(standins: Addresses, inside: Inside) -> None:
    await inside.faults(drop_after_accept={"email": 1})
    outcome = await send(standins)
    assert isinstance(outcome, Unsure)
    assert outcome.error == "lost"
    assert (await inside.summary())["deliveries"]["email"] == 1


async def test_nobody_listening_means_that_nothing_was_sent(standins: Addresses) -> None:
    outcome = await send(standins, port=9)
    assert isinstance(outcome, Retryable)
    assert outcome.error == "connect"


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifier.channels.mail.smtp.TIMEOUT_S", 0.3)
    async with silent_server() as port:
        channel = channel_to("127.0.0.1", port)
        delivery = a_delivery("email", "rep@example.com")
        outcome = await channel.send(channel.render(alert(), delivery))
    assert isinstance(outcome, Retryable)
    assert outcome.error == "timeout"


async def test_no_mail_leaves_unencrypted_when_encryption_was_asked_for(
    standins: Addresses, inside: Inside
) -> None:
    for security in ("starttls", "tls"):
        assert isinstance(await send(standins, security=security), Retryable)
    assert await inside.messages("email") == []


class Guarded:
    """A mail server that wants a name and a password, with encryption if it is given a certificate."""

    def __init__(self, certificate: trustme.LeafCert | None = None) -> None:
        self.archive = Archive(10)
        self.tls: ssl.SSLContext | None = None
        if certificate is not None:
            self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(self.tls)

    @property
    def taken(self) -> int:
        return self.archive.summary()["deliveries"]["email"]  # type: ignore[no-any-return]

    @asynccontextmanager
    async def listening(self, *, at_once: bool = False) -> AsyncIterator[int]:
        """The port. `at_once`: encrypted from the first byte, else by STARTTLS."""
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(
                MailReceiver(self.archive, Faults()),
                hostname="guarded",
                authenticator=_authenticate,
                auth_required=True,
                auth_require_tls=self.tls is not None and not at_once,
                tls_context=None if at_once else self.tls,
                require_starttls=self.tls is not None and not at_once,
            ),
            "127.0.0.1",
            0,
            ssl=self.tls if at_once else None,
        )
        async with server:
            yield server.sockets[0].getsockname()[1]


def _authenticate(_server: Any, _session: Any, _envelope: Any, _how: str, login: Any) -> AuthResult:
    right = (login.login, login.password) == (b"onelead", PASSWORD.encode())
    return AuthResult(success=right, handled=False)


async def deliver(port: int, **changes: Any) -> Outcome:
    values: dict[str, Any] = {"username": "onelead", "password": {"env": "MAIL_TEST_PASSWORD"}}
    channel = channel_to("localhost", port, **(values | changes))
    delivery = a_delivery("email", "rep@example.com")
    return await channel.send(channel.render(alert(), delivery))


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("MAIL_TEST_PASSWORD", PASSWORD)
    return monkeypatch


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """A certificate authority of the house, and the file that holds its certificate."""
    found, path = trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem"
    found.cert_pem.write_to_path(str(path))
    return found, path


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_login_is_used_and_a_wrong_one_is_for_the_operator_to_mend(
    password: pytest.MonkeyPatch,
) -> None:
    guarded = Guarded()
    async with guarded.listening() as port:
        assert await deliver(port) == Delivered(status=250)
        password.setenv("MAIL_TEST_PASSWORD", "wrong-w0rd")
        outcome = await deliver(port)
    assert isinstance(outcome, Retryable)
    assert (outcome.status, outcome.error) == (535, "auth")
    assert "wrong-w0rd" not in outcome.reason
    assert guarded.taken == 1


SECURITIES = pytest.mark.parametrize("security", ["starttls", "tls"])


@SECURITIES
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_trusted_server_gets_login_and_mail_encrypted(
    password: pytest.MonkeyPatch, authority: tuple[trustme.CA, Path], security: str
) -> None:
    ca, file = authority
    guarded = Guarded(ca.issue_cert("localhost"))
    async with guarded.listening(at_once=security == "tls") as port:
        assert await deliver(port, security=security, ca_file=file) == Delivered(status=250)
    assert guarded.taken == 1


@SECURITIES
@pytest.mark.parametrize("flaw", ["another authority", "another name", "system's authorities"])
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_server_that_cannot_be_trusted_gets_nothing(
    password: pytest.MonkeyPatch, authority: tuple[trustme.CA, Path], security: str, flaw: str
) -> None:
    ca, file = authority
    issuer = trustme.CA() if flaw == "another authority" else ca
    name = "elsewhere.example" if flaw == "another name" else "localhost"
    guarded = Guarded(issuer.issue_cert(name))
    given = None if flaw == "system's authorities" else file
    async with guarded.listening(at_once=security == "tls") as port:
        outcome = await deliver(port, security=security, ca_file=given)
    assert isinstance(outcome, Retryable)
    assert outcome.error == "tls"
    assert guarded.taken == 0


def test_a_login_in_the_clear_is_for_a_server_on_this_machine_only() -> None:
    with pytest.raises(UserError, match="in the clear"):
        channel_to("mail.example.com", 25, username="onelead", password=SecretStr("s3cr3t"))


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    with pytest.raises(UserError, match=r"ca\.pem"):
        channel_to("localhost", 25, security="tls", ca_file=tmp_path / "ca.pem")
