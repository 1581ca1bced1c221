"""Bad records of twenty sorts among the good ones, on the tenants' own topics and on inner ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from shared.topics import LEADS_DETECTED, LEADS_SCORED, RECORDS
from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.history import Poison

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Bad:
    """A record that cannot be handled. The type in its headers is one the topic carries, if it says none."""

    sort: str
    value: bytes | None = b"{}"
    changed: Callable[[dict[str, bytes | None]], Mapping[str, bytes | None]] = dict

    def headers(self, event_type: str, tenant: str) -> Headers:
        """The headers of the record."""
        usual: dict[str, bytes | None] = {
            "ce_specversion": b"1.0",
            "ce_id": f"poison/{self.sort}".encode(),
            "ce_type": event_type.encode(),
            "ce_tenant": tenant.encode(),
            "ce_version": b"1",
        }
        return list(self.changed(usual).items())


def _with(**values: bytes | None) -> Callable[[dict[str, bytes | None]], dict[str, bytes | None]]:
    return lambda usual: {**usual, **values}


BAD = (
    Bad("no JSON", b"{"),
    Bad("an empty body", b""),
    Bad("no object", b"[]"),
    Bad("null", b"null"),
    Bad("a number", b"7"),
    Bad("a string", b'"box"'),
    Bad("no fields", b"{}"),
    Bad("fields of other types", b'{"kind": 7, "lead": [], "record_id": {}, "values": 3}'),
    Bad("bytes that are no text", b"\xff\xfe\x00\x01"),
    Bad("a lone surrogate", b'{"record_id": "\\ud800"}'),
    Bad("nested too deeply", b"[" * 20_000),
    Bad("half of a character", '{"record_id": "ü'.encode()[:-1]),
    Bad("a huge number", b'{"version": 1' + b"0" * 400 + b"}"),
    Bad("megabytes of blanks", b" " * 500_000),
    Bad("NUL bytes", b"\0" * 100),
    Bad("an unknown type", changed=_with(ce_type=b"com.onelead.unheard.of.v9")),
    Bad("a type that is no text", changed=_with(ce_type=b"\xff\xff")),
    Bad("no type", changed=lambda usual: {k: v for k, v in usual.items() if k != "ce_type"}),
    Bad("a null header", changed=_with(ce_type=None)),
    Bad("a version that is no number", changed=_with(ce_version=b"one")),
)


class PoisonRecords(FaultKind):
    """Each round all twenty sorts to a tenant's topic and to an inner one."""

    name = "poison"
    title = f"bad records of {len(BAD)} sorts"
    rounds = 10
    short_rounds = 2
    boxes = 160

    async def inject(self, blow: Blow) -> Hit:
        """Sends them while the good ones are on their way."""
        inner = (LEADS_DETECTED, LEADS_SCORED)[blow.round % 2]
        tenant = blow.tenants[blow.round % 2]
        producer = AIOKafkaProducer(bootstrap_servers=[blow.world.bootstrap], acks="all")
        await producer.start()
        sent = []
        try:
            for topic in (RECORDS, inner):
                name, kind = topic.for_tenant(tenant), topic.events[-1].event_type
                for bad in BAD:
                    headers = bad.headers(kind, tenant)
                    there = await producer.send_and_wait(name, bad.value, headers=headers)
                    sent.append(Poison(tenant, name, there.partition, there.offset, bad.sort))
        finally:
            await producer.stop()
        return Hit(f"{RECORDS.for_tenant(tenant)}, {inner.name}", entries=sent)
