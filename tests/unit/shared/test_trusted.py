"""A value made without checks is the same value."""

from shared.events import LedgerLine


def test_a_trusted_value_equals_the_checked_one_in_every_way() -> None:
    fields = {"component": "urgency", "reason": "base", "input": None, "points": 50.0}
    checked, trusted = LedgerLine.model_validate(fields), LedgerLine.trusted(**fields)
    assert trusted == checked
    assert hash(trusted) == hash(checked)
    assert trusted.model_dump_json() == checked.model_dump_json()
    assert trusted.model_copy(update={"points": 1.0}).points == 1.0
    assert trusted.model_fields_set == checked.model_fields_set
