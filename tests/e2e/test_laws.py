"""Laws of imports, on a real Kafka and PostgreSQL with every service a process, over generated exports."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from onelead.assess.assessment import assess
from onelead.commands import rules as rules_command
from onelead.edition.edition import Edition
from services.ingest.sources.files import read_files
from shared.events import BatchMode, LeadChanged
from shared.rules.model import Rules
from shared.topics import IMPORTS, RECORDS
from tests.support.builders import AS_OF
from tests.support.edition import import_into, running_edition, settle
from tests.support.pipeline import add_tenant, assessed_facts, end_offsets, facts, leads_of
from tests.support.rule_sets import RULE_SETS
from tests.support.workbooks import CATALOGUE, Generated, generated, write_workbook

pytestmark = pytest.mark.slow

_SHEETS = (
    ("boxes", "Product_Serial_Number", None),
    ("opportunities", "Opportunity_Id", "Created_Date"),
    ("projects", "Project_Id", "Updated_Date"),
)
"""Each sheet's id, and the date by which a tie between two of its rows is decided."""
_REASONS = frozenset(("ledger", "outlook"))


@pytest.fixture(scope="module")
async def edition(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edition]:
    async with running_edition(tmp_path_factory.mktemp("laws") / "home") as running:
        yield running


async def imported(
    edition: Edition, tenant: str, *files: Path, mode: BatchMode | None = None
) -> dict[str, LeadChanged]:
    """The leads of a tenant once these files are in, each an import of its own."""
    for file in files:
        await import_into(edition, [file], tenant=tenant, mode=mode)
        await settle(edition, tenant)
    return await leads_of(edition, tenant)


async def under_rules(edition: Edition, tenant: str, rules: Rules) -> None:
    await add_tenant(edition, tenant)
    await rules_command._apply(edition.bootstrap, tenant, rules)
    await settle(edition, tenant)


@pytest.mark.parametrize("name", RULE_SETS)
async def test_pipeline_and_assessment_agree_under_any_rules(
    edition: Edition, tmp_path: Path, name: str
) -> None:
    rules, seed = RULE_SETS[name], 10 + list(RULE_SETS).index(name)
    await under_rules(edition, f"rules-{seed}", rules)
    workbook = write_workbook(tmp_path / "export.xlsx", generated(seed, boxes=80).sheets())

    leads = await imported(edition, f"rules-{seed}", CATALOGUE, workbook)

    expected = assess(read_files([workbook, CATALOGUE], rules), rules, AS_OF)
    assert leads
    assert differences(facts(leads.values()), assessed_facts(expected, rules)) == {}


@pytest.mark.parametrize("name", ["default", "every switch, classic"])
async def test_importing_twice_is_importing_once(
    edition: Edition, tmp_path: Path, name: str
) -> None:
    tenant = f"twice-{list(RULE_SETS).index(name)}"
    await under_rules(edition, tenant, RULE_SETS[name])
    workbook = write_workbook(tmp_path / "export.xlsx", generated(20, boxes=80).sheets())
    once = await imported(edition, tenant, CATALOGUE, workbook)
    before = await end_offsets(edition)

    twice = await imported(edition, tenant, CATALOGUE, workbook)

    after = await end_offsets(edition)
    assert {topic for topic, end in after.items() if end != before[topic]} == {
        RECORDS.for_tenant(tenant),
        IMPORTS.name,
    }
    assert twice == once


@pytest.mark.parametrize("seed", [30, 31])
async def test_splitting_a_delta_of_unique_rows_into_two_imports_does_not_matter(
    edition: Edition, tmp_path: Path, seed: int
) -> None:
    whole = unique(generated(seed, boxes=60, opportunities=60))
    parts = split(whole, seed)
    files = [
        write_workbook(tmp_path / f"{number}.xlsx", part.sheets())
        for number, part in enumerate((whole, *parts))
    ]
    await add_tenant(edition, f"whole-{seed}")
    await add_tenant(edition, f"split-{seed}")
    delta = BatchMode.DELTA
    expected = await imported(edition, f"whole-{seed}", CATALOGUE, files[0], mode=delta)

    found = await imported(edition, f"split-{seed}", CATALOGUE, *files[1:], mode=delta)

    assert expected
    told = differences(facts(found.values()), facts(expected.values()))
    # A lead whose rounded numbers stay is not told again: its reasons are those of the first part.
    assert {field for field in told if field.rpartition(" ")[2] not in _REASONS} == set()


def differences(
    found: dict[str, dict[str, Any]], expected: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """What is not the same, by `box/type` and field: (found, expected)."""
    return {
        f"{key} {field}": (found.get(key, {}).get(field), expected.get(key, {}).get(field))
        for key in found.keys() | expected.keys()
        for field in found.get(key, {}).keys() | expected.get(key, {}).keys()
        if found.get(key, {}).get(field) != expected.get(key, {}).get(field)
    }


def unique(export: Generated) -> Generated:
    """The rows with an id and a deciding date that no other row of their sheet has."""

    def once(rows: list[dict[str, Any]], field: str | None) -> list[dict[str, Any]]:
        if field is None:
            return rows
        found = Counter(str(row[field])[:10] for row in rows)
        return [row for row in rows if found[str(row[field])[:10]] == 1]

    sheets = {
        kind: once(once(getattr(export, kind), id_field), date_field)
        for kind, id_field, date_field in _SHEETS
    }
    return Generated(**sheets)


def split(export: Generated, seed: int) -> tuple[Generated, Generated]:
    """Every row in one of two parts, each of which has rows of every kind."""
    random = Random(seed)  # noqa: S311 - test data, not a secret

    def half(rows: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        parts: list[list[dict[str, Any]]] = [[], []]
        for number, row in enumerate(rows):
            parts[number if number < 2 else random.randrange(2)].append(row)
        return parts

    halves = {kind: half(getattr(export, kind)) for kind, *_ in _SHEETS}
    first, second = (Generated(**{k: parts[n] for k, parts in halves.items()}) for n in (0, 1))
    return first, second
