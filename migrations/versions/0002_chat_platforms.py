"""Chat platforms: people and their standing, approvals, defaults of channels, deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Actions became objects; what an earlier version stored is brought to that form.
ACTIONS = ('"actions":["undo","redo"]', '"actions":[{"verb":"undo","target":""},{"verb":"redo","target":""}]')


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("spoke", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_person_session_id_session")),
        sa.PrimaryKeyConstraint("session_id", "author_id", name=op.f("pk_person")),
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_approval_session_id_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_session_id"), ["session_id"], unique=False)
    op.create_table(
        "place",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("listening", sa.Text(), nullable=False),
        sa.Column("verbosity", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "workspace", "channel", name=op.f("pk_place")),
    )
    op.create_table(
        "delivery",
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("tried", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_delivery_message_id_message")),
        sa.PrimaryKeyConstraint("message_id", "part", name=op.f("pk_delivery")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_remote_id"), ["remote_id"], unique=False)
    op.create_table(
        "early_reaction",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("received", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_early_reaction")),
    )
    with op.batch_alter_table("early_reaction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_early_reaction_remote_id"), ["remote_id"], unique=False)
    for name, default in (("access", "invited"), ("listening", "auto"), ("verbosity", "steps"), ("seen", "")):
        op.add_column("session", sa.Column(name, sa.Text(), server_default=default, nullable=False))
    op.add_column("session", sa.Column("active", sa.Float(), server_default="0", nullable=False))
    op.add_column("message", sa.Column("mark", sa.Text(), server_default="", nullable=False))
    op.add_column("reaction", sa.Column("present", sa.Boolean(), server_default=sa.true(), nullable=False))
    rewrite = sa.text("UPDATE message SET body = replace(body, :old, :new), state = 'sent'")
    op.get_bind().execute(rewrite, {"old": ACTIONS[0], "new": ACTIONS[1]})


def downgrade() -> None:
    rewrite = sa.text("UPDATE message SET body = replace(body, :old, :new)")
    op.get_bind().execute(rewrite, {"old": ACTIONS[1], "new": ACTIONS[0]})
    op.execute("DELETE FROM reaction WHERE NOT present")
    for table, column in (
        ("reaction", "present"), ("message", "mark"), ("session", "active"), ("session", "seen"),
        ("session", "verbosity"), ("session", "listening"), ("session", "access"),
    ):  # fmt: skip
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column)
    for table in ("early_reaction", "delivery", "place", "approval", "person"):
        op.drop_table(table)
