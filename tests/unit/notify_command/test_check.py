"""`onelead notify check`, and what the other commands refuse before they look for a lead."""

import json
from pathlib import Path

import pytest

from onelead.cli import run_command_line
from tests.unit.notify_command.conftest import EVERY_CHANNEL

Captured = pytest.CaptureFixture[str]
WEBHOOK = "https://hooks.slack.com/services/T1/B2/s3cr3t"


def run(capsys: Captured, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
    """What a command says on standard output and on standard error."""
    found = run_command_line(["notify", *map(str, arguments)])
    said = capsys.readouterr()
    assert found == code, said.err
    assert "s3cr3t" not in said.out + said.err
    return said.out, said.err


def test_a_file_in_order_is_told_in_words(capsys: Captured, notify_file: Path) -> None:
    routes = """
routes:
  - when: {territory: 56088, value_at_least: 100000}
    to: [hook, mail]
    stop: true
  - else: crm
quiet_hours: [{from: "20:00", to: "07:00", except: {priority: CRITICAL}}]
"""
    some = EVERY_CHANNEL.replace("conversation: C0SALES", "conversation: C0SALES, sends: [ageing]")
    notify_file.write_text(some + routes)
    out, err = run(capsys, "check", notify_file)
    for said in (
        "T1/B1",
        "│ of their own leads: ",
        "│ anna@b.c ",
        "office luzern",
        "territory 56088, value USD 100,000 or more",
        "those no other route fits",
        "Quiet for everybody: every day 20:00 – 07:00 (Europe/Zurich), except priority CRITICAL",
        "│ ageing ",
        "│ everything ",
        "Note: no route leads to teams",
    ):
        assert said in out
    assert "no route leads to bot" not in out, "it is told of no single lead"
    assert "In order: 6 sinks, 7 targets, 2 routes" in err


def test_the_same_for_programs(capsys: Captured, notify_file: Path) -> None:
    out, _ = run(capsys, "check", notify_file, "--json")
    found = json.loads(out)
    assert [sink["name"] for sink in found["sinks"]] == [
        *("hook", "bot", "teams", "mail", "crm", "robots")
    ]
    mail, crm = found["sinks"][3:5]
    assert mail["targets"][0] == {
        "channel": "email",
        "address": "anna@b.c",
        "own_leads_only": True,
    }
    assert (mail["alerts_per_hour"], crm["alerts_per_hour"]) == (50, None)
    assert (found["routes"], found["without_route"]) == ([], [])
    assert found["time_zone"] == "Europe/Zurich"


def test_mistakes_end_with_their_places(capsys: Captured, notify_file: Path) -> None:
    notify_file.write_text("sinks:\n  a: {channel: slak}\nroutes:\n  - to: b\n")
    out, err = run(capsys, "check", notify_file, code=2)
    assert out == ""
    assert f"{notify_file}:2:16: sinks.a.channel: unknown channel 'slak'" in err
    assert f"{notify_file}:4:9: routes[1].to[1]: there is no sink b" in err


def test_the_file_of_the_settings_is_checked(
    capsys: Captured, notify_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONELEAD_NOTIFY_FILE", str(notify_file))
    assert "7 targets" in run(capsys, "check")[1]
    monkeypatch.setenv("ONELEAD_SLACK_WEBHOOK_URL", WEBHOOK)
    said = run(capsys, "check", code=2)[1]
    assert "ONELEAD_NOTIFY_FILE is set, and so is ONELEAD_SLACK_WEBHOOK_URL" in said


def test_settings_of_sinks_are_checked_like_a_file(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONELEAD_SLACK_WEBHOOK_URL", WEBHOOK)
    out, err = run(capsys, "check")
    assert "T1/B2" in out
    assert "every sink is told of every lead" in out
    assert "1 sinks, 1 targets, 0 routes" in err


def test_without_any_sink_it_says_what_to_do(capsys: Captured) -> None:
    assert "samples/notify.yaml" in run(capsys, "check", code=2)[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["test", "hok"], "there is no sink hok"),
        (["test", "mail", "--to", "x@y.z"], "sink mail does not send to x@y.z"),
        (["test", "crm"], "a salesforce sink is told no notices"),
        (["preview", "ABC", "--sink", "hok"], "did you mean hook?"),
        (["preview", "ABC", "--channel", "slak"], "there is no channel slak"),
        (["preview", "ABC", "--tenant", "No_Such"], "use 1 to 40 of a-z"),
        (["preview", "ABC"], "onelead up"),
        (["routes", "ABC"], "onelead up"),
        (["routes", "ABC", "--purpose", "gossip"], "gossip"),
    ],
)
def test_what_cannot_be_is_refused(
    capsys: Captured, notify_file: Path, arguments: list[str], said: str
) -> None:
    assert said in run(capsys, *arguments, "--file", notify_file, code=2)[1]
