"""The notify file of a run: each office has sinks that hear of its leads only, and all share one CRM."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tests.faults.offices import OFFICES

_SECRET = "battery"  # noqa: S105 - a stand-in guards nothing
_CONCURRENCY = 4


def slack_name(tenant: str, office: str) -> str:
    """The incoming webhook of an office: its team and its webhook, as Slack calls them."""
    return f"T{tenant}/B{office}"


def owner_of_sink(channel: str, sink: str) -> tuple[str, str]:
    """Whose sink a line of the stand-ins' log names: its tenant and its office."""
    if channel == "slack":
        team, _, webhook = sink.partition("/")
        return team[1:], webhook[1:]
    tenant, _, office = sink.partition(".")
    return tenant, office


def slack_webhooks(tenants: Sequence[str]) -> str:
    """The stand-ins' setting that lets every office's webhook be called."""
    return ",".join(f"{slack_name(t, o)}/{_SECRET}" for t in tenants for o in OFFICES)


def secrets(addresses: Mapping[str, Any], tenants: Sequence[str]) -> dict[str, str]:
    """The environment variables that the notify file names."""
    base = addresses["page_url"]
    return {
        "FAULTS_WEBHOOK_SECRET": addresses["webhook_secret"],
        "FAULTS_CRM_SECRET": addresses["salesforce_client_secret"],
        **{
            _slack_variable(t, o): f"{base}/slack/services/{slack_name(t, o)}/{_SECRET}"
            for t in tenants
            for o in OFFICES
        },
    }


def notify_file(addresses: Mapping[str, Any], tenants: Sequence[str]) -> str:
    """The file, without storm control: every CRITICAL lead is told by itself, to every sink that may hear."""
    # JSON is YAML; a YAML writer would name what is there twice, which notify files may not.
    return orjson.dumps(
        {
            "sinks": {
                "crm": _crm(addresses, tenants),
                **{name: s for t in tenants for name, s in _sinks(addresses, t).items()},
            },
            "limits": {"alerts_per_hour": None},
        }
    ).decode()


def _crm(addresses: Mapping[str, Any], tenants: Sequence[str]) -> dict[str, Any]:
    return {
        "channel": "salesforce",
        "url": addresses["salesforce_url"],
        "client_id": addresses["salesforce_client_id"],
        "client_secret": {"env": "FAULTS_CRM_SECRET"},
        "tenants": list(tenants),
        "concurrency": _CONCURRENCY,
    }


def _sinks(addresses: Mapping[str, Any], tenant: str) -> dict[str, dict[str, Any]]:
    base = addresses["page_url"]
    found: dict[str, dict[str, Any]] = {}
    for office in OFFICES:
        common = {"tenants": [tenant], "offices": [office], "concurrency": _CONCURRENCY}
        found[f"webhook-{tenant}-{office}"] = {
            "channel": "webhook",
            "url": f"{base}/webhook/{tenant}.{office}",
            "secret": {"env": "FAULTS_WEBHOOK_SECRET"},
            "sends": ["alert"],
            **common,
        }
        found[f"slack-{tenant}-{office}"] = {
            "channel": "slack",
            "webhook_url": {"env": _slack_variable(tenant, office)},
            "sends": ["alert"],
            **common,
        }
    return found


def _slack_variable(tenant: str, office: str) -> str:
    return f"FAULTS_SLACK_{tenant}_{office}".replace("-", "_").upper()
