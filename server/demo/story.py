"""The story of `authcode demo`, part by part."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from server.demo.conversation import Exchange, converse
from server.demo.photos import photograph_codes, read_photos
from server.demo.preparation import (
    COUNT,
    NOT_ACTIVATED,
    STAFF_EMAIL,
    DemoOrder,
    add_staff,
    decide_fates,
    has_home,
    issue_order,
    make_home,
    next_run,
    settle_passphrases,
)
from server.demo.process import DEMO_REPEAT_WINDOW_S, DemoStepFailed, run_command, running_server
from server.process.server import listen

EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - hosts that mean every address of this machine
PHOTOGRAPHED: Final = (0, 5, 11, 17)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the story plays. `prefix` is the address in the codes, `host` and `port` where the server listens."""

    home: Path
    host: str
    port: int
    prefix: str

    @property
    def local_server(self) -> str:
        """The server's address for this machine."""
        return f"http://{'127.0.0.1' if self.host in EVERYWHERE else self.host}:{self.port}"


def run_story(stage: Stage, console: Console, *, stay: bool) -> bool:
    """Run the whole story; with `stay` the server keeps running until Ctrl-C.

    Returns:
        Whether every answer was the expected one.

    Raises:
        AddressTaken: another program listens on the port.
        DemoHomeForeign: the home is not the demo's.
        DatabaseOutdated: another version of the demo made the home.
        DemoStepFailed: a command of the story failed.
    """
    known = has_home(stage.home)
    listen(stage.host, stage.port).close()  # fail on a port that is taken before the orders are made
    console.print("[bold]authcode demo[/]: the whole story on this machine, with real parts\n", highlight=False)
    _make_home(stage, console, known=known)
    orders = _print_orders(stage, console)
    photo = _take_photos(stage, console, orders)
    _part(console, 4, "Ask the server over HTTP, as shoppers do")
    _say(console, f"starting `authcode serve` on {stage.host}:{stage.port}")
    with _serving(stage, {"AUTHCODE_REPEAT_WINDOW_S": str(DEMO_REPEAT_WINDOW_S)}):
        as_expected = _converse(converse(stage.local_server, *orders, photo), console)
        _say(console, run_command(stage.home, "batch", "status", orders[0].name))
    if not stay:
        _farewell(stage, console, orders[0], stay=False)
        return as_expected
    with _serving(stage) as server:  # another one: people who look around have the usual repeat window
        try:  # Ctrl-C may come early
            _farewell(stage, console, orders[0], stay=True)
            server.wait()
        except KeyboardInterrupt:
            console.print("\nstopped")
    return as_expected


def _serving(
    stage: Stage, settings: Mapping[str, str] | None = None
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return running_server(stage.home, host=stage.host, port=stage.port, address=stage.local_server, settings=settings)


def _part(console: Console, number: int, title: str) -> None:
    console.print(f"[bold]{number}  {title}[/]", highlight=False)


def _say(console: Console, text: str) -> None:
    for line in text.strip().splitlines():
        console.print(f"   {line}", highlight=False, soft_wrap=True, markup=False)


def _make_home(stage: Stage, console: Console, *, known: bool) -> None:
    _part(console, 1, "A home with an issuer's and a server's part")
    if known:
        settle_passphrases(stage.home)
        run_command(stage.home, "db", "upgrade")
        _say(console, f"{stage.home} is there from an earlier run")
        _ensure_keys(stage)
    else:
        with console.status("making keys, keyring, database and two products"):
            make_home(stage.home, stage.prefix)
        _say(console, f"{stage.home}: root, office, signing and serial keys, keyring, brand, two products")
        _say(console, "both parts are on one machine, next to their passphrases: for a demo only")
    printed = add_staff(stage.home)
    if printed is None:
        _say(console, f"staff account {STAFF_EMAIL} is there from an earlier run, with the password you chose")
    else:
        _say(console, printed)


def _ensure_keys(stage: Stage) -> None:
    """Give the prefix of this run signing keys of its own where an earlier run used another address."""
    known = run_command(stage.home, "keys", "list", "--json")
    if stage.prefix.upper().rstrip("/") + "/" not in known:
        for form in ("short", "gs1"):
            run_command(stage.home, "keys", "new", "--form", form, "--prefix", stage.prefix)


def _print_orders(stage: Stage, console: Console) -> tuple[DemoOrder, DemoOrder]:
    _part(console, 2, f"Two orders of {COUNT} signed codes with the brand's logo inside")
    run = next_run(stage.home)
    orders = []
    for form, product in (("short", "SERUM-30"), ("gs1", "CREAM-50")):
        with console.status(f"signing, drawing and registering the {form} form"):
            order = issue_order(stage.home, run=run, form=form, product=product, prefix=stage.prefix)
            decide_fates(stage.home, order, now=datetime.now(UTC))
        on_sale = f"0-{NOT_ACTIVATED - 1} on sale"
        _say(console, f"{order.name}: {order.folder} (codes.csv, pdf, png, svg); registered, {on_sale}")
        orders.append(order)
    return orders[0], orders[1]


def _take_photos(stage: Stage, console: Console, orders: tuple[DemoOrder, DemoOrder]) -> bytes:
    _part(console, 3, "Photograph the sheets and read the photos")
    first = b""
    for order in orders:
        with console.status("rendering, bending, blurring, shading, compressing, reading"):
            photos = photograph_codes(order, PHOTOGRAPHED)
            read = read_photos(stage.home, order, PHOTOGRAPHED, photos)
        _say(console, f"{order.name}: {sum(read)} of {len(read)} photos read ({photos[0].parent})")
        if not all(read):
            raise DemoStepFailed("authcode scan", f"only {sum(read)} of {len(read)} photos of {order.name} were read")
        first = first or photos[0].read_bytes()
    return first


def _converse(exchanges: Iterator[Exchange], console: Console) -> bool:
    """Hold the conversation and print it as a table; whether every answer was the expected one."""
    table = Table("who", "what is asked", "how", "answer", "", box=None, padding=(0, 2), header_style="bold")
    as_expected = True
    with console.status(f"asking (the repeat window is {DEMO_REPEAT_WINDOW_S} seconds here, ten minutes in earnest)"):
        started = time.monotonic()
        for exchange in exchanges:
            mark = "as expected" if exchange.as_expected else f"EXPECTED {exchange.expected}"
            table.add_row(exchange.who, exchange.asked, exchange.channel, exchange.answer, mark)
            as_expected &= exchange.as_expected
    console.print(table)
    _say(console, f"{table.row_count} exchanges in {time.monotonic() - started:.1f} s")
    return as_expected


def _farewell(stage: Stage, console: Console, order: DemoOrder, *, stay: bool) -> None:
    _part(console, 5, "Look around")
    _say(console, f"sheet to print or scan   {order.sheet}")
    if not stay:
        _say(console, f"see it in a browser      {_program()} demo --home {stage.home}")
        return
    _say(console, f"an unused code's page    {order.codes[1]}")
    _say(console, f"check any photo          {stage.prefix.rstrip('/')}/")
    _say(console, f"dashboard, alert inside  {stage.prefix.rstrip('/')}/staff/  ({STAFF_EMAIL}, password: see part 1)")
    _say(console, "act as a shopper         in a private window: signed in as staff you see a code and verify nothing")
    _say(console, f"password lost?           {_program()} staff reset {STAFF_EMAIL} --home {stage.home}")
    _say(console, "Ctrl-C ends the server")


def _program() -> str:
    """What to type for `authcode` here: the demo of a clone runs from an environment that no PATH names."""
    return "authcode" if shutil.which("authcode") else f"{sys.executable} -m authcode"
