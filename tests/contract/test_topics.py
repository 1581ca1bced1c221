"""The names of topics: tenants meet the outside only on their own, and no name is another's."""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import topics
from shared.topics import (
    DEAD_LETTER_SUFFIX,
    LEADS,
    RECORDS,
    RULES,
    TOPICS,
    Topic,
    check_tenant,
    dead_letter_of,
)

SERVICES = Path(__file__).resolve().parents[2] / "services"
PER_TENANT = [topic for topic in TOPICS if topic.per_tenant]
tenants = st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True)


@given(tenants)
def test_a_tenants_topic_names_its_tenant(tenant: str) -> None:
    for topic in PER_TENANT:
        name = topic.for_tenant(tenant)
        assert topic.tenant_of(name) == tenant
        assert re.match(topic.pattern, name)


@given(tenants)
def test_a_dead_letter_topic_is_nobodys_topic(tenant: str) -> None:
    for topic in PER_TENANT:
        name = dead_letter_of(topic.for_tenant(tenant))
        assert not re.match(topic.pattern, name)
        with pytest.raises(ValueError, match="not a tenant's topic"):
            topic.tenant_of(name)


def test_a_pattern_matches_no_other_topic() -> None:
    names = [topic.for_tenant("acme") for topic in TOPICS]
    for topic in PER_TENANT:
        assert [n for n in names if re.match(topic.pattern, n)] == [topic.for_tenant("acme")]


@pytest.mark.parametrize("tenant", ["", "Acme", "a.b", "a|b", "a b", "ä", "x" * 41, "a\n"])
def test_a_tenants_name_that_could_be_taken_for_something_else_is_refused(tenant: str) -> None:
    with pytest.raises(ValueError, match="use 1 to 40"):
        check_tenant(tenant)


def test_names_are_unique_and_carry_their_version() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"onelead\.[a-z.-]+\.v\d+", name) for name in names)
    assert not any(name.endswith(DEAD_LETTER_SUFFIX) for name in names)


def test_only_records_in_and_leads_out_belong_to_a_tenant() -> None:
    assert PER_TENANT == [RECORDS, LEADS]


def test_what_needs_one_order_has_one_partition() -> None:
    assert RECORDS.partitions == RULES.partitions == 1


def test_what_a_reader_may_start_from_nothing_with_is_compacted_and_keyed() -> None:
    compacted = [topic for topic in TOPICS if topic.cleanup == "compact"]
    assert LEADS in compacted
    assert all("tenant" in topic.key for topic in compacted)


@pytest.mark.parametrize("service", ["ingest", "scoring", "recommender", "notifier", "lifecycle"])
def test_a_service_knows_the_topics_it_reads_and_writes_and_no_others(service: str) -> None:
    given_by_map = {
        name
        for name, topic in vars(topics).items()
        if isinstance(topic, Topic) and service in (*topic.producers, *topic.consumers)
    }
    assert _topics_named_in(SERVICES / service) == given_by_map


def _topics_named_in(folder: Path) -> set[str]:
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "shared.topics":
                found |= {alias.name for alias in node.names if alias.name.isupper()}
    return {name for name in found if isinstance(getattr(topics, name), Topic)}
