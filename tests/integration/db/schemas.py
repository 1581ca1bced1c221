"""The tables of every service's schema, from its metadata, with a row for each."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.ingest.tables import metadata as ingest
from services.lifecycle.tables import metadata as lifecycle
from services.notifier.tables import metadata as notifier
from services.recommender.tables import metadata as recommender
from services.scoring.tables import metadata as scoring

SCHEMAS: dict[str, MetaData] = {
    "ingest": ingest,
    "scoring": scoring,
    "recommender": recommender,
    "notifier": notifier,
    "lifecycle": lifecycle,
}
TABLES: list[Table] = [table for each in SCHEMAS.values() for table in each.sorted_tables]

_VALUES: dict[type, Any] = {
    int: 1,
    bool: True,
    float: 1.0,
    bytes: b"x",
    list: [],
    Decimal: Decimal(1),
    date: date(2025, 10, 9),
    datetime: datetime(2025, 10, 9, tzinfo=UTC),
}


def a_row(table: Table, tenant: str) -> dict[str, Any]:
    """A row of the tenant's that violates no key: all but what the database fills in itself."""
    columns = [c for c in table.columns if c.identity is None]
    needed = [c for c in columns if c.primary_key or (not c.nullable and c.server_default is None)]
    return {c.name: tenant if c.name == "tenant_id" else _value(c) for c in needed}


def _value(column: Column[Any]) -> Any:
    if isinstance(column.type, JSONB):
        return {"a": 1}
    kind = column.type.python_type
    return uuid.uuid4().hex if kind is str else _VALUES[kind]
