"""Breaks the domains on purpose, one small change at a time: do the unit tests notice? `make long`.

mutmut makes the mutants, and runs for each the unit tests that reach the changed function, in a
process forked from a warmed one. Writes how many died and what the survivors changed.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console

from tests.long.workspace import Workspace

SAMPLE = 400
SEED = 20_251_009
FLOOR = 0.9
_NOTICED = frozenset(("killed", "timeout", "segfault"))
_EQUIVALENTS = Path(__file__).with_name("equivalents.yaml")


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test noticed; `suspect` says why nobody could, if a person judged so."""

    mutant: str
    status: str
    before: str
    after: str
    suspect: str | None


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when enough mutants died, 1 when not."""
    asked = _asked(arguments)
    console = Console(highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="onelead-mutation-") as folder:
        workspace = Workspace(Path(folder))
        everyone = [name for name in workspace.mutants() if asked.only in name]
        chosen = sample(everyone, asked.sample, asked.seed)
        console.print(f"{len(chosen):,} of {len(everyone):,} mutants, seed {asked.seed}")
        outcomes = workspace.run(chosen)
        survivors = _survivors(workspace, outcomes)
    return _report(console, outcomes, survivors, asked.floor)


def sample(everyone: Sequence[str], size: int, seed: int) -> list[str]:
    """So many of them, or all when size is 0; the same for the same seed."""
    chosen = random.Random(seed).sample(everyone, min(size, len(everyone)))  # noqa: S311
    return sorted(chosen) if size else list(everyone)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many mutants; 0: all")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--floor", type=float, default=FLOOR, help="the share that must die")
    return parser.parse_args(arguments)


def _survivors(workspace: Workspace, outcomes: dict[str, str]) -> list[Survivor]:
    known = yaml.safe_load(_EQUIVALENTS.read_text())
    found = []
    for mutant, status in outcomes.items():
        if status not in _NOTICED:
            before, after = workspace.change(mutant)
            suspects = (
                str(each["why"])
                for each in known
                if each["now"] == after and each.get("was", before) == before
            )
            found.append(Survivor(mutant, status, before, after, next(suspects, None)))
    return found


def _report(
    console: Console, outcomes: dict[str, str], survivors: Sequence[Survivor], floor: float
) -> int:
    """Prints the survivors, the suspects last, and the score; the exit code."""
    for each in sorted(survivors, key=lambda each: (each.suspect is not None, each.mutant)):
        note = f" (equivalent? {each.suspect})" if each.suspect else ""
        console.print(f"\n{each.status}: {each.mutant}{note}", markup=False)
        console.print(f"  - {each.before}\n  + {each.after}", markup=False)
    suspects = sum(each.suspect is not None for each in survivors)
    killed = sum(status in _NOTICED for status in outcomes.values())
    share = killed / len(outcomes) if outcomes else 0.0
    kinds = ", ".join(f"{count} {status}" for status, count in Counter(outcomes.values()).items())
    console.print(
        f"\n{killed} of {len(outcomes)} mutants killed: {share:.1%} (at least {floor:.0%} must be); "
        f"{len(survivors) - suspects} survived, {suspects} more are equivalent; {kinds}"
    )
    return 0 if share >= floor else 1


if __name__ == "__main__":
    sys.exit(main())
