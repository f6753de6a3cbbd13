"""Say of every declaration whose it is: the office that its decision named; transfers, early results, receptacles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
OF_ITS_DECISION = """
UPDATE declarations SET office = (
    SELECT d.office FROM decisions d WHERE d.message_id = declarations.message_id
    AND d.consignment_id = declarations.consignment_id AND d.version = declarations.version
    ORDER BY d.decided_at, d.assessment LIMIT 1)
"""
OF_THE_FIRST_DECISION = """
UPDATE declarations SET office = (
    SELECT d.office FROM decisions d WHERE d.consignment_id = declarations.consignment_id
    ORDER BY d.decided_at, d.version LIMIT 1)
WHERE office IS NULL
"""


def upgrade() -> None:
    """Fill in the office; who sent it was not recorded, so that the office alone decides who may amend it."""
    for name in ("office", "sender"):
        op.add_column("declarations", sa.Column(name, sa.String))
    op.execute(OF_ITS_DECISION)
    op.execute(OF_THE_FIRST_DECISION)
    op.execute("UPDATE declarations SET office = NULL WHERE office = 'unknown'")
    op.create_table(
        "early_results",
        sa.Column("early_id", sa.Integer, primary_key=True),
        sa.Column("outcome_id", sa.String, nullable=False),
        sa.Column("salt", sa.String),
        sa.Column("consignment_id", sa.String, nullable=False, index=True),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("sender", sa.String, nullable=False),
        sa.Column("offices", sa.JSON, nullable=False),
        sa.Column("taken", sa.Boolean, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.UniqueConstraint("outcome_id", "sender"),
    )
    op.create_table(
        "transfers",
        sa.Column("transfer_id", sa.Integer, primary_key=True),
        sa.Column("consignment_id", sa.String, nullable=False, index=True),
        *(sa.Column(name, sa.String) for name in ("from_office", "from_sender")),
        sa.Column("office", sa.String, nullable=False),
        sa.Column("sender", sa.String),
        *(sa.Column(name, sa.String, nullable=False) for name in ("by", "reason")),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("salt", sa.String),
    )
    op.execute("CREATE TABLE receptacles_before AS SELECT * FROM receptacles")
    op.drop_table("receptacles")
    op.create_table(
        "receptacles",
        *(sa.Column(name, sa.String, primary_key=True) for name in ("consignment_id", "sender")),
        sa.Column("receptacle", sa.String, nullable=False),
        sa.Column("known_at", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO receptacles SELECT consignment_id, '', receptacle, known_at FROM receptacles_before")
    op.drop_table("receptacles_before")
