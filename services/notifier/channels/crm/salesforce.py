"""Salesforce: a lead is an Opportunity, found by OneLead_ID__c; a call is a Task on it (rules.md §8).

Upserts by external id have the effect of one however often they are sent.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from services.notifier.channels.crm.base import CrmError
from services.notifier.channels.crm.channel import CrmChannel
from services.notifier.channels.crm.salesforce_answers import record_outcome
from services.notifier.channels.crm.salesforce_api import (
    MOST_RECORDS,
    SalesforceApi,
    in_parts,
)
from services.notifier.channels.crm.salesforce_login import SalesforceSink
from services.notifier.channels.sink import SinkSettings
from services.notifier.domain.attempt import Outcome, Retryable
from services.notifier.domain.crm.comparison import cut
from services.notifier.domain.crm.records import Call, CrmRecord, Field, FieldValue, Write, folded
from shared.outbound import OutboundPolicy

EXTERNAL_ID = "OneLead_ID__c"
FIELDS: Mapping[Field, str] = {
    Field.NAME: "Name",
    Field.AMOUNT: "Amount",
    Field.DESCRIPTION: "Description",
    Field.TYPE: "Type",
    Field.SOURCE: "LeadSource",
    Field.SCORE: "OneLead_Score__c",
    Field.STATUS: "OneLead_Status__c",
    Field.STAGE: "StageName",
    Field.CLOSE_DATE: "CloseDate",
    Field.ACCOUNT: "AccountId",
    Field.OWNER: "OwnerId",
}
LENGTHS: Mapping[Field, int] = {Field.NAME: 120, Field.DESCRIPTION: 32_000, Field.STAGE: 40}
_SUBJECT_LENGTH = 255
_ACCOUNT_LENGTH = 255
_MOST_READ = 40
"""Records read at a time with their descriptions: together they stay below the size of an answer."""


class Salesforce:
    """One organisation."""

    most = MOST_RECORDS
    lengths = LENGTHS

    def __init__(self, sink: SalesforceSink, policy: OutboundPolicy) -> None:
        """Raises UserError for a private key that is none."""
        self._api = SalesforceApi(sink, policy)

    async def close(self) -> None:
        """Closes the client."""
        await self._api.close()

    async def accounts(self, names: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The ids of the accounts with these names; Salesforce compares them without case."""
        found: dict[str, list[str]] = {}
        # No account has a longer name; cut, it could be another's.
        possible = sorted({name for name in names if len(name) <= _ACCOUNT_LENGTH})
        for part in in_parts(possible):
            soql = f"SELECT Id, Name FROM Account WHERE Name IN ({part})"
            for row in await self._api.query(soql):
                found.setdefault(folded(str(row.get("Name"))), []).append(str(row.get("Id")))
        return found

    async def read(
        self, lead_ids: Collection[str], fields: Collection[Field]
    ) -> Sequence[CrmRecord]:
        """The opportunities of these leads."""
        self._api.usage.check(polling=False)
        found: list[CrmRecord] = []
        most = _MOST_READ if Field.DESCRIPTION in fields else MOST_RECORDS
        for part in in_parts(sorted(lead_ids), most):
            where = f"{EXTERNAL_ID} IN ({part})"
            found += [_record(row, fields) for row in await self._api.query(_select(fields, where))]
        return found

    async def changed_since(
        self, since: datetime | None, fields: Collection[Field]
    ) -> Sequence[CrmRecord]:
        """The opportunities of ours that changed since then, by anybody's hand.

        SystemModstamp and not LastModifiedDate: it is indexed, and automatic changes move it too.
        """
        self._api.usage.check(polling=True)
        where = f"{EXTERNAL_ID} != null"
        if since is not None:
            where += f" AND SystemModstamp >= {since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        soql = f"{_select(fields, where)} ORDER BY SystemModstamp, Id"
        return [_record(row, fields) for row in await self._api.query(soql)]

    async def upsert(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Creates or changes the opportunities in one call."""
        self._api.usage.check(polling=False)
        records = [
            {EXTERNAL_ID: write.lead_id, **_values(write.values, self.lengths)} for write in writes
        ]
        status, results = await self._api.upsert_many("Opportunity", EXTERNAL_ID, records)
        return _outcomes(status, results, len(writes))

    async def add_calls(self, calls: Sequence[tuple[Call, CrmRecord | None]]) -> Sequence[Outcome]:
        """Adds a task to each opportunity, for its owner; by external id it is one however often sent."""
        self._api.usage.check(polling=False)
        records = [_task(call, record) for call, record in calls]
        status, results = await self._api.upsert_many("Task", EXTERNAL_ID, records)
        return _outcomes(status, results, len(calls))


class SalesforceChannel(CrmChannel):
    """Opportunities in one Salesforce organisation."""

    name: ClassVar[str] = "salesforce"
    settings_class: ClassVar[type[SinkSettings]] = SalesforceSink

    @classmethod
    def open(cls, settings: SalesforceSink, policy: OutboundPolicy) -> Self:
        """The sink of an organisation. Raises UserError for a private key that is none."""
        return cls(settings, Salesforce(settings, policy), urlsplit(settings.url).netloc)


def _select(fields: Collection[Field], where: str) -> str:
    names = ", ".join(FIELDS[field] for field in fields)
    return f"SELECT Id, {EXTERNAL_ID}, SystemModstamp, {names} FROM Opportunity WHERE {where}"


def _record(row: Mapping[str, Any], fields: Collection[Field]) -> CrmRecord:
    """Raises CrmError for a row that lacks what was asked for."""
    try:
        values = {field: row[FIELDS[field]] for field in fields}
        return CrmRecord(
            external_id=str(row["Id"]),
            lead_id=str(row[EXTERNAL_ID]),
            changed_at=datetime.fromisoformat(str(row["SystemModstamp"])),
            values={f: _read(value) for f, value in values.items() if value is not None},
        )
    except (KeyError, ValueError) as error:
        reason = f"Salesforce's record cannot be read: {type(error).__name__}"
        raise CrmError(Retryable(reason, error="server")) from None


def _read(value: Any) -> FieldValue:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    return str(value)


def _values(values: Mapping[Field, FieldValue], lengths: Mapping[Field, int]) -> dict[str, Any]:
    return {FIELDS[name]: _wire(value, lengths.get(name)) for name, value in values.items()}


def _wire(value: FieldValue, length: int | None) -> str | float:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else cut(value, length)


def _task(call: Call, record: CrmRecord | None) -> dict[str, Any]:
    task: dict[str, Any] = {
        EXTERNAL_ID: call.task_id,
        "Subject": cut(call.subject, _SUBJECT_LENGTH),
        "Description": cut(call.description, LENGTHS[Field.DESCRIPTION]),
        "ActivityDate": call.due.isoformat(),
        "Priority": "High",
        "TaskSubtype": "Call",
    }
    if record is not None:
        task["WhatId"] = record.external_id
        if owner := record.values.get(Field.OWNER):
            task["OwnerId"] = str(owner)
    return task


def _outcomes(status: int, results: Sequence[Any], asked: int) -> list[Outcome]:
    if len(results) != asked:
        reason = f"Salesforce told of {len(results)} records instead of {asked}"
        raise CrmError(Retryable(reason, status=status, error="server"))
    return [record_outcome(result, status) for result in results]
