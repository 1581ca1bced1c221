import asyncio
import socket
from collections.abc import Sequence

import httpx
import pytest

from shared.outbound import (
    OutboundPolicy,
    RefusedAddressError,
    check_url,
    checked_addresses,
    why_refused,
)
from tests.support.outbound_cases import DISGUISED, MALFORMED, PRIVATE, PUBLIC, answers

NOBODY = OutboundPolicy()


def addresses(policy: OutboundPolicy, host: str, found: Sequence[str]) -> Sequence[str]:
    async def resolve(name: str, port: int) -> Sequence[str]:
        assert (name, port) == (host, 443)
        return found

    return asyncio.run(checked_addresses(policy, host, 443, resolve))


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_outside_the_public_internet_is_called(address: str) -> None:
    assert why_refused(address) is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str) -> None:
    assert why_refused(address) is None
    assert addresses(NOBODY, "good.example", (address,)) == (address,)


@pytest.mark.parametrize("found", answers())
def test_one_private_address_among_the_answers_is_one_too_many(found: tuple[str, ...]) -> None:
    with pytest.raises(RefusedAddressError):
        addresses(NOBODY, "good.example", found)


@pytest.mark.parametrize("host", DISGUISED)
def test_an_address_in_disguise_is_refused_before_it_is_resolved(host: str) -> None:
    with pytest.raises((RefusedAddressError, httpx.InvalidURL)):
        check_url(NOBODY, httpx.URL(f"https://{host}/hook"))


@pytest.mark.parametrize("url", MALFORMED)
def test_an_url_of_another_kind_is_refused_before_it_is_resolved(url: str) -> None:
    with pytest.raises((RefusedAddressError, httpx.InvalidURL)):
        check_url(NOBODY, httpx.URL(url))


@pytest.mark.parametrize(
    "url",
    [
        "https://good.example/hook",
        "https://hooks.slack.com/services/T0/B0/x",
        "https://a_b.good-example.com:8443/?x=@127.0.0.1#@127.0.0.1",
        "https://GOOD.example",
        "https://bücher.example/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_public_https_addresses_are_allowed(url: str) -> None:
    check_url(NOBODY, httpx.URL(url))


def test_a_trusted_host_may_be_private_and_without_tls_and_no_other_may() -> None:
    policy = OutboundPolicy(frozenset({"127.0.0.1", "Mail.Internal", "[::1]"}))
    for url in ("http://127.0.0.1:9/", "http://mail.internal:25/", "http://[::1]:80/"):
        check_url(policy, httpx.URL(url))
    assert addresses(policy, "mail.internal", ("10.0.0.1",)) == ("10.0.0.1",)
    for url in ("http://127.0.0.2/", "http://localhost/", "https://x.mail.internal:25/"):
        with pytest.raises(RefusedAddressError):
            check_url(policy, httpx.URL(url))
    with pytest.raises(RefusedAddressError):
        addresses(policy, "other.internal", ("10.0.0.1",))


def test_trust_covers_no_credentials_in_the_address_and_no_other_scheme() -> None:
    policy = OutboundPolicy(frozenset({"127.0.0.1"}))
    for url in ("http://me:word@127.0.0.1/", "ftp://127.0.0.1/"):
        with pytest.raises(RefusedAddressError):
            check_url(policy, httpx.URL(url))


def test_a_refusal_names_the_host_and_the_reason_and_never_the_path() -> None:
    with pytest.raises(RefusedAddressError) as refused:
        check_url(NOBODY, httpx.URL("https://10.0.0.1/services/secret?sig=secret#secret"))
    assert str(refused.value) == "10.0.0.1 is not called: 10.0.0.1 is not a public address"
    with pytest.raises(RefusedAddressError) as refused:
        addresses(NOBODY, "hooks.example", ("8.8.8.8", "10.0.0.1"))
    assert str(refused.value) == "hooks.example is not called: 10.0.0.1 is not a public address"
    with pytest.raises(RefusedAddressError) as refused:
        check_url(NOBODY, httpx.URL("https://me:secret@hooks.example/secret"))
    assert "secret" not in str(refused.value)


def test_a_name_is_resolved_once_and_an_address_not_at_all() -> None:
    asked: list[str] = []

    async def resolve(name: str, port: int) -> Sequence[str]:
        asked.append(name)
        return ("8.8.8.8",) if len(asked) == 1 else ("127.0.0.1",)

    found = asyncio.run(checked_addresses(NOBODY, "rebinding.example", 443, resolve))
    assert (found, asked) == (("8.8.8.8",), ["rebinding.example"])
    assert asyncio.run(checked_addresses(NOBODY, "8.8.8.8", 443, resolve)) == ("8.8.8.8",)
    assert asked == ["rebinding.example"]


def test_a_name_without_addresses_is_no_refusal() -> None:
    async def nothing(_: str, __: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    with pytest.raises(OSError, match="not known"):
        asyncio.run(checked_addresses(NOBODY, "gone.example", 443, nothing))
    with pytest.raises(OSError, match="no address"):
        addresses(NOBODY, "empty.example", ())
