"""The limits of `server.domain.network_limits` on requests, enforced by Flask-Limiter.

They are counted by truncated network, so that no address is kept, not even in memory. A visitor whose address is not
known has none and is not limited: all of them together would share one allowance.
"""

import math
import time
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from limits import parse
from werkzeug.exceptions import TooManyRequests

from authcode.code.payload import dropped_link
from server.domain.network_limits import LOOKS_BY_SERIAL, REQUESTS, STRAY_ADDRESSES, WRONG_TOKENS
from server.domain.places.place import truncated_network
from server.settings import RateLimit, Settings
from server.web.visit import raw_target


def init_limits(app: Flask, settings: Settings) -> None:
    """Put the limits on the endpoints that are there; the blueprints must be registered."""
    if settings.rate_limit is RateLimit.OFF:
        return
    limiter = Limiter(key_func=lambda: _network() or "unknown", app=app, storage_uri="memory://")
    app.extensions["authcode-limiter"] = limiter  # its decorators hold it weakly

    @app.after_request
    def add_wait(response: Response) -> Response:
        """Add `Retry-After` where a limit was met."""
        wait_s = seconds_to_wait() if response.status_code == HTTPStatus.TOO_MANY_REQUESTS else None
        if wait_s is not None:
            response.headers["Retry-After"] = str(wait_s)
        return response

    _limit_looks_by_serial(app, limiter, settings)
    for endpoint, (number, period) in REQUESTS.items():
        view = app.view_functions.get(endpoint)
        if view is not None:
            share = max(1, number // settings.workers)
            limit = limiter.limit(f"{share} per {period}", exempt_when=_has_no_network, deduct_when=_was_served)
            limited: Any = limit(view)
            app.view_functions[endpoint] = limited


def _limit_looks_by_serial(app: Flask, limiter: Limiter, settings: Settings) -> None:
    """One allowance for all of them, whichever page they come to."""
    share = max(1, LOOKS_BY_SERIAL // settings.workers)
    for endpoint in ("consumer.check_serial", "consumer.look", "consumer.burn"):
        exempt = _has_no_network if endpoint == "consumer.check_serial" else _is_not_limited_by_serial
        limit = limiter.shared_limit(f"{share} per hour", scope="looks by serial", exempt_when=exempt)
        view: Any = limit(app.view_functions[endpoint])
        app.view_functions[endpoint] = view


def _network() -> str | None:
    return truncated_network(request.remote_addr)


def _has_no_network() -> bool:
    return _network() is None


def _was_served(response: Response) -> bool:
    """Whether the answer was one: a busy server takes nothing from anybody's allowance."""
    return response.status_code != HTTPStatus.SERVICE_UNAVAILABLE


def _is_not_limited_by_serial() -> bool:
    return _has_no_network() or dropped_link(*raw_target()) is None


def refuse_more_wrong_tokens() -> None:
    """Count a wrong token of the present request's network.

    Raises:
        TooManyRequests: there were too many in a short time.
    """
    _refuse_more("wrong token", WRONG_TOKENS)


def refuse_more_stray_addresses() -> None:
    """Count an address that resembles a code and is none, of the present request's network.

    Raises:
        TooManyRequests: there were too many in a short time.
    """
    _refuse_more("stray address", STRAY_ADDRESSES)


def _refuse_more(counted: str, of_network: tuple[int, str]) -> None:
    limiter: Limiter | None = current_app.extensions.get("authcode-limiter")
    network = _network()
    if limiter is None or network is None:
        return
    settings: Settings = current_app.extensions["authcode"].settings
    number, period = of_network
    limit = parse(f"{max(1, number // settings.workers)} per {period}")
    if not limiter.limiter.hit(limit, counted, network):
        raise TooManyRequests(retry_after=limit.get_expiry())


def seconds_to_wait() -> int | None:
    """How long until the limit that refused this request lets it through; None where none did."""
    limiter: Limiter | None = current_app.extensions.get("authcode-limiter")
    refused = limiter.current_limit if limiter else None
    return max(1, math.ceil(refused.reset_at - time.time())) if refused and refused.breached else None
