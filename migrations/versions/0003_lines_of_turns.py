"""Lines of turns: the engine gets a turn when it is that turn's go; what waits for nobody is marked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("turn", schema=None) as batch_op:
        batch_op.add_column(sa.Column("beside", sa.Boolean(), server_default=sa.false(), nullable=False))
    # The engine had every turn at once; it has those still.
    op.execute("UPDATE turn SET state = 'submitted' WHERE state = 'queued'")


def downgrade() -> None:
    op.execute("UPDATE turn SET state = 'queued' WHERE state = 'submitted'")
    with op.batch_alter_table("turn", schema=None) as batch_op:
        batch_op.drop_column("beside")
