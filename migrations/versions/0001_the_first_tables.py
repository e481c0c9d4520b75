"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "check_run",
        sa.Column("tree", sa.Text(), nullable=False),
        sa.Column("tools", sa.Text(), nullable=False),
        sa.Column("results", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("tree", "tools", name=op.f("pk_check_run")),
    )
    op.create_table(
        "executor_lease",
        sa.Column("executor_id", sa.Text(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("executor_id", name=op.f("pk_executor_lease")),
    )
    op.create_table(
        "git_pack",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.LargeBinary(), nullable=False),
        sa.Column("pack", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "seq", name=op.f("pk_git_pack")),
    )
    op.create_table(
        "git_ref",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "name", name=op.f("pk_git_ref")),
    )
    op.create_table(
        "memory",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("lex", sa.Text(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.Column("retracted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memory")),
    )
    with op.batch_alter_table("memory", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_memory_session_id"), ["session_id"], unique=False)

    op.create_table(
        "model_call",
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("completion", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("turn_id", "request", name=op.f("pk_model_call")),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint(
            "platform", "workspace", "channel", "thread", name=op.f("uq_session_platform_workspace_channel_thread")
        ),
        sa.UniqueConstraint("slug", name=op.f("uq_session_slug")),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("received", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_inbox_session_id_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_inbox_event_id")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("turn_id", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("changed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("remote_id", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_message_session_id_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_changed"), ["changed"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_remote_id"), ["remote_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_session_id"), ["session_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_turn_id"), ["turn_id"], unique=False)

    op.create_table(
        "turn",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("queued", sa.Float(), nullable=False),
        sa.Column("started", sa.Float(), nullable=True),
        sa.Column("finished", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_turn_session_id_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turn")),
    )
    with op.batch_alter_table("turn", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_turn_session_id"), ["session_id"], unique=False)

    op.create_table(
        "reaction",
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("emoji", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_reaction_message_id_message")),
        sa.PrimaryKeyConstraint("message_id", "emoji", "author_id", name=op.f("pk_reaction")),
    )
    op.create_table(
        "turn_signal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name=op.f("fk_turn_signal_turn_id_turn")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turn_signal")),
    )
    with op.batch_alter_table("turn_signal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_turn_signal_turn_id"), ["turn_id"], unique=False)
    _add_full_text_search()


def _add_full_text_search() -> None:
    """The one place where the two engines differ."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE memory ADD tsv tsvector GENERATED ALWAYS AS (to_tsvector('english', lex)) STORED")
        op.execute("CREATE INDEX ix_memory_tsv ON memory USING gin(tsv)")
        return
    op.execute(
        "CREATE VIRTUAL TABLE memory_fts USING fts5("
        "lex, content='memory', content_rowid='id', tokenize='porter unicode61')"
    )
    added = "INSERT INTO memory_fts(rowid, lex) VALUES (new.id, new.lex);"
    gone = "INSERT INTO memory_fts(memory_fts, rowid, lex) VALUES ('delete', old.id, old.lex);"
    op.execute(f"CREATE TRIGGER memory_added AFTER INSERT ON memory BEGIN {added} END")
    op.execute(f"CREATE TRIGGER memory_gone AFTER DELETE ON memory BEGIN {gone} END")
    op.execute(f"CREATE TRIGGER memory_changed AFTER UPDATE OF lex ON memory BEGIN {gone} {added} END")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE memory_fts")
    with op.batch_alter_table("turn_signal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_turn_signal_turn_id"))

    op.drop_table("turn_signal")
    op.drop_table("reaction")
    with op.batch_alter_table("turn", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_turn_session_id"))

    op.drop_table("turn")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_turn_id"))
        batch_op.drop_index(batch_op.f("ix_message_state"))
        batch_op.drop_index(batch_op.f("ix_message_session_id"))
        batch_op.drop_index(batch_op.f("ix_message_remote_id"))
        batch_op.drop_index(batch_op.f("ix_message_changed"))

    op.drop_table("message")
    op.drop_table("inbox")
    op.drop_table("session")
    op.drop_table("model_call")
    with op.batch_alter_table("memory", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_memory_session_id"))

    op.drop_table("memory")
    op.drop_table("git_ref")
    op.drop_table("git_pack")
    op.drop_table("executor_lease")
    op.drop_table("check_run")
