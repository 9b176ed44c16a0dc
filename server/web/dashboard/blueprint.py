"""The dashboard's blueprint, and what all its pages share.

Every page shows what a service answers; what changes something is a POST with a CSRF token.
"""

from http import HTTPStatus
from typing import Final

from flask import Blueprint, abort, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from server.web.dashboard import words
from server.web.dashboard.people.login import guard, staff
from server.web.dashboard.problems import init_problem_pages
from server.web.dashboard.times import Times, machine, utc
from server.web.security import CONTENT_POLICY
from server.web.static_files import send_static, static_address
from server.web.visit import context

ID: Final = "int(max=9223372036854775807)"
"""The route converter of a stored number: no database has a larger one."""

blueprint = Blueprint("dashboard", __name__, url_prefix="/staff", template_folder="templates")
blueprint.before_request(guard)
init_problem_pages(blueprint)
blueprint.add_app_template_global(static_address)
blueprint.add_url_rule("/style/<path:filename>", "style", send_static)


@blueprint.after_request
def allow_our_script(response: Response) -> Response:
    """Allow the one script that this server sends, which asks it for news; every page works without it."""
    allowed = f"{CONTENT_POLICY}; script-src 'self'; connect-src 'self'; frame-src 'self'"
    response.headers.setdefault("Content-Security-Policy", allowed)
    return response


@blueprint.context_processor
def template_names() -> dict[str, object]:
    """Names for every template: the wording, the present time, how moments are written, and who is logged in."""
    times = Times.of(staff().zone if current_user.is_authenticated else None)
    clock = {"now": context().clock(), "times": times, "machine": machine, "utc": utc}
    return {"wording": words, "current_user": current_user, **clock}


@blueprint.get("")
@blueprint.get("/")
def start() -> Response:
    """The dashboard opens with what wants attention."""
    return redirect(url_for(".alert_list"))


@blueprint.get("/<path:_anywhere>")
def nowhere(_anywhere: str) -> Response:
    """Every other address below the dashboard's: asks for a login like the pages that exist."""
    abort(HTTPStatus.NOT_FOUND)
