"""`authcode demo`: the whole story with the embedded database."""

import signal
from pathlib import Path
from typing import Final, NoReturn

import click

from authcode.commands.options import example
from server.commands.serve import DEFAULT_PORT, host_option

_ENDINGS: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that end a demo as Ctrl-C does: a kill, or a closed terminal (Windows has no SIGHUP)."""


@click.command(
    epilog=example(
        "authcode demo", "authcode demo --no-serve", "authcode demo --host 0.0.0.0 --url http://192.168.1.20:8470"
    )
)
@click.option("--no-serve", is_flag=True, help="Exit after the story instead of leaving the server running.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="Folder of the demo's home.")
@host_option
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option("--url", help="Address that goes into the codes, for a phone in your network.")
def demo(*, no_serve: bool, home: Path | None, host: str, port: int, url: str | None) -> None:
    """Run the whole story on this machine: keys, codes, sheets, photos, verifications, an alert.

    A second run replays it with new orders.
    """
    import sys

    from rich.console import Console

    from keys.base.home import home_dir
    from server.demo.story import Stage, run_story

    for ending in _ENDINGS:
        signal.signal(ending, _as_ctrl_c)
    stage = Stage(home=home_dir(home).resolve(), host=host, port=port, prefix=url or f"http://127.0.0.1:{port}")
    if not run_story(stage, Console(), stay=not no_serve):
        sys.exit(1)


def _as_ctrl_c(_signal: int, _frame: object) -> NoReturn:
    """End as Ctrl-C does, so that the server ends with the story."""
    raise KeyboardInterrupt
