"""Salesforce: an alert becomes an Opportunity, a withdrawal a word about it (rules.md §8).

Upserts by OneLead_ID__c have the effect of one however often they are sent. What people move in
the CRM, the stage and the close date, is written when the opportunity is created and never again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from urllib.parse import urlsplit

from services.notifier.channels.salesforce_api import SalesforceApi, SalesforceError
from services.notifier.domain.attempt import Delivered, Outcome
from services.notifier.domain.delivery import Delivery
from services.notifier.domain.message import (
    Alert,
    Content,
    Withdrawal,
    plain,
    service_text,
    value_text,
)
from services.notifier.domain.routing import Target
from services.notifier.settings import NotifierSettings, SalesforceSink
from shared.events import LeadType

CLOSE_AFTER: Mapping[LeadType, timedelta] = {
    LeadType.RENEWAL: timedelta(days=45),
    LeadType.SERVICE_ATTACH: timedelta(days=60),
    LeadType.HARDWARE_REFRESH: timedelta(days=90),
    LeadType.UNKNOWN: timedelta(days=90),
}
"""From the day of the score to the expected close (rules.md §8)."""

_NAME_LIMIT = 120
_DESCRIPTION_LIMIT = 32_000
_NO_SUCH_RECORD = "REQUIRED_FIELD_MISSING"


@dataclass(frozen=True)
class Upsert:
    """What to write. `creation` holds the fields only a new record gets; None creates nothing.

    `known`: the record may stand already, so what people own in it must not be overwritten.
    """

    lead_id: str
    account: str | None
    fields: Mapping[str, Any]
    creation: Mapping[str, Any] | None
    known: bool


class SalesforceChannel:
    """Opportunities in one Salesforce organisation."""

    name = "salesforce"
    concurrency = 4
    repeatable = True

    def __init__(self, sink: SalesforceSink) -> None:
        self._api = SalesforceApi(sink)
        self._address = urlsplit(sink.url).netloc

    @classmethod
    def from_settings(cls, settings: NotifierSettings) -> Self | None:
        """The channel, or None without ONELEAD_SALESFORCE_URL, _CLIENT_ID and _CLIENT_SECRET."""
        sink = settings.salesforce()
        return None if sink is None else cls(sink)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The organisation, named by its host."""
        return (Target(self.name, self._address, tells_withdrawals=True),)

    def render(self, content: Content, delivery: Delivery) -> Upsert:
        """The fields to write."""
        if isinstance(content, Withdrawal):
            return _withdrawal(content)
        return _opportunity(content, known=delivery.episode > 1 or delivery.tries > 1)

    async def send(self, rendered: Upsert) -> Outcome:
        """Looks the account up, then upserts."""
        try:
            return await self._send(rendered)
        except SalesforceError as error:
            return error.outcome

    async def close(self) -> None:
        """Closes the client."""
        await self._api.close()

    async def _send(self, upsert: Upsert) -> Outcome:
        fields, note = dict(upsert.fields), None
        if upsert.account is not None:
            ids = await self._api.account_ids(upsert.account)
            fields, note = with_account(fields, upsert.account, ids)
        if upsert.known and await self._updated(upsert.lead_id, fields):
            return Delivered(note)
        if upsert.creation is None:
            return Delivered("nothing to withdraw: the CRM holds no such opportunity")
        await self._api.upsert_opportunity(upsert.lead_id, {**fields, **upsert.creation})
        return Delivered(note)

    async def _updated(self, lead_id: str, fields: Mapping[str, Any]) -> bool:
        """Updates a standing record; False when there is none (a new one would need its stage)."""
        try:
            await self._api.upsert_opportunity(lead_id, fields)
        except SalesforceError as error:
            if error.code != _NO_SUCH_RECORD:
                raise
            return False
        return True


def with_account(
    fields: Mapping[str, Any], name: str, ids: tuple[str, ...]
) -> tuple[dict[str, Any], str | None]:
    """The fields with the account, and a note when it could not be told which one it is.

    An account is looked up by its name and never guessed: none or several leave it open.
    """
    if len(ids) == 1:
        return {**fields, "AccountId": ids[0]}, None
    found = "no account has" if not ids else f"{len(ids)} accounts have"
    note = f"account left open: {found} the name {plain(name)}"
    description = f"{fields['Description']}\n\nOneLead: {note}."
    return {**fields, "Description": description[:_DESCRIPTION_LIMIT]}, note


def _opportunity(alert: Alert, *, known: bool) -> Upsert:
    ours = {
        "Name": _cut(alert.title, _NAME_LIMIT),
        "Amount": float(alert.value_max),
        "Description": _description(alert),
        "Type": "Existing Business",
        "LeadSource": "OneLead AI",
        "OneLead_Score__c": alert.score,
        "OneLead_Status__c": "Open",
    }
    creation = {
        "StageName": "Qualification",
        "CloseDate": (alert.as_of + CLOSE_AFTER[alert.lead_type]).isoformat(),
    }
    return Upsert(alert.lead_id, alert.account, ours, creation, known)


def _withdrawal(withdrawal: Withdrawal) -> Upsert:
    alert = withdrawal.alert
    description = f"Withdrawn by OneLead: {plain(withdrawal.reason)}.\n\n{_description(alert)}"
    fields = {
        "OneLead_Status__c": "Withdrawn",
        "Description": description[:_DESCRIPTION_LIMIT],
    }
    return Upsert(alert.lead_id, account=None, fields=fields, creation=None, known=True)


def _description(alert: Alert) -> str:
    services = [f"- {service_text(service)}" for service in alert.services] or ["- none"]
    lines = [
        alert.description,
        f"Account: {alert.account}",
        f"Value: {value_text(alert)}",
        f"Score: {alert.score} of 100 ({alert.priority}), as of {alert.as_of.isoformat()}",
        "Services to offer:",
        *services,
        alert.link,
    ]
    return _cut("\n".join(lines), _DESCRIPTION_LIMIT)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
