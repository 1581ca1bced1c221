"""Tests the checker: each deliberate fault in the product is run under the fault that shows it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.battery import SETTLED_WITHIN_S, Battery
from tests.faults.checker import KINDS
from tests.faults.fault import FaultKind
from tests.faults.kinds.calm import Calm
from tests.faults.kinds.named_point import NamedPoint
from tests.faults.kinds.postgres_stopped import PostgresStopped
from tests.faults.lanes import LANES
from tests.faults.points import POINTS
from tests.faults.world import opened_world

_NEVER_SETTLES_S = 60.0
_MARKED = tuple(point for point in POINTS if point.name == "marked as sending")


@dataclass(frozen=True)
class Trial:
    """A deliberate fault, what shows it, and as what it must be caught: any of these; of none, nothing."""

    sabotage: str
    kind: FaultKind
    caught_as: frozenset[str]
    boxes: int = 40
    settled_within_s: float = SETTLED_WITHIN_S
    rounds: int = 1


TRIALS = (
    Trial("", Calm("try-none"), frozenset()),
    # So often and so many, as a batch must be in hand when PostgreSQL stops.
    Trial(
        "ack for nack",
        PostgresStopped("try-ack", longest_s=12),
        frozenset({"lost"}),
        boxes=100,
        rounds=6,
    ),
    # Again and again, as what is in hand must be alerts of what stays CRITICAL.
    Trial(
        "marked sent before sending", NamedPoint("try-sent", _MARKED), frozenset({"lost"}), rounds=5
    ),
    Trial("lease unchecked", Calm("try-lease"), frozenset({"doubled"}), boxes=80),
    # Two who write, again and again, as what was numbered first must once be committed last.
    Trial(
        "relay by id",
        Calm("try-relay", 2),
        frozenset({"lost", "stuck"}),
        boxes=80,
        settled_within_s=_NEVER_SETTLES_S,
        rounds=3,
    ),
    Trial(
        "tenant set per session",
        Calm("try-tenant"),
        frozenset({"lost", "stuck"}),
        60,
        _NEVER_SETTLES_S,
    ),
    Trial("version unguarded", Calm("try-version"), frozenset({"stale", "lost"})),
    Trial("offices ignored", Calm("try-offices"), frozenset({"wrong"})),
    # Last in its lane: what it leaves in the tables no notifier can read.
    Trial(
        "unique key dropped",
        Calm("try-key"),
        frozenset({"doubled"}),
        boxes=60,
        settled_within_s=_NEVER_SETTLES_S,
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What a trial came to: how many violations of each kind."""

    trial: Trial
    found: dict[str, int]

    @property
    def caught(self) -> bool:
        """Whether the checker noticed, and called it what it is; whether it was silent without a fault."""
        if not self.trial.caught_as:
            return not any(self.found.values())
        return any(self.found[kind] for kind in self.trial.caught_as)


async def run_trials(
    folder: Path,
    seed: int,
    trials: Sequence[Trial] = TRIALS,
    say: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Runs every trial with the same inputs, two at a time, each in a world of its own lane."""
    outcomes: dict[str, Outcome] = {}

    async def drive(number: int, lane: Sequence[Trial]) -> None:
        tenants = [tenant for trial in lane for tenant in trial.kind.tenants]
        async with opened_world(folder / f"home-{number}", tenants) as world:
            for trial in lane:
                outcomes[trial.sabotage] = await _tried(Battery(world, folder, seed), trial)
                say(f"{trial.sabotage or 'none'}: {outcomes[trial.sabotage].found}")

    async with asyncio.TaskGroup() as driving:
        for number in range(min(LANES, len(trials))):
            driving.create_task(drive(number, trials[number::LANES]))
    return [outcomes[trial.sabotage] for trial in trials]


async def _tried(battery: Battery, trial: Trial) -> Outcome:
    verdict = await battery.run(
        trial.kind,
        rounds=trial.rounds,
        boxes=trial.boxes,
        sabotage=trial.sabotage,
        settled_within_s=trial.settled_within_s,
    )
    return Outcome(trial, {kind: verdict.count(kind) for kind in KINDS})


def markdown(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as a table."""
    heads = ["Deliberate fault", *(kind.capitalize() for kind in KINDS), "As it must be"]
    rows = [heads, ["---", *["---:"] * len(KINDS), "---"]]
    for each in outcomes:
        counts = [f"{each.found[kind]:,}" for kind in KINDS]
        rows.append([each.trial.sabotage or "none", *counts, "yes" if each.caught else "NO"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
