"""Scoring ends itself in the middle of the tick that scores every lead anew, as new rules ask for."""

from onelead.applying_rules import put_in_force
from tests.faults.expectation import OTHER_RULES, RULES
from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.history import Broken, Entry, OtherRules
from tests.faults.kinds.named_point import TIMES, ended_at
from tests.faults.points import TICK_POINTS, arm

_TRIES = 8
_TRY_S = 4.0


class KilledTick(FaultKind):
    """Other rules come and go again: the scores at the end are those of the rules that stay."""

    name = "tick"
    title = "kill -9 in the middle of a tick"
    rounds = len(TICK_POINTS) * TIMES
    short_rounds = 1
    boxes = 12
    launched = True

    async def inject(self, blow: Blow) -> Hit:
        """Arms a point, and changes a tenant's rules to and fro until it was reached."""
        point = TICK_POINTS[blow.round % len(TICK_POINTS)]
        tenant = blow.tenants[blow.round // len(TICK_POINTS) % len(blow.tenants)]
        world = blow.world
        [victim] = world.keeper.of("scoring")
        reached = False
        for attempt in range(_TRIES):
            arm(victim.arm_file, point, passes=0)
            rules = RULES if attempt % 2 else OTHER_RULES
            await put_in_force(world.bootstrap, tenant, rules, by="battery")
            # As long as no lead is there, nothing is queued.
            if reached := await ended_at(victim, within_s=_TRY_S):
                break
        await put_in_force(world.bootstrap, tenant, RULES, by="battery")
        entries: list[Entry] = [OtherRules(tenant)]
        if not reached:
            entries.append(Broken(self.name, blow.round, f"{point.name} was never reached"))
        return Hit(f"scoring: {point.name}", entries=entries)
