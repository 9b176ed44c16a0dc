"""The application factory: it wires blueprints and services, and decides nothing."""

import secrets
from datetime import UTC, datetime
from types import TracebackType

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from keys.base.errors import AuthcodeError
from keys.store.passphrase import read_passphrase
from scanner.confine.readers import PhotoReaders
from server.domain.alerts.rules import all_rules
from server.keystore import ServerKeys, open_server_keys
from server.runtime.context import Context
from server.runtime.keyrings import KeyringCache
from server.runtime.look_limits import LookLimits
from server.runtime.places import Places
from server.runtime.pseudonyms import Pseudonyms
from server.services.alerts.storms import create_look_counter
from server.services.log.keeper import LogKeeper
from server.settings import Settings
from server.storage.engine import Database
from server.storage.migrate import require_current
from server.web.api.codes import blueprint as api
from server.web.api.openapi import blueprint as openapi
from server.web.api.published import blueprint as public
from server.web.api.stations import blueprint as station
from server.web.consumer.blueprint import blueprint as consumer
from server.web.consumer.preview import shoppers_preview
from server.web.dashboard.blueprint import blueprint as dashboard
from server.web.dashboard.people.login import init_login
from server.web.forwarded import ForwardedAddress
from server.web.limits import init_limits
from server.web.metrics import init_metrics
from server.web.nowhere import init_nowhere
from server.web.previews import init_previews
from server.web.problem import init_problems, log_unexpected
from server.web.security import init_security


class _App(Flask):
    """Flask, whose own log of an error that its handler could not answer would name the path."""

    def log_exception(self, exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]) -> None:
        """Log it as every other defect: kind, route, frames."""
        log_unexpected(exc_info[1])


def _clock() -> datetime:
    return datetime.now(UTC)


def create_context(settings: Settings, keys: ServerKeys) -> Context:
    """What services need, for this process.

    Raises:
        DatabaseNotMigrated, DatabaseOutdated: the database has no tables, or other ones.
        RecordsUnreachable: it does not answer.
    """
    db = Database(settings.database)
    try:
        require_current(db)
    except AuthcodeError:
        db.close()
        raise
    pseudonyms = Pseudonyms(keys.store)
    return Context(
        db=db,
        settings=settings,
        keys=keys,
        keyrings=KeyringCache(db, keys, ttl_s=settings.keyring_cache_s),
        places=Places(settings.geoip_database),
        pseudonyms=pseudonyms,
        looks=create_look_counter(db, settings, pseudonyms, _clock),
        look_limits=LookLimits.of(settings),
        photos=PhotoReaders(),
        clock=_clock,
        random=secrets.token_bytes,
    )


def create_app(settings: Settings, keys: ServerKeys | None = None, *, context: Context | None = None) -> Flask:
    """The application of one process; without `keys` the server's passphrase is read and its keys are opened.

    A test passes a `context` with another clock.

    Raises:
        ServerKeysMissing, WrongPassphrase, PassphraseMissing: there is no secret to work with.
        DatabaseNotMigrated, DatabaseOutdated: the database has no tables, or other ones.
    """
    if context is None:
        opened = keys or open_server_keys(settings.home, read_passphrase("server", settings.home))
        context = create_context(settings, opened)
        context.looks.start()
        LogKeeper(context).start()
        context.pseudonyms.start(context.clock)
    all_rules()  # a rule of alerts that cannot be loaded stops the start, and no verification
    context.keyrings()  # read once, so that a page can say whose it is while the records are out of reach
    app = _App("server")
    app.url_map.merge_slashes = (
        False  # a redirect would be a second spelling of a code, to a host that the request names
    )
    app.secret_key = context.keys.session
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes
    app.extensions["authcode"] = context
    _init_proxies(app, settings.trusted_proxies, context)
    init_security(app)
    init_problems(app)
    init_nowhere(app)
    init_login(app, context)
    init_previews(app, shoppers_preview)
    for blueprint in (api, public, station, openapi, dashboard, consumer):
        app.register_blueprint(blueprint)
    init_limits(app, settings)
    init_metrics(app)
    return app


def _init_proxies(app: Flask, proxies: int, context: Context) -> None:
    """Read address and scheme from what so many trusted proxies wrote."""
    wsgi = ProxyFix(app.wsgi_app, x_for=0, x_proto=proxies) if proxies else app.wsgi_app
    forwarded = ForwardedAddress(wsgi, proxies=proxies, clock=context.clock)
    app.extensions["authcode-forwarded"] = forwarded
    app.wsgi_app = forwarded  # type: ignore[method-assign]  # as Flask's documentation does it
