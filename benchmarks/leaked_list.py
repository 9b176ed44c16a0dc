"""What one who walks through a list of leaked codes learns in a day, under the limits on looks and the rule `harvest`.

    python -m benchmarks.leaked_list [--codes N]

The walker looks at the codes from some networks, hour after hour, unknown ones first, and learns a state wherever a
look shows it. Three ways: `greedy` drops the cookie and goes on until the network is refused; `quiet` drops it and
stays below the rule; `cookie` keeps one cookie for each network. None of the codes is verified. The
limits and the rule are the server's own, at their default settings, of a server with one worker.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from server.domain.alerts.rule import HourOfNetwork
from server.domain.alerts.rules import findings
from server.domain.alerts.rules.harvest import HARVEST_EXCESS
from server.runtime.look_limits import LookLimits
from server.settings import Settings

HOURS = 24
NETWORKS = (1, 10, 100)
_START = datetime(2026, 12, 1, tzinfo=UTC)
_REFUSED_IN_A_ROW = 25  # then the walker gives the hour up
_ROW = "{:<8} {:>8} {:>11} {:>9} {:>10} {:>8} {:>11}"


class Way(StrEnum):
    """How the walker goes about it."""

    GREEDY = "greedy"
    QUIET = "quiet"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a day's walk showed: codes known after an hour and after a day, hours until all were known, and answers.

    In `hours_reported` of its hours the rule reported it.
    """

    first_hour: int
    in_a_day: int
    hours_to_all: int | None
    answers: int
    hours_reported: int


def walk(limits: LookLimits, *, codes: int, networks: int, way: Way) -> Learned:
    """Walk through so many codes of one batch for a day."""
    known: set[int] = set()
    answers = hours_reported = 0
    after: list[int] = []
    for hour in range(HOURS):
        now = _START + timedelta(hours=hour)
        looked = 0
        for network in range(networks):
            order = _unknown_first(codes, codes * network // networks, known)
            shown, tried = _hour_of_network(limits, order, network, way, now)
            known |= shown
            answers += len(shown)
            looked = max(looked, tried)
        facts = HourOfNetwork(batch_row=1, unburned=looked, burned=0, workers=1)
        hours_reported += any(rule.name == "harvest" for rule, _ in findings(facts))
        after.append(len(known))
    return Learned(
        first_hour=after[0],
        in_a_day=after[-1],
        hours_to_all=next((hour + 1 for hour, amount in enumerate(after) if amount == codes), None),
        answers=answers,
        hours_reported=hours_reported,
    )


def _unknown_first(codes: int, begin: int, known: set[int]) -> list[int]:
    """The list in the order in which a network goes through it: its own part first."""
    return sorted(range(codes), key=lambda code: (code in known, (code - begin) % codes))


def _hour_of_network(
    limits: LookLimits, order: Sequence[int], network: int, way: Way, now: datetime
) -> tuple[set[int], int]:
    """The codes whose state one network learns in an hour, and how many it looked at."""
    shown: set[int] = set()
    tried = refused = 0
    for code in order[: HARVEST_EXCESS - 1] if way is Way.QUIET else order:
        cookie = f"{network:064x}" if way is Way.COOKIE else None
        tried += 1
        if limits.may_tell(code, f"10.{network // 250}.{network % 250}.1", cookie=cookie, now=now):
            shown.add(code)
            refused = 0
        else:
            refused += 1
        if refused >= _REFUSED_IN_A_ROW:
            break
    return shown, tried


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--codes", type=int, default=2_000, help="codes on the list (default %(default)s)")
    codes = parser.parse_args().codes
    print(f"{codes} codes, {HOURS} hours")
    print(_ROW.format("way", "networks", "known: 1 h", "1 day", "all after", "answers", "reported"))
    for way in Way:
        for networks in NETWORKS:
            found = walk(LookLimits.of(Settings(home=Path())), codes=codes, networks=networks, way=way)
            whole = "never" if found.hours_to_all is None else f"{found.hours_to_all} h"
            numbers = found.first_hour, found.in_a_day, whole, found.answers, found.hours_reported
            print(_ROW.format(way, networks, *numbers))


if __name__ == "__main__":
    main()
