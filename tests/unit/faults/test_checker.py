"""The checker finds every sort of violation in made-up histories, and nothing in a clean one."""

from dataclasses import replace

import pytest

from tests.faults.checker import check
from tests.faults.expectation import LeadHistory, expected
from tests.faults.generator import marker
from tests.faults.history import (
    Broken,
    CrmRecord,
    Doubt,
    Entry,
    Fault,
    Input,
    Mark,
    Poison,
    PutAside,
    Taken,
    Told,
    Waiting,
)
from tests.faults.offices import POSTAL_CODES, UNASSIGNED

RENEWED = {
    "support_status": "Active Contract",
    "end_of_life": "2024-12-01",
    "service_end": "2026-12-01",
}
OTHER_OFFICE = {"luzern": "romandie", "romandie": "luzern"}


def an_input(tenant: str = "a", version: int = 1, *, end_of_life: str = "2015-01-01") -> Input:
    values = marker(tenant, "BOX", 1).values
    assert values is not None
    return Input(tenant, "BOX", version, {**values, "end_of_life": end_of_life}, f"BOX|{version}")


INPUT = an_input()
NEWER = an_input(version=2, end_of_life="2016-02-03")
LEADS = expected([INPUT])
[CRITICAL] = [lead_id for lead_id, lead in LEADS.items() if lead.alerts_least]
OFFICE = LEADS[CRITICAL].final_office or ""
QUIET = next(lead_id for lead_id in LEADS if lead_id != CRITICAL)


def episode(lead: LeadHistory) -> int:
    """The number of the episode that is open at the end, 0 when none is."""
    return lead.alerts_most if lead.states[-1] and lead.alerts_least else 0


def told(inputs: list[Input], version: int = 1) -> list[Told]:
    """What a flawless system tells of the leads as these inputs leave them."""
    return [
        Told(
            *(lead.tenant, lead_id, version, "open", lead.final, f"{lead.final}+", 11.0),
            *(last.office, last.priority.value, episode(lead)),
        )
        for lead_id, lead in expected(inputs).items()
        if lead.final and (last := lead.states[-1])
    ]


def alert(channel: str = "webhook", **changes: str) -> Taken:
    fields = {"tenant": "a", "office": OFFICE, "identity": "d1", "lead_id": CRITICAL, **changes}
    return Taken(channel, at=12.0, **fields)


SCORE = LEADS[CRITICAL].final_score or 0.0
RECORD = CrmRecord(CRITICAL, SCORE)
MARK = Mark("kill", 1, "a", CRITICAL, healed_at=10.0, bound_s=5.0)
FAULT = Fault("kill", 1, "scoring", 9.0, 10.0)
CLEAN: list[Entry] = [INPUT, FAULT, MARK, *told([INPUT]), alert(), alert("slack"), RECORD]


def kinds(entries: list[Entry]) -> set[str]:
    return {violation.kind for violation in check(entries).violations}


def test_a_channel_that_had_to_be_heard_and_was_not_is_stuck() -> None:
    of_slack = replace(MARK, channel="slack")
    heard = [of_slack if entry is MARK else entry for entry in CLEAN]
    assert kinds(heard) == set()
    late = [
        replace(e, at=99.0) if isinstance(e, Taken) and e.channel == "slack" else e for e in heard
    ]
    assert kinds(late) == {"stuck"}
    assert kinds([MARK if entry is of_slack else entry for entry in late]) == set()


def test_a_clean_history_has_no_violation() -> None:
    verdict = check(CLEAN)
    assert list(verdict.violations) == []
    assert (verdict.rounds, verdict.inputs, verdict.leads) == (1, 1, 3)
    assert verdict.resume_s == [2.0]


def test_messages_told_and_delivered_again_are_no_violation() -> None:
    again = [*CLEAN, *told([INPUT]), alert()]
    assert kinds(again) == set()


def test_a_newer_version_that_skips_an_older_one_is_no_violation() -> None:
    score = expected([INPUT, NEWER])[CRITICAL].final_score or 0.0
    kept = [e for e in CLEAN if not isinstance(e, Told | CrmRecord)]
    assert kinds([*kept, NEWER, *told([INPUT, NEWER], 2), CrmRecord(CRITICAL, score)]) == set()


def without(*gone: Entry) -> list[Entry]:
    return [entry for entry in CLEAN if entry not in gone]


def only_of(entries: list[Told], lead_id: str) -> Told:
    [found] = [each for each in entries if each.lead_id == lead_id]
    return found


FIRST, SECOND = only_of(told([INPUT]), CRITICAL), only_of(told([INPUT, NEWER], 2), CRITICAL)
CRM_NEWER = CrmRecord(CRITICAL, expected([INPUT, NEWER])[CRITICAL].final_score or 0.0)
LATEST: list[Entry] = [*without(RECORD), NEWER, *told([INPUT, NEWER], 2), CRM_NEWER]
REMOVED = Input("a", "BOX", 2, None, "BOX|2")
POISON = Poison("a", "t", 0, 7, "no JSON")
ASIDE = PutAside("t", 0, 7)


@pytest.mark.parametrize(
    ("kind", "entries"),
    [
        ("lost", without(FIRST)),
        ("lost", [*CLEAN, NEWER]),
        ("lost", [*CLEAN, REMOVED]),
        ("lost", without(alert())),
        ("lost", without(alert("slack"))),
        ("lost", [*without(RECORD), CrmRecord(QUIET, 1.0)]),
        ("lost", [*CLEAN, POISON]),
        ("doubled", [*CLEAN, replace(FIRST, version=2)]),
        ("doubled", [*CLEAN, alert(identity="d2")]),
        ("doubled", [*CLEAN, alert("slack", identity="d2")]),
        ("doubled", [*CLEAN, alert("slack")]),
        ("doubled", [*CLEAN, RECORD]),
        ("doubled", [*CLEAN, POISON, ASIDE, ASIDE]),
        ("wrong", [*CLEAN, alert(lead_id=QUIET)]),
        ("wrong", [*CLEAN, alert(lead_id="nobody's")]),
        ("wrong", [*CLEAN, alert(tenant="b")]),
        ("wrong", [*CLEAN, alert(office=OTHER_OFFICE[OFFICE])]),
        ("wrong", [*CLEAN, replace(FIRST, tenant="b")]),
        (
            "wrong",
            [*CLEAN, replace(FIRST, content="made up", version=2), replace(FIRST, version=3)],
        ),
        ("wrong", [*CLEAN, CrmRecord(QUIET, 1.0)]),
        ("wrong", [*CLEAN, ASIDE]),
        ("stale", [*LATEST, replace(FIRST, version=3)]),
        ("stale", [*LATEST, FIRST]),
        ("stale", [*LATEST, replace(SECOND, version=4), replace(SECOND, version=3, news="x")]),
        ("stale", [*without(RECORD), CrmRecord(CRITICAL, SCORE - 1)]),
        ("stuck", [*CLEAN, replace(MARK, round=2, bound_s=1.0)]),
        ("stuck", [*CLEAN, replace(MARK, round=2, lead_id="never heard of")]),
        ("stuck", [*CLEAN, Waiting("outbox of scoring", 3)]),
        ("stuck", [*CLEAN, Broken("kill", 1, "scoring did not come back")]),
        ("stuck", [*CLEAN, replace(FAULT, stop_s=15.1)]),
        ("stuck", [*CLEAN, replace(FAULT, retries_per_s=5.1)]),
    ],
)
def test_each_sort_of_violation_is_found(kind: str, entries: list[Entry]) -> None:
    assert kind in kinds(entries)


def test_a_history_with_the_newer_version_told_last_is_clean() -> None:
    assert kinds(LATEST) == set()


def test_a_doubt_of_a_blind_channel_is_not_lost_and_of_another_is() -> None:
    assert kinds([*without(alert("slack")), Doubt(CRITICAL, "slack", OFFICE)]) == set()
    of_another = Doubt(CRITICAL, "slack", OTHER_OFFICE[OFFICE])
    assert kinds([*without(alert("slack")), of_another]) == {"lost"}
    assert kinds([*without(alert()), Doubt(CRITICAL, "webhook", OFFICE)]) >= {"lost"}


def moved(version: int, postal_code: str) -> Input:
    return replace(
        INPUT, version=version, values={**(INPUT.values or {}), "postal_code": postal_code}
    )


MOVED = [INPUT, moved(2, POSTAL_CODES[OTHER_OFFICE[OFFICE]])]
THERE = [alert(channel, office=OTHER_OFFICE[OFFICE]) for channel in ("webhook", "slack")]


def told_all(inputs: list[Input]) -> list[Told]:
    """What a flawless system tells when it hears of one input after the other, a second each."""
    found: list[Told] = []
    for version in range(1, len(inputs) + 1):
        now = told(inputs[:version], version)
        gone = {each.lead_id for each in found} - {each.lead_id for each in now}
        found += [replace(each, at=10.0 + version) for each in now]
        found += [Told("a", each, version, "withdrawn", "", "", 10.0 + version) for each in gone]
    return found


def history_of(inputs: list[Input], *alerts: Taken) -> list[Entry]:
    """A flawless history of these inputs, but for the alerts."""
    record = CrmRecord(CRITICAL, expected(inputs)[CRITICAL].final_score or 0.0)
    return [*inputs, FAULT, *told_all(inputs), record, *alerts]


def late(taken: Taken, at: float) -> Taken:
    return replace(taken, at=at, identity=f"{taken.identity} at {at}")


HERE = [alert(), alert("slack")]


def test_a_lead_that_moved_is_told_to_who_has_it_and_once_to_who_had_it() -> None:
    assert kinds(history_of(MOVED, *THERE)) == set()
    assert kinds(history_of(MOVED, *THERE, *HERE)) == set()
    assert kinds(history_of(MOVED, *HERE)) == {"lost"}
    assert kinds(history_of(MOVED, *THERE, *HERE, alert(identity="d2"))) == {"doubled"}
    assert kinds([*history_of(MOVED, *THERE), *told([INPUT], 2)]) == {"stale", "wrong"}


def test_who_lost_a_lead_hears_no_more_of_it_but_for_what_was_on_its_way() -> None:
    assert kinds(history_of(MOVED, *THERE, late(HERE[0], 100.0))) == set()
    assert kinds(history_of(MOVED, *THERE, late(HERE[0], 900.0))) == {"wrong"}
    gone = [*history_of([INPUT, REMOVED]), alert("slack")]
    assert kinds([e for e in gone if not isinstance(e, CrmRecord)]) == set()
    gone[-1] = late(alert("slack"), 900.0)
    assert kinds([e for e in gone if not isinstance(e, CrmRecord)]) == {"wrong"}


def test_what_a_wrong_clock_said_is_held_against_nobody() -> None:
    ahead = [
        replace(e, at=e.at + 86_400) if isinstance(e, Told) and e.version == 1 else e
        for e in history_of(MOVED, *THERE, *HERE)
    ]
    assert kinds(ahead) == set()


def test_an_office_that_never_had_a_lead_while_it_mattered_may_not_hear_of_it() -> None:
    quiet_there = moved(2, POSTAL_CODES[OTHER_OFFICE[OFFICE]])
    quiet_there = replace(quiet_there, values={**(quiet_there.values or {}), **RENEWED})
    back = replace(INPUT, version=3)
    alerts = [*HERE, *(late(each, 20.0) for each in HERE)]
    assert kinds(history_of([INPUT, quiet_there, back], *alerts)) == set()
    assert kinds(history_of([INPUT, quiet_there, back], *alerts, *THERE)) == {"wrong"}


def test_what_no_office_has_goes_to_no_office() -> None:
    nobodys = [moved(1, POSTAL_CODES[UNASSIGNED])]
    assert kinds(history_of(nobodys)) == set()
    assert kinds(history_of(nobodys, alert())) == {"wrong"}


def test_a_lead_that_comes_back_is_alerted_once_more() -> None:
    inputs = [INPUT, REMOVED, an_input(version=3, end_of_life="2016-02-03")]
    again = [late(each, 20.0) for each in HERE]
    assert kinds(history_of(inputs, *HERE, *again)) == set()
    assert kinds(history_of(inputs, *again)) == set()
    assert kinds(history_of(inputs, *HERE)) == {"lost"}
    assert kinds(history_of(inputs, *HERE, *again, alert(identity="d3"))) == {"doubled"}


def test_an_alert_comes_once_for_each_episode_that_was_told() -> None:
    inputs = [INPUT, REMOVED, replace(INPUT, version=3)]
    first = [e for e in history_of(inputs) if not isinstance(e, Told) or e.version == 1]
    again = [late(each, 20.0) for each in HERE]
    assert kinds([*first, *HERE]) == set()
    assert kinds([*first, *HERE, *again]) == {"doubled"}
    skipped = [e for e in history_of(inputs) if not isinstance(e, Told) or e.version != 2]
    skipped = [
        replace(e, news="new") if isinstance(e, Told) and e.version == 3 else e for e in skipped
    ]
    assert kinds([*skipped, *HERE, *again]) == set()


def test_a_version_that_was_told_in_two_ways_is_wrong() -> None:
    other = replace(FIRST, news="other")
    assert kinds([*CLEAN, other]) == {"wrong"}
    assert kinds([*CLEAN, FIRST]) == set()
