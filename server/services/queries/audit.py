"""A page of the audit: what staff and stations did, the latest first, by person and kind."""

from dataclasses import dataclass

from server.storage import audit
from server.storage.engine import Database
from server.storage.staff import all_emails

LINES_A_PAGE = 50
_PEOPLE = 500  # offered as a filter; others can still be named in the address


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Lines, the latest first. `older` is the number to read on before; None at the end. `people` have accounts."""

    lines: tuple[audit.AuditRecord, ...]
    older: int | None
    people: tuple[str, ...]


def audit_page(
    db: Database, *, actor: str | None = None, kind: str | None = None, before: int | None = None
) -> AuditPage:
    """The lines before a number (None: the latest), of one person and kind where they are named; not counted."""
    with db.read() as connection:
        found = audit.lines(connection, actor=actor, kind=kind, before=before, limit=LINES_A_PAGE + 1)
        people = tuple(all_emails(connection, limit=_PEOPLE))
    shown = tuple(found[:LINES_A_PAGE])
    return AuditPage(lines=shown, older=shown[-1].id if len(found) > LINES_A_PAGE else None, people=people)
