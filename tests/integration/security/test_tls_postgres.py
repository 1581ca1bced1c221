"""PostgreSQL behind TLS: the server proves who it is before it hears a password, and wants encryption."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from shared.db.engine import Database
from shared.db.guard import refuse_a_role_that_sees_too_much
from shared.settings import ServiceSettings
from tests.support.command import run_onelead
from tests.support.tls_postgres import PASSWORD, TlsPostgres, tls_postgres

pytestmark = pytest.mark.slow
_WORD = "word-of-the-services"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsPostgres]:
    with tls_postgres(tmp_path_factory.mktemp("tls")) as running:
        (running.folder / "services").write_text(f"{_WORD}\n")
        yield running


@pytest.fixture(scope="module")
def migrated_there(server: TlsPostgres, tmp_path_factory: pytest.TempPathFactory) -> TlsPostgres:
    """`onelead migrate`, as the owner, whose password is libpq's own setting."""
    settings = {
        "ONELEAD_DATABASE_URL": server.url(),
        "ONELEAD_DATABASE_SSLMODE": "verify-full",
        "ONELEAD_DATABASE_CA_FILE": server.authority,
        "ONELEAD_DATABASE_PASSWORD_FILE": server.folder / "services",
        "PGPASSWORD": PASSWORD,
    }
    done = run_onelead("migrate", home=tmp_path_factory.mktemp("none"), settings=settings)
    assert done.returncode == 0, done.stderr
    return server


def settings_for(
    server: TlsPostgres, host: str = "127.0.0.1", **changes: object
) -> ServiceSettings:
    values: dict[str, Any] = {
        "kafka_bootstrap": "none:1",
        "database_url": server.url(host).replace("onelead_owner", "onelead_scoring"),
        "database_password_file": server.folder / "services",
        "database_sslmode": "verify-full",
        "database_ca_file": server.authority,
    }
    return ServiceSettings(**{**values, **changes})


async def is_encrypted(settings: ServiceSettings) -> bool:
    database = Database.connect(settings.url(), application="test")
    statement = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    try:
        async with database.transaction() as connection:
            return bool(await connection.scalar(statement))
    finally:
        await database.close()


async def test_a_service_works_over_a_connection_whose_server_was_checked(
    migrated_there: TlsPostgres,
) -> None:
    settings = settings_for(migrated_there)
    assert await is_encrypted(settings)
    for suffix in ("", "_relay", "_tick", "_metrics"):
        database = Database.connect(settings.url(suffix), application="test")
        async with database.transaction() as connection:
            found = await connection.scalar(text("SELECT current_user"))
        await database.close()
        assert found == f"onelead_scoring{suffix}"
    database = Database.connect(settings.url(), application="test")
    await refuse_a_role_that_sees_too_much(database, "scoring")
    await database.close()


async def test_a_plain_connection_is_refused_where_encryption_is_wanted(
    migrated_there: TlsPostgres,
) -> None:
    plain = settings_for(migrated_there, database_sslmode="disable", database_ca_file=None)
    with pytest.raises(DBAPIError, match="no encryption") as refused:
        await is_encrypted(plain)
    assert _WORD not in str(refused.value)


async def test_a_server_that_is_not_who_it_says_is_refused_before_it_hears_the_password(
    migrated_there: TlsPostgres, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    unknown = settings_for(migrated_there, database_ca_file=tmp_path / "other.pem")
    other_name = settings_for(migrated_there, host="localhost")
    for settings in (unknown, other_name):
        with pytest.raises((OSError, DBAPIError), match="CERTIFICATE_VERIFY_FAILED") as refused:
            await is_encrypted(settings)
        assert _WORD not in str(refused.value)


async def test_the_wrong_password_is_refused_and_not_told(
    migrated_there: TlsPostgres, tmp_path: Path
) -> None:
    (tmp_path / "wrong").write_text("guessed-word")
    wrong = settings_for(migrated_there, database_password_file=tmp_path / "wrong")
    with pytest.raises(DBAPIError, match="password authentication failed") as refused:
        await is_encrypted(wrong)
    assert "guessed-word" not in str(refused.value)


async def test_a_command_says_what_is_wrong_with_the_certificate_in_one_line(
    server: TlsPostgres, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    settings = {
        "ONELEAD_DATABASE_URL": server.url().replace("@", f":{PASSWORD}@"),
        "ONELEAD_DATABASE_SSLMODE": "verify-full",
        "ONELEAD_DATABASE_CA_FILE": tmp_path / "other.pem",
    }
    done = await asyncio.to_thread(run_onelead, "migrate", home=tmp_path, settings=settings)
    assert done.returncode == 1
    assert "certificate verify failed" in done.stderr
    assert PASSWORD not in done.stderr
    assert str(make_url(server.url()).host) in done.stderr
