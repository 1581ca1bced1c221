"""A service is killed at a random instant."""

from tests.faults.fault import Blow, FaultKind, Hit


class ServiceKilled(FaultKind):
    """kill -9 of one of the services."""

    name = "kill"
    title = "kill -9 of a service"
    rounds = 200
    short_rounds = 6
    boxes = 5

    async def inject(self, blow: Blow) -> Hit:
        """Kills any process that runs."""
        running = [replica for replica in blow.world.keeper.replicas if replica.runs]
        victim = blow.dice.choice(running)
        victim.kill()
        return Hit(victim.name)
