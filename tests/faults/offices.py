"""Which office a territory belongs to in the battery: decided here, and by the notifier's routes."""

OFFICES = ("luzern", "romandie")
POSTAL_CODES = {"luzern": "6003", "romandie": "1204"}
FIRST_TERRITORY = 70_000
TERRITORIES = 700
"""So many there are; each holds few boxes, so that no account's size moves a score."""


def territories(office: str) -> list[str]:
    """Every territory of an office."""
    return [
        str(FIRST_TERRITORY + number)
        for number in range(TERRITORIES)
        if OFFICES[number % len(OFFICES)] == office
    ]


def office_of(territory: str) -> str:
    """The office of a territory."""
    return OFFICES[(int(territory) - FIRST_TERRITORY) % len(OFFICES)]
