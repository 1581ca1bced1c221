"""Whose a message on a shared topic is, also one that nobody could read."""

import base64
import binascii

from aiokafka import ConsumerRecord


def is_of(record: ConsumerRecord, tenant_id: str) -> bool:
    """Whether the message, or the one a dead letter was made of, is this tenant's.

    Either its key or its header says so: what only looks like the tenant's is erased too.
    """
    headers = {name: raw or b"" for name, raw in record.headers}
    keys = (record.key or b"", _decoded(headers.get("dead_letter_key_base64", b"")))
    tenant = tenant_id.encode()
    return headers.get("ce_tenant") == tenant or any(
        key == tenant or key.startswith(tenant + b"|") for key in keys
    )


def _decoded(raw: bytes) -> bytes:
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error:
        return b""
