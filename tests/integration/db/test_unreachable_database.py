"""Each command that reads the database says where it looked for it, and why it cannot be used."""

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from onelead.cli import run_command_line
from onelead.opened_database import opened_database
from onelead.outage import outage
from shared.errors import UserError
from tests.faults.proxy import CUT, RESET, Disorder, Link
from tests.support.linked_postgres import linked_postgres
from tests.support.stack import Stack

NOWHERE = "postgresql+asyncpg://owner:secret@127.0.0.1:1/none"


@pytest.mark.parametrize(
    "command",
    [
        ("accounts", "review"),
        ("calendar",),
        ("campaigns", "list"),
        ("dead-letters", "list"),
        ("deliveries", "list"),
        ("digests",),
        ("explain", "lead"),
        ("imports", "list"),
        ("leads", "list"),
        ("migrate",),
        ("tenants", "list"),
        ("what-if", "--profile", "classic"),
    ],
    ids=lambda command: command[0],
)
def test_it_says_that_no_database_answers_there(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONELEAD_DATABASE_URL", NOWHERE)
    monkeypatch.setenv("ONELEAD_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    assert run_command_line(list(command)) == 1
    said = capsys.readouterr().err
    assert "Error: PostgreSQL at postgresql+asyncpg://" in said
    assert "127.0.0.1:1/none cannot be used: " in said
    assert "Connect call failed" in said
    assert "Hint: " in said
    assert "ONELEAD_DATABASE_URL" in said
    assert "secret" not in said


def test_nobody_reads_a_password_that_stands_behind_the_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONELEAD_DATABASE_URL", f"{NOWHERE}?password=behind")
    assert run_command_line(["leads", "list"]) == 1
    said = capsys.readouterr().err
    assert "cannot be used: " in said
    assert "behind" not in said


async def asked_over(
    link: Link, disorder: Disorder, url: str, *, within_transaction: bool = False
) -> None:
    """A question to a server, after something happened to the way there."""
    async with opened_database(url, None, "onelead_ingest", "test") as database:
        if not within_transaction:
            await link.set(disorder)
        async with database.transaction() as connection:
            await link.set(disorder)
            await connection.execute(text("SELECT 1"))


async def test_a_server_that_goes_away_under_a_command_is_told_by_its_address(
    migrated: Stack,
) -> None:
    async with linked_postgres(migrated.owner_url) as (link, url):
        with pytest.raises(UserError, match=r"PostgreSQL at .* cannot be used: "):
            await asked_over(link, CUT, url)


async def test_a_server_that_goes_away_in_a_transaction_is_told(migrated: Stack) -> None:
    async with linked_postgres(migrated.owner_url) as (link, url):
        with pytest.raises(DBAPIError) as raised:
            await asked_over(link, RESET, url, within_transaction=True)
    told = outage(raised.value)
    assert told is not None
    assert told.message.startswith("PostgreSQL stopped answering: ")


def test_it_says_what_the_server_has_against_it(
    migrated: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = make_url(migrated.owner_url).set(database="never_made")
    monkeypatch.setenv("ONELEAD_DATABASE_URL", nowhere.render_as_string(hide_password=False))
    assert run_command_line(["leads", "list"]) == 1
    assert 'cannot be used: database "never_made" does not exist' in capsys.readouterr().err
