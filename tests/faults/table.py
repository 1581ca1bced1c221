"""The battery's figures as a table, and their place in docs/guarantees.md."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import UserError
from tests.faults.checker import KINDS, Verdict

BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"
_HEADERS = (
    *("Fault", "Rounds", "Inputs", "Leads", "Alerts", *(kind.capitalize() for kind in KINDS)),
    *("Resumed after (median)", "worst"),
)


@dataclass(frozen=True)
class Line:
    """One kind of fault and what it came to."""

    title: str
    verdict: Verdict


def markdown(lines: Sequence[Line]) -> str:
    """The table."""
    rows = [_HEADERS, ("---", *["---:"] * (len(_HEADERS) - 1)), *map(_cells, lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def measured(lines: Sequence[Line]) -> str:
    """What was measured besides: stops and retries, in sentences."""
    stops = [v for line in lines if (v := line.verdict.longest_stop_s) is not None]
    retries = [v for line in lines if (v := line.verdict.most_retries_per_s) is not None]
    doubts = sum(line.verdict.doubts for line in lines)
    told = []
    if doubts:
        told.append(f"{doubts:,} alerts in Slack are listed as in doubt: their answers were lost.")
    if stops:
        told.append(f"The slowest stop took {max(stops):.1f} s.")
    if retries:
        told.append(
            f"While PostgreSQL was away the most eager handler tried again {max(retries):.1f} times a second."
        )
    return " ".join(told)


def _cells(line: Line) -> tuple[str, ...]:
    verdict = line.verdict
    resumed = verdict.resume_s
    return (
        line.title,
        *(f"{n:,}" for n in (verdict.rounds, verdict.inputs, verdict.leads, verdict.alerts)),
        *(f"{verdict.count(kind):,}" for kind in KINDS),
        f"{statistics.median(resumed):.1f} s" if resumed else "–",
        f"{max(resumed):.1f} s" if resumed else "–",
    )


def write(path: Path, text: str) -> None:
    """Puts a text between the marks of a page. Raises UserError for a page without them."""
    page = path.read_text()
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UserError(f"{path} has no place for the table", hint=f"{BEGIN} and {END} mark it")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
