"""What is encoded is read back the same; what is not ours is refused by name and without its content."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events import EVENTS, DayDerived, Event, LeadChanged
from shared.messaging.codec import UnreadableMessageError, decode, encode, event_id, tombstone
from tests.support.event_strategies import events
from tests.support.kafka_record import FakeRecord

pytestmark = pytest.mark.usefixtures("set_clock")
_TYPE = ("ce_type", DayDerived.event_type.encode())
_TENANT = ("ce_tenant", b"default")
_BODY = b'{"version": 7, "as_of": "2025-10-09"}'


def sent(event: Event, **changes: Any) -> FakeRecord:
    given: dict[str, Any] = {
        "tenant_id": "default",
        "source": "/test",
        "subject": "s",
        "topic": "t",
        "key": "k",
    }
    return FakeRecord.of(encode(event, **(given | changes)))


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@settings(max_examples=12)
@given(data=st.data())
def test_every_event_comes_back_as_it_was_sent(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(events(kind))
    received = decode(sent(event))
    assert received.event == event
    assert received.envelope.version == event.version
    assert received.envelope.type == kind.event_type


def test_the_envelope_carries_subject_trace_batch_and_key() -> None:
    event = DayDerived(version=7, as_of=datetime(2025, 10, 9, tzinfo=UTC).date())
    received = decode(sent(event, traceparent="00-x", batch_id="b", subject="lead-1", key="a|b"))
    envelope = received.envelope
    assert (envelope.traceparent, envelope.batch_id) == ("00-x", "b")
    assert (envelope.subject, envelope.source, received.key) == ("lead-1", "/test", "a|b")
    assert envelope.id == event_id(DayDerived.event_type, "default", "lead-1", 7)


def test_the_same_version_of_the_same_aggregate_has_the_same_id_however_often_sent() -> None:
    event = DayDerived(version=7, as_of=datetime(2025, 10, 9, tzinfo=UTC).date())
    ids = {decode(sent(event)).envelope.id for _ in range(3)}
    other = decode(sent(event.model_copy(update={"version": 8}))).envelope.id
    assert len(ids) == 1
    assert other not in ids


def test_a_tombstone_has_no_event_and_keeps_its_version() -> None:
    message = tombstone(
        LeadChanged,
        tenant_id="default",
        source="/s",
        subject="l",
        topic="t",
        key="default|l",
        version=42,
    )
    received = decode(FakeRecord.of(message))
    assert received.event is None
    assert (received.envelope.version, received.key) == (42, "default|l")


def test_the_tenant_that_is_known_overrules_the_header() -> None:
    record = FakeRecord(headers=(_TYPE, ("ce_tenant", b"other")), value=_BODY)
    assert decode(record).envelope.tenant_id == "other"
    assert decode(record, "default").envelope.tenant_id == "default"


def test_a_message_with_nothing_but_type_and_tenant_is_enough() -> None:
    record = FakeRecord("t", None, _BODY, (_TYPE, _TENANT), 3, 14)
    received = decode(record)
    assert received.envelope.id == "t/3/14"
    assert received.envelope.time == datetime.fromtimestamp(1_700_000_000, UTC)
    assert received.key == ""


def test_what_a_later_writer_adds_is_ignored() -> None:
    record = FakeRecord(headers=(_TYPE, _TENANT), value=_BODY[:-1] + b', "later": [1]}')
    event = decode(record).event
    assert isinstance(event, DayDerived)
    assert event.version == 7


REFUSED: dict[str, FakeRecord] = {
    "no type": FakeRecord(headers=(_TENANT,)),
    "null type": FakeRecord(headers=(("ce_type", None), _TENANT)),
    "unknown type": FakeRecord(headers=(("ce_type", b"x"), _TENANT)),
    "no tenant": FakeRecord(headers=(_TYPE,), value=_BODY),
    "bad tenant": FakeRecord(headers=(_TYPE, ("ce_tenant", b"A b")), value=_BODY),
    "long tenant": FakeRecord(headers=(_TYPE, ("ce_tenant", b"a" * 41)), value=_BODY),
    "header bytes": FakeRecord(headers=(_TYPE, _TENANT, ("x", b"\xff")), value=_BODY),
    "key bytes": FakeRecord(key=b"\xff", headers=(_TYPE, _TENANT), value=_BODY),
    "body bytes": FakeRecord(headers=(_TYPE, _TENANT), value=b"\xff"),
    "no JSON": FakeRecord(headers=(_TYPE, _TENANT), value=b"SECRET"),
    "no object": FakeRecord(headers=(_TYPE, _TENANT), value=b"[1]"),
    "a missing field": FakeRecord(headers=(_TYPE, _TENANT), value=b"{}"),
    "wrong types": FakeRecord(headers=(_TYPE, _TENANT), value=b'{"as_of": "SECRET"}'),
    "nested": FakeRecord(headers=(_TYPE, _TENANT), value=b'{"causes":' + b"[" * 200_000),
    "NaN": FakeRecord(headers=(_TYPE, _TENANT), value=b'{"version": NaN, "as_of": "2025-10-09"}'),
    "empty": FakeRecord(headers=(_TYPE, _TENANT), value=b""),
    "unnumbered tombstone": FakeRecord(headers=(_TYPE, _TENANT), value=None),
    "a wordy version": FakeRecord(headers=(_TYPE, _TENANT, ("ce_version", b"SECRET")), value=None),
    "a long version": FakeRecord(headers=(_TYPE, _TENANT, ("ce_version", b"9" * 5_000))),
    "a wordy time": FakeRecord(headers=(_TYPE, _TENANT, ("ce_time", b"SECRET")), value=_BODY),
    "a time past all": FakeRecord(headers=(_TYPE, _TENANT), value=_BODY, timestamp=2**62),
}


@pytest.mark.parametrize("record", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_ours_is_refused_without_quoting_it(record: FakeRecord) -> None:
    with pytest.raises(UnreadableMessageError) as refused:
        decode(record, None)
    assert str(refused.value)
    assert "SECRET" not in str(refused.value)


_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_type", "ce_tenant", "ce_version", "ce_time", "ce_id", "x"]),
        st.none() | st.binary(max_size=8) | st.sampled_from([_TYPE[1], _TENANT[1], b"7"]),
    ),
    max_size=6,
).map(tuple)


@given(
    headers=_HEADERS,
    value=st.none() | st.binary(max_size=40) | st.just(_BODY),
    key=st.none() | st.binary(max_size=5),
    timestamp=st.integers(-(2**63), 2**63 - 1),
)
def test_nothing_that_may_arrive_raises_anything_else(
    headers: Any, value: bytes | None, key: bytes | None, timestamp: int
) -> None:
    record = FakeRecord("t", key, value, headers, timestamp=timestamp)
    try:
        received = decode(record)
    except UnreadableMessageError:
        return
    assert received.envelope.type == DayDerived.event_type
