"""A short name for a content: equal rules, or parts of rules, have equal digests, however written."""

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Any

_LENGTH = 12


def digest(content: Any) -> str:
    """The digest of rules, or of parts of them, as `model_dump` gives them."""
    canonical = json.dumps(_canonical(content), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:_LENGTH]


def _canonical(value: Any) -> Any:
    """Numbers in one spelling (8000, 8000.0 and 8E+3 are the same amount), days as ISO text."""
    if isinstance(value, dict):
        return {key: _canonical(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_canonical(entry) for entry in value]
    if isinstance(value, date):
        return value.isoformat()
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value
