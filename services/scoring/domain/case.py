"""What a factor sees: a lead, its account's profile, and the ages of both as of one day."""

from dataclasses import dataclass
from datetime import date

from shared.events import AccountProfile, LeadFacts
from shared.rules.model import Products


@dataclass(frozen=True, slots=True)
class Case:
    """A lead to be judged as of a day. Ages are in days, negative before the date, None without."""

    lead: LeadFacts
    profile: AccountProfile
    products: Products
    as_of: date
    days_since_eol: int | None
    days_since_expiry: int | None

    @classmethod
    def of(
        cls, lead: LeadFacts, profile: AccountProfile, products: Products, as_of: date
    ) -> "Case":
        """The case of a lead as of a day."""
        eol, expiry = lead.days_since_eol(as_of), lead.days_since_expiry(as_of)
        return cls(lead, profile, products, as_of, eol, expiry)

    def is_of_family(self, families: tuple[str, ...]) -> bool:
        """Whether the box's family, or its parent, is among `families` (rules.md §1)."""
        lead = self.lead
        return lead.product_family in families or lead.product_family_parent in families
