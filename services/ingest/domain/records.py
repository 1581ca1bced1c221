"""The rows OneLead reads, normalised: boxes, opportunities, projects, services (rules.md §1)."""

from datetime import date
from decimal import Decimal

from shared.events import Value


class Record(Value):
    """A row. `row` is the 1-based data row of its sheet, 0 for a single change.

    `currency` is None where the row names none: then it is the tenant's.
    """

    record_id: str
    row: int = 0
    currency: str | None = None

    def counts_in(self, currency: str) -> bool:
        """Whether the row's money counts in averages and sums of this currency."""
        return self.currency in (None, currency)


class CustomerRecord(Record):
    """A row that belongs to a customer, by name or by territory."""

    account_name: str | None = None
    territory_id: str | None = None
    postal_code: str | None = None
    country: str | None = None
    industry: str | None = None
    company_size: str | None = None
    owner: str | None = None
    domain: str | None = None


class Box(CustomerRecord):
    """A row of the install base. `record_id` is the box's identity: its serial number, if any."""

    serial_number: str | None = None
    product_id: str | None = None
    product_name: str | None = None
    platform: str | None = None
    end_of_life: date | None = None
    service_start: date | None = None
    service_end: date | None = None
    support_status: str | None = None
    agreement_id: str | None = None
    quantity: int = 1

    @property
    def display_name(self) -> str:
        """The product as a person calls it, as well as it is known."""
        return self.product_name or self.platform or self.product_id or self.record_id


class Opportunity(CustomerRecord):
    """A deal. A missing stage is neither open nor closed."""

    opportunity_id: str | None = None
    opportunity_name: str | None = None
    product_line: str | None = None
    stage: str | None = None
    amount: Decimal | None = None
    created: date | None = None
    close: date | None = None


class Project(CustomerRecord):
    """A piece of work done for a customer."""

    project_id: str | None = None
    description: str | None = None
    status: str | None = None
    amount: Decimal | None = None
    labor_cost: Decimal | None = None
    start: date | None = None
    updated: date | None = None


class CatalogueRow(Record):
    """A service of the catalogue; `family` in capitals, one price for all `skus`."""

    family: str
    category: str | None = None
    service: str | None = None
    skus: tuple[str, ...] = ()
    list_price: Decimal | None = None
    margin: float | None = None


AnyRecord = Box | Opportunity | Project | CatalogueRow
