"""In whatever order and batches a lead moves, ends and returns, the office that has it at last is told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import pytest

from services.notifier.domain.delivery import Purpose
from shared.events import LeadChanged
from shared.ops.composition import Base
from tests.integration.notifier.people import BOT, MAIL, People, plan_for
from tests.support.notifier_builders import public_lead

OFFICES = {MAIL: "luzern", BOT: "romandie"}
CHANNELS = {office: target.channel for target, office in OFFICES.items()}
STEPS = (*CHANNELS, "ends", "returns", "returns elsewhere")


@dataclass(frozen=True)
class Version:
    """What one version says of a lead that is CRITICAL whenever it is not withdrawn."""

    office: str = "luzern"
    episode: int = 1
    open: bool = True

    def after(self, step: str) -> "Version":
        """What the next one says; nothing else befalls a withdrawn lead than its return."""
        if self.open and step in CHANNELS:
            return replace(self, office=step)
        if self.open:
            return replace(self, open=False) if step == "ends" else self
        elsewhere = next(office for office in CHANNELS if office != self.office)
        office = elsewhere if step == "returns elsewhere" else self.office
        back = Version(office, self.episode + 1, open=True)
        return back if step.startswith("returns") else self


def history(steps: Sequence[str]) -> list[Version]:
    """The versions of a lead that begins in Luzern, one more than there are steps."""
    found = [Version()]
    for step in steps:
        found.append(found[-1].after(step))
    return found


HISTORIES = {"-".join(steps): history(steps) for steps in product(STEPS, repeat=3)}


def published(number: int) -> Iterator[LeadChanged]:
    """One version of each lead, named after what befalls it; none where nothing happens."""
    for lead_id, versions in HISTORIES.items():
        now = versions[number - 1]
        if number > 1 and now == versions[number - 2]:
            continue
        yield public_lead(
            lead_id=lead_id,
            version=number,
            office_id=now.office,
            episode=now.episode,
            **({} if now.open else {"state": "withdrawn", "reason": "renewed"}),
        )


TOGETHER = {
    "in one batch": [(2, 3, 4)],
    "the last two at once": [(2,), (3, 4)],
    "the first two at once": [(2, 3), (4,)],
    "one by one": [(2,), (3,), (4,)],
}


@pytest.mark.parametrize("first", ["sent", "pending"])
@pytest.mark.parametrize("batches", TOGETHER.values(), ids=TOGETHER)
async def test_the_office_that_has_a_lead_at_last_is_told_and_no_other_still_waits_to_be(
    base: Base, tenant_id: str, batches: Sequence[Sequence[int]], first: str
) -> None:
    people = People(base, tenant_id, plan_for(tenant_id, offices=OFFICES))
    await people.hear(*published(1))
    if first == "sent":
        await people.sent()
    for numbers in batches:
        await people.hear(*(lead for number in numbers for lead in published(number)))

    alerts = [row for row in await people.rows(Purpose.ALERT) if row.channel in CHANNELS.values()]
    told = {(row.lead_id, row.channel, row.episode) for row in alerts if row.state != "cancelled"}
    waiting = {(row.lead_id, row.channel, row.episode) for row in alerts if row.state == "pending"}
    at_last = {lead_id: versions[-1] for lead_id, versions in HISTORIES.items()}
    has_it = {
        (lead_id, CHANNELS[now.office], now.episode) for lead_id, now in at_last.items() if now.open
    }
    assert waiting <= has_it <= told
