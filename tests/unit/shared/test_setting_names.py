"""A misspelt setting is refused, by whichever program meets it; settings of other programs are not."""

import pytest
from pydantic_settings import BaseSettings

from onelead.settings import EditionSettings
from onelead.standins.settings import StandinSettings
from shared.errors import UserError
from shared.setting_names import SETTING_NAMES, misspelt
from shared.settings import ServiceSettings, load_settings
from tests.support.compose import SERVICE_SETTINGS


def test_the_list_holds_the_settings_of_every_program_and_no_others() -> None:
    kinds: tuple[type[BaseSettings], ...] = (
        EditionSettings,
        StandinSettings,
        ServiceSettings,
        *SERVICE_SETTINGS.values(),
    )
    names = {
        f"{kind.model_config['env_prefix']}{field}".upper()
        for kind in kinds
        for field in kind.model_fields
    }
    assert names == SETTING_NAMES


def test_a_misspelt_setting_is_named_with_the_one_that_is_meant() -> None:
    environment = {"ONELEAD_RELAY_SHARD": "2", "PATH": "/bin", "onelead_home": "x"}
    assert misspelt(environment) == [
        "ONELEAD_RELAY_SHARD is no setting; is ONELEAD_RELAY_SHARDS meant?"
    ]
    assert misspelt({"ONELEAD_ZZZ_QQQ": ""}) == ["ONELEAD_ZZZ_QQQ is no setting"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONELEAD_SERVICE_HOST", "10.0.0.1"),
        ("ONELEAD_KAFKA_SERVICE_HOST", "10.0.0.1"),
        ("ONELEAD_KAFKA_SERVICE_PORT", "9092"),
        ("ONELEAD_KAFKA_SERVICE_PORT_TCP_CLIENT", "9092"),
        ("ONELEAD_POSTGRES_PORT", "tcp://10.0.0.1:5432"),
        ("ONELEAD_DNS_PORT", "udp://10.0.0.1:53"),
        ("ONELEAD_POSTGRES_PORT_5432_TCP", "tcp://10.0.0.1:5432"),
        ("ONELEAD_POSTGRES_PORT_5432_TCP_ADDR", "10.0.0.1"),
        ("ONELEAD_DNS_PORT_53_UDP_PROTO", "udp"),
    ],
)
def test_what_kubernetes_sets_for_a_service_of_ours_is_passed_over(name: str, value: str) -> None:
    assert misspelt({name: value}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONELEAD_MAILS_PORT", "587"),
        ("ONELEAD_MAIL_PORTS", "tcp://10.0.0.1:1"),
        ("ONELEAD_SERVICE_HOSTS", "a"),
        ("ONELEAD_MAIL_PORT_X_TCP", "a"),
    ],
)
def test_what_only_resembles_it_is_still_misspelt(name: str, value: str) -> None:
    assert len(misspelt({name: value})) == 1


@pytest.mark.parametrize("kind", [EditionSettings, SERVICE_SETTINGS["scoring"]])
def test_a_program_refuses_a_misspelt_setting_and_not_those_of_others(
    kind: type[EditionSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONELEAD_KAFKA_BOOTSTRAP", "localhost:1")
    monkeypatch.setenv("ONELEAD_DATABASE_URL", "postgresql+asyncpg://a@b/c")
    monkeypatch.setenv("ONELEAD_MAIL_HOST", "mail")
    monkeypatch.setenv("ONELEAD_POSTGRES_PORT", "tcp://10.0.0.1:5432")
    load_settings(kind)
    monkeypatch.setenv("ONELEAD_AS_OFF", "2025-10-09")
    with pytest.raises(UserError, match="ONELEAD_AS_OFF is no setting; is ONELEAD_AS_OF meant"):
        load_settings(kind)
