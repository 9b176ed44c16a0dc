"""The page of the audit: who did what when, by person and kind of act, which live in its address."""

from urllib.parse import urlencode

from flask import Blueprint, render_template, request

from server.services.queries.audit import audit_page
from server.web.dashboard import words as wording
from server.web.dashboard.filters import line_number
from server.web.visit import context

_MAX_NAME_CHARACTERS = 254
_MAX_KIND_CHARACTERS = 40


def init_audit_page(blueprint: Blueprint) -> None:
    """Give the dashboard its page of the audit."""
    blueprint.add_url_rule("/audit", view_func=audit)


def audit() -> str:
    """What staff did, the latest first."""
    person = request.args.get("person", "").strip()[:_MAX_NAME_CHARACTERS]
    kind = request.args.get("kind", "").strip()[:_MAX_KIND_CHARACTERS]
    found = audit_page(context().db, actor=person or None, kind=kind or None, before=line_number(request.args))

    def address(**changes: object) -> str:
        """The query of this page with other filters."""
        wanted = {"person": person, "kind": kind, **changes}
        return urlencode({name: value for name, value in wanted.items() if value})

    return render_template(
        "dashboard/audit.html", found=found, person=person, kind=kind, address=address, kinds=wording.AUDIT_KINDS
    )
