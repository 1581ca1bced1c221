"""Reads a workbook in a process of its own: run as a script with a file and two limits.

Writes JSON lines: {"sheet": name}, then a list for each row; {"error": …} when it cannot go on.
Imports nothing of the project: what a hostile file breaks here is only this process.
"""

import datetime as dt
import json
import math
import resource
import sys


def _cell(value: object) -> object:
    """A cell as JSON: days as ISO text, a time of day kept only where there is one."""
    if isinstance(value, dt.datetime):
        return value.isoformat(" ") if value.time() != dt.time() else value.date().isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return None if value == "" else value


def _read(path: str) -> None:
    from python_calamine import CalamineWorkbook, SheetTypeEnum  # noqa: PLC0415 - after the limits

    workbook = CalamineWorkbook.from_path(path)
    for sheet in workbook.sheets_metadata:
        if sheet.typ is not SheetTypeEnum.WorkSheet:
            continue
        sys.stdout.write(json.dumps({"sheet": sheet.name}) + "\n")
        for row in workbook.get_sheet_by_name(sheet.name).iter_rows():
            cells = [_cell(value) for value in row]
            while cells and cells[-1] is None:
                cells.pop()
            sys.stdout.write(json.dumps(cells) + "\n")


def main() -> int:
    """Reads argv: file, bytes of memory, seconds of processor time."""
    _, path, memory_bytes, cpu_s = sys.argv
    resource.setrlimit(resource.RLIMIT_AS, (int(memory_bytes), int(memory_bytes)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s), int(cpu_s)))
    try:
        _read(path)
    except BaseException as error:  # noqa: BLE001 - calamine's PanicException is no Exception
        sys.stdout.write(json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
