"""Writes kafka_jars.txt: resolves Kafka's dependencies with jgo and notes each jar's checksum.

Run as `python -m onelead.edition.lock_jars` (part of `make lock`).
"""

import hashlib
from pathlib import Path

import jgo

from onelead.edition.jars import KAFKA_VERSION, LOCK_FILE

_KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
_LOG4J_BRIDGE = "log4j-slf4j-impl"
_HEADER = f"""\
# Kafka {KAFKA_VERSION} and what it needs: coordinates, SHA-256, bytes. Written by: make lock
"""


def main() -> None:
    """Resolves, fetches and writes the lock file."""
    artifacts = list(jgo.resolve(_KAFKA))
    log4j = next(a for a in artifacts if a.artifactId == "log4j-core")
    # Alone, not as a second root: its dependency management would turn kafka-clients into 3.9.
    bridge = log4j.context.project(log4j.groupId, _LOG4J_BRIDGE).at_version(log4j.version)
    lines = []
    for artifact in [*artifacts, bridge.artifact()]:
        jar = Path(artifact.resolve()).read_bytes()
        coordinates = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
        lines.append(f"{coordinates} {hashlib.sha256(jar).hexdigest()} {len(jar)}")
    LOCK_FILE.write_text(_HEADER + "\n".join(sorted(lines)) + "\n")


if __name__ == "__main__":
    main()
