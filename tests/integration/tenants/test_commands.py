"""`onelead tenants` against the real broker and database, as a person or a script runs it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from onelead.broker import create_missing_topics, tenants_on
from onelead.commands.tenants import EXIT_EXPIRES
from shared.topics import LEADS
from tests.integration.tenants.conftest import OneLead
from tests.integration.tenants.world import (
    a_name,
    empty_tables,
    fill_tables,
    fill_topics,
    rows_of,
)
from tests.support.stack import Stack


def erased(onelead: OneLead, tenant: str, code: int = 0) -> Any:
    result = onelead("tenants", "erase", tenant, "--yes", tenant, "--json")
    assert result.code == code, result.err
    return json.loads(result.out)


@pytest.fixture
def filled(tenant: str, migrated: Stack) -> Iterator[str]:
    """A tenant with rows in every table."""
    asyncio.run(fill_tables(migrated.owner_url, (tenant,)))
    yield tenant
    asyncio.run(empty_tables(migrated.owner_url, (tenant,)))


def test_a_tenant_without_messages_on_shared_topics_leaves_nothing(
    onelead: OneLead, tenant: str, migrated: Stack
) -> None:
    asyncio.run(fill_tables(migrated.owner_url, (tenant,)))
    proof = erased(onelead, tenant)
    assert (proof["remains"], proof["expires"]) == (False, None)
    before = {place["place"]: place["before"] for place in proof["places"]}
    assert before["ingest.leads"] == 3
    assert {place["after"] for place in proof["places"]} == {0}
    assert asyncio.run(rows_of(migrated.owner_url, tenant)) == {}
    assert tenant not in asyncio.run(tenants_on(migrated.bootstrap))
    assert erased(onelead, tenant)["remains"] is False


def test_what_only_time_takes_ends_with_three_and_says_until_when(
    onelead: OneLead, migrated: Stack
) -> None:
    gone, stays = a_name(), a_name()
    # The other's messages come first: nothing of this one begins a topic.
    asyncio.run(fill_topics(migrated, (stays, gone)))
    shown = onelead("tenants", "erase", gone, "--yes", gone)
    assert shown.code == EXIT_EXPIRES, shown.err
    assert "REMAINS" not in shown.out
    assert "is gone by" in shown.err
    # Nothing but these messages is left: the name is not given out again while they are there.
    refused = onelead("tenants", "add", gone)
    assert refused.code == 2
    assert "not gone yet" in refused.err


def test_an_erased_name_is_given_out_again_once_nothing_is_left(
    onelead: OneLead, tenant: str
) -> None:
    erased(onelead, tenant)
    assert "was added" in onelead("tenants", "add", tenant).out
    [facts] = [
        f for f in json.loads(onelead("tenants", "list", "--json").out) if f["tenant"] == tenant
    ]
    assert (facts["state"], len(facts["topics"])) == ("active", 4)


def test_nothing_is_erased_unless_the_name_is_said_twice(
    onelead: OneLead, filled: str, migrated: Stack
) -> None:
    before = asyncio.run(rows_of(migrated.owner_url, filled))
    for words in ((), ("--yes", "another"), ("--yes", f"{filled} ")):
        result = onelead("tenants", "erase", filled, *words)
        assert result.code == 2
        assert "nothing was erased" in result.err
    assert asyncio.run(rows_of(migrated.owner_url, filled)) == before
    assert filled in asyncio.run(tenants_on(migrated.bootstrap))


def test_who_was_never_there_cannot_be_erased_or_shown(onelead: OneLead) -> None:
    name = a_name()
    for words in (("erase", name, "--yes", name), ("show", name)):
        result = onelead("tenants", *words)
        assert result.code == 2
        assert f"there is no tenant {name}" in result.err


def test_a_command_for_an_erased_tenant_says_that_it_was_erased(
    onelead: OneLead, tenant: str
) -> None:
    erased(onelead, tenant)
    result = onelead("campaigns", "unsubscribe", "eva@example.com", "--tenant", tenant)
    assert result.code == 2
    assert "was erased on" in result.err


def test_topics_are_not_created_for_an_erased_tenant(
    onelead: OneLead, tenant: str, migrated: Stack
) -> None:
    erased(onelead, tenant)
    refused = onelead("topics", "--create", "--tenant", tenant)
    assert refused.code == 2
    assert f"tenant {tenant} was erased" in refused.err
    assert tenant not in asyncio.run(tenants_on(migrated.bootstrap))
    assert "was added" in onelead("tenants", "add", tenant).out
    assert "nothing was missing" in onelead("topics", "--create", "--tenant", tenant).err


def test_topics_are_created_before_there_is_a_database(
    onelead: OneLead, migrated: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = a_name()
    nowhere = make_url(migrated.owner_url).set(database=f"not_there_{name.replace('-', '_')}")
    monkeypatch.setenv("ONELEAD_DATABASE_URL", nowhere.render_as_string(hide_password=False))
    assert onelead("topics", "--create", "--tenant", name).code == 0
    assert name in asyncio.run(tenants_on(migrated.bootstrap))
    monkeypatch.setenv("ONELEAD_DATABASE_URL", migrated.owner_url)
    erased(onelead, name)


def test_a_list_says_what_each_tenant_has(onelead: OneLead, filled: str) -> None:
    shown = json.loads(onelead("tenants", "show", filled, "--json").out)
    assert (shown["state"], shown["accounts"], shown["open_dead_letters"]) == ("active", 3, 15)
    assert LEADS.for_tenant(filled) in shown["topics"]
    text = onelead("tenants", "show", filled).out
    assert "open dead letters   15" in text
    assert filled in onelead("tenants", "list").out.split()


def test_a_tenant_whose_topics_are_missing_is_listed_as_such(
    onelead: OneLead, migrated: Stack
) -> None:
    name = a_name()
    asyncio.run(fill_tables(migrated.owner_url, (name,)))
    assert json.loads(onelead("tenants", "show", name, "--json").out)["state"] == "without topics"
    asyncio.run(create_missing_topics(migrated.bootstrap, [name]))
    assert json.loads(onelead("tenants", "show", name, "--json").out)["state"] == "active"
    erased(onelead, name)
    assert json.loads(onelead("tenants", "show", name, "--json").out)["state"] == "erased"
