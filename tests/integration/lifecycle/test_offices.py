"""A lead that goes to another office: its status stays, the move is told and kept."""

from shared.events import LeadAction, LeadChange, LeadCommandRefused, LeadRefusal, LeadStatusChanged
from tests.integration.lifecycle.bench import Life, lead
from tests.support.lifecycle_builders import command
from tests.support.service_bench import of_type


async def test_a_move_is_told_to_the_new_office_and_kept_in_the_history(life: Life) -> None:
    await life.hear(lead(office_id="luzern"), command(LeadAction.ASSIGN, owner="ben"))
    before = await life.held()

    told = await life.hear(lead(2, office_id="romandie"))

    [fact] = of_type(told, LeadStatusChanged)
    assert (fact.change, fact.office_id, fact.owner) == (LeadChange.ROUTED, "romandie", "ben")
    assert "luzern" not in fact.model_dump_json()
    after = await life.held()
    assert (after.status, after.known.office_id) == (before.status, "romandie")
    entry = (await life.history())[-1]
    assert (entry.field, entry.before, entry.after) == ("office", "luzern", "romandie")
    assert entry.causes == list(fact.causes)
    assert (await life.replayed()).owner == "ben"


async def test_the_same_office_again_tells_nothing(life: Life) -> None:
    await life.hear(lead(office_id="luzern"))
    assert await life.hear(lead(2, office_id="luzern", score=90.0)) == []


async def test_from_then_on_the_new_office_commands_it_and_the_old_one_does_not(
    life: Life,
) -> None:
    await life.hear(lead(office_id="luzern"))
    await life.hear(lead(2, office_id="romandie"))

    wishes = [command(LeadAction.ASSIGN, owner=o, office_id=o) for o in ("luzern", "romandie")]
    told = await life.hear(*wishes)

    [refused] = of_type(told, LeadCommandRefused)
    assert refused.refusal is LeadRefusal.OTHER_OFFICE
    assert (await life.held()).status.owner == "romandie"


async def test_a_lead_that_is_withdrawn_and_moved_at_once_tells_both(life: Life) -> None:
    await life.hear(lead(office_id="luzern"))

    told = of_type(
        await life.hear(lead(2, office_id="romandie", because="gone")), LeadStatusChanged
    )

    assert [fact.change for fact in told] == [LeadChange.ROUTED, LeadChange.WITHDRAWN]
    assert [fact.version for fact in told] == sorted({fact.version for fact in told})
