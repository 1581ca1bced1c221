"""The offices of the battery: the ranges in its tenants' rules, and, decided here, whose code is whose."""

from collections.abc import Mapping

OFFICES = ("luzern", "romandie")
UNASSIGNED = "unassigned"
POSTAL_CODES: Mapping[str, str] = {"luzern": "6003", "romandie": "1204", UNASSIGNED: "9470"}
RULES = {
    "country": "CH",
    "ranges": [
        {"office": "luzern", "from": 6000, "to": 6999},
        {"office": "romandie", "from": 1000, "to": 2999},
    ],
}
FIRST_TERRITORY = 70_000
TERRITORIES = 700
"""So many there are; each holds few boxes, so that no account's size moves a score."""
_OFFICE_OF = {code: office for office, code in POSTAL_CODES.items()}


def office_of(postal_code: str) -> str:
    """The office of one of the codes."""
    return _OFFICE_OF[postal_code]


def home_of(territory: str) -> str:
    """The office where a territory's boxes stand, as long as none moves."""
    return OFFICES[(int(territory) - FIRST_TERRITORY) % len(OFFICES)]
