"""The rights on a guarded broker follow from the map of topics, and from nothing else."""

import pytest

from onelead.access import (
    Kind,
    Operation,
    Pattern,
    principal_of,
    rights_of,
    rights_of_commands,
    rights_of_service,
    wanted_rights,
)
from onelead.cli import run_command_line
from onelead.edition.service import SERVICES
from shared.topics import TOPICS, dead_letter_of

TENANTS = ["acme", "globex"]


def topics(service: str, operation: Operation) -> set[str]:
    return {
        right.name
        for right in rights_of_service(service, TENANTS)
        if right.kind is Kind.TOPIC and right.operation is operation
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_what_the_map_says_it_consumes(service: str) -> None:
    expected = {
        topic.for_tenant(tenant)
        for topic in TOPICS
        for tenant in TENANTS
        if service in topic.consumers
    }
    assert topics(service, Operation.READ) == expected


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_writes_what_it_produces_and_its_dead_letters_only(service: str) -> None:
    produced = {
        topic.for_tenant(tenant)
        for topic in TOPICS
        for tenant in TENANTS
        if service in topic.producers
    }
    letters = {dead_letter_of(name) for name in topics(service, Operation.READ)}
    assert topics(service, Operation.WRITE) == produced | letters


def test_one_topic_in_full() -> None:
    shown = [
        (right.operation.name, right.kind.name, right.name)
        for right in rights_of_service("lifecycle", ["acme"])
    ]
    assert shown == [
        ("READ", "TOPIC", "onelead.lead-commands.v1"),
        ("WRITE", "TOPIC", "onelead.lead-commands.v1.dead-letter"),
        ("WRITE", "TOPIC", "onelead.lead-status.v1"),
        ("READ", "TOPIC", "onelead.leads.v1.acme"),
        ("WRITE", "TOPIC", "onelead.leads.v1.acme.dead-letter"),
        ("READ", "GROUP", "onelead.lifecycle.lead-commands.v1"),
        ("READ", "GROUP", "onelead.lifecycle.leads.v1"),
    ]


def test_no_service_shares_a_group_and_no_right_of_ours_is_for_more_than_one_name() -> None:
    wanted = wanted_rights(TENANTS)
    groups = [r.name for rights in wanted.values() for r in rights if r.kind is Kind.GROUP]
    assert len(groups) == len(set(groups))
    assert {r.pattern for rights in wanted.values() for r in rights} == {Pattern.LITERAL}


def test_commands_write_what_people_decide_and_no_leads() -> None:
    written = {r.name for r in rights_of_commands(["acme"]) if r.operation is Operation.WRITE}
    assert written == {
        "onelead.records.v1.acme",
        "onelead.rules.v1",
        "onelead.account-commands.v1",
        "onelead.lead-commands.v1",
    }


def test_a_tenants_rights_name_no_other_tenant() -> None:
    assert all("acme" in right.name for right in rights_of("acme"))


def test_the_command_lists_every_principal_with_its_rights(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command_line(["topics", "acls", "--tenant", "acme"]) == 0
    said = capsys.readouterr().out
    for name in (*SERVICES, "command"):
        assert principal_of(name) in said
    assert "read     topic onelead.leads.v1.acme" in said
    assert "read     group onelead.scoring.accounts.v1" in said


def test_a_tenant_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["topics", "acls", "--tenant", "No!"]) == 2
    assert "use 1 to 40" in capsys.readouterr().err
