"""The commands that work on a broker and a database, against the real ones."""

import asyncio
import base64
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
import yaml

from onelead.cli import run_command_line
from onelead.messages import read_from_beginning
from shared.db.migrate import SERVICES
from shared.events import BatchCompleted, BatchOpened, RecordObserved, RulesApplied
from shared.messaging.codec import decode
from shared.topics import RECORDS, RULES
from tests.support.stack import Stack

CSV = """\
Territory ID,Product Name,Product Serial Number,Product End of Life Date,Service End Date,Support Status
56088,HP DL360p Gen8,X1,2015-07-01,2020-01-31,Expired
56088,HP DL380 Gen9,X2,2019-07-01,2021-01-31,Expired
"""


class Result(NamedTuple):
    code: int
    out: str
    err: str


OneLead = Callable[..., Result]


@pytest.fixture
def onelead(
    migrated: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> OneLead:
    """Runs a command against the stack."""
    monkeypatch.setenv("ONELEAD_KAFKA_BOOTSTRAP", migrated.bootstrap)
    monkeypatch.setenv("ONELEAD_DATABASE_URL", migrated.owner_url)
    monkeypatch.setenv("ONELEAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONELEAD_IMPORT_IDLE_TIMEOUT_S", "1")

    def run(*arguments: str | Path) -> Result:
        capsys.readouterr()
        code = run_command_line([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return run


def test_a_tenant_that_was_added_is_listed_once(onelead: OneLead, tenant: str) -> None:
    assert onelead("tenants", "add", f"{tenant}-b").out.startswith(f"Tenant {tenant}-b was added")
    assert "was here already" in onelead("tenants", "add", f"{tenant}-b").out
    assert f"{tenant}-b" in onelead("tenants", "list").out.split()


def test_a_tenants_name_is_checked(onelead: OneLead) -> None:
    result = onelead("tenants", "add", "No_Such")
    assert result.code == 2
    assert "use 1 to 40 of a-z" in result.err


def test_topics_are_listed_and_only_missing_ones_created(onelead: OneLead, tenant: str) -> None:
    assert "onelead.leads.v1.<tenant>" in onelead("topics").out
    created = onelead("topics", "--create", "--tenant", f"{tenant}-c").out.split()
    assert created == [
        f"onelead.records.v1.{tenant}-c",
        f"onelead.records.v1.{tenant}-c.dead-letter",
        f"onelead.leads.v1.{tenant}-c",
        f"onelead.leads.v1.{tenant}-c.dead-letter",
    ]
    assert "nothing was missing" in onelead("topics", "--create", "--tenant", f"{tenant}-c").err


def test_schemas_can_be_migrated_any_number_of_times(onelead: OneLead) -> None:
    assert onelead("migrate") == Result(
        0,
        "".join(f"{service}: up to date\n" for service in SERVICES),
        "",
    )


def test_rules_are_the_defaults_until_some_are_applied(
    onelead: OneLead, tenant: str, tmp_path: Path, migrated: Stack
) -> None:
    before = onelead("rules", "show", "--tenant", tenant)
    assert "the defaults" in before.err
    file = tmp_path / "rules.yaml"
    file.write_text("scoring:\n  priorities:\n    critical: 80\n")
    applied = onelead("rules", "apply", file, "--tenant", tenant)
    assert applied.code == 0, applied.err
    after = onelead("rules", "show", "--tenant", tenant)
    assert "the defaults" not in after.err
    assert yaml.safe_load(after.out) != yaml.safe_load(before.out)
    [version] = re.findall(r"Rules (\w+) apply", applied.out)
    assert version in after.err
    records = asyncio.run(read_from_beginning(migrated.bootstrap, RULES.name))
    [event] = [r.event for r in map(decode, records) if r.envelope.tenant_id == tenant]
    assert isinstance(event, RulesApplied)
    assert event.rules_version == version


def test_rules_that_cannot_hold_are_refused_with_their_place(
    onelead: OneLead, tenant: str, tmp_path: Path
) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("no_such_key: 1\n")
    result = onelead("rules", "apply", file, "--tenant", tenant)
    assert result.code != 0
    assert "rules.yaml:1" in result.err
    assert "Traceback" not in result.err


def test_the_commented_defaults_can_be_printed_to_start_from(onelead: OneLead) -> None:
    shown = onelead("rules", "show", "--default").out
    assert "#" in shown
    assert yaml.safe_load(shown)


def test_an_import_sends_one_batch_and_says_when_nobody_answers(
    onelead: OneLead, tenant: str, tmp_path: Path, migrated: Stack
) -> None:
    file = tmp_path / "boxes.csv"
    file.write_text(CSV)
    result = onelead("import", file, "--tenant", tenant, "--kind", "install_base")
    assert result.code == 1, result.err
    assert "no ingest service answered within 1 s" in result.err
    topic = RECORDS.for_tenant(tenant)
    events = [decode(r).event for r in asyncio.run(read_from_beginning(migrated.bootstrap, topic))]
    assert [type(event) for event in events] == [
        BatchOpened,
        RecordObserved,
        RecordObserved,
        BatchCompleted,
    ]
    assert isinstance(events[-1], BatchCompleted)
    assert events[-1].count == 2


def test_each_row_of_an_import_is_an_event_of_its_own(
    onelead: OneLead, tenant: str, tmp_path: Path, migrated: Stack
) -> None:
    file = tmp_path / "boxes.csv"
    file.write_text(CSV)
    onelead("import", file, "--tenant", tenant, "--kind", "install_base")
    topic = RECORDS.for_tenant(tenant)
    ids = [
        decode(r).envelope.id for r in asyncio.run(read_from_beginning(migrated.bootstrap, topic))
    ]
    assert len(set(ids)) == len(ids)


def test_a_missing_file_is_told_before_anything_is_sent(
    onelead: OneLead, tenant: str, tmp_path: Path, migrated: Stack
) -> None:
    result = onelead("import", tmp_path / "none.xlsx", "--tenant", tenant)
    assert result.code == 2
    assert "none.xlsx" in result.err
    assert "Traceback" not in result.err
    topic = RECORDS.for_tenant(tenant)
    assert asyncio.run(read_from_beginning(migrated.bootstrap, topic)) == []


def test_an_import_for_a_tenant_that_is_not_there_is_told(onelead: OneLead, tmp_path: Path) -> None:
    file = tmp_path / "boxes.csv"
    file.write_text(CSV)
    result = onelead("import", file, "--tenant", "nobody", "--kind", "install_base")
    assert result.code != 0
    assert "nobody" in result.err
    assert "onelead tenants" in result.err


def test_an_import_stops_before_the_disk_is_full(
    onelead: OneLead, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home" / "run").mkdir(parents=True)
    (tmp_path / "home" / "run" / "edition.json").write_text(f'{{"pid": {os.getpid()}}}')
    monkeypatch.setenv("ONELEAD_MIN_FREE_MB", str(10**9))
    file = tmp_path / "boxes.csv"
    file.write_text(CSV)
    result = onelead("import", file, "--tenant", tenant, "--kind", "install_base")
    assert result.code == 2
    assert "disk full" in result.err


@pytest.fixture
def letter(migrated: Stack, tenant: str) -> str:
    """A dead letter of scoring; returns its name."""

    async def put() -> str:
        connection = await asyncpg.connect(migrated.owner_url.replace("+asyncpg", ""))
        number = await connection.fetchval(
            "INSERT INTO scoring.dead_letters (tenant_id, consumer, topic, partition, kafka_offset,"
            " key, headers, body, error_class, error)"
            " VALUES ($1, 'onelead.scoring.rules.v1', 'onelead.rules.v1', 0, 5, $2, $3, $4,"
            " 'unreadable', 'not JSON') RETURNING id",
            tenant,
            b"k",
            f'[["ce_type", "{base64.b64encode(b"x").decode()}"], ["null", null]]',
            b"\xff{broken",
        )
        await connection.close()
        return f"scoring/{number}"

    return asyncio.run(put())


def test_a_dead_letter_is_listed_and_shown(onelead: OneLead, letter: str, tenant: str) -> None:
    assert letter in onelead("dead-letters", "list", "--service", "scoring").out
    assert letter not in onelead("dead-letters", "list", "--service", "ingest").out
    shown = onelead("dead-letters", "show", letter).out
    for part in (tenant, "onelead.rules.v1 / 0 / 5", "not JSON", r"\xff{broken", "ce_type: x"):
        assert part in shown


def test_a_replayed_dead_letter_is_on_its_topic_again_as_it_was(
    onelead: OneLead, letter: str, migrated: Stack
) -> None:
    assert onelead("dead-letters", "replay", letter).out == "1 sent again\n"
    [sent] = [
        record
        for record in asyncio.run(read_from_beginning(migrated.bootstrap, RULES.name))
        if record.value == b"\xff{broken"
    ][-1:]
    assert sent.key == b"k"
    assert sent.headers == (("ce_type", b"x"), ("null", None))
    assert letter not in onelead("dead-letters", "list").out
    assert "replayed" in onelead("dead-letters", "list", "--settled").out


def test_a_dropped_dead_letter_is_settled(onelead: OneLead, letter: str) -> None:
    assert onelead("dead-letters", "drop", letter).out == "1 dropped\n"
    assert letter not in onelead("dead-letters", "list").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dead-letters", "show", "scoring/999999999"], "there is no dead letter"),
        (["dead-letters", "drop", "nonsense"], "there is no dead letter"),
        (["dead-letters", "drop"], "which dead letters?"),
        (["dead-letters", "list", "--service", "console"], "there is no service console"),
        (["service", "console"], "there is no service console"),
    ],
)
def test_what_is_not_there_is_told(onelead: OneLead, arguments: list[str], said: str) -> None:
    result = onelead(*arguments)
    assert result.code == 2
    assert said in result.err
    assert "Hint:" in result.err
