"""Ingest says of leads that it does not tell again with which profile and rules they go."""

from collections.abc import Sequence

import pytest

from services.ingest.applying import Applying
from services.ingest.domain.batch import NO_RULES
from services.ingest.repository import DerivedRepository
from services.scoring.domain.wholeness import Basis, is_whole
from shared.events import AccountDerived, AccountProfiled, LeadDetected
from shared.messaging.codec import Received
from shared.rules.influence import derived_by
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.integration.ingest.upstream import (
    Upstream,
    a_box_row,
    a_deal_row,
    tables,
)
from tests.support.builders import changed
from tests.support.service_bench import Sent, of_type

BOXES = [a_box_row("SN1"), a_box_row("SN2", territory_id="70002")]
DEALS = [a_deal_row(1), a_deal_row(2, account_name="Beta Foods", territory_id="70002")]
R1 = default_rules()
R2 = changed(R1, leads__service_attach__status_contains="nothing")
LINKS = changed(R1, accounts__territory_map={"70002": "Acme Logistics"})


async def waiting(upstream: Upstream, rules: Rules) -> list[str]:
    """Open leads whose facts, by all that was ever told, do not go with the newest profile and rules."""
    sent = await Sent(upstream.owner, "ingest", upstream.tenant).messages()
    profiles = await upstream.profiles()
    markers = {e.account_id: e for e in of_type(sent, AccountDerived)}
    found = []
    for key, lead in (await upstream.open_leads()).items():
        account = lead.lead.account_id
        held = markers.get(account)
        said = Basis(held.version, held.account_version, held.derived_by) if held else None
        facts = Basis(lead.version, lead.account_version, lead.derived_by)
        if not is_whole(facts, said, profiles[account].version, derived_by(rules)):
            found.append(key)
    return found


async def apply(upstream: Upstream, rules: Rules) -> list[Received]:
    """New rules meet a process that goes on: what a new one would catch up with must not be needed."""
    process = upstream.worker()
    await process.step()
    await upstream.apply_rules(rules)
    return await upstream.settle(process=process)


UNAPPLIED = (
    "SELECT 1 FROM ingest.batches"
    " WHERE tenant_id = :tenant AND work = 'rules' AND state = 'complete'"
)


def of_leads(told: Sequence[Received]) -> list[Received]:
    """Leads and marks, which share a topic, in their order."""
    return [m for m in told if isinstance(m.event, LeadDetected | AccountDerived)]


async def test_a_first_import_says_it_with_the_leads_themselves(upstream: Upstream) -> None:
    told = await upstream.load(tables(BOXES, DEALS))

    assert of_type(told, AccountDerived) == []
    assert {e.derived_by for e in of_type(told, LeadDetected)} == {derived_by(R1)}
    assert await waiting(upstream, R1) == []
    assert await upstream.load(tables(BOXES, DEALS)) == []


async def test_a_new_profile_is_followed_by_the_mark_of_leads_that_stay(upstream: Upstream) -> None:
    await upstream.load(tables(BOXES, DEALS))

    told = await upstream.load(tables(BOXES, [*DEALS, a_deal_row(3)]))

    (profile,), (mark,) = of_type(told, AccountProfiled), of_type(told, AccountDerived)
    assert (mark.account_id, mark.account_version) == (profile.profile.account_id, profile.version)
    assert (mark.derived_by, mark.cause) == (derived_by(R1), "account")
    assert of_type(told, LeadDetected) == []
    assert await waiting(upstream, R1) == []


async def test_new_rules_mark_every_account_after_its_leads(upstream: Upstream) -> None:
    await upstream.load(tables(BOXES, DEALS))

    told = await apply(upstream, R2)

    marks = of_type(told, AccountDerived)
    assert {(e.derived_by, e.cause) for e in marks} == {(derived_by(R2), "rules")}
    assert {e.account_id for e in marks} == {e.lead.account_id for e in of_type(told, LeadDetected)}
    for key in {m.key for m in of_leads(told)}:
        kinds = [type(m.event) for m in told if m.key == key]
        assert kinds == [LeadDetected, AccountDerived]
    assert await waiting(upstream, R2) == []
    assert await apply(upstream, R2) == []


async def test_rules_that_only_link_mark_the_accounts_they_leave_alone(upstream: Upstream) -> None:
    other = a_box_row("SN3", territory_id="70003")
    deal = a_deal_row(3, account_name="Gamma Mills", territory_id="70003")
    await upstream.load(tables([*BOXES, other], [*DEALS, deal]))

    told = await apply(upstream, LINKS)

    assert {e.lead.box_id for e in of_type(told, LeadDetected)} == {"SN2"}
    assert await waiting(upstream, LINKS) == []


async def test_rules_that_ingest_does_not_derive_by_mark_nothing(upstream: Upstream) -> None:
    await upstream.load(tables(BOXES, DEALS))
    assert await apply(upstream, changed(R1, scoring__priorities__critical=90)) == []


async def test_rules_that_go_and_come_back_are_marked_again(upstream: Upstream) -> None:
    await upstream.load(tables(BOXES, DEALS))
    await apply(upstream, LINKS)
    await apply(upstream, R1)
    assert await waiting(upstream, R1) == []

    await upstream.apply_rules(R2)
    await upstream.step()
    await upstream.step()
    await apply(upstream, R1)

    assert await waiting(upstream, R1) == []


async def test_an_account_with_more_leads_than_a_step_tells_is_marked_after_the_last(
    small_steps: Upstream,
) -> None:
    boxes = [a_box_row(f"SN{n}") for n in range(8)]
    await small_steps.load(tables(boxes, DEALS[:1]))
    await small_steps.apply_rules(R2)

    steps: list[list[type]] = []
    while await small_steps.step():
        steps.append([type(m.event) for m in await small_steps.sent.messages()])

    kinds = [kind for step in steps for kind in step]
    assert len([step for step in steps if LeadDetected in step]) == 2
    assert kinds.count(AccountDerived) == 1
    assert kinds[-1] is AccountDerived
    assert await waiting(small_steps, R2) == []


async def test_an_account_that_loses_a_box_is_marked_when_its_leads_have_left(
    upstream: Upstream,
) -> None:
    beta = [a_box_row(f"SN{n}", territory_id="70002") for n in (2, 3)]
    first = of_type(await upstream.load(tables([BOXES[0], *beta], DEALS)), LeadDetected)
    (loser,) = {e.lead.account_id for e in first if e.lead.box_id == "SN3"}

    moved = [{**beta[0], "territory_id": "70001"}, beta[1]]
    told = of_leads(await upstream.load(tables([BOXES[0], *moved], DEALS)))

    left = [n for n, m in enumerate(told) if isinstance(m.event, LeadDetected)]
    marks = [
        n
        for n, m in enumerate(told)
        if isinstance(m.event, AccountDerived) and m.event.account_id == loser
    ]
    assert len(left) == 2
    assert len(marks) == 1
    assert marks > left
    assert await waiting(upstream, R1) == []


async def test_an_account_that_cannot_be_derived_by_new_rules_is_marked_as_it_stands(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upstream.load(tables(BOXES, DEALS))
    read = DerivedRepository.leads

    async def broken(self: DerivedRepository, *of: object) -> object:
        found = await read(self, *of)  # type: ignore[arg-type]
        if any(each.facts.box_id == "SN2" for each in found.values()):
            raise ValueError("what this account holds cannot be read")
        return found

    monkeypatch.setattr(DerivedRepository, "leads", broken)
    told = await apply(upstream, R2)

    assert {e.lead.box_id for e in of_type(told, LeadDetected)} == {"SN1"}
    assert len(of_type(told, AccountDerived)) == 2
    assert await waiting(upstream, R2) == []


async def test_nothing_is_said_to_go_with_rules_that_are_not_applied_yet(
    upstream: Upstream,
) -> None:
    await upstream.load(tables(BOXES, DEALS))
    process = upstream.worker()
    await process.step()

    await upstream.apply_rules(LINKS)
    await process.step()
    both = changed(LINKS, leads__service_attach__status_contains="nothing")
    await upstream.apply_rules(both)
    steps_before = 0
    while await process.step():
        told = of_leads(await upstream.sent.messages())
        if await upstream.rows(UNAPPLIED):
            steps_before += 1
            said: list[LeadDetected | AccountDerived] = [
                *of_type(told, LeadDetected),
                *of_type(told, AccountDerived),
            ]
            assert {e.derived_by for e in said} <= {NO_RULES}
    assert steps_before > 1
    assert await waiting(upstream, both) == []


async def test_rules_whose_work_was_put_aside_freeze_nothing(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upstream.load(tables(BOXES, DEALS))

    async def broken(*_: object) -> set[str]:
        raise ValueError("these links cannot be made")

    with monkeypatch.context() as patched:
        patched.setattr(Applying, "_link", broken)
        await apply(upstream, LINKS)
    assert await waiting(upstream, LINKS) != []

    await upstream.settle()
    assert await waiting(upstream, LINKS) == []


@pytest.mark.parametrize("before", ["NULL", "'as the release before read the rules'"])
async def test_a_release_that_reads_the_rules_otherwise_marks_everything_once(
    upstream: Upstream, before: str
) -> None:
    await upstream.load(tables(BOXES, DEALS))
    await upstream.rows(
        f"UPDATE ingest.leads SET derived_by = {before} WHERE tenant_id = :tenant RETURNING 1"
    )

    told = await upstream.settle()

    assert len(of_type(told, AccountDerived)) == len(told) == 2
    assert await upstream.settle() == []
