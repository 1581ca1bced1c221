"""Every kind of fault, in the order in which they are run: a new one is a file and a line here."""

from tests.faults.fault import FaultKind
from tests.faults.kinds.kafka_killed import KafkaKilled
from tests.faults.kinds.named_point import NamedPoint
from tests.faults.kinds.network import BrokenNetwork
from tests.faults.kinds.poison import PoisonRecords
from tests.faults.kinds.postgres_stopped import PostgresStopped
from tests.faults.kinds.rolling_restart import RollingRestart
from tests.faults.kinds.service_killed import ServiceKilled
from tests.faults.kinds.zombie import Zombie

FAULTS: tuple[FaultKind, ...] = (
    ServiceKilled(),
    PostgresStopped(),
    KafkaKilled(),
    PoisonRecords(),
    BrokenNetwork(),
    NamedPoint(),
    RollingRestart(),
    Zombie(),
)
