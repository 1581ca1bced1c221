"""New rules on the reference export: in whatever order scoring hears of it, no alert is taken back."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from random import Random

import pytest

from services.ingest.sources.files import read_files
from services.ingest.tables import SCHEMA as INGEST
from shared.events import Event, LeadScored
from shared.messaging.codec import Received
from shared.rules.load import default_rules, rules_version
from shared.rules.model import Rules
from tests.integration.ingest.upstream import Upstream, new_upstream
from tests.integration.scoring.bench import Scoring
from tests.support.builders import changed
from tests.support.command import ROOT
from tests.support.service_bench import owner_of, role_url
from tests.support.stack import Stack

SAMPLES = sorted((ROOT / "samples").glob("*.xlsx"))
R1 = default_rules()
R2 = changed(
    R1,
    leads__competitor_support_plays=True,
    leads__one_support_play_per_box=True,
    leads__renewal__ahead_days=90,
    leads__renewal__max_days_since_eol=3_000,
    leads__hardware_refresh__value_by_family=True,
    accounts__name_map={"KESTREL AEROSPACE INC": "Nordwind Logistik GmbH"},
    scoring__priorities__critical=70,
)
"""They end leads, begin and move others, make some CRITICAL and change accounts."""


@pytest.fixture(scope="module")
def ingest_url(migrated: Stack) -> str:
    return role_url(migrated, INGEST)


@pytest.fixture
async def upstream(migrated: Stack, ingest_url: str) -> AsyncIterator[Upstream]:
    async with (
        owner_of(migrated) as owner,
        new_upstream(owner, ingest_url, accounts_per_step=3) as made,
    ):
        yield made


async def scrambled(
    scoring: Scoring, told: Sequence[Received], rules: Rules, version: int, random: Random
) -> list[LeadScored]:
    """Scoring hears of new rules and of what ingest told by them; only a key's messages keep order."""
    streams: dict[object, list[Event | Rules]] = defaultdict(list)
    streams["rules"].append(rules)
    for message in told:
        if message.event is not None and message.topic.startswith(("onelead.acc", "onelead.leads")):
            streams[message.topic, message.key].append(message.event)
    emitted: list[LeadScored] = []
    while streams:
        stream = random.choice(list(streams))
        first = streams[stream].pop(0)
        if isinstance(first, Rules):
            await scoring.apply_rules(first, version)
        else:
            emitted += await scoring.hear(first)
        if random.random() < 0.3:
            await scoring.tick().step()
        streams = {key: left for key, left in streams.items() if left}
    return [*emitted, *await scoring.rescore()]


async def test_an_episode_that_begins_with_new_rules_is_there_when_all_is_heard(
    upstream: Upstream, scoring: Scoring
) -> None:
    random = Random(7)  # noqa: S311 - test data, not a secret
    await scrambled(scoring, await upstream.load(read_files(SAMPLES, R1)), R1, 1, random)
    before = await scoring.latest()
    assert len(before) == 77
    began = 0
    for turn, rules in enumerate([R2, R1, R2], start=2):
        await upstream.apply_rules(rules)
        emitted = await scrambled(scoring, await upstream.settle(), rules, turn, random)

        after = await scoring.latest()
        critical = {e.lead.lead_id: e.episode for e in emitted if e.episode_open}
        known = {key: before[key].episode if key in before else 0 for key in critical}
        new = {key for key, episode in critical.items() if episode > known[key]}
        taken_back = {key for key in new if not after[key].episode_open}
        assert taken_back == set()
        assert {after[key].score.rules_version for key in new} <= {rules_version(rules)}
        told = {e.lead.lead_id for e in (await upstream.open_leads()).values()}
        assert told == {key for key, e in after.items() if e.state == "open"}
        before, began = after, began + len(new)
    assert began > 10
