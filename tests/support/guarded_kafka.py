"""A real Kafka that speaks TLS only, knows its users by SCRAM, and guards each topic."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

from onelead.edition import ports
from onelead.edition.java import JavaKafka
from onelead.edition.kafka import Guard, Kafka
from shared.access import AccessSettings

ADMINISTRATOR = "administrator"
_SHOWN = "shown.pem"
_START_TIMEOUT_S = 60.0


def private_key_pem(certificate: trustme.LeafCert) -> str:
    """The key in the only form that Kafka reads (PKCS 8)."""
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def write_certificate(authority: trustme.CA, file: Path, *names: str) -> Path:
    """A certificate for these names with its key, in one file."""
    leaf = authority.issue_cert(*names)
    chain = "".join(pem.bytes().decode() for pem in leaf.cert_chain_pems)
    file.write_text(private_key_pem(leaf) + chain)
    return file


@dataclass(frozen=True)
class GuardedKafka:
    """Where it answers, and what each user's environment is. Passwords stand in files."""

    kafka: Kafka
    folder: Path
    authority: trustme.CA

    @property
    def bootstrap(self) -> str:
        return self.kafka.bootstrap

    def environment(self, user: str, **changes: str) -> dict[str, str]:
        """The settings of a user; `changes` without the prefix, in capitals."""
        settings = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "KAFKA_SECURITY": "SASL_SSL",
            "KAFKA_USERNAME": user,
            "KAFKA_PASSWORD_FILE": str(self.folder / f"{user}.password"),
            "KAFKA_CA_FILE": str(self.folder / "authority.pem"),
            **changes,
        }
        return {f"ONELEAD_{name}": value for name, value in settings.items()}

    def access(self, user: str) -> AccessSettings:
        """The same for our own process."""
        return _access(self.folder, user)


def _access(folder: Path, user: str) -> AccessSettings:
    certificate = folder / _SHOWN
    return AccessSettings(
        kafka_security="SASL_SSL",
        kafka_username=user,
        kafka_password_file=folder / f"{user}.password",
        kafka_ca_file=folder / "authority.pem",
        kafka_certificate_file=certificate if certificate.exists() else None,
    )


@contextmanager
def guarded_kafka(
    folder: Path, java: JavaKafka, users: Sequence[str], *, asks_for_certificates: bool = False
) -> Iterator[GuardedKafka]:
    """Such a broker for the length of a block. Call it from the main thread, outside any loop."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    write_certificate(authority, folder / "broker.pem", ports.HOST)
    passwords = {user: f"word-of-{user}" for user in (ADMINISTRATOR, *users)}
    for user, password in passwords.items():
        (folder / f"{user}.password").write_text(f"{password}\n")
    properties = {}
    if asks_for_certificates:
        write_certificate(authority, folder / _SHOWN, "onelead.example")
        properties["listener.name.clients.ssl.client.auth"] = "required"
    guard = Guard(
        passwords,
        certificate=folder / "broker.pem",
        authority=folder / "authority.pem",
        client=_access(folder, ADMINISTRATOR),
    )
    port, log = ports.claim(0, ""), folder / "kafka.log"
    kafka = Kafka(folder / "kafka", log, java, port, guard=guard, properties=properties)
    try:
        asyncio.run(kafka.start(_START_TIMEOUT_S))
        yield GuardedKafka(kafka, folder, authority)
    finally:
        asyncio.run(kafka.stop())
