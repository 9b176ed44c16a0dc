"""Progress of long commands, on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

LINES_EVERY = 512
"""Steps between two lines where no bar can be drawn."""


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar that takes how many of `total` are done, if standard error is a terminal; nothing otherwise."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if console.is_dumb_terminal:
        click.echo(f"{title}: {total}", err=True)
        yield lambda done: click.echo(f"  {done} of {total}", err=True) if done % LINES_EVERY == 0 else None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)
