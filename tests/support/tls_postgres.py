"""A real PostgreSQL that takes only encrypted connections: Debian's, for the one of packages has no TLS."""

import asyncio
import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from onelead.edition import ports
from onelead.edition.postgres import let_through
from onelead.edition.process import Child, ChildSpec
from shared import clock
from tests.support.debian import postgres_binaries
from tests.support.guarded_kafka import write_certificate

OWNER = "onelead_owner"
PASSWORD = "word-of-the-owner"  # noqa: S105 - of a throw-away server
_TIMEOUT_S = 60.0
_HBA = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class TlsPostgres:
    """Where it answers. Its certificate is for 127.0.0.1 and no other name."""

    port: int
    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    def url(self, host: str = ports.HOST) -> str:
        """The owner's address, without its password."""
        return f"postgresql+asyncpg://{OWNER}@{host}:{self.port}/onelead"


@contextmanager
def tls_postgres(folder: Path) -> Iterator[TlsPostgres]:
    """Such a server for the length of a block. Call it from the main thread, outside any loop."""
    binaries = Path(postgres_binaries())
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    key = write_certificate(authority, folder / "server.pem", ports.HOST)
    (folder / "pg_hba.conf").write_text(_HBA)
    (folder / "password").write_text(PASSWORD)
    key.chmod(0o600)
    let_through(folder / "x")
    if user is not None:
        for path in (folder, *folder.iterdir()):
            os.chown(path, user.pw_uid, user.pw_gid)
    server = TlsPostgres(ports.claim(0, ""), folder)
    _initialise(binaries, server, user)
    child = Child(_spec(binaries / "postgres", _arguments(server), server, user))
    try:
        _until_it_answers(server, child)
        yield server
    finally:
        asyncio.run(child.stop(5))
        shutil.rmtree(folder / "data", ignore_errors=True)


def _initialise(binaries: Path, server: TlsPostgres, user: pwd.struct_passwd | None) -> None:
    arguments = ["-D", str(server.folder / "data"), "-U", OWNER, "--auth=trust", "--no-sync"]
    arguments += ["--pwfile", str(server.folder / "password"), "--encoding=UTF8", "--locale=C"]
    child = Child(_spec(binaries / "initdb", arguments, server, user))
    asyncio.run(child.wait(_TIMEOUT_S))
    assert child.exit_code == 0, child.log_tail()


def _arguments(server: TlsPostgres) -> list[str]:
    chosen = {
        "listen_addresses": ports.HOST,
        "port": str(server.port),
        "unix_socket_directories": "",
        "hba_file": str(server.folder / "pg_hba.conf"),
        "ssl": "on",
        "ssl_cert_file": str(server.folder / "server.pem"),
        "ssl_key_file": str(server.folder / "server.pem"),
        "fsync": "off",
    }
    options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    return ["-D", str(server.folder / "data"), *options]


def _spec(
    program: Path, arguments: list[str], server: TlsPostgres, user: pwd.struct_passwd | None
) -> ChildSpec:
    return ChildSpec(
        name=program.name,
        argv=[str(program), *arguments],
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        log_path=server.folder / "postgres.log",
        user=user,
        cwd=Path("/"),
    )


def _until_it_answers(server: TlsPostgres, child: Child) -> None:
    deadline_s = clock.monotonic_s() + _TIMEOUT_S
    while not ports.answers(server.port):
        assert child.exit_code is None, child.log_tail()
        assert clock.monotonic_s() < deadline_s, "PostgreSQL does not answer"
        asyncio.run(asyncio.sleep(0.05))
