"""`onelead notify test` against the stand-ins: what the sink got, and what the command says of it."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest

from onelead.standins.app import Addresses
from tests.integration.notifier.conftest import Inside
from tests.support.command import run_onelead

FILE = """\
sinks:
  hook: {{channel: slack, webhook_url: {{env: HOOK}}}}
  mail:
    channel: email
    host: {at.mail_host}
    port: {at.mail_port}
    security: none
    sender: onelead@example.com
    recipients: [first@example.com, second@example.com]
"""
SAID = "A test message of OneLead"


class Command:
    """The command with a notify file whose sinks are the stand-ins."""

    def __init__(self, addresses: Addresses, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "notify.yaml"
        self._file.write_text(FILE.format(at=addresses))
        self._hook = addresses.slack_webhook_url

    async def test(
        self, *arguments: str, trusted: str = "127.0.0.1"
    ) -> subprocess.CompletedProcess[str]:
        """Runs it aside, so that the stand-ins can answer."""
        settings: dict[str, Any] = {
            "HOOK": self._hook,
            "ONELEAD_NOTIFY_FILE": self._file,
            "ONELEAD_OUTBOUND_TRUSTED": trusted,
        }
        words = ("notify", "test", *arguments)
        run = asyncio.to_thread(run_onelead, *words, home=self._folder, settings=settings)
        result = await run
        assert self._hook.rpartition("/")[2] not in result.stdout + result.stderr
        return result


@pytest.fixture
def command(standins: Addresses, tmp_path: Path) -> Command:
    return Command(standins, tmp_path)


async def test_a_test_message_arrives_and_the_answer_is_told(
    command: Command, inside: Inside
) -> None:
    result = await command.test("hook")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("hook (slack T0STANDIN/B0ALERTS) took the test message")
    (message,) = await inside.messages("slack")
    assert message["problem"] is None
    assert SAID in str(message)


async def test_each_test_is_a_message_of_its_own(command: Command, inside: Inside) -> None:
    for address in ("second@example.com", "second@example.com", "first@example.com"):
        assert (await command.test("mail", "--to", address)).returncode == 0
    assert (await command.test("mail")).returncode == 0
    messages = await inside.messages("email")
    assert len(messages) == 4
    assert all(SAID in str(message) for message in messages)


async def test_a_sink_that_refuses_ends_with_what_it_said(command: Command, inside: Inside) -> None:
    await inside.faults(slack={"status": 403, "count": 1})
    result = await command.test("hook")
    assert result.returncode == 1
    assert "hook (slack T0STANDIN/B0ALERTS): " in result.stderr
    assert "403" in result.stderr
    assert result.stdout == ""


async def test_an_address_that_must_not_be_called_is_not_called(
    command: Command, inside: Inside
) -> None:
    result = await command.test("hook", trusted="mail.example.com")
    assert result.returncode == 2
    assert "only https is allowed" in result.stderr
    assert await inside.messages("slack") == []
