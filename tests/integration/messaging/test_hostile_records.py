"""Bad records among good ones: the good are handled, the bad put aside once, nothing stops."""

import base64
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.codec import Received
from shared.messaging.dead_letter import NO_TENANT
from shared.topics import dead_letter_of
from tests.integration.messaging.bench import TENANT, Bench, everything_on, producing, send
from tests.integration.messaging.reading import reading
from tests.integration.messaging.test_relay import relaying, until_sent

_TYPE = ("ce_type", b"com.onelead.day.derived.v1")
_OURS: list[tuple[str, Any]] = [_TYPE, ("ce_tenant", TENANT.encode())]
_BODY = b'{"version": 1, "as_of": "2025-10-09"}'

UNREADABLE: dict[str, tuple[list[tuple[str, Any]], bytes | None]] = {
    "a null header in place of the type": ([("ce_type", None)], _BODY),
    "a header that is not UTF-8": ([*_OURS, ("x", b"\xff\xfe")], _BODY),
    "an unknown type": ([("ce_type", b"com.evil.v1"), _OURS[1]], _BODY),
    "no headers": ([], _BODY),
    "not JSON": (_OURS, b"{not json"),
    "not UTF-8": (_OURS, b'{"as_of": "\xff"}'),
    "deeply nested": (_OURS, b"[" * 100_000),
    "wrong types": (_OURS, b'{"version": [], "as_of": 7.5}'),
    "an empty body without a version": (_OURS, b""),
    "a tombstone without a version": (_OURS, None),
    "a version that is no number": ([*_OURS, ("ce_version", b"NaN")], None),
    "a version of 5,000 digits": ([*_OURS, ("ce_version", b"9" * 5_000)], None),
    "a time that is none": ([*_OURS, ("ce_time", b"yesterday")], _BODY),
    "a tenant nobody may have": ([_TYPE, ("ce_tenant", b"a,b")], _BODY),
    "a header whose name holds a NUL": ([("a\0b", b"\0"), ("ce_type", b"a\0b")], b"\0"),
}
UNFIT: dict[str, tuple[list[tuple[str, Any]], bytes | None]] = {
    "a version no column can hold": (
        _OURS,
        b'{"version": 1%s, "as_of": "2025-10-09"}' % (b"0" * 30),
    ),
    "a tombstone's version no column can hold": ([*_OURS, ("ce_version", b"9" * 40)], None),
}
HARMLESS: dict[str, tuple[list[tuple[str, Any]], bytes | None]] = {
    "an address to answer to": ([*_OURS, ("reply_to", b"%s")], _BODY),
    "a null header": ([*_OURS, ("x", None)], _BODY),
    "an unknown field": (_OURS, b'{"version": 1, "as_of": "2025-10-09", "new": {"a": 1}}'),
}
HOSTILE = UNREADABLE | UNFIT


async def send_hostile(producer: AIOKafkaProducer, bench: Bench) -> None:
    """Good, bad, good, bad …, the harmless at the end."""
    for number, (headers, body) in enumerate((HOSTILE | HARMLESS).values()):
        await send(producer, bench.message(100 + number))
        mended = [
            (name, bench.output.encode() if name == "reply_to" else raw) for name, raw in headers
        ]
        key = b"\xff\0" if number < len(UNREADABLE) else b"key"
        await producer.send_and_wait(bench.topic.name, key=key, value=body, headers=mended)


GOOD = sorted([1] * len(HARMLESS) + [100 + n for n in range(len(HOSTILE | HARMLESS))])


async def test_the_good_are_handled_and_each_bad_one_is_put_aside_once(bench: Bench) -> None:
    async with producing(bench.stack) as producer:
        await send_hostile(producer, bench)
    async with reading(bench) as reader:
        await reader.caught_up()
        assert await reader.handled() == GOOD
        letters = await bench.rows("dead_letters", "kafka_offset")
        assert [x.kafka_offset for x in letters] == list(range(1, 2 * len(HOSTILE), 2))
        assert [x.error_class == "unreadable" for x in letters] == (
            [True] * len(UNREADABLE) + [False] * len(UNFIT)
        )


async def test_read_again_nothing_is_handled_told_or_put_aside_twice(bench: Bench) -> None:
    async with producing(bench.stack) as producer:
        await send_hostile(producer, bench)
    async with reading(bench) as reader:
        await reader.caught_up()
        before = await bench.rows("outbox", "id")
        await reader.read_again()
        assert await reader.handled() == GOOD
        assert len(await bench.rows("dead_letters")) == len(HOSTILE)
        assert [row.id for row in await bench.rows("outbox", "id")] == [row.id for row in before]
        assert await reader.told() == GOOD
    async with reading(bench) as again:
        await again.caught_up()
        assert again.batches == []


async def test_the_dead_letter_topic_holds_the_original_bytes_and_the_position(
    bench: Bench,
) -> None:
    async with producing(bench.stack) as producer:
        await send_hostile(producer, bench)
    async with reading(bench) as reader:
        await reader.caught_up()
    async with relaying(bench):
        await until_sent(bench)
    originals = {r.offset: r for r in await everything_on(bench.stack, bench.topic.name)}
    records = await everything_on(bench.stack, dead_letter_of(bench.topic.name))
    assert len(records) == len(HOSTILE)
    for record in records:
        headers = {name: raw.decode() for name, raw in record.headers}
        topic, partition, offset = headers["dead_letter_position"].split("/")
        original = originals[int(offset)]
        assert (topic, partition) == (bench.topic.name, "0")
        assert record.value == original.value
        assert base64.b64decode(headers["dead_letter_key_base64"]) == (original.key or b"")


async def test_the_table_holds_key_headers_and_body_as_they_came(bench: Bench, stored: Any) -> None:
    async with producing(bench.stack) as producer:
        await send_hostile(producer, bench)
    async with reading(bench) as reader:
        await reader.caught_up()
    originals = {r.offset: r for r in await everything_on(bench.stack, bench.topic.name)}
    for letter in map(stored, await bench.rows("dead_letters")):
        original = originals[letter.offset]
        assert (letter.key, letter.body) == (original.key, original.value)
        named = [(name.replace("\0", "\\x00"), raw) for name, raw in original.headers]
        assert list(letter.headers) == named


async def test_a_reason_says_what_is_wrong_without_what_the_message_held(bench: Bench) -> None:
    secret = b"Iris Example, iris@example.com"
    async with producing(bench.stack) as producer:
        for body in (b'{"as_of": "%s"}' % secret, b"%s" % secret):
            await producer.send_and_wait(bench.topic.name, value=body, headers=_OURS)
        await send(producer, bench.message(1, subject=secret.decode()))

    async def step(connection: AsyncConnection, messages: Sequence[Received]) -> None:
        for message in messages:
            await connection.execute(
                text("SELECT CAST(CAST(:subject AS text) AS integer)"),
                {"subject": message.envelope.subject},
            )

    async with reading(bench, step) as reader:
        await reader.caught_up()
    letters = await bench.rows("dead_letters")
    assert len(letters) == 3
    for letter in letters:
        assert letter.error
        assert "Iris" not in letter.error


async def test_what_names_no_believable_tenant_belongs_to_none(bench: Bench) -> None:
    async with producing(bench.stack) as producer:
        await producer.send_and_wait(
            bench.topic.name, value=_BODY, headers=[_TYPE, ("ce_tenant", b"x' OR 1=1")]
        )
    async with reading(bench) as reader:
        await reader.caught_up()
    assert [x.tenant_id for x in await bench.rows("dead_letters")] == [NO_TENANT]


async def test_a_reply_to_header_redirects_nothing(bench: Bench) -> None:
    async with producing(bench.stack) as producer:
        headers = [*_OURS, ("reply_to", bench.output.encode())]
        await producer.send_and_wait(bench.topic.name, value=_BODY, headers=headers)
    async with reading(bench) as reader:
        await reader.caught_up()
        assert await reader.handled() == [1]
    assert await everything_on(bench.stack, bench.output) == []


async def test_on_a_tenants_topic_the_tenant_is_the_topics_whatever_the_header_says(
    tenants_bench: Bench,
) -> None:
    bench = tenants_bench
    topic = bench.topic.for_tenant(TENANT)
    async with producing(bench.stack) as producer:
        for claimed in (b"other", b"\xc3\xa9", b"a,default,b"):
            headers = [_TYPE, ("ce_tenant", claimed)]
            await producer.send_and_wait(topic, value=_BODY, headers=headers)
        await producer.send_and_wait(topic, value=b"?", headers=[_TYPE, ("ce_tenant", b"other")])
    async with reading(bench) as reader:
        await reader.caught_up()
        assert [m.envelope.tenant_id for batch in reader.batches for m in batch] == [TENANT] * 3
        assert await reader.handled("other") == []
    assert [x.tenant_id for x in await bench.rows("dead_letters")] == [TENANT]
