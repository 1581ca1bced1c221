"""Decides whether a lead's facts, its account's profile and the rules belong together.

They come on three topics. Judged as they happen to meet, facts of old rules would become alerts under
new ones, and be taken back as soon as ingest has derived.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Basis:
    """The profile and the rules with which facts go, by the message that said so: the lead's or a marker.

    `rules` is a digest; None if the message did not say. Newer messages have higher versions.
    """

    version: int
    profile: int
    rules: str | None


def is_whole(facts: Basis, marker: Basis | None, profile: int, rules: str) -> bool:
    """Whether facts go with a profile's version and the digest of rules.

    `facts`: by the lead's own message; `marker`: by the newest one of the account. An older marker
    knows nothing of the facts. Facts that nobody has said anything about go with everything.
    """
    said = (facts,) if marker is None or marker.version < facts.version else (facts, marker)
    if all(each.rules is None for each in said):
        return True
    return any((each.profile, each.rules) == (profile, rules) for each in said)
