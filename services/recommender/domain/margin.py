"""How much may be given away: the largest discount that keeps the margin at or above the floor."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache

_FOUR_DECIMALS = Decimal("0.0001")
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Discount:
    """The largest discount, a share of the price; `note` says why there is none."""

    largest: float
    note: str | None = None


@lru_cache(maxsize=4096)
def largest_discount(margin: float | None, floor: float) -> Discount:
    """max(0, 1 − (1 − margin)/(1 − floor)), rounded down to 4 decimals (rules.md §5).

    Reckoned in decimals, so that 0.55 over a floor of 0.25 allows exactly 0.4. Without a known
    margin there is no discount.
    """
    if margin is None:
        return Discount(0.0, "margin not known: no discount")
    kept = (_ONE - Decimal(str(margin))) / (_ONE - Decimal(str(floor)))
    largest = (_ONE - kept).quantize(_FOUR_DECIMALS, ROUND_FLOOR)
    if largest <= 0:
        return Discount(0.0, f"margin {margin:.1%} leaves nothing above the floor of {floor:.1%}")
    return Discount(float(largest))
