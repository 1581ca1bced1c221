"""No fault: for trials of the checker, where the fault is in the product."""

from tests.faults.fault import Blow, FaultKind, Hit


class Calm(FaultKind):
    """Inputs flow and nothing happens."""

    title = "nothing"
    rounds = 1
    short_rounds = 1

    def __init__(self, name: str, replicas: int = 1) -> None:
        """`replicas`: of every service."""
        super().__init__(name)
        self.replicas = replicas

    async def inject(self, blow: Blow) -> Hit:  # noqa: ARG002 - nothing is hit
        """Injects nothing."""
        return Hit("nothing")
