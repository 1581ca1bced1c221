"""Which sinks a lead is told to: reads the lead and its owner, decides route by route and says why
(rules.md §8)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from services.notifier.domain.message import Alert, amount_text
from shared.events import Priority
from shared.rules.base import Currency, LeadTypeName, Money, RuleError, Section, Text, one_of


def listed(given: object) -> object:
    """A list of what was given: one value is a list of one, a number is a name (territories are numbers)."""
    items = given if isinstance(given, list | tuple) else [given]
    return [str(item) if type(item) is int else item for item in items]


def folded(name: str) -> str:
    """A name as it is compared: without regard to case and blanks."""
    return " ".join(name.split()).casefold()


_PRIORITIES = tuple(p.value for p in Priority if p is not Priority.UNKNOWN)
PriorityName = Annotated[str, AfterValidator(one_of(*_PRIORITIES))]
Names = Annotated[tuple[Text, ...], BeforeValidator(listed)]


class When(Section):
    """What a lead must be like; of several values one is enough, what is not said does not matter.

    An amount is compared in its own currency only; nothing is converted.
    """

    tenant: Names = ()
    priority: Annotated[tuple[PriorityName, ...], BeforeValidator(listed)] = ()
    type: Annotated[tuple[LeadTypeName, ...], BeforeValidator(listed)] = ()
    territory: Names = ()
    office: Names = ()
    owner: Names = ()
    account: Names = ()
    value_at_least: Money | None = None
    currency: Currency = "USD"

    @model_validator(mode="after")
    def _currency_of_something(self) -> Self:
        if "currency" in self.model_fields_set and self.value_at_least is None:
            raise RuleError("a currency without a value_at_least", "currency")
        return self

    def fits(self, alert: Alert, owner: str | None) -> bool:
        """Whether a lead is like this."""
        return next(self._faults(alert, owner), None) is None

    def misses(self, alert: Alert, owner: str | None) -> tuple[str, ...]:
        """What about a lead does not fit, in words; nothing when all does."""
        return tuple(
            f"{what} is {has or 'not known'}, not {wanted}"
            for what, has, wanted in self._faults(alert, owner)
        )

    def covers(self, other: Self) -> bool:
        """Whether each lead that fits `other` fits this too."""
        for what in _MINE:
            mine, theirs = ({folded(x) for x in getattr(each, what)} for each in (self, other))
            if mine and not (theirs and theirs <= mine):
                return False
        if self.value_at_least is None:
            return True
        least = other.value_at_least
        return (
            least is not None and least >= self.value_at_least and other.currency == self.currency
        )

    def __str__(self) -> str:
        parts = [
            f"{what} {' or '.join(wanted)}" for what in _MINE if (wanted := getattr(self, what))
        ]
        parts += [] if self.value_at_least is None else [f"value {self._amount} or more"]
        return ", ".join(parts) or "any lead"

    @property
    def _amount(self) -> str:
        return (
            "" if self.value_at_least is None else amount_text(self.value_at_least, self.currency)
        )

    @cached_property
    def _wanted(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """The names that are asked for, folded, by what they are names of."""
        asked = ((what, getattr(self, what)) for what in _MINE)
        return tuple((what, frozenset(map(folded, names))) for what, names in asked if names)

    def _faults(self, alert: Alert, owner: str | None) -> Iterator[tuple[str, str | None, str]]:
        """What does not fit, what the lead has instead, and what is asked for."""
        for what, wanted in self._wanted:
            mine = _MINE[what](alert, owner)
            if not any(folded(name) in wanted for name in mine if name):
                yield what, mine[0], " or ".join(getattr(self, what))
        least = self.value_at_least
        if least is not None and (alert.currency != self.currency or alert.value_max < least):
            yield "value", amount_text(alert.value_max, alert.currency), f"{self._amount} or more"


_MINE: Mapping[str, Callable[[Alert, str | None], tuple[str | None, ...]]] = {
    "tenant": lambda alert, _: (alert.tenant_id,),
    "priority": lambda alert, _: (alert.priority.value,),
    "type": lambda alert, _: (alert.lead_type.value,),
    "territory": lambda alert, _: (alert.territory,),
    "office": lambda alert, _: (alert.office_id,),
    "owner": lambda _, owner: (owner,),
    "account": lambda alert, _: (alert.account, alert.account_id),
}
"""What of a lead each list of names is compared with: one of these is enough."""


class Route(Section):
    """Leads that fit `when` are told to the sinks `to`; with `stop`, later routes are not looked at.

    The last route may be the one of the leads that no other fits: `else` names its sinks.
    """

    when: When = When()
    to: Names = ()
    stop: bool = False
    otherwise: Names = Field((), alias="else")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.to) == bool(self.otherwise):
            raise RuleError("a route needs `to` or `else`, a list of sinks, and not both")
        if self.otherwise and self.model_fields_set & {"when", "stop"}:
            raise RuleError("`else` stands by itself: no `when`, no `stop`", "else")
        return self

    @property
    def sinks(self) -> tuple[str, ...]:
        """The sinks it leads to."""
        return self.to or self.otherwise


@dataclass(frozen=True)
class Verdict:
    """What became of one route for a lead; `misses` says why it was not taken, and is empty if it was."""

    number: int
    route: Route
    misses: tuple[str, ...]


def taken(routes: Sequence[Route], alert: Alert, owner: str | None) -> list[int]:
    """The routes that a lead takes, by their place in the list, counted from 0."""
    found: list[int] = []
    for index, route in enumerate(routes):
        if not found if route.otherwise else route.when.fits(alert, owner):
            found.append(index)
            if route.stop:
                break
    return found


def verdicts(routes: Sequence[Route], alert: Alert, owner: str | None) -> tuple[Verdict, ...]:
    """What becomes of each route, in their order, counted from 1."""
    found = taken(routes, alert, owner)
    end = next((index for index in found if routes[index].stop), len(routes))

    def misses(index: int, route: Route) -> tuple[str, ...]:
        if index in found:
            return ()
        if index > end:
            return (f"route {end + 1} stops here",)
        return ("another route fits",) if route.otherwise else route.when.misses(alert, owner)

    return tuple(Verdict(i + 1, route, misses(i, route)) for i, route in enumerate(routes))
