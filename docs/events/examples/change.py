"""Tells of one changed box: python change.py localhost:19092 default (needs aiokafka)."""

import asyncio
import json
import sys
import time
import uuid

from aiokafka import AIOKafkaProducer


def changed_box() -> dict:
    """A box whose support was renewed; `values` holds the whole row, not only what changed."""
    return {
        "version": time.time_ns() // 1000,  # must rise from change to change of a record
        "kind": "install_base",
        "source": "export",  # a snapshot of the same source replaces what it says later
        "record_id": "USE3256NX0",
        "values": {
            "serial_number": "USE3256NX0",
            "territory_id": "56088",
            "product_name": "HP DL360p Gen8 8-SFF CTO Server",
            "platform": "HPE ProLiant DL360 Gen8",
            "end_of_life": "2015-07-01",
            "service_end": "2027-06-30",
            "support_status": "Active",
        },
        "actor": {"kind": "system", "id": "our-asset-register"},
    }


async def main(bootstrap: str, tenant: str) -> None:
    """Sends the change, with the two headers that matter."""
    headers = [
        ("ce_type", b"com.onelead.record.observed.v1"),
        ("ce_id", str(uuid.uuid4()).encode()),  # sent twice with one id, it counts once
    ]
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    async with producer:
        body = json.dumps(changed_box()).encode()
        await producer.send_and_wait(f"onelead.records.v1.{tenant}", body, headers=headers)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
