"""A tenant's rules, published by `onelead rules apply` on the compacted `onelead.rules.v1`."""

from typing import Any, ClassVar

from shared.events.base import Event


class RulesApplied(Event):
    """The whole rules document of a tenant; `rules_version` is a digest of its content."""

    event_type: ClassVar[str] = "com.onelead.rules.applied.v1"

    rules_version: str
    rules: dict[str, Any]
