"""What every Kafka client of ours is given to reach a guarded broker: encryption, login, certificate."""

import ssl
from pathlib import Path
from typing import Any

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.access import AccessSettings
from shared.errors import UserError

_LOGINS = {
    "SCRAM-SHA-512": SASLScram512,
    "SCRAM-SHA-256": SASLScram256,
    "PLAIN": SASLPlaintext,
}


def client_arguments(access: AccessSettings) -> dict[str, Any]:
    """For aiokafka's consumers, producers and admin clients."""
    if access.kafka_security == "PLAINTEXT":
        return {}
    arguments: dict[str, Any] = {
        "security_protocol": access.kafka_security,
        "ssl_context": _context(access),
    }
    if access.kafka_security == "SASL_SSL":
        arguments |= {
            "sasl_mechanism": access.kafka_mechanism,
            "sasl_plain_username": access.kafka_username,
            "sasl_plain_password": _password(access),
        }
    return arguments


def broker_security(access: AccessSettings) -> BaseSecurity | None:
    """The same for FastStream's broker."""
    if access.kafka_security == "PLAINTEXT":
        return None
    context = _context(access)
    if access.kafka_security == "SSL":
        return BaseSecurity(ssl_context=context, use_ssl=True)
    login = _LOGINS[access.kafka_mechanism]
    return login(str(access.kafka_username), _password(access), ssl_context=context, use_ssl=True)


def _password(access: AccessSettings) -> str:
    return access.kafka_password.get_secret_value() if access.kafka_password else ""


def _context(access: AccessSettings) -> ssl.SSLContext:
    """Checks the broker's name and certificate; shows our own where there is one."""
    context = ssl.create_default_context()
    if access.kafka_ca_file is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(access.kafka_ca_file)
        except (OSError, ssl.SSLError) as error:
            raise _unusable("KAFKA_CA_FILE", access.kafka_ca_file, error) from None
    if access.kafka_certificate_file is not None:
        try:
            # An encrypted key would ask for its password on the terminal.
            context.load_cert_chain(
                access.kafka_certificate_file, access.kafka_key_file, password=lambda: ""
            )
        except (OSError, ssl.SSLError, ValueError) as error:
            raise _unusable(
                "KAFKA_CERTIFICATE_FILE", access.kafka_certificate_file, error
            ) from None
    return context


def _unusable(setting: str, file: Path, error: Exception) -> UserError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return UserError(f"ONELEAD_{setting}: {file} cannot be used: {reason}", hint="PEM is wanted")
