"""Kafka's jars: fetched once with visible progress, whole or not at all, or a clear way out."""

import asyncio
import http.server
import re
import socketserver
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from onelead.edition.jars import Jar, cached_jars, read_lock
from onelead.edition.java import JavaKafka
from onelead.reporting import SilentReporter
from shared.errors import UserError


class Said(SilentReporter):
    """Keeps what was said and shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def doing(self, text: str) -> None:
        self.lines.append(text)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing about it."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def mirror(tmp_path: Path, java: JavaKafka) -> Path:
    """A folder laid out like a Maven repository, with every jar of the lock file."""
    here = {path.name: path for path in java.jars}
    for jar in read_lock():
        target = tmp_path / "mirror" / jar.repository_path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(here[jar.file_name])
    return tmp_path / "mirror"


@pytest.fixture
def mirror_url(mirror: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The mirror over HTTP; Maven's own cache is empty meanwhile."""
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    handler = partial(Quiet, directory=str(mirror))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def damage(mirror: Path, jar: Jar) -> None:
    path = mirror / jar.repository_path
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1] + b"!")


async def test_jars_are_fetched_with_progress_and_then_never_again(
    mirror: Path, mirror_url: str, tmp_path: Path
) -> None:
    said = Said()
    paths = await cached_jars(tmp_path / "cache", mirror_url, said)
    assert [p.name for p in paths] == [jar.file_name for jar in read_lock()]
    assert all(jar.is_whole(path) for jar, path in zip(read_lock(), paths, strict=True))
    beginning = r"Fetching Kafka 4\.2\.0 \(once\): \d+ of 46 jars, \d+\.\d of 44\.9 MB"
    assert re.match(beginning, said.lines[0])
    again = Said()
    assert await cached_jars(tmp_path / "cache", "http://127.0.0.1:9", again) == paths
    assert again.lines == []


async def test_a_jar_that_was_cut_off_is_fetched_again(mirror_url: str, tmp_path: Path) -> None:
    paths = await cached_jars(tmp_path / "cache", mirror_url, SilentReporter())
    paths[0].write_bytes(paths[0].read_bytes()[:100])
    paths[1].unlink()
    assert await cached_jars(tmp_path / "cache", mirror_url, SilentReporter()) == paths
    assert all(jar.is_whole(path) for jar, path in zip(read_lock(), paths, strict=True))


async def test_a_jar_with_another_checksum_is_refused(
    mirror: Path, mirror_url: str, tmp_path: Path
) -> None:
    jar = read_lock()[5]
    damage(mirror, jar)
    with pytest.raises(UserError, match="locked checksum") as raised:
        await cached_jars(tmp_path / "cache", mirror_url, SilentReporter())
    assert jar.file_name in raised.value.message
    assert not list((tmp_path / "cache").rglob(jar.file_name))


async def test_without_a_network_the_error_names_both_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="could not be fetched from Maven Central") as raised:
        await cached_jars(tmp_path / "cache", None, SilentReporter())
    hint = str(raised.value.hint)
    assert "ONELEAD_KAFKA_JARS" in hint
    assert "ONELEAD_KAFKA_BOOTSTRAP" in hint


async def test_a_fetch_that_is_given_up_leaves_only_whole_jars(
    mirror_url: str, tmp_path: Path
) -> None:
    task = asyncio.create_task(cached_jars(tmp_path / "cache", mirror_url, SilentReporter()))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    whole = {jar.file_name: jar for jar in read_lock()}
    assert all(whole[p.name].is_whole(p) for p in (tmp_path / "cache").rglob("*.jar"))
    assert list((tmp_path / "cache").rglob(".draft-*")) == []


async def test_what_a_killed_fetch_has_left_is_removed(mirror_url: str, tmp_path: Path) -> None:
    paths = await cached_jars(tmp_path / "cache", mirror_url, SilentReporter())
    left = paths[0].parent / ".draft-4194304-x"
    left.mkdir()
    paths[0].unlink()
    await cached_jars(tmp_path / "cache", mirror_url, SilentReporter())
    assert not left.exists()


async def test_maven_s_own_cache_spares_the_download(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2_REPO", str(mirror))
    paths = await cached_jars(tmp_path / "cache", "http://127.0.0.1:9", SilentReporter())
    assert len(paths) == len(read_lock())


def test_the_lock_names_every_jar_once_with_its_checksum() -> None:
    jars = read_lock()
    assert len({jar.file_name for jar in jars}) == len(jars) == 46
    assert all(len(jar.sha256) == 64 and jar.size_bytes > 0 for jar in jars)
    assert any(jar.artifact == "kafka_2.13" for jar in jars)
    versions = {jar.version for jar in jars if jar.artifact.startswith("kafka")}
    assert versions == {"4.2.0"}
