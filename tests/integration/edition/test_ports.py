"""Ports: a free one when asked for any, a clear error for one in use."""

import socket
from collections.abc import Iterator

import pytest

from onelead.edition import ports
from shared.errors import UserError


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((ports.HOST, 0)) as listener:
        yield int(listener.getsockname()[1])


def test_zero_takes_a_free_port() -> None:
    port = ports.claim(0, "ONELEAD_KAFKA_PORT")
    assert ports.claim(port, "ONELEAD_KAFKA_PORT") == port
    assert not ports.answers(port)


def test_a_port_in_use_is_told_with_its_holder_and_the_setting(taken: int) -> None:
    with pytest.raises(UserError) as raised:
        ports.claim(taken, "ONELEAD_KAFKA_PORT")
    assert f"port {taken} on 127.0.0.1 is in use by " in raised.value.message
    assert "ONELEAD_KAFKA_PORT" in str(raised.value.hint)


def test_services_count_up_from_the_base_port() -> None:
    base = ports.claim(0, "X")
    found = ports.claim_range(base, ("a", "b"), "ONELEAD_OPS_BASE_PORT")
    assert found == {"a": base, "b": base + 1}
    free = ports.claim_range(0, ("a", "b"), "ONELEAD_OPS_BASE_PORT")
    assert len(free) == 2
