"""Every kind of fault, in the order in which they are run: a new one is a file and a line here."""

from tests.faults.fault import FaultKind
from tests.faults.kinds.bad_deploy import BadDeploy
from tests.faults.kinds.clock_jump import ClockJump
from tests.faults.kinds.disk_full import DiskFull
from tests.faults.kinds.kafka_killed import KafkaKilled
from tests.faults.kinds.named_point import NamedPoint
from tests.faults.kinds.network import BrokenNetwork
from tests.faults.kinds.poison import PoisonRecords
from tests.faults.kinds.postgres_stopped import PostgresStopped
from tests.faults.kinds.rebalance_storm import RebalanceStorm
from tests.faults.kinds.rolling_restart import RollingRestart
from tests.faults.kinds.service_killed import ServiceKilled
from tests.faults.kinds.tick import KilledTick
from tests.faults.kinds.undo import UndoneHalfway
from tests.faults.kinds.zombie import Zombie

FAULTS: tuple[FaultKind, ...] = (
    ServiceKilled(),
    RollingRestart(),
    RebalanceStorm(),
    DiskFull(),
    Zombie(),
    PostgresStopped(),
    PoisonRecords(),
    KafkaKilled(),
    BrokenNetwork(),
    NamedPoint(),
    BadDeploy(),
    UndoneHalfway(),
    ClockJump(),
    KilledTick(),
)
"""A free world takes the next whose services need not start anew (lanes.py). Killed services keep one waiting
for most of a run: beside them stands what keeps the cores busiest."""
