"""Writes rows as CSV that a spreadsheet shows as it stands: no text of a customer becomes a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """The header and a line for each row; text that a spreadsheet would calculate gets a `'` before it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({name: _shown(row[name]) for name in columns} for row in rows)
    return text.getvalue()


def _shown(value: object) -> object:
    is_formula = isinstance(value, str) and value.startswith(_BEGINS_A_FORMULA)
    return f"'{value}" if is_formula else value
