"""Alembic's entry: run by `adapters.store.migrate`, which hands over an open connection and the metadata."""

from alembic import context

config = context.config


def _ours(obj: object, name: str | None, type_: str, reflected: bool, compare_to: object) -> bool:
    """Hide from autogenerate what is not in the metadata on purpose: full text search and the engine's tables."""
    if type_ == "table" and reflected and compare_to is None:
        return False
    return not (type_ == "column" and name == "tsv" or type_ == "index" and name == "ix_memory_tsv")


context.configure(
    connection=config.attributes["connection"],
    target_metadata=config.attributes["metadata"],
    render_as_batch=True,
    compare_type=True,
    include_object=_ours,
    transaction_per_migration=True,
)
context.run_migrations()
