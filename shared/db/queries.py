"""Reads a service's named SQL statements from its `queries.sql`."""

import re
from pathlib import Path

from sqlalchemy import TextClause, text

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_queries(module_file: str) -> dict[str, TextClause]:
    """The statements of the `queries.sql` beside a module: each follows a line `-- name: its_name`."""
    parts = _NAME.split(Path(module_file).with_name("queries.sql").read_text(encoding="utf-8"))
    return {name: text(sql.strip()) for name, sql in zip(parts[1::2], parts[2::2], strict=True)}
