"""What the dashboard and the alerts ask for exists: every metric, every label's service, every test."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from services.notifier import metrics as notifier_metrics
from shared.ops import metrics
from tests.support.compose import ROOT

DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
PROMETHEUS = ROOT / "deploy/prometheus"
GROUPS = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"]]
REGISTERED_BY = (metrics, notifier_metrics)
"""Importing them registers what they measure."""
PROMETHEUS_OWN = {"up", "ALERTS"}
_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_NO_NAMES = re.compile(
    r'"[^"]*"|\{[^{}]*\}|\[[^\[\]]*\]|\b(?:by|on|without|ignoring)\s*\([^()]*\)|offset \w+'
)
_FUNCTIONS = {
    *("sum", "max", "min", "rate", "increase", "histogram_quantile", "absent", "max_over_time"),
    *("label_values", "unless", "and", "or", "service", "by", "on"),
}


def known_metrics() -> set[str]:
    """Every series our services serve, with the suffixes of counters and histograms."""
    found = set()
    for family in REGISTRY.collect():
        suffixes = {
            "counter": ("_total",),
            "histogram": ("_bucket", "_count", "_sum"),
        }.get(family.type, ("",))
        found |= {family.name + suffix for suffix in suffixes}
    return found


def metrics_in(expression: str) -> set[str]:
    """The metrics a PromQL expression names."""
    return set(_WORD.findall(_NO_NAMES.sub(" ", expression))) - _FUNCTIONS


def expressions(node: Any) -> Iterator[str]:
    """Every `expr` and `query` below a node of a dashboard."""
    if isinstance(node, list):
        for inner in node:
            yield from expressions(inner)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in {"expr", "query", "definition"} and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_asks_only_for_metrics_that_exist(path: Any) -> None:
    asked = {m for e in expressions(json.loads(path.read_text())) for m in metrics_in(e)}
    assert asked
    assert asked <= known_metrics() | PROMETHEUS_OWN


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_asks_only_for_metrics_that_exist(rule: dict[str, Any]) -> None:
    asked = metrics_in(rule["expr"])
    assert asked
    assert asked <= known_metrics() | PROMETHEUS_OWN


def test_an_expression_with_an_unknown_metric_is_found() -> None:
    expression = 'sum by (topic) (rate(onelead_nothing_total{a="b"}[5m])) > 3'
    assert metrics_in(expression) == {"onelead_nothing_total"}


def test_every_metric_of_ours_is_on_a_dashboard() -> None:
    shown = {
        m
        for path in DASHBOARDS
        for e in expressions(json.loads(path.read_text()))
        for m in metrics_in(e)
    }
    ours = {f.name for f in REGISTRY.collect() if f.name.startswith("onelead_")}
    assert {name for name in ours if not any(m.startswith(name) for m in shown)} == set()


def test_what_must_be_watched_has_an_alert() -> None:
    asked = {m for rule in ALERTS for m in metrics_in(rule["expr"])}
    assert asked >= {
        *("up", "onelead_consumer_lag", "onelead_outbox_oldest_seconds"),
        *("onelead_dead_letters_open", "onelead_relay_holder", "onelead_deliveries_total"),
    }


def test_every_alert_says_what_to_do_and_has_a_test() -> None:
    tested = (PROMETHEUS / "alerts_test.yml").read_text()
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert len(re.findall(rf"alertname: {rule['alert']}\b", tested)) >= 2, rule["alert"]


def test_panels_have_ids_of_their_own_and_one_data_source() -> None:
    provisioned = ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml"
    (source,) = yaml.safe_load(provisioned.read_text())["datasources"]
    for path in DASHBOARDS:
        panels = json.loads(path.read_text())["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        used = {panel["datasource"]["uid"] for panel in panels if panel["type"] != "row"}
        assert used == {source["uid"]}
