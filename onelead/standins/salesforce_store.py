"""The records of the Salesforce stand-in: who wrote what when, found by id and by external id."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from onelead.standins.salesforce_schema import (
    EXTERNAL_ID,
    PREFIXES,
    SalesforceRefusalError,
    SeveralMatchError,
    check_upsert,
    check_values,
    fields_of,
)
from shared import clock

_WON, _LOST = "Closed Won", "Closed Lost"
_RELATIONS = {
    "Account": "AccountId",
    "Owner": "OwnerId",
    "CreatedBy": "CreatedById",
    "LastModifiedBy": "LastModifiedById",
}

Record = dict[str, Any]


@dataclass(frozen=True)
class Upserted:
    """A record as it stands now, and whether it is new."""

    record: Record
    created: bool


class Crm:
    """One organisation's records, with the system fields Salesforce keeps by itself."""

    def __init__(self, username: str) -> None:
        self._records: dict[str, dict[str, Record]] = {kind: {} for kind in PREFIXES}
        self._kinds: dict[str, str] = {}
        self._external: dict[tuple[str, str], list[str]] = {}
        self._numbers = count(1)
        self.integration = self._add_user("OneLead Integration", username)
        self.person = self._add_user("Robin Seller", "robin@standin.example")

    def find(self, record_id: str) -> Record | None:
        """The record of that id."""
        kind = self._kinds.get(record_id)
        return None if kind is None else self._records[kind][record_id]

    @property
    def ids(self) -> Collection[str]:
        """The ids of all records."""
        return self._kinds.keys()

    def all(self, kind: str) -> Iterator[Record]:
        """Every record of an object."""
        return iter(self._records[kind].values())

    def ids_of(self, kind: str, external_id: str) -> list[str]:
        """The records that have an external id: none, one, or several where it is not unique."""
        return self._external.get((kind, external_id), [])

    def check(self, kind: str, external_id: str, values: object) -> dict[str, Any]:
        """The values as they would be stored. Raises SalesforceRefusalError as an upsert would."""
        fields = fields_of(kind)
        if EXTERNAL_ID not in fields:
            message = f"{EXTERNAL_ID} does not exist or is not an external id of {kind}"
            raise SalesforceRefusalError(404, "NOT_FOUND", message)
        if not external_id or len(external_id) > fields[EXTERNAL_ID].length:
            raise SalesforceRefusalError(404, "NOT_FOUND", "The requested resource does not exist")
        known = self.ids_of(kind, external_id)
        if len(known) > 1:
            raise SeveralMatchError(kind, known)
        return check_upsert(values, new=not known, accounts=self._kinds, kind=kind)

    def upsert(self, kind: str, external_id: str, values: object) -> Upserted:
        """Creates or changes the record with that external id. Raises SalesforceRefusalError."""
        checked = self.check(kind, external_id, values)
        known = self.ids_of(kind, external_id)
        if known:
            return Upserted(self._write(self._records[kind][known[0]], checked, None), False)
        return Upserted(self.create(kind, {**checked, EXTERNAL_ID: external_id}), True)

    def create(self, kind: str, values: object, *, unique: bool = True) -> Record:
        """Adds a record. Raises SalesforceRefusalError, for a taken external id too if it is unique."""
        fields = fields_of(kind)
        checked = check_values(values, new=True, kind=kind, ids=self._kinds)
        external_id = checked.get(EXTERNAL_ID)
        if external_id is not None and unique and self.ids_of(kind, external_id):
            other = self.ids_of(kind, external_id)[0]
            message = f"duplicate value found: {EXTERNAL_ID} duplicates value on record with id: "
            raise SalesforceRefusalError(400, "DUPLICATE_VALUE", message + other)
        record = dict.fromkeys(fields) | {n: f.default for n, f in fields.items() if f.default}
        return self._add(kind, record, checked)

    def update(self, record_id: str, values: object, by: Record | None = None) -> Record:
        """Changes a record. Raises SalesforceRefusalError; KeyError for no such record."""
        kind = self._kinds[record_id]
        checked = check_values(values, new=False, kind=kind, ids=self._kinds)
        return self._write(self._records[kind][record_id], checked, by)

    def value(self, record: Record, path: str) -> Any:
        """A field, or one of a record it refers to: `Account.Name`. Raises KeyError for no such field."""
        relation, dot, field = path.rpartition(".")
        if not dot:
            return record[path]
        other = self.find(record[_RELATIONS[relation]] or "")
        return None if other is None else other[field]

    def _add_user(self, name: str, username: str) -> Record:
        return self._add("User", {}, {"Name": name, "Username": username})

    def _add(self, kind: str, record: Record, values: Mapping[str, Any]) -> Record:
        record_id = f"{PREFIXES[kind]}{next(self._numbers):015d}"
        by = record_id if kind == "User" else self.integration["Id"]
        record |= {"Id": record_id, "CreatedDate": _now(), "CreatedById": by, "OwnerId": by}
        self._records[kind][record_id] = record
        self._kinds[record_id] = kind
        if values.get(EXTERNAL_ID) is not None:
            self._external.setdefault((kind, values[EXTERNAL_ID]), []).append(record_id)
        return self._write(record, values, self.find(by))

    def _write(self, record: Record, values: Mapping[str, Any], by: Record | None) -> Record:
        record |= values
        author = by or self.integration
        record |= {"LastModifiedDate": _now(), "LastModifiedById": author["Id"]}
        record["SystemModstamp"] = record["LastModifiedDate"]
        if "StageName" in record:
            record["IsWon"] = record["StageName"] == _WON
            record["IsClosed"] = record["StageName"] in {_WON, _LOST}
        return record


def _now() -> str:
    # Salesforce keeps whole seconds: several changes in one second have the same time.
    return clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")
