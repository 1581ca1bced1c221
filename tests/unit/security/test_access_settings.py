"""How Kafka and PostgreSQL are reached: what fits together, secrets from files, and nothing told of them."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import ValidationError
from sqlalchemy.engine import make_url

from onelead.settings import EditionSettings
from shared.access import AccessSettings
from shared.db.engine import make_engine
from shared.errors import UserError
from shared.messaging.security import broker_security, client_arguments
from shared.settings import ServiceSettings, load_settings

SECRET = "s3cret-word"  # noqa: S105 - of nobody
LOGIN: dict[str, Any] = {
    "kafka_security": "SASL_SSL",
    "kafka_username": "u",
    "kafka_password": SECRET,
}
BASE: dict[str, Any] = {
    "kafka_bootstrap": "k:1",
    "database_url": f"postgresql+asyncpg://u:{SECRET}@h/d",
}


def refused(**given: Any) -> str:
    with pytest.raises(UserError) as error:
        load_settings(AccessSettings, **given)
    return error.value.message


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"postgresql://u:{SECRET}@h/d", "it begins with postgresql://"),
        (f"postgresql+asyncpg://u:{SECRET}@h:99999/d", "there is no port 99999"),
        (f"postgresql+asyncpg://u:{SECRET}@h:many/d", "it is no address"),
        (f"{SECRET} and more", "it is no address"),
    ],
)
@pytest.mark.parametrize("settings", [EditionSettings, ServiceSettings])
def test_an_address_that_the_driver_cannot_use_is_refused_and_not_shown(
    address: str, said: str, settings: type[AccessSettings]
) -> None:
    with pytest.raises(UserError) as error:
        load_settings(settings, **{**BASE, "database_url": address})
    assert error.value.message.startswith(f"ONELEAD_DATABASE_URL: {said}")
    assert SECRET not in error.value.message


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_security": "SASL_SSL"}, "ONELEAD_KAFKA_USERNAME is needed"),
        ({**LOGIN, "kafka_password": None}, "ONELEAD_KAFKA_PASSWORD is needed"),
        ({**LOGIN, "kafka_security": "SSL"}, "ONELEAD_KAFKA_USERNAME is used with"),
        ({**LOGIN, "kafka_security": "SASL_PLAINTEXT"}, "ONELEAD_KAFKA_SECURITY: "),
        ({"kafka_ca_file": "/a"}, "ONELEAD_KAFKA_CA_FILE is used with"),
        ({"kafka_security": "SSL", "kafka_key_file": "/k"}, "ONELEAD_KAFKA_KEY_FILE belongs to"),
        ({"database_ca_file": "/a"}, "ONELEAD_DATABASE_CA_FILE is used with"),
        ({"database_sslmode": "require"}, "ONELEAD_DATABASE_SSLMODE: "),
        (
            {"database_password_file": "/none"},
            "ONELEAD_DATABASE_PASSWORD_FILE: /none cannot be read: No such file",
        ),
    ],
)
def test_half_an_access_is_refused_with_the_name_of_what_is_missing(
    given: dict[str, Any], said: str
) -> None:
    message = refused(**given)
    assert message.startswith(said)
    assert SECRET not in message


def test_a_secret_is_taken_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    file = tmp_path / "word"
    file.write_text(f"{SECRET}\n")
    given = {**LOGIN, "kafka_password": None, "kafka_password_file": file}
    access = AccessSettings(**given, database_password_file=file)
    assert client_arguments(access)["sasl_plain_password"] == SECRET
    assert access.database_password is not None
    assert access.database_password.get_secret_value() == SECRET
    assert SECRET not in repr(access)


def test_a_secret_that_is_set_wins_over_its_file(tmp_path: Path) -> None:
    access = AccessSettings(**LOGIN, kafka_password_file=tmp_path / "none")
    assert client_arguments(access)["sasl_plain_password"] == SECRET


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe"])
def test_a_file_without_a_secret_in_it_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "word"
    file.write_bytes(content)
    assert str(file) in refused(database_password_file=file)


@pytest.mark.parametrize("shown", [repr, str, lambda s: f"{s.model_fields_set} {s!r}"])
def test_settings_show_no_secret(shown: Any) -> None:
    settings = ServiceSettings(**BASE, **LOGIN, database_password=SECRET)
    assert SECRET not in shown(settings)
    assert "u:***@h/d" in repr(settings)
    assert SECRET not in repr(EditionSettings(**BASE, **LOGIN))
    assert SECRET not in repr(settings.url())


def test_an_address_that_is_none_shows_nothing() -> None:
    with pytest.raises(ValidationError) as error:
        ServiceSettings(kafka_bootstrap="k", database_url=f"u:{SECRET}@h")
    assert SECRET not in str(error.value)
    assert SECRET not in repr(error.value)


def test_without_settings_a_client_is_given_nothing() -> None:
    assert client_arguments(AccessSettings()) == {}
    assert broker_security(AccessSettings()) is None


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
def test_every_client_logs_in_alike_and_checks_the_brokers_name(mechanism: Any) -> None:
    access = AccessSettings(**LOGIN, kafka_mechanism=mechanism)
    arguments = client_arguments(access)
    assert arguments["security_protocol"] == "SASL_SSL"
    assert arguments["sasl_mechanism"] == mechanism
    assert arguments["ssl_context"].check_hostname
    assert arguments["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    security = broker_security(access)
    assert security is not None
    assert security.use_ssl
    assert security.ssl_context is not None
    assert security.ssl_context.check_hostname


def test_an_authority_of_ones_own_is_the_only_one_believed(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    access = AccessSettings(kafka_security="SSL", kafka_ca_file=tmp_path / "authority.pem")
    arguments = client_arguments(access)
    assert set(arguments) == {"security_protocol", "ssl_context"}
    assert len(arguments["ssl_context"].get_ca_certs()) == 1


@pytest.mark.parametrize("name", ["kafka_ca_file", "kafka_certificate_file"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_that_holds_no_certificate_is_named(
    tmp_path: Path, name: str, content: str | None
) -> None:
    file = tmp_path / "x.pem"
    if content is not None:
        file.write_text(content)
    given: dict[str, Any] = {"kafka_security": "SSL", name: file}
    with pytest.raises(UserError, match=f"ONELEAD_{name.upper()}: {file}"):
        client_arguments(AccessSettings(**given))


def test_a_databases_wanted_encryption_stands_in_every_roles_address(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "a.pem")
    settings = ServiceSettings(
        **BASE, database_sslmode="verify-full", database_ca_file=tmp_path / "a.pem"
    )
    for suffix in ("", "_relay"):
        url = settings.url(suffix)
        assert dict(url.query) == {"sslmode": "verify-full", "sslrootcert": str(tmp_path / "a.pem")}
        assert url.username == f"u{suffix}"


@pytest.mark.parametrize("mode", ["require", "verify-ca", "allow", "nonsense"])
def test_a_mode_that_looks_safe_and_checks_no_name_is_refused(mode: str) -> None:
    url = make_url(f"postgresql+asyncpg://u@h/d?sslmode={mode}")
    with pytest.raises(UserError, match=f"sslmode {mode}"):
        make_engine(url, application="test", pool_size=1)


def test_a_missing_authority_of_the_database_is_named() -> None:
    url = make_url("postgresql+asyncpg://u@h/d?sslmode=verify-full&sslrootcert=/none.pem")
    with pytest.raises(UserError, match=r"ONELEAD_DATABASE_CA_FILE: /none\.pem"):
        make_engine(url, application="test", pool_size=1)


def test_the_kafka_that_a_machine_starts_for_itself_is_never_asked_for_a_password() -> None:
    with pytest.raises(UserError, match="needs ONELEAD_KAFKA_BOOTSTRAP"):
        load_settings(EditionSettings, **LOGIN)
