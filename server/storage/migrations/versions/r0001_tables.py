"""All tables. Until the first release this one revision is edited with the schema; then it is frozen.

Its name is a digest of the schema, so a database with other tables is recognised and refused; so is one whose
SQLAlchemy wrote the same tables in other words, which is why the digest ends with the freeze. To freeze it, write the
tables out as operations, since the schema goes on to change, and give the revision a plain number.
"""

import hashlib
import secrets

from alembic import op
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from server.storage.schema import log_tree, metadata

down_revision = None
branch_labels = None
depends_on = None


def _digest() -> str:
    tables = metadata.sorted_tables
    made: list[ExecutableDDLElement] = [CreateTable(table) for table in tables]
    made += [CreateIndex(index) for table in tables for index in table.indexes]
    statements = sorted(str(one.compile(dialect=kind.dialect())) for one in made for kind in (sqlite, postgresql))
    return hashlib.sha256("".join(statements).encode()).hexdigest()[:16]


revision = f"unreleased_{_digest()}"


def upgrade() -> None:
    """Make the tables, and give this server's log its name."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    op.bulk_insert(log_tree, [{"id": 1, "origin": f"authcode-log/{secrets.token_hex(8)}", "size": 0}])
