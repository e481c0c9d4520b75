"""One Alembic chain for SQLite and PostgreSQL; `upgrade` brings a database to its head."""
