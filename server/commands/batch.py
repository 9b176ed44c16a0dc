"""`authcode batch activate | void | recall | sample | lock | unlock | status | find`: issued codes."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from authcode.commands.options import (
    counted,
    example,
    home_option,
    json_option,
    print_answer,
    print_json,
    server_option,
    station_at,
    the_time,
)
from authcode.commands.values import DAY
from server.commands.database import opened_context, opened_database

if TYPE_CHECKING:
    from authcode.client.http_client import Json
    from server.services.queries.codes import CodeHistory

_Option = Callable[[Callable[..., Any]], Callable[..., Any]]

_yes_option = click.option("--yes", is_flag=True, help="Do not ask before the whole order is meant.")

_private_reason = click.option(
    "--reason", required=True, help="Why, for the batch's own history; shoppers do not read it."
)

_link_option = click.option("--link", metavar="URL", help="Where to read on.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Codes:
    """The codes that an act is about: a range of an order (None: all of it), here or at a server."""

    order: str
    indices: str | None
    server: str | None
    home: Path | None


def _act_command(example_line: str, *options: _Option) -> Callable[[Callable[..., None]], click.Command]:
    """A command that acts on codes: ORDER, --range, --server and --home come as one value, `options` by their names."""

    def _decorate(act: Callable[..., None]) -> click.Command:
        @wraps(act)
        def _command(order: str, indices: str | None, server: str | None, home: Path | None, **given: object) -> None:
            act(_Codes(order=order, indices=indices, server=server, home=home), **given)

        indices = click.option("--range", "indices", metavar="A-B", help="Indices, both included [the whole order].")
        taken: tuple[_Option, ...] = (click.argument("order"), indices, *options, server_option, home_option)
        decorated: Callable[..., Any] = _command
        for option in reversed(taken):
            decorated = option(decorated)
        return click.command(epilog=example(example_line))(decorated)

    return _decorate


@_act_command(
    "authcode batch activate spring --range 0-499 --lot L2641 --expires 2028-03-31 --market KR,JP",
    click.option("--lot", help="The lot on these packs."),
    click.option("--expires", type=DAY, help="Their last good day."),
    click.option("--market", metavar="KR,JP", default="", help="Countries they are sold in [everywhere]."),
)
def activate(codes: _Codes, lot: str | None, expires: date | None, market: str) -> None:
    """Put codes of ORDER on sale: from now on they can be verified."""
    markets = tuple(filter(None, market.split(",")))
    _act("activate", codes, lot=lot, expires=expires, markets=markets)
    if expires is not None and expires < the_time().date():
        click.echo(
            f"Warning: their last good day, {expires}, is past, as shoppers read. Activate them again to correct it."
        )


@_act_command("authcode batch void spring --range 40-59 --reason misprint", _private_reason, _link_option, _yes_option)
def void(codes: _Codes, reason: str, link: str | None, yes: bool) -> None:
    """Take codes of ORDER out of use, such as misprinted or lost ones. It cannot be taken back."""
    _confirmed_act("void", codes, yes=yes, reason=reason, link=link)


@_act_command(
    "authcode batch recall spring --reason 'a seal may leak' --link https://example.com/recall",
    click.option("--reason", required=True, help="Why, as shoppers read it."),
    _link_option,
    _yes_option,
)
def recall(codes: _Codes, reason: str, link: str | None, yes: bool) -> None:
    """Ask everyone who looks at codes of ORDER to stop using the product. It cannot be taken back."""
    _confirmed_act("recall", codes, yes=yes, reason=reason, link=link)


@_act_command("authcode batch sample spring --range 0-4", _yes_option)
def sample(codes: _Codes, yes: bool) -> None:
    """Mark codes of ORDER as samples: they say so, and never count. It cannot be taken back."""
    _confirmed_act("sample", codes, yes=yes)


@_act_command(
    "authcode batch lock spring --range 17 --reason 'found on copies in three towns'", _private_reason, _yes_option
)
def lock(codes: _Codes, reason: str, yes: bool) -> None:
    """Inform everyone who looks at codes of ORDER that copies of them were found; attempts are recorded as before."""
    _confirmed_act("lock", codes, yes=yes, back="`batch unlock` takes it back.", reason=reason)


@_act_command("authcode batch unlock spring --range 17 --reason 'the copies were a test of ours'", _private_reason)
def unlock(codes: _Codes, reason: str) -> None:
    """Lift the lock of codes of ORDER: they are answered as they were before it."""
    _act("unlock", codes, reason=reason)


@click.command(epilog=example("authcode batch status spring --json"))
@click.argument("order", required=False)
@server_option
@home_option
@json_option
def status(order: str | None, server: str | None, home: Path | None, as_json: bool) -> None:
    """Show the state of ORDER, or of every order."""
    if server is not None:
        station = station_at(server)
        found = station.batches() if order is None else [station.batch(order)]
    else:
        found = _found_here(order, home)
    if as_json:
        print_json(found if order is None else found[0])
        return
    if not found:
        click.echo("No order is registered here.")
    for batch in found:
        states = ", ".join(_states(batch))
        product = f", {batch['product']}" if batch.get("product") else ""
        counts = f"{batch['verified']:,} verified, {batch['refused']:,} refused, {counted(batch['looks'], 'look')}"
        counts += f", {counted(batch['alerts'], 'open alert')}, {counted(batch['notes'], 'note')}"
        click.echo(f"{batch['order']} ({batch['brand']}{product}): {counted(batch['count'], 'unit')}")
        click.echo(f"  {states}")
        click.echo(f"  {counts}")


def _at_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _confirmed_act(
    kind: str, codes: _Codes, *, yes: bool, back: str = "It cannot be taken back.", **details: object
) -> None:
    """Do an act; on a whole order ask first, if there is a terminal, where no answer ends the command."""
    if codes.indices is None and not yes and _at_terminal():
        click.confirm(f"{kind} {_whole_order(codes)} of {codes.order}? {back}", abort=True, err=True)
    _act(kind, codes, **details)


def _whole_order(codes: _Codes) -> str:
    """The size and state of an order, as far as it may be read: a token that may act need not be one that may read."""
    from keys.base.errors import AuthcodeError

    if codes.server is None:
        (found,) = _found_here(codes.order, codes.home)
    else:
        try:
            found = station_at(codes.server).batch(codes.order)
        except AuthcodeError:
            return "all codes"
    return f"all {counted(found['count'], 'unit')} ({', '.join(_states(found))}; {found['verified']:,} verified)"


def _states(batch: "Json") -> list[str]:
    return [_in_state(state, count) for state, count in sorted(batch["states"].items())]


def _in_state(state: str, count: int) -> str:
    return counted(count, "sample") if state == "sample" else f"{count:,} {_STATE_WORDS.get(state, state)}"


def _found_here(order: str | None, home: Path | None) -> "list[Json]":
    from server.services.queries.batches import batch_facts, batch_of_order, batches

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
    from server.services.batches.find import CodeUnknown, find_code
    from server.services.queries.codes import code_history

    try:
        with opened_context(home) as ctx:
            history = code_history(ctx, find_code(ctx, sys.stdin.readline() if code == "-" else code))
    except CodeUnknown as unknown:
        print_answer({"found": False, "code": unknown.code}, str(unknown), as_json=as_json)
        sys.exit(1)
    print_answer({"found": True, **_history_facts(history)}, *_history_lines(history), as_json=as_json)


_STATE_WORDS = {
    "unused": "on sale",
    "not_activated": "not activated",
    "expired": "past the date",
    "recalled": "recalled",
    "void": "void",
    "locked": "locked",
    "not_ours": "not ours, the key being withdrawn",
}


def _act(kind: str, codes: _Codes, **details: object) -> None:
    if codes.server is not None:
        sent = {name: value.isoformat() if isinstance(value, date) else value for name, value in details.items()}
        done = station_at(codes.server).act(codes.order, kind, {"range": codes.indices, **sent})
        first, last, actor = done["first"], done["last"], done["actor"]
    else:
        first, last, actor = _act_here(kind, codes, details)
    click.echo(f"{codes.order}: {kind} {first}-{last} ({counted(last - first + 1, 'unit')}), by {actor}")


def _act_here(kind: str, codes: _Codes, details: dict[str, Any]) -> tuple[int, int, str]:
    from server.domain.batches.range_act import ActDetails, ActKind, ActRequest
    from server.runtime.actor import command_line_actor
    from server.services.batches.range_acts import act_on_range

    given, actor = ActDetails(**details), command_line_actor()
    wanted = ActRequest(order=codes.order, kind=ActKind(kind), indices=codes.indices, details=given, actor=actor)
    with opened_database(codes.home) as db:
        act = act_on_range(db, wanted, now=the_time())
    return act.first, act.last, act.actor


def _history_facts(history: "CodeHistory") -> dict[str, object]:
    first = history.facts.first_verified_at
    return {
        "order": history.order,
        "index": history.unit.index,
        "serial": history.facts.serial_printed,
        "state": history.state,
        "first_verified_at": first.isoformat() if first else None,
        "looks": history.looks,
        "attempts": history.scans.total,
        "alerts": len(history.alerts),
    }


def _history_lines(history: "CodeHistory") -> list[str]:
    first = history.facts.first_verified_at
    used = f"verified {first:%Y-%m-%d %H:%M} UTC" if first else "never verified"
    return [
        f"{history.order} index {history.unit.index}, serial {history.facts.serial_printed}",
        f"  {history.state}; {used}; {counted(history.looks, 'look')}, {counted(history.scans.total, 'attempt')}",
        *(f"  returned to unused by {one.by} on {one.at:%Y-%m-%d %H:%M} UTC" for one in history.returns),
        *(f"  {act.kind} {act.first}-{act.last} on {act.at:%Y-%m-%d %H:%M} UTC by {act.actor}" for act in history.acts),
    ]
