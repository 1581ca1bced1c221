"""The topic map is complete: every event travels, every subscription is in it, every name is known."""

from pathlib import Path

import pytest

from onelead.broker import wanted_topics
from onelead.edition.service import SERVICES
from shared import topics
from shared.db import migrate
from shared.events import EVENTS
from shared.topics import DEAD_LETTER_SUFFIX, TOPICS, Topic
from tests.architecture import house

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE_PRODUCERS = {"the tenant", "onelead rules apply", "onelead accounts", "onelead leads"}
OUTSIDE_CONSUMERS = {
    *("onelead import", "onelead accounts", "onelead leads"),
    "every subscriber of the tenant",
}


def names_of(service: str) -> set[str]:
    """The names, in shared/topics.py, of the topics that the map gives to a service."""
    found = vars(topics).items()
    return {n for n, topic in found if isinstance(topic, Topic) and service in topic.consumers}


def test_every_event_travels_on_exactly_one_topic() -> None:
    travelling = [event for topic in TOPICS for event in topic.events]
    assert sorted(e.event_type for e in travelling) == sorted(e.event_type for e in EVENTS)


def test_every_topic_that_is_defined_is_in_the_map() -> None:
    assert {t.name for t in vars(topics).values() if isinstance(t, Topic)} == {
        topic.name for topic in TOPICS
    }


def test_every_producer_and_consumer_is_a_service_or_known_outside() -> None:
    assert {producer for topic in TOPICS for producer in topic.producers} <= {
        *SERVICES,
        *OUTSIDE_PRODUCERS,
    }
    consumers = {consumer for topic in TOPICS for consumer in topic.consumers}
    assert consumers <= {*SERVICES, *OUTSIDE_CONSUMERS}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_subscribes_to_what_the_map_gives_it_and_to_nothing_else(service: str) -> None:
    assert house.subscriptions(ROOT, service) == names_of(service)


def test_a_subscription_is_found_in_a_made_up_service(tmp_path: Path) -> None:
    file = tmp_path / "services/mail/subscribers.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "def f(base, h):\n    base.consume(LEADS, h.on)\n    base.consume(RULES, h.on)\n"
    )
    assert house.subscriptions(tmp_path, "mail") == {"LEADS", "RULES"}


def test_the_list_of_services_is_the_same_everywhere() -> None:
    assert set(SERVICES) == set(migrate.SERVICES) == {p.name for p in house.services(ROOT)}


def test_every_topic_of_every_tenant_is_created_with_its_dead_letter() -> None:
    wanted = {topic.name: topic for topic in wanted_topics(["a", "b"])}
    main = {name for name in wanted if not name.endswith(DEAD_LETTER_SUFFIX)}
    expected = {t.for_tenant(x) for t in TOPICS for x in ("a", "b")}
    assert main == expected
    assert set(wanted) == main | {name + DEAD_LETTER_SUFFIX for name in main}


def test_compacted_topics_are_created_compacted_and_a_dead_letter_never_is() -> None:
    wanted = {topic.name: topic for topic in wanted_topics(["a"])}
    for topic in TOPICS:
        name = topic.for_tenant("a")
        assert wanted[name].configs["cleanup.policy"] == topic.cleanup
        assert wanted[name].partitions == topic.partitions
        assert wanted[name + DEAD_LETTER_SUFFIX].configs["cleanup.policy"] == "delete"
