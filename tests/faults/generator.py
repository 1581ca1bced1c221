"""Makes the changes of an install base from a seed: boxes in few versions each, repeated and out of order."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tests.faults.expectation import AS_OF
from tests.faults.offices import (
    FIRST_TERRITORY,
    OFFICES,
    POSTAL_CODES,
    TERRITORIES,
    UNASSIGNED,
    home_of,
)

BOXES_PER_TERRITORY = 4
SHUFFLED = 0.3
"""The share of inputs that come twice, and of those that come out of order."""
MOVED = 0.25
"""The share of a box's versions that may stand elsewhere: in another office's range, or in none."""
_ELSEWHERE = ((*OFFICES, UNASSIGNED), (3, 3, 1))
FIRST_IMPORTED = 1_600
"""Imported boxes stand in territories of their own, so do markers."""
FIRST_MARK = 2_400
_FARTHEST = 40
_STATUSES = {
    "due": "Warranty Expired - Uncovered Box",
    "lapsed": "Warranty Expired - Uncovered Box",
    "renewed": "Active Contract",
}


@dataclass(frozen=True)
class Change:
    """A change of one box as its upstream tells it; `values` None removes the box."""

    tenant: str
    box: str
    version: int
    values: dict[str, str] | None


def changes(seed: str, tenants: Sequence[str], boxes: int) -> list[Change]:
    """What is sent, in the order of sending; every tenant has boxes of the same names."""
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    ordered = [
        change
        for number in range(boxes)
        for tenant in tenants
        for change in _box(dice, tenant, number)
    ]
    return disordered(dice, ordered)


def disordered(dice: random.Random, ordered: Sequence[Change]) -> list[Change]:
    """The changes with a share of them late, and a share of them once more somewhat later."""
    placed: list[tuple[float, int, Change]] = []
    for place, change in enumerate(ordered):
        late = dice.uniform(0, _FARTHEST) if dice.random() < SHUFFLED else 0
        placed.append((place + late, len(placed), change))
        if dice.random() < SHUFFLED:
            again = place + late + dice.uniform(0, _FARTHEST)
            placed.append((again, len(placed), change))
    return [change for _, _, change in sorted(placed, key=lambda item: item[:2])]


def marker(tenant: str, name: str, number: int) -> Change:
    """A box whose hardware refresh is CRITICAL at once."""
    dice = random.Random(f"{tenant}/{name}")  # noqa: S311 - a test's dice
    return Change(tenant, name, 1, _values(dice, name, number, "due"))


def batch(tenant: str, number: int, size: int) -> list[Change]:
    """The rows of an import: boxes that no other input names."""
    dice = random.Random(f"{tenant}/batch/{number}")  # noqa: S311 - a test's dice
    first = FIRST_IMPORTED + number * size
    return [
        Change(tenant, f"IM{first + n:05}", 1, _values(dice, f"IM{first + n:05}", first + n, "due"))
        for n in range(size)
    ]


def _box(dice: random.Random, tenant: str, number: int) -> Iterator[Change]:
    """One to four versions of a box; most end as an occasion to sell something."""
    name = f"SN{number:05}"
    kinds = dice.choices(
        ("due", "lapsed", "renewed", "removed"), (6, 2, 1, 1), k=dice.randint(0, 3)
    )
    kinds.append(dice.choices(("due", "lapsed", "renewed", "removed"), (16, 2, 1, 1))[0])
    for version, kind in enumerate(kinds, start=1):
        values = None if kind == "removed" else _values(dice, name, number, kind)
        if values is not None and dice.random() < MOVED:
            [office] = dice.choices(*_ELSEWHERE)
            values["postal_code"] = POSTAL_CODES[office]
        yield Change(tenant, name, version, values)


def _values(dice: random.Random, name: str, number: int, kind: str) -> dict[str, str]:
    """due: three leads, one of them CRITICAL. lapsed: two that are not. renewed: none."""
    territory = str(FIRST_TERRITORY + (number // BOXES_PER_TERRITORY) % TERRITORIES)
    end_of_life = dice.randint(2_600, 4_000) if kind == "due" else dice.randint(400, 1_000)
    expired = dice.randint(500, 1_500) if kind == "due" else dice.randint(30, 300)
    if kind == "renewed":
        expired = -dice.randint(200, 900)
    return {
        "serial_number": name,
        "territory_id": territory,
        "postal_code": POSTAL_CODES[home_of(territory)],
        "product_id": "C8R37A",
        "product_name": f"HP 3PAR StoreServ 7400c Storage Base r{dice.randint(1, 9_999)}",
        "platform": "3PAR StoreServ 7000",
        "support_status": _STATUSES[kind],
        "end_of_life": str(AS_OF - timedelta(days=end_of_life)),
        "service_end": str(AS_OF - timedelta(days=expired)),
    }
