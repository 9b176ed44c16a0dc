"""`authcode log head | key | prove | list | erase`: the operator's side of the log."""

import sys
from pathlib import Path

import click

from authcode.commands.options import example, home_option, json_option, print_json, the_time
from server.commands.database import opened_context

_out = click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it into this file [standard output]."
)


@click.command(epilog=example("authcode log head --out head.txt"))
@_out
@home_option
def head(out: Path | None, home: Path | None) -> None:
    """Sign a head over everything the log holds now, and print it: keep it, or hand it to a witness.

    A rewritten history is noticed only by somebody else who kept an earlier head.
    """
    from server.services.log.heads import sign_newest_head

    with opened_context(home) as ctx:
        _write(sign_newest_head(ctx.db, ctx.keys.log_head, now=the_time()).note, out)


@click.command(epilog=example("authcode log key --out log.key"))
@_out
@home_option
def key(out: Path | None, home: Path | None) -> None:
    """Print the log's public key, on one line: `authcode log check` needs nothing else."""
    from server.services.log.heads import log_key

    with opened_context(home) as ctx:
        _write(log_key(ctx.db, ctx.keys.log_head).text + "\n", out)


@click.command(epilog=example("authcode log prove spring:17 --out proof.txt"))
@click.argument("code", required=False)
@click.option("--index", type=click.IntRange(min=0), help="Prove the entry of this number instead.")
@click.option("--old", type=click.IntRange(min=0), help="Prove that the log continues its head of so many entries.")
@_out
@home_option
def prove(code: str | None, index: int | None, old: int | None, out: Path | None, home: Path | None) -> None:
    """Prove that the verification of CODE is in the log, under a head signed now.

    CODE is the text of a symbol (`-` reads it), a typed serial, or ORDER:INDEX. The proof shows its record.
    """
    from server.services.batches.find import find_code
    from server.services.log.heads import sign_newest_head
    from server.services.log.proofs import prove_growth, prove_leaf

    if sum(asked is not None for asked in (code, index, old)) != 1:
        raise click.UsageError("name one thing to prove: CODE, --index or --old")
    with opened_context(home) as ctx:
        sign_newest_head(ctx.db, ctx.keys.log_head, now=the_time())
        if old is not None:
            _write(prove_growth(ctx.db, old).text, out)
        elif index is not None:
            _write(prove_leaf(ctx.db, index).text, out)
        else:
            unit = find_code(ctx, sys.stdin.readline() if code == "-" else code or "")
            _write(prove_leaf(ctx.db, unit).text, out)


@click.command(epilog=example("authcode log list --last 20 --json"))
@click.option("--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many entries.")
@home_option
@json_option
def list_entries(last: int, home: Path | None, as_json: bool) -> None:
    """Show the last entries, oldest first, with their numbers."""
    from server.services.log.entries import latest_entries
    from server.services.log.heads import sign_newest_head

    with opened_context(home) as ctx:
        sign_newest_head(ctx.db, ctx.keys.log_head, now=the_time())
        found = latest_entries(ctx.db, limit=last)
    for leaf in found:
        record = None if leaf.entry is None else leaf.entry.facts
        if as_json:
            print_json({"index": leaf.number, "leaf": leaf.leaf.hex(), "record": record})
        else:
            click.echo(f"{leaf.number:>8}  {'(erased)' if leaf.entry is None else leaf.entry.record}")


@click.command(epilog=example("authcode log erase 17"))
@click.argument("index", type=click.IntRange(min=0))
@home_option
def erase(index: int, home: Path | None) -> None:
    """Erase the record of entry INDEX for good; its leaf and all proofs stay.

    This empties the log only. What other tables keep of the same verification stays.
    """
    from server.runtime.actor import command_line_actor
    from server.services.log.entries import erase_entry
    from server.services.log.heads import sign_newest_head

    with opened_context(home) as ctx:
        sign_newest_head(ctx.db, ctx.keys.log_head, now=the_time())
        erase_entry(ctx.db, index, actor=command_line_actor(), now=the_time())
    click.echo(f"Entry {index}: salt and record are erased; its leaf stays.")


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8", newline="\n")
        click.echo(f"Written to {out}")
