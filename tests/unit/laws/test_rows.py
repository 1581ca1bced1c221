"""What follows from rows does not depend on their order, on repeats, or on other customers' rows."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.changes import HeldLead, lead_news
from tests.support.builders import AS_OF
from tests.support.rule_sets import RULE_SETS
from tests.unit.laws.exports import Export, exports, what_follows

rule_sets = st.sampled_from(list(RULE_SETS))
few = settings(max_examples=10)


@settings(max_examples=20)
@given(exports(), rule_sets, st.data())
def test_the_order_of_rows_does_not_matter(export: Export, rules: str, data: st.DataObject) -> None:
    shuffled = Export(
        data.draw(st.permutations(export.boxes)),
        data.draw(st.permutations(export.deals)),
        data.draw(st.permutations(export.projects)),
    )
    assert what_follows(shuffled.assessed(rules)) == what_follows(export.assessed(rules))


@few
@given(exports(), rule_sets)
def test_a_box_that_comes_twice_counts_once(export: Export, rules: str) -> None:
    twice = Export([*export.boxes, *export.boxes], export.deals, export.projects)
    found = twice.assessed(rules)
    assert what_follows(found) == what_follows(export.assessed(rules))
    assert sum(each.quarantined for each in found.rows) == len(export.boxes)


@few
@given(exports(), rule_sets)
def test_the_same_rows_again_are_no_news(export: Export, rules: str) -> None:
    first = export.assessed(rules)
    held = {each.lead.lead_id: HeldLead(1, "open", each.lead) for each in first.leads}
    again = {each.lead.lead_id: each.lead for each in export.assessed(rules).leads}
    assert lead_news(again, held, {}, (), AS_OF) == []


@few
@given(exports(), rule_sets)
def test_what_another_customer_does_elsewhere_changes_nobody_elses_leads(
    export: Export, rules: str
) -> None:
    theirs: dict[str, Any] = {"account_name": "Quixotic Bakery", "territory_id": "99"}
    more = Export(
        [*export.boxes, {"serial_number": "X1", "product_name": "HPE MSA 2050", **theirs}],
        [*export.deals, {"opportunity_id": "OPE-99", "stage": "Closed Won", **theirs}],
        [*export.projects, {"project_id": "JP1-99", "status": "CLSD", "amount": 9_999, **theirs}],
    )
    before, after = export.assessed(rules), more.assessed(rules)
    mine = {each.account_id for each in before.accounts}
    assert [each for each in after.leads if each.lead.account_id in mine] == list(before.leads)
    assert [each for each in after.accounts if each.account_id in mine] == list(before.accounts)


@few
@given(exports(), rule_sets)
def test_every_box_is_counted_in_exactly_one_account(export: Export, rules: str) -> None:
    found = export.assessed(rules)
    items = sum(max(1, box["quantity"] or 1) for box in export.boxes)
    assert sum(account.items for account in found.accounts) == items
    assert sum(account.projects for account in found.accounts) == len(export.projects)
    boxes = {each.lead.box_id for each in found.leads}
    assert boxes <= {box["serial_number"] for box in export.boxes}


@few
@given(exports(), rule_sets)
def test_open_pipeline_counts_the_best_play_of_each_box_once(export: Export, rules: str) -> None:
    found = export.assessed(rules)
    best = {
        box: max(e.lead.estimated_value_max for e in found.leads if e.lead.box_id == box)
        for box in {each.lead.box_id for each in found.leads}
    }
    assert found.open_pipeline == sum(best.values())
