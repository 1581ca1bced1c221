"""Makes the changes of an install base from a seed: boxes in few versions each, repeated and out of order."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

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
LAST_MARK = TERRITORIES * BOXES_PER_TERRITORY - 1
_FARTHEST = 40
_STORAGE = ("C8R37A", "HP 3PAR StoreServ 7400c Storage Base", "3PAR StoreServ 7000")
_CABLE = ("XC-1", "HP cable kit", "Cables")
_EXPIRED, _ACTIVE = "Warranty Expired - Uncovered Box", "Active Contract"


class Stand(NamedTuple):
    """How a box may stand; days before today from and to which its dates lie."""

    end_of_life: tuple[int, int]
    expired: tuple[int, int]
    product: tuple[str, str, str] = _STORAGE
    status: str = _EXPIRED


_STANDS: Mapping[str, Stand] = {
    "due": Stand((2_600, 4_000), (500, 1_500)),
    "eased": Stand((2_600, 4_000), (30, 120)),
    "fallen": Stand((1_900, 2_400), (30, 120), _CABLE),
    "lapsed": Stand((400, 1_000), (30, 300)),
    "renewed": Stand((400, 1_000), (-900, -200), status=_ACTIVE),
}
"""due: three leads, a CRITICAL one among them, which is HIGH when eased and MEDIUM when fallen.
lapsed: two that are neither. renewed: none."""


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
    kinds = dice.choices((*_STANDS, "removed"), (6, 2, 2, 2, 1, 1), k=dice.randint(0, 3))
    kinds += dice.choices((*_STANDS, "removed"), (24, 1, 1, 2, 1, 1))
    for version, kind in enumerate(kinds, start=1):
        values = None if kind == "removed" else _values(dice, name, number, kind)
        if values is not None and dice.random() < MOVED:
            [office] = dice.choices(*_ELSEWHERE)
            values["postal_code"] = POSTAL_CODES[office]
        yield Change(tenant, name, version, values)


def _values(dice: random.Random, name: str, number: int, kind: str) -> dict[str, str]:
    """A row of a box that stands so; its product's name has a number of its own each time."""
    stands = _STANDS[kind]
    territory = str(FIRST_TERRITORY + (number // BOXES_PER_TERRITORY) % TERRITORIES)
    product_id, product_name, platform = stands.product
    end_of_life, expired = dice.randint(*stands.end_of_life), dice.randint(*stands.expired)
    return {
        "serial_number": name,
        "territory_id": territory,
        "postal_code": POSTAL_CODES[home_of(territory)],
        "product_id": product_id,
        "product_name": f"{product_name} r{dice.randint(1, 9_999)}",
        "platform": platform,
        "support_status": stands.status,
        "end_of_life": str(AS_OF - timedelta(days=end_of_life)),
        "service_end": str(AS_OF - timedelta(days=expired)),
    }
