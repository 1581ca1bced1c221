"""`make faults`: runs the battery, prints its table, and writes it into docs/guarantees.md when asked."""

import argparse
import asyncio
import logging
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from onelead.edition.service import ROOT
from shared import clock
from tests.faults import caught, lanes, table
from tests.faults.fault import FaultKind
from tests.faults.kinds import FAULTS

PAGE = ROOT / "docs" / "guarantees.md"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


async def run(
    folder: Path, kinds: Sequence[FaultKind], seed: int, *, short: bool, rounds: int | None = None
) -> list[table.Line]:
    """A line for each kind that may be run here; what may not is said."""
    refusals = {kind: await kind.refusal() for kind in kinds}
    for refusal in filter(None, refusals.values()):
        _say(f"left out: {refusal}")
    able = [kind for kind in kinds if not refusals[kind]]

    def asked(kind: FaultKind) -> int:
        return rounds or (kind.short_rounds if short else kind.rounds)

    return await lanes.run(folder, able, seed, asked, _say)


def main() -> int:
    """0 when nothing was lost, doubled, wrong, stale or stuck; else 1, and the histories stay."""
    asked = _arguments()
    # That a killed broker does not answer is no news, several times a second.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if asked.try_checker is not None:
        return _tried(asked)
    kinds = [kind for kind in FAULTS if not asked.only or kind.name in asked.only]
    folder = Path(tempfile.mkdtemp(prefix="onelead-faults-"))
    _say(f"seed {asked.seed}, histories and logs in {folder}")
    begun_s = clock.monotonic_s()
    lines = asyncio.run(run(folder, kinds, asked.seed, short=asked.short, rounds=asked.rounds))
    took_min = (clock.monotonic_s() - begun_s) / 60
    length = "short run" if asked.short else "long run"
    text = table.markdown(lines)
    text += f"\n\n{table.measured(lines)}\n"
    text += f"Seed {asked.seed}, {length}, {took_min:.0f} minutes, {clock.today()}."
    sys.stdout.write(text + "\n")
    if asked.write:
        table.write(PAGE, text)
    if any(line.verdict.violations for line in lines):
        _say(f"the histories of what went wrong, and all logs, are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def _tried(asked: argparse.Namespace) -> int:
    wanted = asked.try_checker
    trials = [trial for trial in caught.TRIALS if not wanted or trial.sabotage in wanted]
    folder = Path(tempfile.mkdtemp(prefix="onelead-faults-"))
    _say(f"seed {asked.seed}, histories and logs in {folder}")
    outcomes = asyncio.run(caught.run_trials(folder, asked.seed, trials, _say))
    sys.stdout.write(caught.markdown(outcomes) + "\n")
    if not all(outcome.caught for outcome in outcomes):
        return 1
    shutil.rmtree(folder)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few rounds of each kind")
    parser.add_argument("--only", action="append", choices=[kind.name for kind in FAULTS])
    parser.add_argument("--rounds", type=int, help="so many of each kind instead of its own number")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311
    names = [trial.sabotage for trial in caught.TRIALS if trial.sabotage]
    deliberate = "put these faults (none named: all) into the product; each must be caught"
    parser.add_argument(
        "--try-checker", nargs="*", metavar="FAULT", help=f"{deliberate}: {', '.join(names)}"
    )
    parser.add_argument("--write", action="store_true", help="the table into docs/guarantees.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
