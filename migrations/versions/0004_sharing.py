"""Who may open a preview, and which links were taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sharing", sa.Text(), server_default="link", nullable=False))
        batch_op.add_column(sa.Column("links_since", sa.Float(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_column("links_since")
        batch_op.drop_column("sharing")
