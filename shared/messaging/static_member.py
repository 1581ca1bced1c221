"""A static member that comes back is handed what it had before: it joins once more for what came since."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.ops.logs import get_logger

_log = get_logger(__name__)


def has_its_share(client: AIOKafkaConsumer) -> bool:
    """Whether a consumer need not be looked after: it is no static member, or has all that it reads, or
    has been made to join its group again. False as long as it has joined none.

    The broker gives a static member the partitions of the one before without sharing out anew (KIP-345), and
    aiokafka watches for topics that come only from then on. What came in between nobody would read; a second
    join makes the group share out.
    """
    coordinator, subscription = client._coordinator, client._subscription.subscription
    if getattr(coordinator, "_group_instance_id", None) is None:
        return True
    if subscription is None or subscription.assignment is None:
        return False
    wanted = {
        TopicPartition(topic, partition)
        for topic in subscription.topics
        for partition in client.partitions_for_topic(topic) or ()
    }
    if not wanted <= client.assignment():
        _log.info("joining again for topics that came meanwhile", group=coordinator.group_id)
        coordinator.request_rejoin()
    return True
