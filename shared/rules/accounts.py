"""§2 of docs/rules.md: which rows belong to one account, and how large it is."""

from itertools import pairwise
from typing import Self

from pydantic import model_validator

from shared.rules.base import (
    Count,
    Days,
    Money,
    Positive,
    RuleError,
    Section,
    Similarity,
    Text,
)


class Accounts(Section):
    """The manual map and the thresholds of name matching.

    `conflicting_words`: groups of words of one sort; names that differ in one are two accounts.
    """

    territory_map: dict[Text, Text]
    name_map: dict[Text, Text]
    link_at: Similarity
    review_at: Similarity
    review_token_set_at: Similarity
    min_link_length: Count
    review_candidates: Positive
    legal_suffixes: tuple[Text, ...]
    cjk_affixes: tuple[Text, ...]
    conflicting_words: tuple[tuple[Text, ...], ...]
    autolink_conflicting_words: bool

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.review_at >= self.link_at:
            raise RuleError(
                f"bands out of order: review_at {self.review_at:g} must be below "
                f"link_at {self.link_at:g}",
                "review_at",
                against="link_at",
            )
        return self


class SegmentBand(Section):
    """Both metrics must reach the band; `strategy` is what to do with its accounts."""

    items: Count
    spend: Money
    strategy: Text


class Segments(Section):
    """The bands of account size. Spend counts closed projects of the last `spend_window_days`."""

    strategic_enterprise: SegmentBand
    growth: SegmentBand
    transactional: SegmentBand
    spend_window_days: Days

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        bands = ("strategic_enterprise", "growth", "transactional")
        for upper, lower in pairwise(bands):
            above, below = getattr(self, upper), getattr(self, lower)
            for metric in ("items", "spend"):
                if getattr(above, metric) <= getattr(below, metric):
                    raise RuleError(
                        f"bands out of order: {metric} of {upper} must lie above "
                        f"{metric} of {lower}",
                        upper,
                        metric,
                    )
        return self
