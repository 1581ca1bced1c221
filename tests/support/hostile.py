"""Files that mean harm, or are broken so that reading them would hurt: each made anew, by name."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl

_BEGIN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_END = b"</sheetData></worksheet>"
_SHEET = "xl/worksheets/sheet1.xml"
_STRINGS = "xl/sharedStrings.xml"
_HEADER = b"Customer_Name,Status,Amount,Updated_Date\n"


def workbook_parts() -> dict[str, bytes]:
    """The parts of a small honest workbook."""
    made = io.BytesIO()
    workbook = openpyxl.Workbook()
    assert workbook.active is not None
    workbook.active.append(["a", 1])
    workbook.save(made)
    with zipfile.ZipFile(made) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_parts(path: Path, parts: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Writes a zip of these parts."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def workbook_with(path: Path, **parts: bytes) -> Path:
    """An honest workbook with parts added or replaced; `sheet` and `strings` name the usual ones."""
    names = {"sheet": _SHEET, "strings": _STRINGS}
    changed = {names.get(name, name): content for name, content in parts.items()}
    return write_parts(path, {**workbook_parts(), **changed})


def sheet(rows: bytes) -> bytes:
    """The XML of a sheet."""
    return _BEGIN + rows + _END


def zip_bomb(path: Path) -> None:
    """40 kB that unpack to 80 MB, and might as well to more."""
    workbook_with(path, sheet=b"<x>" + b" " * 80_000_000)


def lying_sizes(path: Path) -> None:
    """The directory says 100 bytes with the right checksum of those; 200 MB come out."""
    parts = {**workbook_parts(), _SHEET: b"<x>" + b" " * 200_000_000}
    content = bytearray(write_parts(path, parts).read_bytes())
    at = content.rfind(_SHEET.encode()) - 46
    shown = parts[_SHEET][:100]
    content[at + 16 : at + 20] = struct.pack("<L", zlib.crc32(shown))
    content[at + 24 : at + 28] = struct.pack("<L", len(shown))
    path.write_bytes(content)


def small_lie(path: Path) -> None:
    """The directory says a little less than comes out: part of the sheet would go unseen."""
    parts = {**workbook_parts(), _SHEET: sheet(b'<row r="1"><c r="A1"><v>1</v></c></row>')}
    content = bytearray(write_parts(path, parts).read_bytes())
    at = content.rfind(_SHEET.encode()) - 46
    shown = parts[_SHEET][:-50]
    content[at + 16 : at + 20] = struct.pack("<L", zlib.crc32(shown))
    content[at + 24 : at + 28] = struct.pack("<L", len(shown))
    path.write_bytes(content)


def sparse_giant(path: Path) -> None:
    """Two cells at the far corners of a sheet."""
    near, far = b'<row r="1"><c r="A1"><v>1</v></c></row>', b'<c r="XFD1048576"><v>2</v></c>'
    workbook_with(path, sheet=sheet(near + b'<row r="1048576">' + far + b"</row>"))


def entity_expansion(path: Path) -> None:
    """A billion laughs."""
    names = "abcdefghij"
    laughs = "".join(
        f'<!ENTITY {name} "{f"&{names[n - 1]};" * 10 if n else "ha"}">'
        for n, name in enumerate(names)
    )
    cell = b'<row r="1"><c r="A1" t="inlineStr"><is><t>&j;</t></is></c></row>'
    workbook_with(path, sheet=f"<!DOCTYPE x [{laughs}]>".encode() + sheet(cell))


def external_dtd(path: Path) -> None:
    """A workbook part that asks for a file of the reader's machine."""
    dtd = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    workbook_with(path, strings=dtd + b"<sst><si><t>&f;</t></si></sst>")


def encrypted(path: Path) -> None:
    """What Excel writes with a password: no zip at all."""
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 5_000)


def encrypted_parts(path: Path) -> None:
    """A zip whose parts need a password."""
    content = bytearray(workbook_with(path).read_bytes())
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(content)


def macros(path: Path) -> None:
    """A workbook with a macro project."""
    parts = {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + b"\0" * 500}
    write_parts(path, {**workbook_parts(), **parts})


def ten_thousand_entries(path: Path) -> None:
    """More parts than any workbook has."""
    extra = {f"xl/media/{n}.xml": b"<x/>" for n in range(10_000)}
    write_parts(path, {**workbook_parts(), **extra})


def shared_string(path: Path) -> None:
    """300,000 cells that each name one string of 32,000 characters: 10 GB of text."""
    cells = (f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 300_000))
    strings = b"<sst><si><t>" + b"x" * 32_000 + b"</t></si></sst>"
    workbook_with(path, sheet=sheet("".join(cells).encode()), strings=strings)


def many_shared_strings(path: Path) -> None:
    """A list of a million strings that no cell names."""
    strings = b"<sst>" + b"<si><t>abcdefghij</t></si>" * 1_000_000 + b"</sst>"
    workbook_with(path, strings=strings)


def nested_zip(path: Path) -> None:
    """Zip files in a zip file in a workbook."""
    inner = path.with_name("inner.zip")
    write_parts(inner, {"a": b"\0" * 1_000_000, "b": b"\0" * 1_000_000})
    write_parts(path, {**workbook_parts(), "xl/media/inner.zip": inner.read_bytes()})
    inner.unlink()


def way_out(path: Path) -> None:
    """A part whose name leads out of any folder."""
    write_parts(path, {**workbook_parts(), "xl/../../../etc/cron.d/x": b"x"})


def absolute_name(path: Path) -> None:
    """A part with an absolute name."""
    write_parts(path, {**workbook_parts(), "/etc/cron.d/x": b"x"})


def symlink_part(path: Path) -> None:
    """A part that is a symbolic link."""
    write_parts(path, workbook_parts())
    link = zipfile.ZipInfo("xl/link.xml")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")


def unusual_packing(path: Path) -> None:
    """Packed with bzip2, which packs zeros much tighter."""
    write_parts(path, {**workbook_parts(), _SHEET: b"\0" * 50_000_000}, zipfile.ZIP_BZIP2)


def truncated(path: Path) -> None:
    """The end of the file is missing."""
    content = workbook_with(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])


def damaged(path: Path) -> None:
    """One part's bytes are not what they were."""
    content = bytearray(write_parts(path, workbook_parts(), zipfile.ZIP_STORED).read_bytes())
    at = content.find(b"<sheetData>")
    content[at] ^= 0xFF
    path.write_bytes(content)


def huge_cell(path: Path) -> None:
    """A quoted cell of 100 MB, in lines."""
    path.write_bytes(_HEADER + b'"' + (b"x" * 99 + b"\n") * 1_000_000 + b'",CLSD,1,2020-01-01\n')


def endless_line(path: Path) -> None:
    """A line of 100 MB."""
    path.write_bytes(_HEADER + b"x" * 100_000_000)


def many_columns(path: Path) -> None:
    """Lines of nothing but delimiters."""
    path.write_bytes(_HEADER + (b"," * 190_000 + b"\n") * 500)


def nul_bytes(path: Path) -> None:
    """Text with NUL characters in it."""
    path.write_bytes(_HEADER + b"Acme,CLSD,1,2020-01-01\nAc\0me,CLSD,2,2020-01-01\n")


HOSTILE: dict[str, tuple[str, Callable[[Path], None], str]] = {
    made.__name__: (f"{made.__name__}.{ending}", made, said)
    for made, ending, said in (
        (zip_bomb, "xlsx", "unpacks to more than 30 MB"),
        (lying_sizes, "xlsx", "unpacks to more than 30 MB"),
        (small_lie, "xlsx", "is not what the zip says of it"),
        (sparse_giant, "xlsx", "a sheet with 2 cells spans 1,048,576 rows × 16,384 columns"),
        (entity_expansion, "xlsx", "declares entities of its own"),
        (external_dtd, "xlsx", "declares entities of its own"),
        (encrypted, "xlsx", "encrypted, or in the old .xls format"),
        (encrypted_parts, "xlsx", "the workbook is encrypted"),
        (macros, "xlsx", "the workbook holds macros"),
        (ten_thousand_entries, "xlsx", "holds 10,"),
        (shared_string, "xlsx", "reading it took more than"),
        (many_shared_strings, "xlsx", "no sheet has columns that OneLead knows"),
        (nested_zip, "xlsx", "holds another zip file, 'xl/media/inner.zip'"),
        (way_out, "xlsx", "holds a part that points elsewhere"),
        (absolute_name, "xlsx", "holds a part that points elsewhere"),
        (symlink_part, "xlsx", "holds a part that points elsewhere"),
        (unusual_packing, "xlsx", "packed in an unusual way"),
        (truncated, "xlsx", "the workbook is damaged: its end is missing"),
        (damaged, "xlsx", "is not what the zip says of it"),
        (huge_cell, "csv", "a row of more than 200,000 characters"),
        (endless_line, "csv", "line 2: a row of more than 200,000 characters"),
        (many_columns, "csv", "line 2: more than 16,384 columns"),
        (nul_bytes, "csv", "line 3: a NUL character"),
    )
}
"""Name → the file's name, how it is made, and what is said of it when it is refused."""


def make_hostile(name: str, folder: Path) -> Path:
    """Writes the file of this name into a folder."""
    file_name, make, _ = HOSTILE[name]
    path = folder / file_name
    make(path)
    return path
