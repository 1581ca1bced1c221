"""Brings together what Kafka runs on: given or fetched jars, and a start trained once per machine."""

import os
import shutil
import tempfile
from pathlib import Path

from onelead.edition import ports
from onelead.edition.jars import cached_jars, local_jars, remove_drafts
from onelead.edition.java import JavaKafka, fingerprint
from onelead.edition.kafka import Kafka
from onelead.reporting import Reporter
from onelead.settings import EditionSettings
from shared.errors import UserError

_TRAINING_TIMEOUT_S = 60.0
_TRAINED_KEPT = 3


async def prepare_kafka(settings: EditionSettings, reporter: Reporter) -> JavaKafka:
    """Everything needed to run Kafka: given or fetched jars, and a trained start (made once)."""
    cache, heap_mb = settings.cache_dir, settings.kafka_heap_mb
    cache.mkdir(parents=True, exist_ok=True)
    if settings.kafka_jars:
        jars = local_jars(settings.kafka_jars)
    else:
        jars = await cached_jars(cache, settings.maven_url, reporter)
    java = JavaKafka(jars, heap_mb)
    aot_cache = cache / f"kafka-{fingerprint(jars)}.aot"
    if not aot_cache.exists():
        reporter.doing("Preparing Kafka for quick starts (once, about 10 seconds)")
        await _train(java, cache, aot_cache)
        reporter.done()
    if not aot_cache.exists():
        return java
    aot_cache.touch()
    _forget_unused(cache)
    return JavaKafka(jars, heap_mb, aot_cache)


async def _train(java: JavaKafka, cache: Path, aot_cache: Path) -> None:
    """Runs a throw-away broker once, so that the JVM notes what a start loads and links.

    Without the result everything works, a second slower: no failure here is anybody's concern.
    """
    remove_drafts(cache)
    folder = Path(tempfile.mkdtemp(prefix=f".draft-{os.getpid()}-", dir=cache))
    made = folder / "made.aot"
    kafka = Kafka(folder / "kafka", folder / "kafka.log", java, ports.claim(0, ""))
    try:
        await kafka.start(_TRAINING_TIMEOUT_S, jvm=(f"-XX:AOTCacheOutput={made}",))
        await kafka.stop(_TRAINING_TIMEOUT_S)
        made.replace(aot_cache)
    except (UserError, OSError):
        return
    finally:
        kafka.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _forget_unused(cache: Path) -> None:
    """Every virtual environment trains its own; the few used last are worth their 60 MB."""
    trained = sorted(cache.glob("kafka-*.aot"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in trained[_TRAINED_KEPT:]:
        old.unlink(missing_ok=True)
