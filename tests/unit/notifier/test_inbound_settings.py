from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.notifier.channels.crm.salesforce_login import SalesforceSink
from services.notifier.inbound.unsubscribing import Unsubscribing
from services.notifier.settings import NotifierSettings
from shared.errors import UserError
from shared.settings import load_settings

URL = "https://out.example"
WORD = "a-secret-of-many-letters"
WAY_OUT = Unsubscribing(SecretStr(WORD), URL)
JWT = {
    "salesforce_url": "https://acme.my.salesforce.com",
    "salesforce_client_id": "id",
    "salesforce_username": "u@x.example",
    "salesforce_private_key": "k3y-word",
}


def settings(**values: Any) -> NotifierSettings:
    base = {"kafka_bootstrap": "k:1", "database_url": "postgresql+asyncpg://u@h/d"}
    return load_settings(NotifierSettings, **base, **values)


def test_nothing_listens_and_nobody_can_unsubscribe_unless_it_is_said() -> None:
    assert settings().inbound_port is None
    assert settings().unsubscribing() is None


def test_unsubscribing_needs_an_address_and_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{WORD}\n")
    found = settings(inbound_url=URL, inbound_secret_file=file).unsubscribing()
    assert found is not None
    assert found.url("default", "a@b.example").startswith(f"{URL}/unsubscribe/")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"inbound_url": URL}, "ONELEAD_INBOUND_SECRET is not set"),
        ({"inbound_secret": WORD}, "ONELEAD_INBOUND_URL is not set"),
        ({"inbound_url": URL, "inbound_secret": "sh0rt"}, "shorter than 16"),
    ],
)
def test_half_of_unsubscribing_is_refused(values: dict[str, str], named: str) -> None:
    with pytest.raises(UserError, match=named) as refusal:
        settings(**values).unsubscribing()
    assert "sh0rt" not in str(refusal.value)


def test_salesforce_is_entered_with_a_key_too() -> None:
    sink = settings(**JWT).sinks()["salesforce"]
    assert isinstance(sink, SalesforceSink)
    assert (sink.username, sink.client_secret) == ("u@x.example", None)
    assert "k3y-word" not in repr(sink)


@pytest.mark.parametrize("missing", ["salesforce_username", "salesforce_private_key"])
def test_half_of_a_jwt_login_is_refused(missing: str) -> None:
    values = {name: value for name, value in JWT.items() if name != missing}
    with pytest.raises(UserError, match=f"ONELEAD_{missing.upper()} not set"):
        settings(**values).sinks()


def test_two_ways_to_log_in_are_refused() -> None:
    with pytest.raises(UserError, match="are both set"):
        settings(**JWT, salesforce_client_secret="word").sinks()  # noqa: S106


@given(st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True), st.text(max_size=200))
def test_a_token_says_whom_it_was_made_for(tenant: str, address: str) -> None:
    address = address.encode(errors="ignore").decode()
    assert WAY_OUT.read(WAY_OUT.token(tenant, address)) == (tenant, address)


@given(st.text(max_size=300))
def test_no_other_text_is_a_token(text: str) -> None:
    assert WAY_OUT.read(text) is None
    assert WAY_OUT.read(f"{text}.{text}") is None


def test_a_token_and_its_maker_do_not_tell_the_secret() -> None:
    assert WORD not in repr(WAY_OUT)
    assert WORD not in WAY_OUT.token("default", "a@b.example")
