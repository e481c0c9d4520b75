"""Bring a database to the newest version of the tables."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import migrations
from adapters.store.database import make_engine, store_errors
from adapters.store.tables import metadata


def alembic_config(connection: sa.Connection) -> Config:
    """Return Alembic's configuration for an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    return config


async def upgrade(url: str) -> None:
    """
    Migrate to the head.

    Foreign keys are off meanwhile: with them on, SQLite's way to alter a table deletes the rows that point to it.
    """
    engine = make_engine(url, foreign_keys=False)
    try:
        with store_errors():
            async with engine.begin() as connection:
                await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "head"))
    finally:
        await engine.dispose()
