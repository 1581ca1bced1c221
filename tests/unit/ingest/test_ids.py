"""Ids never change: these values are promised to everybody who has stored one."""

from services.ingest.domain.ids import account_id_of_name, account_id_of_territory, lead_id
from shared.events import LeadType


def test_ids_are_what_they_have_always_been() -> None:
    assert account_id_of_territory("default", "56088") == "88e9340a-5eab-5e9d-9722-6c49c8a6fe73"
    assert account_id_of_name("default", "apple") == "b8d81fe9-07eb-5857-a1a5-7ab73e59589b"
    renewal = lead_id("default", "USE3256NX0", LeadType.RENEWAL)
    assert renewal == "edeac204-6def-5aba-874d-48690fb4afc9"


def test_ids_differ_by_tenant_and_by_what_they_stand_for() -> None:
    ids = {
        account_id_of_territory("a", "1"),
        account_id_of_territory("b", "1"),
        account_id_of_name("a", "1"),
        *(lead_id("a", "1", each) for each in LeadType),
    }
    assert len(ids) == 3 + len(LeadType)
