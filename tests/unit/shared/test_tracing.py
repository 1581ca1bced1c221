"""A message continues the trace of its cause, or begins one."""

import re

import pytest

from shared.ops.tracing import next_traceparent, trace_id

_CAUSE = f"00-{'a' * 32}-{'b' * 16}-01"


def test_the_trace_goes_on_with_a_span_of_its_own() -> None:
    found = next_traceparent(_CAUSE)
    assert trace_id(found) == trace_id(_CAUSE) == "a" * 32
    assert found != _CAUSE


@pytest.mark.parametrize("cause", [None, "", "x", _CAUSE.upper(), _CAUSE + "\n", _CAUSE[:-1]])
def test_without_a_valid_cause_a_trace_begins(cause: str | None) -> None:
    found = next_traceparent(cause)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", found)
    assert trace_id(cause) is None
    assert next_traceparent(cause) != found
