"""Staff login: session cookies, CSRF, the forced change of a one-time password."""

from datetime import timedelta
from http import HTTPStatus

from flask import Flask, abort, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from server.runtime.context import Context
from server.services.staff.accounts import Staff, get_staff
from server.storage.engine import RecordsUnreachable
from server.web.origin import is_loopback
from server.web.visit import context

SESSION_COOKIE = "authcode-staff"
_OPEN_ENDPOINTS = frozenset({"dashboard.login", "dashboard.style"})
_BEFORE_CHANGE = frozenset({"dashboard.password", "dashboard.logout", "dashboard.style"})

csrf = CSRFProtect()


class StaffUser(UserMixin):  # type: ignore[misc]  # flask_login publishes no types
    """A logged-in member of staff. The session's id ends with the account's session mark, so a reset ends it."""

    def __init__(self, staff: Staff) -> None:
        """Take the account as the service knows it."""
        self.staff = staff

    def get_id(self) -> str:
        """The contents of the session cookie: account number and session mark."""
        return f"{self.staff.id}:{self.staff.session}"


class _Sessions(SecureCookieSessionInterface):
    """Decides for each answer whether the session cookie is Secure: keyrings come and go while the server runs."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - flask's signature
        """Secure, unless this page is plain and meant to be.

        That is one on this very machine, at a prefix published as HTTP, or of a server that publishes no HTTPS yet.
        """
        if request.is_secure or not session.modified:  # without a change no cookie is set
            return True
        prefixes = context().keyrings().prefixes
        plain = f"HTTP://{request.host.upper()}/" in prefixes or is_loopback(request.host)
        return not plain and any(prefix.startswith("HTTPS://") for prefix in prefixes)


def init_login(app: Flask, ctx: Context) -> None:
    """Set cookies, CSRF and the user loader on the application. The application sets `app.secret_key`."""
    app.session_interface = _Sessions()
    app.config.update(
        SESSION_COOKIE_NAME=SESSION_COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=ctx.settings.session_hours),
        WTF_CSRF_CHECK_DEFAULT=False,  # only the dashboard's forms: a shopper's page has a token of its own
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    csrf.init_app(app)
    manager = LoginManager(app, add_context_processor=False)  # shoppers' pages ask for no account

    def load(user_id: str) -> StaffUser | None:
        """The account of a session, None where it ended or the accounts are out of reach."""
        if g.get("accounts_unreachable"):  # the page that says so is drawn without an account
            return None
        number, _, mark = user_id.partition(":")
        try:
            staff = get_staff(ctx.db, int(number), mark) if number.isdigit() else None
        except RecordsUnreachable:
            g.accounts_unreachable = True
            raise
        return StaffUser(staff) if staff else None

    manager.user_loader(load)


def guard() -> Response | None:
    """Before every page of the dashboard: CSRF on what is sent, a login, and a password of one's own."""
    csrf.protect()
    if request.endpoint in _OPEN_ENDPOINTS:
        return None
    if not current_user.is_authenticated:
        if request.method != "GET":
            abort(HTTPStatus.UNAUTHORIZED)
        return redirect(url_for("dashboard.login", next=request.path), HTTPStatus.SEE_OTHER)
    if current_user.staff.must_change_password and request.endpoint not in _BEFORE_CHANGE:
        return redirect(url_for("dashboard.password"), HTTPStatus.SEE_OTHER)
    return None


def start_session(staff: Staff) -> None:
    """Log this account in for the settings' hours."""
    session.clear()  # nothing from before the login is valid after it, least of all the CSRF token
    login_user(StaffUser(staff))
    session.permanent = True


def staff() -> Staff:
    """Who is logged in; only behind `guard`."""
    found: Staff = current_user.staff
    return found


def next_page(wanted: str | None) -> str:
    """Where to go after a login: only a page of the dashboard, never an address from outside."""
    inside = wanted is not None and wanted.startswith("/staff/") and "\\" not in wanted and wanted.isprintable()
    return wanted if inside and wanted else url_for("dashboard.alert_list")
