"""Says what new rules make anew: the one place that knows what each part of the rules file influences.

A part that stands nowhere here raises; tests follow every calculation and refuse one that reads more
of the rules than stands here.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from shared.rules.base import Section
from shared.rules.digest import digest
from shared.rules.model import Rules


class Anew(StrEnum):
    """What is made anew when a part of the rules changes."""

    LINKS = "links"
    """Ingest: which names are one account, and whose the boxes are."""
    TOTALS = "totals"
    """Ingest: which projects count in averages."""
    CATALOGUE = "catalogue"
    """Ingest: the services and prices of the families."""
    DERIVATION = "derivation"
    """Ingest: the profile and the leads of every account."""
    SCORES = "scores"
    """Scoring: every score."""
    RECOMMENDATIONS = "recommendations"
    """The recommender: every recommendation."""


OF_INGEST = frozenset((Anew.LINKS, Anew.TOTALS, Anew.CATALOGUE, Anew.DERIVATION))
"""What ingest does; the others have one each."""

_ROWS_TO_COME: frozenset[Anew] = frozenset()
"""Rows are read by the rules of their day: what is stored stays."""

INFLUENCE: Mapping[str, frozenset[Anew]] = {
    "version": frozenset(),
    "currency": frozenset((Anew.TOTALS, Anew.CATALOGUE, Anew.DERIVATION)),
    "reading.missing_values": _ROWS_TO_COME,
    "reading.required_columns": _ROWS_TO_COME,
    "reading.columns": _ROWS_TO_COME,
    "reading.won_stages": frozenset((Anew.DERIVATION,)),
    "reading.lost_stages": frozenset((Anew.DERIVATION,)),
    "reading.closed_project_statuses": frozenset((Anew.TOTALS, Anew.DERIVATION)),
    "products": frozenset((Anew.DERIVATION, Anew.SCORES)),
    "accounts": frozenset((Anew.LINKS,)),
    "segments": frozenset((Anew.DERIVATION,)),
    "leads": frozenset((Anew.DERIVATION,)),
    "values": frozenset((Anew.DERIVATION,)),
    "scoring": frozenset((Anew.SCORES,)),
    "scoring.propensity.trend.latest": frozenset((Anew.DERIVATION, Anew.SCORES)),
    "recommendation": frozenset((Anew.RECOMMENDATIONS,)),
    "offices": frozenset((Anew.DERIVATION,)),
}
"""Part of the rules file, as a dotted path, → what it makes anew. The longest path counts."""


def influence_of(path: str) -> frozenset[Anew]:
    """What the part of the rules at a dotted path makes anew. Raises KeyError for an unknown one."""
    keys = path.split(".")
    for length in range(len(keys), 0, -1):
        if (found := INFLUENCE.get(".".join(keys[:length]))) is not None:
            return found
    raise KeyError(f"nobody has said what {path} influences")


def made_anew(before: Rules, after: Rules) -> frozenset[Anew]:
    """What follows from the rules and differs, or may, now that they changed; nothing for equal ones."""
    changed = (influence_of(path) for path in changed_parts(before, after))
    return frozenset[Anew]().union(*changed)


def derived_by(rules: Rules) -> str:
    """A digest of the parts from which ingest makes something: it changes just when that is made anew."""
    parts = _parts(rules, rules.model_dump())
    return digest({path: value for path, value in parts if influence_of(path) & OF_INGEST})


def _parts(
    section: Section, dumped: Mapping[str, Any], within: str = ""
) -> Iterator[tuple[str, Any]]:
    """Every value of the rules with its dotted path; a table or a list is one value."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from _parts(value, dumped[name], f"{within}{name}.")
        else:
            yield f"{within}{name}", dumped[name]


def changed_parts(before: Section, after: Section, within: str = "") -> Iterator[str]:
    """The dotted paths of the values that differ; a table or a list is one value."""
    for name in type(after).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, Section) and isinstance(new, Section):
            yield from changed_parts(old, new, f"{within}{name}.")
        elif old != new:
            yield f"{within}{name}"
