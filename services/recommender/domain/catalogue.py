"""Reads service names: which words they hold, and which boost or base priority that earns."""

import re
from collections.abc import Mapping
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4096)
def words(text: str) -> frozenset[str]:
    """The words of a text without case: "Install & Startup" and "install_startup" hold the same."""
    return frozenset(_WORD.findall(text.casefold()))


def base_priority(service_type: str, configured: Mapping[str, float]) -> float:
    """The configured priority of a service type, compared without case and spacing; 0 without one.

    rules.md §5.
    """
    wanted = _name(service_type)
    for name, priority in configured.items():
        if _name(name) == wanted:
            return priority
    return 0.0


def best_boost(service_type: str, boosts: Mapping[str, float]) -> tuple[str, float] | None:
    """The highest boost all of whose words the service type contains, with its points.

    None when no boost fits (rules.md §5).
    """
    held = words(service_type)
    fitting = [
        (text, points) for text, points in boosts.items() if words(text) and words(text) <= held
    ]
    return max(fitting, key=lambda boost: boost[1], default=None)


def _name(text: str) -> str:
    return " ".join(text.casefold().split())
