"""What Salesforce's answers mean: refusals of a call or of one record, and how much of the day is left."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from services.notifier.channels.crm.base import CrmError
from services.notifier.channels.http import Answer
from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable
from shared import clock

LIMIT_PAUSE_S = 900.0
"""How long the sink rests when the day's calls are used up: they come back hour by hour."""

_LIMIT = "REQUEST_LIMIT_EXCEEDED"
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
_SEVERAL = "DUPLICATE_EXTERNAL_ID"
_PASSES = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "SERVER_UNAVAILABLE",
        "UNKNOWN_EXCEPTION",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    }
)
_MENDABLE = frozenset(
    {
        "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "INVALID_TYPE",
        "NOT_FOUND",
        "INVALID_SESSION_ID",
        "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "API_DISABLED_FOR_ORG",
        "API_CURRENTLY_DISABLED",
        "STORAGE_LIMIT_EXCEEDED",
    }
)
"""Refusals that an administrator mends: a missing field, a missing right."""


class Usage:
    """How many of the day's calls are left, as the last answer told."""

    def __init__(self, reserve: float) -> None:
        self._reserve = reserve
        self._left: float | None = None
        self._seen_s = 0.0

    def note(self, headers: Mapping[str, str]) -> None:
        """Reads `Sforce-Limit-Info` of an answer."""
        found = _USAGE.search(headers.get("sforce-limit-info", ""))
        if found is not None and int(found[2]) > 0:
            self._left = 1 - int(found[1]) / int(found[2])
            self._seen_s = clock.monotonic_s()

    def check(self, *, polling: bool) -> None:
        """Polling ends at the reserve, sending at half of it. Raises CrmError.

        A call in a quarter of an hour still goes out: only an answer says that calls came back.
        """
        least = self._reserve if polling else self._reserve / 2
        rested_s = clock.monotonic_s() - self._seen_s
        if self._left is None or self._left >= least or rested_s >= LIMIT_PAUSE_S:
            return
        reason = f"{max(self._left, 0):.1%} of Salesforce's calls of the day are left"
        raise CrmError(Retryable(reason, LIMIT_PAUSE_S - rested_s, error="limited"), _LIMIT)


def refused(answer: Answer) -> CrmError:
    """What a refused call means for everything it carried."""
    code, message = _first_error(answer)
    said = f"Salesforce answered {answer.status} {code} {message}".strip()
    status, pause_s = answer.status, answer.pause_s(clock.now())
    if code == _LIMIT or status == httpx.codes.TOO_MANY_REQUESTS:
        wait_s = LIMIT_PAUSE_S if pause_s is None else pause_s
        return CrmError(Retryable(said, wait_s, status, "limited"), code)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return CrmError(Retryable(said, pause_s, status, "server"), code)
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return CrmError(Retryable(said, status=status, error="auth"), code)
    if code in _MENDABLE | _PASSES:
        return CrmError(Retryable(said, status=status, error="refused"), code)
    return CrmError(Rejected(said, status), code)


def record_outcome(result: Any, status: int) -> Outcome:
    """What a call about many records says of one of them."""
    if not isinstance(result, dict):
        return Retryable("Salesforce's answer is no result", status=status, error="server")
    if result.get("success") is True:
        receipt = {"id": str(result.get("id", ""))}
        return Delivered(status=status, receipt=receipt)
    errors = result.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    if not isinstance(first, dict):
        first = {}
    code = str(first.get("statusCode", ""))[:80]
    said = f"Salesforce refused the record: {code} {_line(first.get('message', ''))}".strip()
    if code == _LIMIT:
        return Retryable(said, LIMIT_PAUSE_S, status, "limited")
    if code in _MENDABLE | _PASSES:
        return Retryable(said, status=status, error="refused")
    return Rejected(said, status, "ambiguous" if code == _SEVERAL else "rejected")


def _first_error(answer: Answer) -> tuple[str, str]:
    if answer.status == httpx.codes.MULTIPLE_CHOICES:
        return "MULTIPLE_CHOICES", "several records have this external id"
    try:
        first = orjson.loads(answer.body)[0]
        return str(first["errorCode"])[:80], _line(first["message"])
    except (ValueError, TypeError, KeyError, IndexError):
        return "", ""


def _line(text: Any) -> str:
    return " ".join(str(text).split())[:200]
