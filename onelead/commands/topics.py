"""`onelead topics`: shows the topic map, and creates what the broker lacks."""

from typing import Annotated

import typer

from onelead import broker, lifecycle
from onelead.addresses import kafka_address
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.settings import EditionSettings
from shared.settings import load_settings
from shared.topics import DAY_MS, TOPICS, Topic


def topics(
    create: Annotated[
        bool, typer.Option("--create", help="create what is missing, dead letters included")
    ] = False,
    tenant: Annotated[
        list[str] | None, typer.Option(help="create the topics of this tenant too; may be repeated")
    ] = None,
) -> None:
    """List the topics: events, key, partitions, clean-up, who writes and who reads."""
    settings = load_settings(EditionSettings)
    if not create:
        for topic in TOPICS:
            _show(topic)
        return
    created = lifecycle.run(
        broker.create_missing_topics(kafka_address(settings), tenant or [DEFAULT_TENANT])
    )
    for name in created:
        out.print(name)
    err.print(f"{len(created)} topics created" if created else "nothing was missing")


def _show(topic: Topic) -> None:
    partitions = "1 partition" if topic.partitions == 1 else f"{topic.partitions} partitions"
    readers = ", ".join(topic.consumers) or "nobody yet"
    out.print(topic.for_tenant("<tenant>"), style="bold", markup=False)
    out.print(f"    {topic.producer} → {readers}", markup=False)
    out.print(f"    {', '.join(event.__name__ for event in topic.events)}", markup=False)
    out.print(f"    {partitions}, {_kept(topic)}, key {topic.key}", markup=False)


def _kept(topic: Topic) -> str:
    if topic.cleanup == "compact":
        return "the latest of each key kept"
    return f"{topic.retention_ms // DAY_MS} days kept"
