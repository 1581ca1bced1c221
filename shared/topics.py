"""The one map of topics: which events travel on which topic, keyed how, written and read by whom."""

import re
from dataclasses import dataclass
from typing import Literal

from shared import events as e

TENANT_PATTERN = r"[a-z0-9-]+"
_TENANT = re.compile(TENANT_PATTERN)
DEAD_LETTER_SUFFIX = ".dead-letter"
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Topic:
    """A topic, or, when `per_tenant`, the stem of one topic for each tenant."""

    name: str
    events: tuple[type[e.Event], ...]
    key: str
    producer: str
    consumers: tuple[str, ...]
    partitions: int = 6
    cleanup: Literal["delete", "compact"] = "delete"
    retention_ms: int = 7 * DAY_MS
    per_tenant: bool = False
    also_from: tuple[str, ...] = ()

    @property
    def producers(self) -> tuple[str, ...]:
        """Everybody who writes it; most topics have one writer."""
        return self.producer, *self.also_from

    def for_tenant(self, tenant_id: str) -> str:
        """The topic's name for a tenant; inner topics are shared and keep theirs."""
        return f"{self.name}.{tenant_id}" if self.per_tenant else self.name

    @property
    def pattern(self) -> str:
        """A regular expression for every tenant's topic, and nothing else."""
        return f"^{re.escape(self.name)}\\.{TENANT_PATTERN}$"

    def tenant_of(self, topic_name: str) -> str:
        """The tenant in a per-tenant topic's name. Raises ValueError for another topic's name."""
        stem, _, tenant_id = topic_name.rpartition(".")
        if stem != self.name:
            raise ValueError(f"{topic_name} is not a tenant's topic of {self.name}")
        return check_tenant(tenant_id)


def check_tenant(tenant_id: str) -> str:
    """The tenant id itself. Raises ValueError unless it is 1–40 of a–z, 0–9 and '-'."""
    if not _TENANT.fullmatch(tenant_id) or len(tenant_id) > 40:
        raise ValueError(f"tenant {tenant_id!r}: use 1 to 40 of a-z, 0-9 and '-'")
    return tenant_id


def dead_letter_of(topic_name: str) -> str:
    """The dead-letter topic of a topic (or of a tenant's topic)."""
    return topic_name + DEAD_LETTER_SUFFIX


RECORDS = Topic(
    name="onelead.records.v1",
    events=(e.BatchOpened, e.RecordObserved, e.RecordRemoved, e.BatchCompleted),
    key="none: one partition keeps the order",
    producer="the tenant",
    consumers=("ingest",),
    partitions=1,
    per_tenant=True,
)
ACCOUNTS = Topic(
    name="onelead.accounts.v1",
    events=(e.AccountProfiled,),
    key="tenant|account_id",
    producer="ingest",
    consumers=("scoring",),
    cleanup="compact",
)
CATALOGUE = Topic(
    name="onelead.catalogue.v1",
    events=(e.CatalogueFamilyChanged,),
    key="tenant|family",
    producer="ingest",
    consumers=("recommender",),
    cleanup="compact",
)
LEADS_DETECTED = Topic(
    name="onelead.leads.detected.v1",
    events=(e.LeadDetected, e.AccountDerived, e.DayDerived),
    key="tenant|account_id (a day: tenant)",
    producer="ingest",
    consumers=("scoring",),
)
LEADS_SCORED = Topic(
    name="onelead.leads.scored.v1",
    events=(e.LeadScored,),
    key="tenant|lead_id",
    producer="scoring",
    consumers=("recommender",),
)
LEADS = Topic(
    name="onelead.leads.v1",
    events=(e.LeadChanged,),
    key="tenant|lead_id",
    producer="recommender",
    consumers=("notifier", "lifecycle", "every subscriber of the tenant"),
    cleanup="compact",
    per_tenant=True,
)
NOTIFICATIONS = Topic(
    name="onelead.notifications.v1",
    events=(e.NotificationSettled,),
    key="tenant|lead_id",
    producer="notifier",
    consumers=(),
)
RULES = Topic(
    name="onelead.rules.v1",
    events=(e.RulesApplied,),
    key="tenant",
    producer="onelead rules apply",
    consumers=("ingest", "scoring", "recommender"),
    cleanup="compact",
    partitions=1,
)
IMPORTS = Topic(
    name="onelead.imports.v1",
    events=(e.ImportProgressed,),
    key="tenant",
    producer="ingest",
    consumers=("onelead import",),
)
ACCOUNT_COMMANDS = Topic(
    name="onelead.account-commands.v1",
    events=(e.AccountCommand,),
    key="tenant|account_id",
    producer="onelead accounts",
    consumers=("ingest",),
)
ACCOUNT_DECISIONS = Topic(
    name="onelead.account-decisions.v1",
    events=(e.AccountDecided,),
    key="tenant|account_id",
    producer="ingest",
    consumers=("onelead accounts",),
)
LEAD_COMMANDS = Topic(
    name="onelead.lead-commands.v1",
    events=(e.LeadCommand,),
    key="tenant|lead_id",
    producer="onelead leads",
    consumers=("lifecycle",),
    also_from=("notifier",),
)
LEAD_STATUS = Topic(
    name="onelead.lead-status.v1",
    events=(e.LeadStatusChanged, e.LeadCommandRefused),
    key="tenant|lead_id",
    producer="lifecycle",
    consumers=("notifier", "onelead leads"),
)

TOPICS: tuple[Topic, ...] = (
    RECORDS,
    ACCOUNTS,
    CATALOGUE,
    LEADS_DETECTED,
    LEADS_SCORED,
    LEADS,
    NOTIFICATIONS,
    RULES,
    IMPORTS,
    ACCOUNT_COMMANDS,
    ACCOUNT_DECISIONS,
    LEAD_COMMANDS,
    LEAD_STATUS,
)
