"""Holds every open lead of a tenant: python subscribe.py localhost:19092 default (needs aiokafka)."""

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer


async def main(bootstrap: str, tenant: str) -> None:
    """Reads the compacted topic from its beginning, then goes on with what changes."""
    leads: dict[str, dict] = {}
    versions: dict[str, int] = {}
    consumer = AIOKafkaConsumer(
        f"onelead.leads.v1.{tenant}",
        bootstrap_servers=bootstrap,
        group_id=None,  # no offsets are kept: every start begins with everything that is open
        auto_offset_reset="earliest",
    )
    async with consumer:
        async for message in consumer:
            headers = {name: value.decode() for name, value in message.headers}
            lead_id, version = headers["ce_subject"], int(headers["ce_version"])
            if version <= versions.get(lead_id, 0):
                continue  # read again, or overtaken: it changes nothing
            versions[lead_id] = version
            lead = json.loads(message.value) if message.value else None
            if lead is None or lead["state"] == "withdrawn":
                leads.pop(lead_id, None)
            else:
                leads[lead_id] = lead
            best = max(leads.values(), key=lambda each: each["score"], default={"title": "none"})
            print(f"{len(leads)} open, best: {best['title']}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
