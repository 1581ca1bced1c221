"""The Prometheus metrics every service has; served on its ops port under /metrics."""

from prometheus_client import Counter, Gauge, Histogram

HANDLED = Counter("onelead_messages_handled_total", "Messages handled", ["consumer", "topic"])
HANDLER_SECONDS = Histogram(
    "onelead_handler_seconds",
    "Time of one batch in its handler, transaction included",
    ["consumer"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
RETRIES = Counter("onelead_handler_retries_total", "Batches that will be read again", ["consumer"])
DEAD_LETTERS = Counter(
    "onelead_dead_letters_total", "Messages put aside", ["consumer", "error_class"]
)
LAG = Gauge("onelead_consumer_lag", "Messages not yet read", ["consumer", "topic", "partition"])
PUBLISHED = Counter("onelead_outbox_published_total", "Messages the broker acknowledged", ["topic"])
OUTBOX_ROWS = Gauge("onelead_outbox_rows", "Messages waiting for the broker")
OUTBOX_AGE = Gauge("onelead_outbox_oldest_seconds", "Age of the oldest waiting message")
OPEN_DEAD_LETTERS = Gauge("onelead_dead_letters_open", "Dead letters nobody has settled")
RELAY_HOLDER = Gauge("onelead_relay_holder", "1 while this process publishes the shard", ["shard"])
WAITING_LEADS = Gauge("onelead_leads_waiting", "Leads that wait for a newer input", ["input"])
