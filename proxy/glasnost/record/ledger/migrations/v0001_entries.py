"""The first schema: entries, contents, writers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_IS_NOTE = sa.text("kind NOT IN ('opened', 'closed')")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "entries",
        sa.Column("chain", sa.String(32), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("exchange", sa.String(64)),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("entries_exchange", "entries", ["exchange"])
    op.create_index("entries_at", "entries", ["at"])
    op.create_index("entries_notes", "entries", ["kind"], sqlite_where=_IS_NOTE, postgresql_where=_IS_NOTE)
    op.create_table(
        "contents",
        sa.Column("chain", sa.String(32), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("exchange", sa.String(64), nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("content", sa.Text),
    )
    op.create_index("contents_exchange", "contents", ["exchange"])
    op.create_table(
        "writers",
        sa.Column("chain", sa.String(32), primary_key=True),
        sa.Column("writer", sa.String(32), nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("followed", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Refuse: a ledger is not taken back."""
    raise NotImplementedError
