"""`authcode batch activate | void | recall | sample | lock | unlock | status | find`: what becomes of issued codes."""

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from authcode.commands.options import (
    example,
    home_option,
    json_option,
    server_option,
    station_at,
    tell,
    tell_json,
    the_time,
)
from authcode.commands.values import DAY

if TYPE_CHECKING:
    from authcode.client.http_client import Json
    from server.domain.batches.range_act import ActDetails
    from server.services.queries.dashboard import CodeHistory

_Command = TypeVar("_Command", bound=Callable[..., Any])

_range_option = click.option("--range", "indices", metavar="A-B", help="Indices, both included [the whole order].")

_yes_option = click.option("--yes", is_flag=True, help="Do not ask before the whole order is meant.")

_private_reason = click.option(
    "--reason", required=True, help="Why, for the batch's own history; shoppers are not told."
)


def _reasons(why: str) -> Callable[[_Command], _Command]:
    reason = click.option("--reason", required=True, help=why)
    link = click.option("--link", metavar="URL", help="Where to read on.")
    return lambda command: reason(link(_yes_option(command)))


@click.command(
    epilog=example("authcode batch activate spring --range 0-499 --lot L2641 --expires 2028-03-31 --market KR,JP")
)
@click.argument("order")
@_range_option
@click.option("--lot", help="The lot on these packs.")
@click.option("--expires", type=DAY, help="Their last good day.")
@click.option("--market", metavar="KR,JP", default="", help="Countries they are sold in [everywhere].")
@server_option
@home_option
def activate(  # noqa: PLR0913, PLR0917 - one parameter for each option
    order: str,
    indices: str | None,
    lot: str | None,
    expires: date | None,
    market: str,
    server: str | None,
    home: Path | None,
) -> None:
    """Put codes of ORDER into the world: from now on they can be verified."""
    from server.domain.batches.range_act import ActDetails

    markets = tuple(filter(None, market.split(",")))
    details = ActDetails(lot=lot, expires=expires, markets=markets)
    _act("activate", order, indices, details, home=home, server=server)
    if expires is not None and expires < the_time().date():
        click.echo(
            f"Mind: their last good day, {expires}, is past: shoppers are told so. Activate them again to mend it."
        )


@click.command(epilog=example("authcode batch void spring --range 40-59 --reason misprint"))
@click.argument("order")
@_range_option
@_reasons("Why, for the batch's own history; shoppers are not told.")
@server_option
@home_option
def void(  # noqa: PLR0913, PLR0917 - one parameter for each option
    order: str, indices: str | None, reason: str, link: str | None, yes: bool, server: str | None, home: Path | None
) -> None:
    """Take codes of ORDER out of use, such as misprinted or lost ones. It cannot be taken back."""
    from server.domain.batches.range_act import ActDetails

    if indices is None and not yes:
        _confirm_whole("void", order, home=home, server=server)
    _act("void", order, indices, ActDetails(reason=reason, link=link), home=home, server=server)


@click.command(
    epilog=example("authcode batch recall spring --reason 'a seal may leak' --link https://example.com/recall")
)
@click.argument("order")
@_range_option
@_reasons("Why, as shoppers read it.")
@server_option
@home_option
def recall(  # noqa: PLR0913, PLR0917 - one parameter for each option
    order: str, indices: str | None, reason: str, link: str | None, yes: bool, server: str | None, home: Path | None
) -> None:
    """Tell whoever looks at codes of ORDER to stop using the product. It cannot be taken back."""
    from server.domain.batches.range_act import ActDetails

    if indices is None and not yes:
        _confirm_whole("recall", order, home=home, server=server)
    _act("recall", order, indices, ActDetails(reason=reason, link=link), home=home, server=server)


@click.command(epilog=example("authcode batch sample spring --range 0-4"))
@click.argument("order")
@_range_option
@_yes_option
@server_option
@home_option
def sample(order: str, indices: str | None, yes: bool, server: str | None, home: Path | None) -> None:
    """Mark codes of ORDER as samples: they say so, and never count. It cannot be taken back."""
    from server.domain.batches.range_act import ActDetails

    if indices is None and not yes:
        _confirm_whole("sample", order, home=home, server=server)
    _act("sample", order, indices, ActDetails(), home=home, server=server)


@click.command(epilog=example("authcode batch lock spring --range 17 --reason 'found on copies in three towns'"))
@click.argument("order")
@_range_option
@_private_reason
@_yes_option
@server_option
@home_option
def lock(  # noqa: PLR0913, PLR0917 - one parameter for each option
    order: str, indices: str | None, reason: str, yes: bool, server: str | None, home: Path | None
) -> None:
    """Tell whoever looks at codes of ORDER that copies of them were found; attempts are recorded as before."""
    from server.domain.batches.range_act import ActDetails

    if indices is None and not yes:
        _confirm_whole("lock", order, home=home, server=server, back="`batch unlock` takes it back.")
    _act("lock", order, indices, ActDetails(reason=reason), home=home, server=server)


@click.command(epilog=example("authcode batch unlock spring --range 17 --reason 'the copies were a test of ours'"))
@click.argument("order")
@_range_option
@_private_reason
@server_option
@home_option
def unlock(order: str, indices: str | None, reason: str, server: str | None, home: Path | None) -> None:
    """Lift the lock of codes of ORDER: they are answered as they were before it."""
    from server.domain.batches.range_act import ActDetails

    _act("unlock", order, indices, ActDetails(reason=reason), home=home, server=server)


@click.command(epilog=example("authcode batch status spring --json"))
@click.argument("order", required=False)
@server_option
@home_option
@json_option
def status(order: str | None, server: str | None, home: Path | None, as_json: bool) -> None:
    """Tell how ORDER stands, or every order."""
    if server is not None:
        station = station_at(server)
        found = station.batches() if order is None else [station.batch(order)]
    else:
        found = _found_here(order, home)
    if as_json:
        tell_json(found if order is None else found[0])
        return
    if not found:
        click.echo("No order is registered here.")
    for batch in found:
        states = ", ".join(_states(batch))
        product = f", {batch['product']}" if batch.get("product") else ""
        counts = ", ".join(f"{batch[name]:,} {name}" for name in ("verified", "refused", "looks"))
        counts += f", {_counted(batch['alerts'], 'open alert')}, {_counted(batch['notes'], 'note')}"
        click.echo(f"{batch['order']} ({batch['brand']}{product}): {batch['count']:,} units")
        click.echo(f"  {states}")
        click.echo(f"  {counts}")


def _at_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _confirm_whole(
    kind: str, order: str, *, home: Path | None, server: str | None, back: str = "It cannot be taken back."
) -> None:
    """Ask before an act on a whole order, where somebody is at a terminal to answer; no answer ends it."""
    from keys.base.errors import AuthcodeError

    if not _at_terminal():
        return
    try:
        found = station_at(server).batch(order) if server is not None else _found_here(order, home)[0]
    except AuthcodeError:
        if server is None:
            raise
        whole = "all codes"  # a token that may act need not be one that may read
    else:
        states = ", ".join(_states(found))
        whole = f"all {found['count']:,} units ({states}; {found['verified']:,} verified)"
    click.confirm(f"{kind} {whole} of {order}? {back}", abort=True, err=True)


def _states(batch: "Json") -> list[str]:
    return [f"{count:,} {_SAID.get(state, state)}" for state, count in sorted(batch["states"].items())]


def _found_here(order: str | None, home: Path | None) -> "list[Json]":
    from server.commands.database import opened_database
    from server.services.queries.dashboard import batch_of_order, batches
    from server.services.queries.models import batch_facts

    with opened_database(home) as db:
        now = the_time()
        found = batches(db, now=now) if order is None else (batch_of_order(db, order, now=now),)
    return [batch_facts(batch) for batch in found]


@click.command(epilog=example("authcode batch find spring:17"))
@click.argument("code")
@home_option
@json_option
def find(code: str, home: Path | None, as_json: bool) -> None:
    """Find the unit that CODE names: the text of a symbol (`-` reads it), a typed serial, or ORDER:INDEX.

    A code is a secret until it is used: other users see arguments and shells remember them, so prefer `-`.
    """
    from keys.base.home import home_dir
    from keys.store.passphrase import read_passphrase
    from server.app import create_context
    from server.keystore import open_server_keys
    from server.services.batches.find import CodeUnknown, find_code
    from server.services.queries.dashboard import code_history
    from server.settings import load_settings

    place = home_dir(home)
    keys = open_server_keys(place, read_passphrase("server", place))
    ctx = create_context(load_settings(place), keys)
    try:
        history = code_history(ctx, find_code(ctx, sys.stdin.readline() if code == "-" else code))
    except CodeUnknown as unknown:
        tell({"found": False, "code": unknown.code}, str(unknown), as_json=as_json)
        sys.exit(1)
    finally:
        ctx.db.close()
    tell({"found": True, **_history_facts(history)}, *_history_lines(history), as_json=as_json)


_SAID = {
    "unused": "on sale",
    "not_activated": "not activated",
    "expired": "past their date",
    "recalled": "recalled",
    "void": "void",
    "sample": "samples",
    "locked": "locked",
    "not_ours": "not ours, their key being withdrawn",
}


def _act(  # noqa: PLR0913 - one act, and where it is done
    kind: str, order: str, indices: str | None, details: "ActDetails", *, home: Path | None, server: str | None
) -> None:
    if server is not None:
        told = {name: getattr(details, name) for name in ("lot", "markets", "reason", "link")}
        expires = details.expires and details.expires.isoformat()
        done = station_at(server).act(order, kind, {"range": indices, "expires": expires, **told})
        _tell_act(order, kind, first=done["first"], last=done["last"], actor=done["actor"])
        return
    from server.commands.database import opened_database
    from server.domain.batches.range_act import ActKind
    from server.runtime.operator import command_line_actor
    from server.services.batches.range_acts import act_on_range

    with opened_database(home) as db:
        act = act_on_range(
            db,
            order,
            ActKind(kind),
            indices=indices,
            details=details,
            actor=command_line_actor(),
            now=the_time(),
        )
    _tell_act(order, kind, first=act.first, last=act.last, actor=act.actor)


def _tell_act(order: str, kind: str, *, first: int, last: int, actor: str) -> None:
    click.echo(f"{order}: {kind} {first}-{last} ({_counted(last - first + 1, 'unit')}), by {actor}")


def _history_facts(history: "CodeHistory") -> dict[str, object]:
    first = history.facts.first_verified_at
    return {
        "order": history.order,
        "index": history.unit.index,
        "serial": history.facts.serial_printed,
        "state": history.state,
        "first_verified_at": first.isoformat() if first else None,
        "looks": history.looks,
        "attempts": history.scans_total,
        "alerts": len(history.alerts),
    }


def _history_lines(history: "CodeHistory") -> list[str]:
    first = history.facts.first_verified_at
    used = f"verified {first:%Y-%m-%d %H:%M} UTC" if first else "never verified"
    return [
        f"{history.order} index {history.unit.index}, serial {history.facts.serial_printed}",
        f"  {history.state}; {used}; {history.looks:,} looks, {history.scans_total:,} attempts",
        *(f"  returned to unused by {one.by} on {one.at:%Y-%m-%d %H:%M} UTC" for one in history.returns),
        *(f"  {act.kind} {act.first}-{act.last} on {act.at:%Y-%m-%d %H:%M} UTC by {act.actor}" for act in history.acts),
    ]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
