"""Reads Kafka records whose header names are not UTF-8, over which aiokafka would stumble for ever.

One such record on one tenant's topic kept its consumer from every message of every tenant: the
client decodes header names while it fetches, before any of our code can judge the record.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint_py

_LENGTH = struct.Struct(">i")
_LENGTH_AT = 8
_BEFORE_LENGTH_COUNTS = 12


def tolerate_any_header_name() -> None:
    """Makes aiokafka's consumers in this process read any header name; bad bytes become `\\xNN`."""
    fetcher.MemoryRecords = TolerantRecords


class TolerantRecords:
    """aiokafka's MemoryRecords, one fetched piece of a partition, with tolerant batches."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records = MemoryRecords(data)
        self._position = 0

    def has_next(self) -> bool:
        """Whether a whole batch is left."""
        return bool(self._records.has_next())

    def size_in_bytes(self) -> int:
        """Size of the piece in bytes."""
        return int(self._records.size_in_bytes())

    def next_batch(self) -> "_TolerantBatch":
        """The next batch."""
        start = self._position
        length = _LENGTH.unpack_from(self._data, start + _LENGTH_AT)[0]
        self._position = start + _BEFORE_LENGTH_COUNTS + length
        return _TolerantBatch(self._records.next_batch(), self._data[start : self._position])


class _TolerantBatch:
    """A batch read with aiokafka's fast parser, from the first bad header name on with a lenient one."""

    def __init__(self, batch: Any, data: bytes) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        records = iter(self._batch)
        while True:
            try:
                record = next(records)
            except StopIteration:
                return
            except UnicodeDecodeError:
                break
            yield record
            read += 1
        yield from islice(self._leniently(), read, None)

    def _leniently(self) -> Iterator[Any]:
        batch = _DefaultRecordBatchPy(self._data)
        batch._maybe_uncompress()
        batch._buffer = _Lenient(batch._buffer)
        for _ in range(batch._num_records):
            yield batch._read_msg(decode_varint_py)


class _Lenient(bytearray):
    """Bytes of which every slice can be decoded."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Lenient(cast("bytearray", found)) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        """The text, with `\\xNN` for what is none."""
        return super().decode(encoding, errors)
