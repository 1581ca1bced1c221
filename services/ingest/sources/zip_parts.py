"""Unpacks a part of a zip file as it really is, whatever sizes the zip's directory claims."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

_HEADER_BYTES = 30
_READ_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 20


def unpacked(file: BinaryIO, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a part in chunks of at most 1 MB.

    Raises BadZipFile or zlib.error for a part that is cut off, packed in an unusual way, or not
    what the directory says of it.
    """
    file.seek(part.header_offset)
    header = file.read(_HEADER_BYTES)
    name_bytes, extra_bytes = struct.unpack("<HH", header[26:30])
    file.seek(name_bytes + extra_bytes, 1)
    total, check = 0, 0
    for chunk in _chunks(file, part):
        total += len(chunk)
        check = zlib.crc32(chunk, check)
        yield chunk
    if (total, check) != (part.file_size, part.CRC):
        raise zipfile.BadZipFile(f"{part.filename[:80]!r} is not what the zip says of it")


def _chunks(file: BinaryIO, part: zipfile.ZipInfo) -> Iterator[bytes]:
    packed = _packed(file, part.compress_size)
    if part.compress_type == zipfile.ZIP_STORED:
        yield from packed
        return
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile(f"{part.filename[:80]!r} is packed in an unusual way")
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    for data in packed:
        yield inflate.decompress(data, _CHUNK_BYTES)
        while inflate.unconsumed_tail:
            yield inflate.decompress(inflate.unconsumed_tail, _CHUNK_BYTES)
    while not inflate.eof and (rest := inflate.decompress(b"", _CHUNK_BYTES)):
        yield rest
    if not inflate.eof:
        raise zipfile.BadZipFile(f"{part.filename[:80]!r} is cut off")


def _packed(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (data := file.read(min(size, _READ_BYTES))):
        size -= len(data)
        yield data
