"""The notify file: what it may say, and the place and the remedy of each mistake."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifier.channels.slack import SlackSink
from services.notifier.notify_file import Notifications, read_notify_file
from shared.errors import UserError

SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "notify.yaml"
SECRETS = (
    "SALES_SLACK_WEBHOOK",
    "LUZERN_SLACK_WEBHOOK",
    "SALES_MAIL_PASSWORD",
    "CRM_CLIENT_SECRET",
)
SINKS = """
sinks:
  team: {channel: slack, webhook_url: {env: HOOK}}
  mail: {channel: email, host: mail, sender: a@b.c, recipients: [owner, x@y.z]}
  crm: {channel: salesforce, url: "https://x.y", client_id: i, client_secret: {env: HOOK}}
people:
  anna: {mail: anna@b.c, accounts: [Apple Inc]}
"""


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "https://hooks.slack.com/services/T1/B1/s3cr3t")
    for name in SECRETS:
        monkeypatch.setenv(name, f"https://hooks.slack.com/services/T1/B{name}/s3cr3t")


def read(folder: Path, text: str) -> Notifications:
    path = folder / "notify.yaml"
    path.write_text(text)
    return read_notify_file(path)


def refusal(folder: Path, text: str) -> list[str]:
    """What is said of a file, line by line, without the folder's name."""
    with pytest.raises(UserError) as caught:
        read(folder, text)
    return caught.value.message.replace(f"{folder}/", "").splitlines()


MISTAKES = {
    "an unknown part": (
        "sinsk: {}\n",
        "notify.yaml:1:1: sinsk: unknown key; did you mean sinks? Known here: sinks, routes, people, ",
    ),
    "no sinks": ("routes: []\n", "notify.yaml: sinks: there are no sinks"),
    "an unknown channel": (
        "sinks:\n  a: {channel: slak}\n",
        "notify.yaml:2:16: sinks.a.channel: unknown channel 'slak'; did you mean slack? Known here: ",
    ),
    "no channel": (
        "sinks:\n  a: {host: x}\n",
        "notify.yaml:2:3: sinks.a.channel: is missing; ",
    ),
    "an unknown key of a sink": (
        "sinks:\n  a: {channel: slack, webhook_ulr: x, webhook_url: {env: HOOK}}\n",
        "notify.yaml:2:23: sinks.a.webhook_ulr: unknown key; did you mean webhook_url? Known here: ",
    ),
    "a secret in the clear": (
        "sinks:\n  a: {channel: slack, webhook_url: xoxb-1}\n",
        "notify.yaml:2:36: sinks.a.webhook_url: a secret is given as {env: NAME} or {file: PATH}, "
        "never in the clear",
    ),
    "a secret that is not there": (
        "sinks:\n  a: {channel: slack, webhook_url: {env: NO_SUCH}}\n",
        "notify.yaml:2:23: sinks.a.webhook_url: the environment has no NO_SUCH",
    ),
    "a secret's file that is not there": (
        "sinks:\n  a: {channel: slack, webhook_url: {file: /no/such}}\n",
        "notify.yaml:2:23: sinks.a.webhook_url: cannot read /no/such: FileNotFoundError",
    ),
    "a mailbox that is none": (
        "sinks:\n  a: {channel: email, host: h, sender: a@b.c, recipients: [x@y.z, nobody]}\n",
        "notify.yaml:2:67: sinks.a.recipients[2]: 'nobody' is not a mail address like ",
    ),
    "an owner without a mail": (
        "sinks:\n  a: {channel: email, host: h, sender: a@b.c, recipients: owner}\n",
        "notify.yaml:2:59: sinks.a.recipients: `owner` is nobody: no one among `people` has a mail",
    ),
    "a tenant that cannot be": (
        "sinks:\n  a: {channel: slack, webhook_url: {env: HOOK}, tenants: [Acme]}\n",
        "notify.yaml:2:59: sinks.a.tenants[1]: tenant 'Acme': use 1 to 40 of a-z, 0-9 and '-'",
    ),
    "a purpose that is none": (
        "sinks:\n  a: {channel: slack, webhook_url: {env: HOOK}, sends: [alerts]}\n",
        "notify.yaml:2:57: sinks.a.sends[1]: 'alerts' is not allowed here; expected 'alert', ",
    ),
    "a purpose that the channel cannot tell": (
        "sinks:\n  a: {channel: slack, webhook_url: {env: HOOK}, sends: [alert, outreach]}\n",
        "notify.yaml:2:64: sinks.a.sends[2]: slack cannot tell outreach; it can tell ",
    ),
    "a mail server that is an address": (
        "sinks:\n  a: {channel: email, host: 'smtp://h', sender: a@b.c, recipients: [x@y.z]}\n",
        "notify.yaml:2:29: sinks.a.host: 'smtp://h' is not the name of a host like mail.example.com",
    ),
    "a part that nobody reads": (
        SINKS + "campaigns: {drip: 1}\n",
        "notify.yaml:8:1: campaigns: unknown key; ",
    ),
    "hours that leave no moment by the file's own clocks": (
        SINKS + "time_zone: Europe/Zurich\nquiet_hours:\n  - {from: '07:00', to: '19:00'}\n"
        "  - {from: '18:00', to: '06:00', time_zone: UTC}\n",
        "notify.yaml:9:1: quiet_hours: these quiet hours leave no moment in the week",
    ),
    "an unknown sink in a route": (
        SINKS + "routes:\n  - to: [tem]\n",
        "notify.yaml:9:10: routes[1].to[1]: there is no sink tem; did you mean team? Known here: ",
    ),
    "an unknown condition": (
        SINKS + "routes:\n  - when: {value: 5}\n    to: team\n",
        "notify.yaml:9:12: routes[1].when.value: unknown key; did you mean value_at_least? Known here: ",
    ),
    "an unknown owner": (
        SINKS + "routes:\n  - when: {owner: ana}\n    to: team\n",
        "notify.yaml:9:19: routes[1].when.owner[1]: ana is not among `people`; did you mean anna? ",
    ),
    "a route to nowhere": (
        SINKS + "routes:\n  - when: {priority: HIGH}\n",
        "notify.yaml:9:5: routes[1]: a route needs `to` or `else`, a list of sinks, and not both",
    ),
    "a route behind one that stops all its leads": (
        SINKS + "routes:\n  - {when: {type: renewal}, to: team, stop: true}\n"
        "  - {when: {type: renewal, priority: HIGH}, to: mail}\n",
        "notify.yaml:10:5: routes[2]: never reached: route 1 stops every lead of this one "
        "(type renewal)",
    ),
    "an else that is not the last": (
        SINKS + "routes:\n  - else: team\n  - {when: {type: renewal}, to: mail}\n",
        "notify.yaml:10:5: routes[2]: never reached: route 1 is `else`, which must be last",
    ),
    "an else behind a route for all": (
        SINKS + "routes:\n  - to: team\n  - else: mail\n",
        "notify.yaml:10:5: routes[2]: never reached: route 1 fits every lead (any lead)",
    ),
    "a route to a sink of another office": (
        "sinks:\n  a: {channel: slack, webhook_url: {env: HOOK}, offices: luzern}\n"
        "routes:\n  - {when: {office: egeli}, to: [a]}\n",
        "notify.yaml:4:34: routes[1].to[1]: no lead of this route gets to a: it hears of office "
        "luzern only",
    ),
    "a route to a sink of another tenant": (
        SINKS + "routes:\n  - {when: {tenant: acme}, to: team}\n",
        "notify.yaml:9:32: routes[1].to[1]: no lead of this route gets to team: it serves tenant "
        "default only",
    ),
    "an account of two people": (
        SINKS + "  bert: {accounts: [Other, apple inc]}\n",
        "notify.yaml:8:28: people.bert.accounts[2]: apple inc is anna's already",
    ),
    "a time zone that is none": (
        SINKS + "time_zone: Europe/Zurick\n",
        "notify.yaml:8:12: time_zone: 'Europe/Zurick' is no time zone; did you mean Europe/Zurich? ",
    ),
    "a time that is none": (
        SINKS + "quiet_hours:\n  - {from: 7, to: 24:30}\n",
        "notify.yaml:9:12: quiet_hours[1].from: 7 is no time of day; expected one like 07:30",
    ),
    "a day that is none": (
        SINKS + "digests: {weekly_on: freitag}\n",
        "notify.yaml:8:11: digests.weekly_on: unknown name 'freitag'; did you mean friday? ",
    ),
    "quiet hours without an end": (
        SINKS + 'quiet_hours:\n  - {from: "00:00", to: "24:00"}\n',
        "notify.yaml:8:1: quiet_hours: these quiet hours leave no moment in the week",
    ),
    "a limit that is none": (
        SINKS + "limits: {alerts_per_hour: 0}\n",
        "notify.yaml:8:27: limits.alerts_per_hour: 0 is not allowed here; expected at least 1",
    ),
    "a sink whose name is no word": (
        "sinks:\n  my sink: {channel: slack}\n",
        "notify.yaml:2:3: sinks.my sink: a name is one word of letters, digits, '-', '_' and '.'",
    ),
    "a name that is more than one line": (
        'sinks:\n  "a\\nb": {channel: slack}\n',
        "notify.yaml:2:3: sinks.a\N{REPLACEMENT CHARACTER}b: a name is one word",
    ),
    "a channel that is a list": (
        "sinks:\n  a: {channel: [slack]}\n",
        "notify.yaml:2:7: sinks.a.channel: unknown channel ['slack']; did you mean slack? ",
    ),
    "a currency that is none": (
        SINKS + "routes:\n  - {when: {value_at_least: 5, currency: Franken}, to: team}\n",
        "notify.yaml:9:42: routes[1].when.currency: 'Franken' is not allowed here; expected a "
        "currency code of three capitals, as in USD",
    ),
    "a conversation that is none": (
        "sinks:\n  a: {channel: slack_bot, token: {env: HOOK}, conversation: sales}\n",
        "notify.yaml:2:61: sinks.a.conversation: 'sales' is not allowed here; expected text that fits",
    ),
    "an anchor": (
        "sinks: &all {}\n",
        "notify.yaml:1:8: anchors and aliases (& and *) are not used in notify files",
    ),
    "a key twice": ("sinks: {}\nsinks: {}\n", "notify.yaml:2:1: sinks: stands here twice"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_with_its_place_and_what_is_right(name: str, tmp_path: Path) -> None:
    text, said = MISTAKES[name]
    assert refusal(tmp_path, text)[0].startswith(said)


@pytest.mark.parametrize("name", MISTAKES)
def test_no_refusal_repeats_a_secret(name: str, tmp_path: Path) -> None:
    said = "\n".join(refusal(tmp_path, MISTAKES[name][0]))
    assert "s3cr3t" not in said
    assert "xoxb-1" not in said


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    text = "sinks:\n  a: {channel: slak}\n  b: {channel: slack}\nroutes:\n  - to: [c]\n"
    assert [line.split(": ")[1] for line in refusal(tmp_path, text)] == [
        "sinks.a.channel",
        "sinks.b.webhook_url",
        "routes[1].to[1]",
    ]


@pytest.mark.parametrize("name", ["no-such-file.yaml", "."])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the notify file"):
        read_notify_file(tmp_path / name)


def test_the_owner_among_the_recipients_stands_for_everybody_with_a_mail(tmp_path: Path) -> None:
    people = "  bert: {mail: bert@b.c}\n  cleo: {}\n  dora: {mail: x@y.z}\n"
    found = read(tmp_path, SINKS + people)
    recipients = found.sinks["mail"].model_dump()["recipients"]
    assert sorted(recipients) == ["anna@b.c", "bert@b.c", "x@y.z"]
    assert found.owners["mail"] == {"anna@b.c", "bert@b.c"}
    assert found.owners["team"] == frozenset()


def test_a_secrets_file_is_named_from_where_the_notify_file_stands(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("https://hooks.slack.com/services/T2/B2/s3cr3t\n")
    found = read(tmp_path, "sinks:\n  a: {channel: slack, webhook_url: {file: hook}}\n")
    sink = found.sinks["a"]
    assert isinstance(sink, SlackSink)
    assert sink.address == "T2/B2"


junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 10**20), st.floats(), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


def places_in(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything that could be replaced."""
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for key, below in entries:
        yield (*path, key)
        if isinstance(below, dict | list):
            yield from places_in(below, (*path, key))


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_whatever_stands_somewhere_the_file_is_read_or_refused_with_a_place(
    data: st.DataObject, tmp_path: Path
) -> None:
    whole: Any = yaml.safe_load(SAMPLE.read_text())
    path = data.draw(st.sampled_from(list(places_in(whole))))
    holder = whole
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = data.draw(junk)
    try:
        found = read(tmp_path, yaml.safe_dump(whole, allow_unicode=True))
    except UserError as error:
        lines = error.message.splitlines()
        assert all(line.startswith((f"{tmp_path}/notify.yaml:", "... and ")) for line in lines)
    else:
        assert found.sinks


def test_the_sample_is_in_order() -> None:
    found = read_notify_file(SAMPLE)
    assert len(found.sinks) == len(SECRETS)
    assert {"routes", "people", "quiet_hours", "limits", "digests"} <= found.file.model_fields_set


def test_the_sample_names_its_secrets_and_holds_none() -> None:
    text = SAMPLE.read_text()
    assert all(f"{{env: {name}}}" in text for name in SECRETS)
