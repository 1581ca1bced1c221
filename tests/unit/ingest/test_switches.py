"""Every switch of rules.md §3 and guard of §2, off and on: which leads it brings and which it takes."""

from decimal import Decimal
from typing import Any

import pytest

from services.ingest.domain.accounts.directory import LinkStage
from services.ingest.domain.derive import derive_account
from services.ingest.domain.leads import LEAD_RULES
from services.ingest.domain.records import Box
from shared.rules.load import default_rules
from tests.support.builders import (
    AS_OF,
    TENANT,
    a_box,
    a_case,
    a_price_list,
    a_use,
    an_entry,
    changed,
    days_ago,
    reconciled,
    some_rows,
)

RULES = default_rules()
BOTH = "Warranty Expired - Uncovered Box"

OURS = a_box(record_id="ours", support_status=BOTH, service_end=days_ago(10))
DELL = a_box(
    record_id="dell",
    product_name="Dell PowerEdge R730",
    platform="PowerEdge",
    support_status=BOTH,
    service_end=days_ago(10),
    end_of_life=days_ago(2000),
)
ENDING = a_box(record_id="ending", service_end=days_ago(-60))
DELL_ENDING = DELL.model_copy(
    update={"record_id": "dell ending", "support_status": None, "service_end": days_ago(-60)}
)
AGED = a_box(
    record_id="aged",
    support_status=BOTH,
    service_end=days_ago(10),
    end_of_life=days_ago(1000),
)
BOXES = (OURS, DELL, ENDING, DELL_ENDING, AGED)

ALWAYS = {
    *("ours/renewal", "ours/service_attach", "dell/hardware_refresh"),
    *("dell ending/hardware_refresh", "aged/renewal", "aged/service_attach"),
}


def leads(**rules: Any) -> set[str]:
    used = changed(RULES, **rules)
    return {
        f"{box.record_id}/{rule.lead_type.value}"
        for box in BOXES
        for rule in LEAD_RULES
        if rule.play(a_case(box, used)) is not None
    }


def test_with_every_switch_off_there_are_the_leads_of_the_table() -> None:
    assert leads() == ALWAYS


SWITCHES: dict[str, tuple[dict[str, Any], set[str], set[str]]] = {
    "support for competitors": (
        {"leads__competitor_support_plays": True},
        {"dell/renewal", "dell/service_attach"},
        set(),
    ),
    "renewals ahead": ({"leads__renewal__ahead_days": 90}, {"ending/renewal"}, set()),
    "renewals not so far ahead": ({"leads__renewal__ahead_days": 59}, set(), set()),
    "renewals ahead, for competitors too": (
        {"leads__renewal__ahead_days": 90, "leads__competitor_support_plays": True},
        {"ending/renewal", "dell ending/renewal", "dell/renewal", "dell/service_attach"},
        set(),
    ),
    "no renewal of old boxes": (
        {"leads__renewal__max_days_since_eol": 999},
        set(),
        {"aged/renewal"},
    ),
    "no renewal of older boxes": ({"leads__renewal__max_days_since_eol": 1000}, set(), set()),
    "one support play": (
        {"leads__one_support_play_per_box": True},
        set(),
        {"ours/service_attach", "aged/service_attach"},
    ),
    "one support play, old boxes not renewed": (
        {"leads__one_support_play_per_box": True, "leads__renewal__max_days_since_eol": 999},
        set(),
        {"ours/service_attach", "aged/renewal"},
    ),
    "earlier refreshes": (
        {"leads__hardware_refresh__min_days_since_eol": 999},
        {"aged/hardware_refresh"},
        set(),
    ),
    "another word for expired": (
        {"leads__renewal__status_contains": "lapsed"},
        set(),
        {"ours/renewal", "aged/renewal"},
    ),
    "another word for uncovered": (
        {"leads__service_attach__status_contains": "bare"},
        set(),
        {"ours/service_attach", "aged/service_attach"},
    ),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_brings_and_takes_just_its_leads(name: str) -> None:
    rules, come, gone = SWITCHES[name]
    assert leads(**rules) - ALWAYS == come
    assert ALWAYS - leads(**rules) == gone


def worth(box: Box, **rules: Any) -> dict[str, Decimal]:
    directory = reconciled(a_use("Acme Logistics", "70001"))
    (entry,) = directory.accounts.values()
    found = derive_account(
        TENANT,
        entry,
        some_rows(box),
        territory_totals={},
        prices=a_price_list(an_entry("Care", family="COMPUTE", list_price=Decimal(1_000))),
        rules=changed(RULES, **rules),
        as_of=AS_OF,
    )
    return {lead.lead_type.value: lead.estimated_value_max for lead in found.leads}


@pytest.mark.parametrize(
    ("on", "families", "expected"),
    [
        (False, {"PROLIANT": {"min": 1, "max": 2}}, 200_000),
        (True, {"PROLIANT": {"min": 1, "max": 2}}, 2),
        (True, {"COMPUTE": {"min": 3, "max": 4}}, 4),
        (True, {"PROLIANT": {"min": 1, "max": 2}, "COMPUTE": {"min": 3, "max": 4}}, 2),
        (True, {"MSA": {"min": 5, "max": 6}}, 200_000),
    ],
)
def test_a_refresh_is_valued_by_its_family_then_its_parent_when_that_is_switched_on(
    on: bool, families: dict[str, Any], expected: int
) -> None:
    box = OURS.model_copy(update={"end_of_life": days_ago(4000)})
    rules = {
        "leads__hardware_refresh__value_by_family": on,
        "leads__hardware_refresh__family_values": families,
    }
    assert worth(box, **rules) == {
        "renewal": 1_500,
        "service_attach": 1_500,
        "hardware_refresh": expected,
    }


def accounts(*names: str, **rules: Any) -> int:
    directory = reconciled(*map(a_use, names), rules=changed(RULES, **rules))
    return len(directory.accounts)


GUARDS: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {
    "a cut-off": (("Kestrel Aerospace", "Kestrel Aero"), {"accounts__link_at": 80}),
    "words that tell apart": (
        ("First Bank of Iowa", "First Bank of Ohio"),
        {"accounts__autolink_conflicting_words": True, "accounts__link_at": 80},
    ),
    "numbers that tell apart": (
        ("Vega Clinics 1", "Vega Clinics 2"),
        {"accounts__autolink_conflicting_words": True},
    ),
    "a list of such words": (
        ("Granite Holding North", "Granite Holding South"),
        {"accounts__conflicting_words": (), "accounts__link_at": 80},
    ),
    "a length": (("Novex", "Novox"), {"accounts__min_link_length": 5, "accounts__link_at": 80}),
    "a legal suffix": (
        ("Kestrel Kollektiv", "Kestrel"),
        {"accounts__legal_suffixes": ("kollektiv",)},
    ),
    "a name map": (
        ("AMAT", "Applied Materials"),
        {"accounts__name_map": {"AMAT": "Applied Materials"}},
    ),
}


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_keeps_names_apart_until_the_rules_say_otherwise(name: str) -> None:
    names, rules = GUARDS[name]
    kept = {"accounts__link_at": rules["accounts__link_at"]} if "link_at" in str(rules) else {}
    guarded = {} if name == "a cut-off" else kept
    assert accounts(*names, **guarded) == 2
    assert accounts(*names, **rules) == 1


@pytest.mark.parametrize("at", [85, 95])
def test_a_stricter_cut_off_links_less(at: int) -> None:
    names = ("Orchard Valley School District", "Orchard Valley School Dist.")
    assert accounts(*names, accounts__link_at=at) == (1 if at == 85 else 2)


def test_names_in_east_asian_letters_are_linked_only_when_equal_whatever_the_cut_off() -> None:
    names = ("東日本電信電話", "西日本電信電話")
    assert accounts(*names, accounts__link_at=61) == 2
    assert accounts(names[0], "東日本電信電話株式会社") == 1


def test_a_name_that_is_mapped_by_hand_says_so() -> None:
    rules = changed(RULES, accounts__name_map={"AMAT": "Applied Materials"})
    directory = reconciled(a_use("AMAT"), a_use("Applied Materials"), rules=rules)
    assert directory.names["amat"].stage is LinkStage.MANUAL
    assert directory.names["amat"].evidence == 'name map: "Applied Materials"'
