"""The words of the ledger: why there are points, for a person who sells."""

from decimal import Decimal


def base() -> str:
    """What every lead has."""
    return "base"


def age(event: str, days: int) -> str:
    """How far a date lies back or ahead: "3,753 days past end of life"."""
    if days == 0:
        return f"{event} is today"
    if days > 0:
        return f"{_count(days, 'day')} past {event}"
    return f"{_count(-days, 'day')} before {event}"


def brand(name: str) -> str:
    """The box is a competitor's."""
    return f"competitor gear: {name}"


def window_after(days: int) -> str:
    """Just past end of life, when customers look around."""
    return f"end of life within the last {_count(days, 'day')}: competitors will be asked"


def window_before(days: int) -> str:
    """Just before end of life, when customers look around."""
    return f"end of life within the next {_count(days, 'day')}: competitors will be asked"


def generation_gap(generation: int, latest: int) -> str:
    """The box is generations behind."""
    return f"Gen{generation} is {latest - generation} generations behind Gen{latest}"


def competitive_cap(cap: float) -> str:
    """The competitive lines exceed their common limit."""
    return f"competitive points count up to {cap:g} together"


def worth(amount: Decimal, currency: str) -> str:
    """The lead's highest value."""
    return f"worth up to {money(amount, currency)}"


def ratio(value: float, whose: str, average: Decimal, currency: str) -> str:
    """The lead's highest value as a multiple of an average."""
    return f"{value:.2f} times the {whose} average of {money(average, currency)}"


def items(count: int) -> str:
    """The size of the install base."""
    return f"{_count(count, 'item')} in the install base"


def open_opportunities(count: int) -> str:
    """How much is being talked about."""
    return _count(count, "open opportunity", "open opportunities")


def win_rate(won: int, lost: int) -> str:
    """How often the customer says yes."""
    return f"{won:,} of {won + lost:,} closed opportunities won"


def last_project(days: int) -> str:
    """How fresh the relationship is."""
    return "last project today" if days == 0 else f"last project {_count(days, 'day')} ago"


def trend(value: float, newest: int, rest: int) -> str:
    """How project sizes develop."""
    return f"the newest {newest} closed projects average {value:.2f} times the {rest} before them"


def closed_projects(count: int) -> str:
    """How much was done together."""
    return _count(count, "closed project")


def segment(name: str) -> str:
    """The size band of the account."""
    return f"{name.replace('_', ' ').lower()} account"


def family(name: str) -> str:
    """What the box is."""
    return f"product family {name}"


def play(lead_type: str) -> str:
    """What is offered."""
    return f"the lead is a {lead_type.replace('_', ' ')}"


def bound(limit: float) -> str:
    """A component lies between 0 and 100."""
    return f"a component is at least {limit:g}" if limit == 0 else f"capped at {limit:g}"


def rounding(total: float, score: float) -> str:
    """The last line of the ledger."""
    return f"weighted components {total:.4f} rounded to {score:.1f}"


def money(amount: Decimal, currency: str) -> str:
    """An amount for reading, without cents: "200,000 USD"."""
    return f"{amount:,.0f} {currency}"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
