"""`authcode serve`: the verification server and its dashboard."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from authcode.commands.options import example, home_option, the_time
from server.commands.database import opened_database

if TYPE_CHECKING:
    from server.keystore import ServerKeys
    from server.storage.engine import Database

DEFAULT_PORT = 8470
host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for your network."
)


@click.command(epilog=example("authcode serve --host 0.0.0.0 --port 8470 --workers 2"))
@host_option
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--workers", default=None, type=click.IntRange(1, 64), help="Processes that answer [one].")
@home_option
def serve(host: str, port: int, workers: int | None, home: Path | None) -> None:
    """Answer looks and verifications until Ctrl-C. A proxy that ends TLS belongs in front of it.

    It refuses to start when the server's passphrase would open the keys that sign codes.
    """
    from keys.base.home import home_dir
    from keys.store.passphrase import read_passphrase
    from server.keystore import open_server_keys, refuse_signing_keys
    from server.process.server import Supervisor, listen
    from server.runtime.places import Places
    from server.settings import load_settings

    place = home_dir(home).resolve()
    settings = load_settings(place) if workers is None else load_settings(place, workers=workers)
    passphrase = read_passphrase("server", place)
    keys = open_server_keys(place, passphrase)
    refuse_signing_keys(place, passphrase)
    Places(settings.geoip_database).close()  # a wrong path is reported here, not by workers that end
    with opened_database(home) as db:
        _warn(db, keys)
    with listen(host, port) as listener:
        shown, bound = listener.getsockname()[:2]
        address = f"http://[{shown}]:{bound}" if ":" in shown else f"http://{shown}:{bound}"
        click.echo(f"Check a code  {address}/")
        click.echo(f"Dashboard     {address}/staff/")
        click.echo(f"Interface     {address}/api/v1/openapi.json")
        click.echo(f"{settings.workers} worker(s); Ctrl-C ends.", nl=True)
        Supervisor(settings, keys, listener).run()


def _warn(db: "Database", keys: "ServerKeys") -> None:
    """Print what the operator should repair and what does not stop the server from starting."""
    from server.services.brands.keyring import ageing_keyrings, missing_keys, published_keyrings
    from server.services.log.clock import clock_behind, clock_warning

    now = the_time()
    behind = clock_behind(db, now=now)
    if behind is not None:
        click.echo(f"Warning: {clock_warning(behind)}.", err=True)
    for missing in missing_keys(keys, published_keyrings(db)):
        click.echo(f"Warning: {missing.warning}.", err=True)
    for keyring in ageing_keyrings(db, now=now):
        click.echo(
            f"The key list of {keyring.brand} is valid until {keyring.expires:%Y-%m-%d %H:%M} UTC; after that "
            "offline verifiers call it out of date. `authcode keys publish` renews it.",
            err=True,
        )
