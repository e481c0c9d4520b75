"""The relational store: SQLite by default, PostgreSQL by DATABASE_URL; one set of tables for both."""
