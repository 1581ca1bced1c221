"""Tells what a product is from its name and platform: family, generation, brand (rules.md §1)."""

import re
from dataclasses import dataclass
from functools import lru_cache

from shared.rules.model import Products

_LATEST_THINKABLE = 1_000


@dataclass(frozen=True)
class Product:
    """A product's family, its parent (COMPUTE for PROLIANT), generation, and competitor brand."""

    family: str
    parent: str | None
    generation: int | None
    competitor_brand: str | None


def product_of(name: str | None, platform: str | None, rules: Products) -> Product:
    """What a product is; the first family in the rules' order with a matching pattern wins."""
    text = f"{name or ''} {platform or ''}"
    family = next(
        (each.family for each in rules.families if any(_found(p, text) for p in each.patterns)),
        rules.other_family,
    )
    generation = _found(rules.generation_pattern, text)
    return Product(
        family=family,
        parent=rules.parents.get(family),
        generation=_generation_of(generation[1] if generation else None),
        competitor_brand=next(
            (b for b in rules.competitor_brands if _found(rf"\b{re.escape(b)}\b", text)), None
        ),
    )


def _generation_of(digits: str | None) -> int | None:
    """The number of a generation; one that no product can be of is as good as none."""
    if digits is None or len(digits) > len(str(_LATEST_THINKABLE)) or not digits.isdecimal():
        return None
    return int(digits) if 1 <= int(digits) <= _LATEST_THINKABLE else None


@lru_cache(maxsize=50_000)
def _found(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(pattern, text, re.IGNORECASE)
