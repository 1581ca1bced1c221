"""A disk of its own, hardly larger than what lies on it, under PostgreSQL or Kafka: it can be filled.

A tmpfs: it says ENOSPC as any file system does, and needs no image and no loop device. Whoever may not
mount one (outside a container, anybody but root) cannot have this fault.
"""

import asyncio
import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

from onelead.edition.process import Child

_MARGIN_MB = 256
_BLOCK, _BYTES_IN_BLOCK = 4_096, 512
_LARGE_BLOCK = 1 << 20
START_TIMEOUT_S = 180.0


class Part(Protocol):
    """A part of the stack with a data folder."""

    name: str
    data: Path
    child: Child | None

    async def start(self, timeout_s: float) -> Child:
        """Starts it."""

    async def stop(self, timeout_s: float = ...) -> None:
        """Stops it in order."""


class SmallDisk:
    """Where a part's data lies for a while."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._home = part.data
        self._mounted = part.data.with_name(f"{part.data.name}-small-disk")
        self._filler = self._mounted / "filler"

    async def move_in(self) -> None:
        """Stops the part, and starts it over a copy of its data on the small disk."""
        await self.part.stop()
        self._mounted.mkdir()
        await mount(self._mounted, _used_mb(self._home) + _MARGIN_MB)
        self._mounted.chmod(0o755)
        await self._move(self._mounted / self._home.name)

    async def move_out(self) -> None:
        """Brings the data back, and starts the part where it was."""
        self.free()
        await self.part.stop()
        shutil.rmtree(self._home)
        await self._move(self._home)
        await _run("umount", str(self._mounted))
        self._mounted.rmdir()

    async def _move(self, to: Path) -> None:
        # Sparse as they are: Kafka's indexes are large holes.
        await _run("cp", "-a", "--sparse=always", str(self.part.data), str(to))
        self.part.data = to
        await self.part.start(START_TIMEOUT_S)

    def fill(self) -> None:
        """Takes all space that is left."""
        with self._filler.open("wb", buffering=0) as file:
            for size in (_LARGE_BLOCK, _BLOCK):
                while _written(file.fileno(), size):
                    pass

    def free(self) -> None:
        """Gives it back."""
        self._filler.unlink(missing_ok=True)


def _written(file: int, size: int) -> bool:
    try:
        return os.write(file, bytes(size)) == size
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False


def _used_mb(folder: Path) -> int:
    blocks = sum(path.lstat().st_blocks for path in folder.rglob("*"))
    return blocks * _BYTES_IN_BLOCK // 1_000_000


async def may_mount() -> bool:
    """Whether a file system can be mounted here; tried, as no right by itself tells."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            await mount(Path(folder), 1)
        except OSError:
            return False
        await _run("umount", folder)
    return True


async def mount(at: Path, size_mb: int) -> None:
    """Mounts an empty tmpfs. Raises OSError where that is not allowed."""
    await _run("mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(at))


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    if process.returncode:
        raise OSError(f"{' '.join(command)}: {said.decode(errors='replace').strip()}")
