"""How large an account is (rules.md §2)."""

from decimal import Decimal

from shared.events import Segment
from shared.rules.model import SegmentBand, Segments


def segment_of(items: int, spend: Decimal, rules: Segments) -> tuple[Segment, bool, str]:
    """(segment, mixed, strategy): the lower band of the two metrics; mixed when they differ."""
    bands: tuple[tuple[Segment, SegmentBand], ...] = (
        (Segment.STRATEGIC_ENTERPRISE, rules.strategic_enterprise),
        (Segment.GROWTH, rules.growth),
    )
    lowest = len(bands)
    by_items = next((i for i, (_, band) in enumerate(bands) if items >= band.items), lowest)
    by_spend = next((i for i, (_, band) in enumerate(bands) if spend >= band.spend), lowest)
    bands += ((Segment.TRANSACTIONAL, rules.transactional),)
    segment, band = bands[max(by_items, by_spend)]
    return segment, by_items != by_spend, band.strategy
