"""Each command that reads the database says where it looked for it, and why it cannot be used."""

import pytest
from sqlalchemy.engine import make_url

from onelead.cli import run_command_line
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


def test_it_says_what_the_server_has_against_it(
    migrated: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = make_url(migrated.owner_url).set(database="never_made")
    monkeypatch.setenv("ONELEAD_DATABASE_URL", nowhere.render_as_string(hide_password=False))
    assert run_command_line(["leads", "list"]) == 1
    assert 'cannot be used: database "never_made" does not exist' in capsys.readouterr().err
