"""The ids that never change: accounts and leads, from what founded them (rules.md §2, §3)."""

from uuid import UUID, uuid5

from shared.events import LeadType

NAMESPACE = UUID("6f6e656c-6561-5d00-8000-6f6e656c6561")
"""Fixed for ever: another namespace would give every account and lead of every tenant a new id."""


def account_id_of_territory(tenant_id: str, territory_id: str) -> str:
    """The id of the account that a territory founded."""
    return str(uuid5(NAMESPACE, f"{tenant_id}|territory|{territory_id}"))


def account_id_of_name(tenant_id: str, normalised_name: str) -> str:
    """The id of the account that a name founded, for a name that owns no territory."""
    return str(uuid5(NAMESPACE, f"{tenant_id}|name|{normalised_name}"))


def lead_id(tenant_id: str, box_id: str, lead_type: LeadType) -> str:
    """The id of a play on a box; a lead that comes back is the same lead."""
    return str(uuid5(NAMESPACE, f"{tenant_id}|{box_id}|{lead_type.value}"))
