"""Offices for tests: ranges written as in a file, laid over the default rules."""

from typing import Any

from shared.rules.load import default_rules
from shared.rules.model import Rules
from shared.rules.offices import Offices

LUZERN = {"office": "luzern", "from": "6000", "to": "6999"}
ROMANDIE = {"office": "romandie", "from": "1000", "to": "2999"}
EGELI = {"office": "egeli"}
SWISS = (LUZERN, ROMANDIE, {"office": "romandie", "from": "3900", "to": "3999"}, EGELI)


def offices(*ranges: dict[str, Any], country: str | None = None) -> Offices:
    """Offices with these ranges. Raises ValidationError for some that cannot hold."""
    names = default_rules().offices.country_names
    document = {"country": country, "country_names": names, "ranges": list(ranges)}
    return Offices.model_validate(document)


def with_offices(*ranges: dict[str, Any], country: str | None = "CH") -> Rules:
    """The default rules with these offices."""
    return default_rules().model_copy(update={"offices": offices(*ranges, country=country)})
