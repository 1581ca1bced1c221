"""Addresses and roles: a service gets its own role, a test its stack, in a fixed order."""

import pytest

from onelead.edition.service import our_environment, service_environment, with_role
from tests.support.stack import choose


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql+asyncpg://postgres@/onelead?host=/run/x",
            "postgresql+asyncpg://r@/onelead?host=/run/x",
        ),
        (
            "postgresql+asyncpg://own:p%40ss@db:5432/onelead",
            "postgresql+asyncpg://r@db:5432/onelead",
        ),
        ("postgresql+asyncpg://db/onelead", "postgresql+asyncpg://r@db/onelead"),
    ],
)
def test_another_role_keeps_the_address_and_loses_the_password(url: str, expected: str) -> None:
    assert with_role(url, "r") == expected


def test_a_service_knows_its_own_role_only() -> None:
    env = service_environment(
        "scoring",
        bootstrap="k:1",
        owner_url="postgresql+asyncpg://own:x@db/o",
        ops_port=0,
        log_level="INFO",
    )
    assert env["ONELEAD_DATABASE_URL"] == "postgresql+asyncpg://onelead_scoring@db/o"
    assert env["ONELEAD_KAFKA_BOOTSTRAP"] == "k:1"
    assert "own" not in env["ONELEAD_DATABASE_URL"]


def test_a_setting_without_a_value_is_not_handed_on() -> None:
    assert "ONELEAD_NOTHING" not in our_environment(ONELEAD_NOTHING=None)
    assert our_environment(ONELEAD_ZERO=0)["ONELEAD_ZERO"] == "0"


@pytest.mark.parametrize(
    ("address", "docker_answers", "way"),
    [
        ("host:1", True, "environment"),
        ("host:1", False, "environment"),
        (None, True, "container"),
        ("", True, "container"),
        (None, False, "packages"),
    ],
)
def test_tests_take_the_environment_before_containers_before_packages(
    address: str | None, docker_answers: bool, way: str
) -> None:
    assert choose(address, docker_answers) == way
