"""A number that no database could hold is refused on arrival, kept as text, or passed over by readers."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.domain.accounts.decisions import Decision
from shared.db import bulk
from shared.events import AccountAction, AccountCommand, LeadFacts, RecordKind, RecordObserved
from tests.support.scoring_builders import a_lead

BEYOND = 99_999_999_999_999_999_999


def an_undo(decision: int) -> dict[str, Any]:
    return {"command_id": "c", "action": "undo", "account_id": "a", "decision": decision}


@pytest.mark.parametrize("decision", [0, -1, 2**63, BEYOND])
def test_a_command_about_a_decision_that_cannot_be_is_refused(decision: int) -> None:
    with pytest.raises(ValidationError):
        AccountCommand.model_validate(an_undo(decision))
    asked = {"number": 1, "asked_at": "2025-10-09T00:00:00Z", **an_undo(1), "undoes": decision}
    with pytest.raises(ValidationError):
        Decision.model_validate(asked)


def test_a_command_about_a_decision_that_may_be_is_read() -> None:
    command = AccountCommand.model_validate(an_undo(2**63 - 1))
    assert (command.action, command.decision) == (AccountAction.UNDO, 2**63 - 1)


@pytest.mark.parametrize(
    ("told", "read"),
    [(1, 1), (10, 10), (1000, 1000), (None, None), (0, None), (1001, None), (1e23, None)],
)
def test_a_reader_of_leads_goes_on_without_a_generation_that_cannot_be(
    told: float | None, read: int | None
) -> None:
    values = {**a_lead().model_dump(mode="json"), "generation": told}
    assert LeadFacts.model_validate(values).generation == read


def test_a_whole_number_in_a_cell_beyond_64_bits_is_kept_as_text() -> None:
    cells = {"serial_number": BEYOND, "quantity": 2**64 - 1, "amount": 1.5, "flag": True}
    row = RecordObserved(
        kind=RecordKind.INSTALL_BASE,
        source="s",
        record_id="r",
        values=cells,
        extra={"Note": -BEYOND, "Other": -(2**63)},
    )
    assert row.values == {**cells, "serial_number": str(BEYOND)}
    assert row.extra == {"Note": str(-BEYOND), "Other": -(2**63)}


@pytest.mark.parametrize("field", ["part", "row"])
@pytest.mark.parametrize("number", [-1, BEYOND])
def test_a_row_that_stands_nowhere_is_refused(field: str, number: int) -> None:
    row = {"kind": "project", "source": "s", "record_id": "r", "values": {}, field: number}
    with pytest.raises(ValidationError):
        RecordObserved.model_validate(row)


@pytest.mark.parametrize(
    "digits",
    [str(2**64), str(-(2**63) - 1), str(BEYOND), "1" + "0" * 5_000],
    ids=["beyond 64 bits", "below 64 bits", "far beyond", "beyond what Python reads"],
)
def test_json_with_an_integer_beyond_64_bits_is_never_stored(digits: str) -> None:
    with pytest.raises(ValueError, match=r"integer|digits"):
        bulk._json_text(f'{{"a":[{digits}]}}'.encode())


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, BEYOND])
def test_a_value_beyond_64_bits_is_never_stored(number: int) -> None:
    with pytest.raises(TypeError):
        bulk._json_text({"a": number})


@pytest.mark.parametrize(
    "document",
    [b'{"a":18446744073709551615}', b'{"a":-9223372036854775808}', b'"99999999999999999999"'],
)
def test_json_with_integers_of_64_bits_and_long_numbers_in_text_is_stored(document: bytes) -> None:
    assert bulk._json_text(document) == document.decode()
