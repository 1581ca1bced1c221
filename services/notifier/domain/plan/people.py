"""Who the sellers are and whose accounts are whose: reads a lead, decides its owner (rules.md §8)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from services.notifier.domain.message import Alert
from services.notifier.domain.plan.routes import Names, folded
from shared.rules.base import Section

EVERY_TENANT = "*"


class Person(Section):
    """Somebody who sells. `offices`: works for these only; `accounts` are names or ids."""

    mail: str | None = None
    time_zone: str | None = None
    tenants: Names = ("default",)
    offices: Names = ()
    accounts: Names = ()
    territories: Names = ()

    def works_for(self, tenant_id: str, office_id: str | None) -> bool:
        """Whether a lead of this tenant and office is any of their business."""
        of_tenant = tenant_id in self.tenants or EVERY_TENANT in self.tenants
        return of_tenant and (not self.offices or office_id in self.offices)


@dataclass(frozen=True)
class People:
    """All of them, by name."""

    by_name: Mapping[str, Person] = field(default_factory=dict)

    def owner_of(self, tenant_id: str, alert: Alert) -> str | None:
        """Whose lead it is: its own owner first, else whose the account is, else the territory.

        An owner who is not among these people is answered as the lead names them.
        """
        if alert.owner:
            return self._first(tenant_id, alert, self._called, alert.owner) or alert.owner
        account = (alert.account_id, alert.account)
        return self._first(tenant_id, alert, self._accounts, *account) or self._first(
            tenant_id, alert, self._territories, alert.territory
        )

    def mail_of(self, name: str | None, tenant_id: str, office_id: str | None) -> str | None:
        """Where a person is written to about a lead of this tenant and office; None when nowhere."""
        person = self.by_name.get(name or "")
        return person.mail if person and person.works_for(tenant_id, office_id) else None

    def works_for(self, mail: str, tenant_id: str, office_id: str | None) -> bool:
        """Whether somebody with this address works for a tenant's office."""
        names = self._written_to.get(folded(mail), ())
        return any(self.by_name[name].works_for(tenant_id, office_id) for name in names)

    def _first(
        self, tenant_id: str, alert: Alert, index: Mapping[str, list[str]], *keys: str | None
    ) -> str | None:
        names = (name for key in keys if key for name in index.get(folded(key), ()))
        here = (n for n in names if self.by_name[n].works_for(tenant_id, alert.office_id))
        return next(here, None)

    @cached_property
    def _called(self) -> dict[str, list[str]]:
        return _index((name, (name, p.mail or name)) for name, p in self.by_name.items())

    @cached_property
    def _written_to(self) -> dict[str, list[str]]:
        return _index((name, (p.mail,)) for name, p in self.by_name.items() if p.mail)

    @cached_property
    def _accounts(self) -> dict[str, list[str]]:
        return _index((name, person.accounts) for name, person in self.by_name.items())

    @cached_property
    def _territories(self) -> dict[str, list[str]]:
        return _index((name, person.territories) for name, person in self.by_name.items())


def _index(entries: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, keys in entries:
        for key in keys:
            found.setdefault(folded(key), []).append(name)
    return found
