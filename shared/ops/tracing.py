"""W3C trace context: a message continues its cause's trace, or begins one."""

import re
import secrets

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def next_traceparent(cause: str | None) -> str:
    """A traceparent with a new span in the cause's trace; a new trace without a valid cause."""
    match = _TRACEPARENT.fullmatch(cause or "")
    trace_id = match.group(1) if match else secrets.token_hex(16)
    return f"00-{trace_id}-{secrets.token_hex(8)}-01"


def trace_id(traceparent: str | None) -> str | None:
    """The trace id inside a traceparent, for logs."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return match.group(1) if match else None
