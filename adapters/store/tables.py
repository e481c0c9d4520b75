"""Every table of ours. The engine's own tables live in the same database and are not listed here."""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

session = sa.Table(
    "session", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("thread", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("access", sa.Text, nullable=False, server_default="invited"),
    sa.Column("listening", sa.Text, nullable=False, server_default="auto"),
    sa.Column("verbosity", sa.Text, nullable=False, server_default="steps"),
    sa.Column("seen", sa.Text, nullable=False, server_default=""),
    sa.Column("active", sa.Float, nullable=False, server_default="0"),
    sa.Column("sharing", sa.Text, nullable=False, server_default="link"),
    sa.Column("links_since", sa.Float, nullable=False, server_default="0"),
    sa.UniqueConstraint("platform", "workspace", "channel", "thread"),
)  # fmt: skip

person = sa.Table(
    "person", metadata,
    sa.Column("session_id", sa.Text, sa.ForeignKey("session.id"), primary_key=True),
    sa.Column("author_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("spoke", sa.Boolean, nullable=False, server_default=sa.false()),
)  # fmt: skip

approval = sa.Table(
    "approval", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("session_id", sa.Text, sa.ForeignKey("session.id"), nullable=False, index=True),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("created", sa.Float, nullable=False),
)  # fmt: skip

place = sa.Table(
    "place", metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("access", sa.Text, nullable=False),
    sa.Column("listening", sa.Text, nullable=False),
    sa.Column("verbosity", sa.Text, nullable=False),
)  # fmt: skip

listener = sa.Table(
    "listener", metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("until", sa.Float, nullable=False),
)  # fmt: skip

inbox = sa.Table(
    "inbox", metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    sa.Column("session_id", sa.Text, sa.ForeignKey("session.id"), nullable=False),
    sa.Column("received", sa.Float, nullable=False),
)  # fmt: skip

turn = sa.Table(
    "turn", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("session_id", sa.Text, sa.ForeignKey("session.id"), nullable=False, index=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("beside", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("outcome", sa.Text, nullable=False, server_default=""),
    sa.Column("result", sa.Text),
    sa.Column("queued", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("finished", sa.Float),
    sa.Column("frozen", sa.Integer, nullable=False, server_default="0"),
)  # fmt: skip

turn_signal = sa.Table(
    "turn_signal", metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("turn_id", sa.Text, sa.ForeignKey("turn.id"), nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
)  # fmt: skip

message = sa.Table(
    "message", metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("session_id", sa.Text, sa.ForeignKey("session.id"), nullable=False, index=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("turn_id", sa.Text, nullable=False, server_default="", index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False, server_default=""),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False, server_default=""),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("changed", BigId, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False, server_default="pending", index=True),
    sa.Column("remote_id", sa.Text, nullable=False, server_default="", index=True),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
)  # fmt: skip

delivery = sa.Table(
    "delivery", metadata,
    sa.Column("message_id", BigId, sa.ForeignKey("message.id"), primary_key=True),
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("remote_id", sa.Text, nullable=False, server_default="", index=True),
    sa.Column("digest", sa.Text, nullable=False, server_default=""),
    sa.Column("tried", sa.Float, nullable=False),
)  # fmt: skip

early_reaction = sa.Table(
    "early_reaction", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("remote_id", sa.Text, nullable=False, index=True),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("received", sa.Float, nullable=False),
)  # fmt: skip

reaction = sa.Table(
    "reaction", metadata,
    sa.Column("message_id", BigId, sa.ForeignKey("message.id"), primary_key=True),
    sa.Column("emoji", sa.Text, primary_key=True),
    sa.Column("author_id", sa.Text, primary_key=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("present", sa.Boolean, nullable=False, server_default=sa.true()),
)  # fmt: skip

git_pack = sa.Table(
    "git_pack", metadata,
    sa.Column("session_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("idx", sa.LargeBinary, nullable=False),
    sa.Column("pack", sa.LargeBinary, nullable=False),
)  # fmt: skip

git_ref = sa.Table(
    "git_ref", metadata,
    sa.Column("session_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, nullable=False),
)  # fmt: skip

memory = sa.Table(
    "memory", metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("session_id", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("lex", sa.Text, nullable=False),
    sa.Column("files", sa.Text, nullable=False),
    sa.Column("turn_id", sa.Text, nullable=False),
    sa.Column("retracted", sa.Boolean, nullable=False, server_default=sa.false()),
)  # fmt: skip

check_run = sa.Table(
    "check_run", metadata,
    sa.Column("tree", sa.Text, primary_key=True),
    sa.Column("tools", sa.Text, primary_key=True),
    sa.Column("results", sa.Text, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)  # fmt: skip

waiver = sa.Table(
    "waiver", metadata,
    sa.Column("session_id", sa.Text, sa.ForeignKey("session.id"), primary_key=True),
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("author_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)  # fmt: skip

model_call = sa.Table(
    "model_call", metadata,
    sa.Column("turn_id", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, primary_key=True),
    sa.Column("completion", sa.Text, nullable=False),
)  # fmt: skip

executor_lease = sa.Table(
    "executor_lease", metadata,
    sa.Column("executor_id", sa.Text, primary_key=True),
    sa.Column("expires", sa.Float, nullable=False),
)  # fmt: skip
