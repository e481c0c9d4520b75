"""Open the database, and the two ways to use it: `read()` and `write()`."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import event, exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from adapters.store.direct import Direct
from core.errors import OutsideError

Value = TypeVar("Value")
BUSY_SECONDS, REACH_SECONDS = 10, 10


def sqlite_url(file: str) -> str:
    """Return the URL of an SQLite file; a folder may have characters in its name that mean something in a URL."""
    return sa.URL.create("sqlite+aiosqlite", database=file).render_as_string(hide_password=False)


async def why_unreachable(url: str) -> str:
    """Return what kind of error a database answers with, '' if it answers as it should."""
    engine = make_engine(url)
    try:
        async with asyncio.timeout(REACH_SECONDS), engine.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))
    except (exc.SQLAlchemyError, TimeoutError, OSError) as error:
        return type(error).__name__
    finally:
        await engine.dispose()
    return ""


def make_engine(url: str, *, foreign_keys: bool = True) -> AsyncEngine:
    """
    Return an engine for `sqlite+aiosqlite://` or `postgresql+psycopg://`.

    On SQLite every transaction begins with BEGIN IMMEDIATE unless the connection has the option `readonly`: the
    driver's own default loses concurrent read-modify-writes without a word.
    """
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=10, max_overflow=0, pool_timeout=60, hide_parameters=True)
    engine = create_async_engine(
        url, pool_size=10, max_overflow=0, pool_timeout=60, connect_args={"timeout": BUSY_SECONDS}
    )

    _prepare(engine.sync_engine, foreign_keys)
    return engine


def _prepare(engine: sa.Engine, foreign_keys: bool) -> None:
    """Set up every SQLite connection of an engine, and how its transactions begin."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", f"busy_timeout={int(BUSY_SECONDS * 1000)}", "temp_store=MEMORY",
            f"foreign_keys={'ON' if foreign_keys else 'OFF'}", "cache_size=-16000", "journal_size_limit=67108864",
        ):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        readonly = connection.get_execution_options().get("readonly")
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


@contextlib.contextmanager
def store_errors() -> Any:
    """Translate what SQLAlchemy raises when the database is away, locked or full."""
    try:
        yield
    except exc.IntegrityError:
        raise
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        text = str(error.orig) if isinstance(error, exc.DBAPIError) else str(error)
        full = "full" in text or "No space" in text
        message = "The disk of the database is full." if full else f"The database is away or locked ({text[:120]})."
        raise OutsideError(message, retryable=not full) from error


class Database:
    """One open database."""

    def __init__(self, engine: AsyncEngine, url: str) -> None:
        self.engine, self.url = engine, url
        self.lite = url.startswith("sqlite")
        self._direct = Direct(_direct_engine(url)) if self.lite else None

    @property
    def insert(self) -> Any:
        """Return the INSERT of the engine's dialect, which knows ON CONFLICT."""
        return sqlite.insert if self.lite else postgresql.insert

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that commits at the end. Keep it short: no model, no network inside."""
        with store_errors():
            if self._direct is None:
                async with self.engine.begin() as tx:
                    yield tx
                return
            async with self._direct.write() as connection:
                yield cast("AsyncConnection", connection)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a snapshot for reading."""
        with store_errors():
            if self._direct is None:
                async with self.engine.connect() as reader:
                    yield reader
                return
            with self._direct.read() as connection:
                yield cast("AsyncConnection", connection)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        if self._direct is not None:
            await self._direct.close()


def _direct_engine(url: str) -> sa.Engine:
    engine = sa.create_engine(
        url.replace("+aiosqlite", ""), hide_parameters=True, pool_size=5,
        # Whoever reads must not wait for another's connection: it would wait on the event loop.
        max_overflow=-1, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )  # fmt: skip
    _prepare(engine, foreign_keys=True)
    return engine


def to_json(value: Any, kind: Any) -> str:
    """Return a core dataclass as JSON text."""
    return _adapter(kind).dump_json(value).decode()


def from_json(text: str, kind: type[Value]) -> Value:
    """Undo `to_json`."""
    known: Any = kind
    found: Value = _adapter(known).validate_json(text)
    return found


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what reads and writes `kind`; building one takes milliseconds."""
    return TypeAdapter(kind)


def as_list(text: str) -> list[str]:
    """Return a JSON list of strings."""
    return [str(one) for one in json.loads(text)]
