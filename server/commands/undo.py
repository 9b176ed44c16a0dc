"""`authcode batch undo`: return used codes to unused, after somebody verified what they never bought."""

from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from authcode.commands.options import counted, example, home_option, json_option, print_json
from server.commands.database import opened_context

if TYPE_CHECKING:
    from server.domain.codes.unit import Unit
    from server.runtime.context import Context
    from server.services.batches.undo import StaffUndo


@click.command(epilog=example("authcode batch undo spring --range 40-59 --reason 'verified from shelf pictures'"))
@click.argument("order", required=False)
@click.option("--range", "indices", metavar="A-B", help="Indices of ORDER, both included [the whole order].")
@click.option("--codes", type=click.File(), help="A file with a code, serial or ORDER:INDEX a line (`-` reads it).")
@click.option("--alert", type=click.IntRange(min=1), metavar="N", help="The code that this alert is about.")
@click.option("--reason", required=True, help="Why, for the codes' own history; shoppers do not read it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def undo(  # noqa: PLR0913, PLR0917 - one parameter for each option
    order: str | None,
    indices: str | None,
    codes: IO[str] | None,
    alert: int | None,
    reason: str,
    yes: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Return the used codes of ORDER, of a file or of an alert to unused, each at most once.

    Their answers show for good that they were returned on this day; receipts and keep-codes of them stop working. The
    affected codes are counted and shown first; then it asks.
    """
    from server.runtime.actor import command_line_actor
    from server.services.batches.undo import preview_undo, undo_by_staff

    if sum(given is not None for given in (order, codes, alert)) != 1:
        raise click.UsageError("name an ORDER, --codes or --alert, and one of them only")
    if indices is not None and order is None:
        raise click.UsageError("--range belongs to an ORDER")
    with opened_context(home) as ctx:
        units = _named(ctx, order, indices, codes, alert)
        planned = preview_undo(ctx, units)
        if not as_json:
            _tell(planned, "would return")
        if planned.returned and not yes:
            click.confirm(f"Return {counted(len(planned.returned), 'code')} to unused?", abort=True, err=True)
        done = undo_by_staff(ctx, units, reason=reason, actor=command_line_actor())
    if as_json:
        counts = {"unused": done.unused, "returned_before": done.spent, "ended": done.ended}
        print_json({"returned": len(done.returned), **counts})
    else:
        _tell(done, "returned")


def _named(
    ctx: "Context", order: str | None, indices: str | None, codes: IO[str] | None, alert: int | None
) -> "tuple[Unit, ...]":
    from server.services.batches.undo import units_of_alert, units_of_codes, units_of_range

    if order is not None:
        return units_of_range(ctx, order, indices)
    if codes is not None:
        return units_of_codes(ctx, (line.strip() for line in codes if line.strip()))
    return units_of_alert(ctx, alert or 0)


def _tell(undone: "StaffUndo", verb: str) -> None:
    others = f"; not used: {undone.unused:,}; returned by staff before: {undone.spent:,}"
    others += f"; ended otherwise since: {undone.ended:,}" if undone.ended else ""
    click.echo(f"{verb} to unused: {len(undone.returned):,}{others}")
