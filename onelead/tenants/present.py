"""Tenants and erasures for people (tables) and for scripts (JSON)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import orjson
from rich.table import Table

from onelead.tenants.facts import TenantFacts
from onelead.tenants.places import Counts, Line, Place, Proof

_NUMBERS = ("accounts", "boxes", "open_leads", "open_dead_letters")


def tenants_table(found: Sequence[TenantFacts]) -> Table:
    """Tenants, one a row."""
    table = Table(title="Tenants", title_justify="left")
    table.add_column("name", no_wrap=True)
    table.add_column("state")
    for heading in ("accounts", "boxes", "leads", "letters"):
        table.add_column(heading, justify="right")
    table.add_column("last import")
    for each in found:
        numbers = (f"{getattr(each, name):,}" for name in _NUMBERS)
        table.add_row(each.tenant, each.state, *numbers, _moment(each.last_import))
    return table


def one_tenant(facts: TenantFacts, rights: Sequence[Place]) -> list[str]:
    """A tenant in lines."""
    lines = [f"{facts.tenant}: {facts.state}"]
    if facts.erased_at is not None:
        lines.append(f"  erased since        {_moment(facts.erased_at)}")
    lines += [f"  {name.replace('_', ' '):<19} {getattr(facts, name):,}" for name in _NUMBERS]
    lines.append(f"  day                 {facts.as_of or 'none: nothing was ever imported'}")
    lines.append(f"  last import         {_moment(facts.last_import)}")
    lines += [f"  topic               {topic}" for topic in facts.topics]
    lines += [f"  {place.kind.value:<19} {place.name}" for place in rights]
    return lines


def proof_table(proof: Proof) -> Table:
    """What was found and what is left, the places where nothing was or is left out."""
    table = Table(title=f"Tenant {proof.tenant_id}", title_justify="left")
    table.add_column("what")
    table.add_column("place", overflow="fold")
    table.add_column("before", justify="right")
    table.add_column("after", justify="right")
    table.add_column("gone by", no_wrap=True)
    for line in proof.lines:
        if line.before or line.after.count:
            table.add_row(*_cells(line))
    return table


def _cells(line: Line) -> tuple[str, str, str, str, str]:
    until = line.after.until
    gone = f"{until:%Y-%m-%d %H:%M}" if until else ("REMAINS" if line.remains else "")
    return line.place.kind.value, line.place.name, f"{line.before:,}", f"{line.after.count:,}", gone


def tenants_json(found: Sequence[TenantFacts]) -> str:
    """The same as JSON."""
    return _json([asdict(each) for each in found])


def tenant_json(facts: TenantFacts, rights: Sequence[Place]) -> str:
    """One tenant as JSON."""
    return _json({**asdict(facts), "access": [asdict(place) for place in rights]})


def proof_json(proof: Proof) -> str:
    """Every place, those included where nothing ever was."""
    return _json(
        {
            "tenant": proof.tenant_id,
            "remains": proof.remains,
            "expires": proof.expires,
            "places": [
                {
                    "what": line.place.kind.value,
                    "place": line.place.name,
                    "before": line.before,
                    "after": line.after.count,
                    "gone_by": line.after.until,
                }
                for line in proof.lines
            ],
        }
    )


def summary(counts: Counts) -> str:
    """What an erasure is about to take, in one line."""
    sums: dict[str, int] = {}
    for place, found in counts.items():
        sums[place.kind.value] = sums.get(place.kind.value, 0) + found.count
    return ", ".join(f"{count:,} {what}" for what, count in sums.items() if count) or "nothing"


def _moment(moment: datetime | date | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n"
