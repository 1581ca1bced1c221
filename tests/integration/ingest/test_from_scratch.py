"""Imports one after the other end where the last one alone begins, and where `assess` ends."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from onelead.assess.assessment import Assessment, assess
from services.ingest.sources.files import read_files
from services.ingest.sources.tables import SourceTable
from shared.events import AccountProfile, LeadDetected
from shared.rules.load import default_rules
from tests.integration.ingest.upstream import Upstream
from tests.support.builders import AS_OF
from tests.support.service_bench import of_type
from tests.support.workbooks import CATALOGUE, EXPORT, Generated, generated, write_workbook

RULES = default_rules()
Found = dict[str, dict[str, Any]]


def leads_found(leads: Mapping[str, LeadDetected]) -> Found:
    """What is known of leads, by box and type; the catalogue's version says how often it came."""
    return {key: e.lead.model_dump(exclude={"catalogue_version"}) for key, e in leads.items()}


def leads_of(assessment: Assessment) -> Found:
    """The same of an assessment."""
    return {
        f"{each.lead.box_id}/{each.lead.lead_type.value}": each.lead.model_dump(
            exclude={"catalogue_version"}
        )
        for each in assessment.leads
    }


def profiles_found(profiles: list[AccountProfile]) -> Found:
    """The profiles of accounts that have rows; those that lost all of them stay, empty."""
    return {
        each.account_id: each.model_dump(mode="json")
        for each in profiles
        if each.items or each.projects or each.open_opportunities + each.won + each.lost
    }


def read(path: Path, rows: Generated) -> list[SourceTable]:
    """An export as it is read from its workbook, with the reference catalogue."""
    return read_files([write_workbook(path, rows.sheets()), CATALOGUE], RULES)


def edited(rows: Generated, random: Random) -> Generated:
    """The export some time later: boxes and projects come, go and change; deals move on."""
    other = generated(random.randrange(1_000_000))
    boxes = [
        dict(random.choice([old, old, {**new, **_place(old)}])) for old, new in _pairs(rows, other)
    ]
    stages = [
        {**deal, "Stage": new["Stage"]}
        for deal, new in zip(rows.opportunities, other.opportunities, strict=True)
    ]
    projects = [row for row in rows.projects if random.random() > 0.1] + other.projects[:5]
    return Generated([box for box in boxes if random.random() > 0.1], stages, projects)


def _pairs(rows: Generated, other: Generated) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return list(zip(rows.boxes, other.boxes, strict=False))


def _place(box: dict[str, Any]) -> dict[str, Any]:
    return {"Product_Serial_Number": box["Product_Serial_Number"]}


async def test_the_reference_export_gives_the_leads_of_assess(upstream: Upstream) -> None:
    rows = read_files([EXPORT, CATALOGUE], RULES)

    told = of_type(await upstream.load(rows), LeadDetected)

    assessed = assess(rows, RULES, AS_OF, tenant_id=upstream.tenant)
    assert len(told) == 77
    assert leads_found(await upstream.open_leads()) == leads_of(assessed)
    assert profiles_found([e.profile for e in (await upstream.profiles()).values()]) == (
        profiles_found(list(assessed.accounts))
    )


@pytest.mark.parametrize("seed", range(4))
async def test_imports_end_where_the_last_alone_begins(
    upstream: Upstream, neighbour: Upstream, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - test data, not a secret
    rows = generated(seed)
    for _ in range(3):
        await upstream.load(read(tmp_path / "export.xlsx", rows))
        rows = edited(rows, random)
    final = read(tmp_path / "export.xlsx", rows)
    await upstream.load(final)
    await neighbour.load(final)

    alone = assess(final, RULES, AS_OF, tenant_id=neighbour.tenant)
    assert leads_found(await neighbour.open_leads()) == leads_of(alone)
    in_turn = assess(final, RULES, AS_OF, tenant_id=upstream.tenant)
    assert leads_found(await upstream.open_leads()) == leads_of(in_turn)
    assert profiles_found([e.profile for e in (await upstream.profiles()).values()]) == (
        profiles_found(list(in_turn.accounts))
    )
