"""`authcode token new | list | revoke`: which print stations may publish, register and act over the network."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authcode.commands.options import example, home_option, json_option, print_answer, print_json, the_time
from keys.base.files import write_atomic
from server.commands.database import opened_database
from server.domain.staff.scope import DEFAULT_DAYS, MAX_DAYS, Scope

if TYPE_CHECKING:
    from server.services.staff.api_tokens import TokenFacts

_SCOPES = "\n".join(f"  {scope:16} {scope.sentence}" for scope in Scope)


@click.command(
    epilog=f"Scopes:\n\n\b\n{_SCOPES}\n\n"
    + example("authcode token new --label press-1 --scope batch:register --scope batch:act --scope batch:read")
)
@click.option("--label", required=True, help="Whose it is, such as the station's name; it appears in the history.")
@click.option(
    "--scope", "scopes", type=click.Choice(list(map(str, Scope))), multiple=True, required=True, help="May be repeated."
)
@click.option("--brand", help="Name or id of the brand it acts for [the only one].")
@click.option(
    "--expires",
    "days",
    metavar="DAYS",
    type=click.IntRange(1, MAX_DAYS),
    default=DEFAULT_DAYS,
    show_default=True,
    help="Days for which it opens anything.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it into this file, for you only [printed]."
)
@home_option
@json_option
def new(  # noqa: PLR0913, PLR0917 - one argument an option
    label: str,
    scopes: tuple[str, ...],
    brand: str | None,
    days: int,
    out: Path | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Make a token for a print station; it is shown once, and only its hash is kept."""
    from server.runtime.actor import command_line_actor
    from server.services.staff.api_tokens import TokenRequest, new_token

    if out is not None and out.exists():  # it may hold a token that cannot be shown again
        raise click.BadParameter(f"{out} is there already; name another file, or remove it first.", param_hint="--out")
    with opened_database(home) as db:
        wanted = TokenRequest(brand=brand, label=label, scopes=[Scope(name) for name in scopes], days=days)
        text, facts = new_token(db, wanted, actor=command_line_actor(), now=the_time())
    if out is not None:
        write_atomic(out, f"{text}\n".encode("ascii"))
    if as_json:
        print_json({**({"token": text} if out is None else {"file": str(out)}), **_json(facts)})
        return
    click.echo(text if out is None else f"Token {facts.prefix} is in {out}, readable by its owner only.")
    click.echo(f"It is shown this once. For {facts.brand}, until {facts.expires_at:%Y-%m-%d %H:%M} UTC:", err=True)
    for scope in facts.scopes:
        click.echo(f"  {scope:16} {scope.sentence}", err=True)
    click.echo(f"Take it back with: authcode token revoke {facts.prefix}", err=True)


@click.command("list", epilog=example("authcode token list --json"))
@home_option
@json_option
def list_all(home: Path | None, as_json: bool) -> None:
    """List the tokens that were given, and the day on which each was last used; none can be shown again."""
    from server.services.staff.api_tokens import list_tokens

    with opened_database(home) as db:
        found = list_tokens(db, now=the_time())
    if as_json:
        print_json({"tokens": [_json(facts) for facts in found]})
        return
    for facts in found:
        used = f"last used {facts.last_used}" if facts.last_used else "never used"
        click.echo(f"{facts.prefix}  {facts.state:8} {facts.label} for {facts.brand}: {' '.join(facts.scopes)}")
        click.echo(f"          until {facts.expires_at:%Y-%m-%d}, {used}, made by {facts.created_by}")
    if not found:
        click.echo("No token was given yet; make one with `authcode token new`.")


@click.command(epilog=example("authcode token revoke 3f9a01c2"))
@click.argument("prefix")
@home_option
@json_option
def revoke(prefix: str, home: Path | None, as_json: bool) -> None:
    """Take the token with this PREFIX back: it opens nothing from the next request on. What it did stays."""
    from server.runtime.actor import command_line_actor
    from server.services.staff.api_tokens import revoke_token

    with opened_database(home) as db:
        facts = revoke_token(db, prefix, actor=command_line_actor(), now=the_time())
    line = f"Token {facts.prefix} ({facts.label}) is revoked since {facts.revoked_at:%Y-%m-%d %H:%M} UTC."
    print_answer(_json(facts), line, as_json=as_json)


def _json(facts: "TokenFacts") -> dict[str, object]:
    moments = {"created_at": facts.created_at, "expires_at": facts.expires_at, "revoked_at": facts.revoked_at}
    return asdict(facts) | {name: moment and moment.isoformat() for name, moment in moments.items()}
