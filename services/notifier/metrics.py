"""The notifier's own metrics, beside those every service has."""

from prometheus_client import Counter, Gauge, Histogram

DELIVERIES = Counter(
    "onelead_deliveries_total",
    "Attempts to deliver by what became of the delivery: sent, retry, dead, unknown, cancelled",
    ["channel", "outcome"],
)
WAITING = Gauge("onelead_deliveries_waiting", "Deliveries without a final state", ["channel"])
SECONDS = Histogram(
    "onelead_delivery_seconds",
    "From the lead's event to the sink's yes",
    ["channel"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 36_000),
)
DISABLED = Counter("onelead_sinks_disabled_total", "Sinks that were given up", ["channel"])
CRM_STAGES = Counter(
    "onelead_crm_stages_total", "Changes of stage in a CRM that moved a lead", ["sink"]
)
CRM_UNKNOWN_STAGES = Counter(
    "onelead_crm_unknown_stages_total",
    "Changes of stage in a CRM whose meaning nobody has told us",
    ["sink"],
)
