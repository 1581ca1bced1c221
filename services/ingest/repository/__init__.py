"""The SQL of ingest, by subject; every method runs in the caller's transaction, tenant by tenant."""

from services.ingest.repository.account_decisions import AccountDecisionsRepository
from services.ingest.repository.accounts import AccountsRepository
from services.ingest.repository.batches import BatchesRepository
from services.ingest.repository.derived import DerivedRepository
from services.ingest.repository.marks import Mark, MarksRepository
from services.ingest.repository.records import RecordsRepository

__all__ = [
    "AccountDecisionsRepository",
    "AccountsRepository",
    "BatchesRepository",
    "DerivedRepository",
    "Mark",
    "MarksRepository",
    "RecordsRepository",
]
