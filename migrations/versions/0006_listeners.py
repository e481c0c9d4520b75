"""Until when it is known who called the bot, for each platform."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "listener",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("platform", name=op.f("pk_listener")),
    )
    # As it was reckoned before: from the first thread on, and never further back than a day.
    op.execute("INSERT INTO listener SELECT platform, MIN(created) FROM session GROUP BY platform")


def downgrade() -> None:
    op.drop_table("listener")
