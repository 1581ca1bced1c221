from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.notifier.channels.crm.base import STAGES, CrmSink
from services.notifier.domain.attempt import Delivered, Rejected
from services.notifier.domain.contents import CallTask, Notice, Update, Withdrawal
from services.notifier.domain.crm.comparison import (
    Comparison,
    Meanings,
    Told,
    compare,
    cut,
)
from services.notifier.domain.crm.records import (
    OWNED_BY,
    CrmRecord,
    Field,
    Owner,
    Write,
    call_of,
    entry_of,
    write_of,
)
from services.notifier.domain.crm.stages import (
    Moved,
    Nothing,
    Seen,
    UnknownStage,
    command_id,
    meaning,
    stage_news,
)
from shared.events import LeadState
from tests.support.notifier_builders import alert

NOON = datetime(2025, 10, 9, 12, tzinfo=UTC)
MEANINGS = Meanings(STAGES, "Qualification", {Field.NAME: 120})
LEAD = alert().lead_id


def record(stage: str = "Qualification", *, minutes: int = 0, **values: object) -> CrmRecord:
    entry = entry_of(alert(), "Qualification")
    held = {**entry.ours, Field.STAGE: stage, **{Field[k.upper()]: v for k, v in values.items()}}
    return CrmRecord("006", LEAD, NOON + timedelta(minutes=minutes), held)  # type: ignore[arg-type]


def test_every_field_has_one_owner() -> None:
    assert OWNED_BY.keys() == set(Field)


def test_what_onelead_writes_again_is_only_what_it_owns() -> None:
    for content in (
        alert(),
        Update(alert=alert(), changes=()),
        Withdrawal(alert=alert(), reason="x"),
    ):
        entry = entry_of(content, "Qualification")
        assert {OWNED_BY[name] for name in entry.ours} == {Owner.ONELEAD}
        decided = write_of(entry, [record(account="001")], ["002"])
        assert isinstance(decided, Write)
        assert {OWNED_BY[name] for name in decided.values} == {Owner.ONELEAD}


def test_a_new_record_gets_stage_and_close_date() -> None:
    decided = write_of(entry_of(alert(), "Qualification"), [], ["001"])
    assert isinstance(decided, Write)
    assert decided.values[Field.STAGE] == "Qualification"
    assert decided.values[Field.CLOSE_DATE] == date(2025, 11, 23)
    assert decided.values[Field.ACCOUNT] == "001"


@pytest.mark.parametrize(
    ("lead_type", "day"),
    [
        ("renewal", date(2025, 11, 23)),
        ("service_attach", date(2025, 12, 8)),
        ("hardware_refresh", date(2026, 1, 7)),
    ],
)
def test_the_close_date_depends_on_the_type(lead_type: str, day: date) -> None:
    first = entry_of(alert(lead_type=lead_type), "Qualification").at_creation
    assert first is not None
    assert first[Field.CLOSE_DATE] == day


def test_several_records_are_refused_and_named() -> None:
    decided = write_of(entry_of(alert(), "Q"), [record(), replace(record(), external_id="007")], [])
    assert isinstance(decided, Rejected)
    assert decided.reason.endswith("006, 007")


def test_nothing_is_created_by_an_update() -> None:
    entry = entry_of(Update(alert=alert(), changes=()), "Qualification")
    assert isinstance(write_of(entry, [], []), Delivered)


def test_a_notice_is_no_record() -> None:
    with pytest.raises(TypeError):
        entry_of(Notice(tenant_id="default", title="t", text="x"), "Qualification")


def test_a_call_names_whom_to_call() -> None:
    task = CallTask(alert=alert(), campaign="drip", contact="Kim", due=date(2025, 10, 23))
    call = call_of(task, "id-1")
    assert (call.task_id, call.lead_id, call.due) == ("id-1", LEAD, date(2025, 10, 23))
    assert call.subject.startswith("Call Kim")


@pytest.mark.parametrize(
    ("stage", "seen", "news"),
    [
        ("Qualification", None, Nothing()),
        ("Closed Won", None, Moved(LeadState.WON)),
        ("closed  WON ", None, Moved(LeadState.WON)),
        ("Closed Lost", "Closed Won", Moved(LeadState.LOST)),
        ("Qualification", "Proposal", Moved(LeadState.QUALIFIED)),
        ("Closed Won", "Closed Won", Nothing()),
        ("Value Proposition", None, UnknownStage("Value Proposition")),
        ("Value Proposition", "Value Proposition", Nothing()),
    ],
)
def test_a_stage_is_news_when_a_person_moved_it(stage: str, seen: str | None, news: object) -> None:
    last = None if seen is None else Seen("006", seen, NOON)
    assert stage_news(record(stage), last, STAGES, "Qualification") == news


def test_what_is_older_than_what_was_seen_is_no_news() -> None:
    last = Seen("006", "Negotiation", NOON + timedelta(minutes=1))
    assert stage_news(record("Closed Won"), last, STAGES, "Qualification") == Nothing()


def test_a_repeat_has_the_same_command_and_another_change_has_not() -> None:
    first = command_id("crm", LEAD, "Closed Won", NOON)
    assert first == command_id("crm", LEAD, "closed won", NOON.replace(microsecond=1))
    others = {
        command_id("crm2", LEAD, "Closed Won", NOON),
        command_id("crm", "other", "Closed Won", NOON),
        command_id("crm", LEAD, "Closed Lost", NOON),
        command_id("crm", LEAD, "Closed Won", NOON + timedelta(seconds=1)),
    }
    assert len(others | {first}) == 5


def test_a_sinks_own_meanings_come_on_top() -> None:
    sink = CrmSink(
        channel="x", stages={"Proposal/Price Quote": "proposal", "QUALIFICATION": "contacted"}
    )
    assert meaning("proposal/price quote", sink.meanings) is LeadState.PROPOSAL
    assert meaning("Qualification", sink.meanings) is LeadState.CONTACTED
    assert meaning("Closed Won", sink.meanings) is LeadState.WON


@pytest.mark.parametrize("state", ["rejected", "new", "unknown", "weekend"])
def test_a_stage_cannot_mean_what_a_crm_cannot_say(state: str) -> None:
    with pytest.raises(ValidationError, match="must mean one of"):
        CrmSink.model_validate({"channel": "x", "stages": {"Odd": state}})


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_c2hvcnQ=", "c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2g="]
)
def test_an_inbound_secret_must_be_one_and_is_not_told(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_KEY", secret)
    with pytest.raises(ValidationError) as refused:
        CrmSink.model_validate({"channel": "x", "inbound_secret": {"env": "CRM_KEY"}})
    assert secret not in str(refused.value).replace("whsec_ and", "")


def told(state: LeadState = LeadState.NEW) -> Told:
    return Told("default", entry_of(alert(), "Qualification"), state)


def compared(*records: CrmRecord, state: LeadState = LeadState.NEW) -> Comparison:
    held: dict[str, list[CrmRecord]] = {}
    for each in records:
        held.setdefault(each.lead_id, []).append(each)
    return compare([told(state)], held, MEANINGS)


def test_what_was_written_and_not_touched_is_in_sync() -> None:
    found = compared(record(account="001", amount=Decimal("10525.00")))
    assert found == Comparison(in_sync=(LEAD,))
    assert found.clean


def test_a_note_about_the_account_is_no_drift() -> None:
    words = f"{entry_of(alert(), '').ours[Field.DESCRIPTION]}\n\nOneLead: account left open: x."
    assert compared(record(description=words)).clean


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("amount", Decimal(1)), ("name", "Mine"), ("status", "Done"), ("score", "x")],
)
def test_a_changed_field_is_drift_of_onelead(name: str, theirs: object) -> None:
    (drifted,) = compared(record(**{name: theirs})).drifted  # type: ignore[arg-type]
    assert drifted.mendable
    (drift,) = drifted.drifts
    assert (drift.field, drift.owner, drift.theirs) == (
        Field[name.upper()],
        Owner.ONELEAD,
        str(theirs),
    )


def test_a_stage_that_the_lead_does_not_stand_at_is_the_crms_and_not_mended() -> None:
    (drifted,) = compared(record("Closed Won"), state=LeadState.MEETING).drifted
    assert not drifted.mendable
    assert drifted.drifts[0].owner is Owner.CRM
    assert compared(record("Closed Won"), state=LeadState.WON).clean


def test_missing_unknown_strange_and_doubled_records_are_told_apart() -> None:
    assert compared().missing == (told(),)
    stranger = replace(record(), lead_id="nobody")
    assert compared(record(), stranger).unknown == (stranger,)
    assert compared(record(), replace(record(status="Withdrawn"), lead_id="old")).clean
    assert compared(record("Martian")).stages == (record("Martian"),)
    twice = compared(record(), replace(record(), external_id="007"))
    assert twice.several == {LEAD: ("006", "007")}
    assert not twice.missing
    assert not twice.in_sync


def test_leads_of_other_tenants_are_not_strange() -> None:
    held = {LEAD: [record()], "theirs": [replace(record(), lead_id="theirs")]}
    assert compare([told()], held, MEANINGS, others=frozenset({"theirs"})).clean


def test_a_withdrawn_lead_without_a_record_misses_nothing() -> None:
    entry = entry_of(Withdrawal(alert=alert(), reason="gone"), "Qualification")
    assert compare([Told("default", entry, LeadState.NEW)], {}, MEANINGS).clean


@given(st.text(), st.integers(1, 20))
def test_a_cut_text_fits_and_keeps_its_beginning(text: str, limit: int) -> None:
    text = text.encode(errors="ignore").decode()
    short = cut(text, limit)
    assert len(short.encode("utf-16-le")) <= 2 * limit
    assert short == text or text.startswith(short[:-1])
